// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing_files.hpp"
#include "meter/testing/testing.hpp"
#include "meter/testing/testing_allocations.hpp"
#include "meter/testing/testing_perf.hpp"

namespace carnot::meter {
namespace {

namespace fs = std::filesystem;
using testing::FakePerf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::SensorTree;
using testing::Topology;

constexpr const char* kScale = "2.3283064365386962890625e-10\n";

void add_event(const SensorTree& tree, const std::string& name, int code) {
  const std::string events = tree.sysfs_root() + "/devices/power/events/";
  write_text(events + name, "event=0x0" + std::to_string(code) + "\n");
  write_text(events + name + ".unit", "Joules\n");
  write_text(events + name + ".scale", kScale);
}

struct Machine {
  TemporaryFolder folder;
  SensorTree tree{folder.path(), Topology::PerfSubset};
  std::shared_ptr<FakePerf> calls =
      std::make_shared<FakePerf>(tree, std::map<std::pair<std::uint64_t, int>, std::string>{
                                           {{2, 0}, "package-0"}, {{3, 0}, "dram-0"}});
  SourceOptions options;
  std::vector<Note> notes;
  Machine() {
    options.sysfs_root = tree.sysfs_root();
    options.procfs_root = tree.procfs_root();
  }
  std::unique_ptr<Source> open() { return open_perf(options, notes, calls); }
};

TEST(Perf, KeepsTheContractWithOneReadAPackage) {
  Machine m;
  add_event(m.tree, "energy-ram", 3);
  {
    const auto source = m.open();
    ASSERT_NE(source, nullptr);
    ASSERT_EQ(source->domains().size(), 2u);
    EXPECT_EQ(source->domains()[0].socket, 0);
    EXPECT_EQ(source->domains()[1].parent, source->domains()[0].id);
    EXPECT_EQ(source->domains()[0].counter.unit.base(), 0x1p-24);
    EXPECT_EQ(source->domains()[0].counter.modulus, std::uint64_t{1} << 56);
    EXPECT_THAT(testing::check_source_contract(*source, nullptr), IsEmpty());
    m.calls->reads = 0;
    std::vector<Reading> readings(2);
    const std::uint64_t before = testing::allocations();
    source->poll(readings);
    EXPECT_EQ(testing::allocations(), before);
    EXPECT_EQ(m.calls->reads, 1);
    EXPECT_THAT(m.notes, IsEmpty());
  }
  EXPECT_EQ(m.calls->opened, 2);
  EXPECT_EQ(m.calls->closed, 2);
}

TEST(Perf, CountsWhatWasSpent) {
  for (const bool groups : {true, false}) {
    Machine m;
    add_event(m.tree, "energy-ram", 3);
    m.calls->groups = groups;
    const auto source = m.open();
    ASSERT_NE(source, nullptr);
    std::vector<Reading> readings(2);
    std::vector<Counter> counters;
    for (const Domain& d : source->domains()) counters.emplace_back(d.counter);
    for (int i = 0; i <= 300; ++i) {
      source->poll(readings);
      for (std::size_t k = 0; k < 2; ++k) {
        ASSERT_EQ(readings[k].status, PollStatus::Ok);
        const std::int64_t now = i * 10'000'000'000;
        counters[k].advance(readings[k].raw, {now, now});
      }
      if (i < 300) m.tree.advance(10.0);
    }
    EXPECT_NEAR(counters[0].total().in(joule), 60.0 * 3000, 1e-4);
    EXPECT_NEAR(counters[1].total().in(joule), 8.0 * 3000, 1e-4);
    EXPECT_EQ(m.calls->reads, groups ? 301 : 602);
  }
}

TEST(Perf, SaysHowToBeLetIn) {
  Machine m;
  m.calls->open_error = EACCES;
  EXPECT_EQ(m.open(), nullptr);
  ASSERT_EQ(m.notes.size(), 1u);
  EXPECT_THAT(m.notes[0].why, HasSubstr("perf_event_paranoid <= 0 (it is 2)"));
  EXPECT_EQ(m.notes[0].remedy, "sudo sysctl kernel.perf_event_paranoid=0");
}

TEST(Perf, EventsPowercapDoesNotKnowArePhantoms) {
  Machine m;
  add_event(m.tree, "energy-cores", 1);
  const auto source = m.open();
  ASSERT_NE(source, nullptr);
  EXPECT_EQ(source->domains().size(), 1u);
  ASSERT_EQ(m.notes.size(), 1u);
  EXPECT_THAT(m.notes[0].why, HasSubstr("energy-cores is listed but powercap"));
}

TEST(Perf, WithoutPowercapItsOwnListStands) {
  Machine m;
  add_event(m.tree, "energy-ram", 3);
  fs::remove_all(m.tree.sysfs_root() + "/class/powercap");
  const auto source = m.open();
  ASSERT_NE(source, nullptr);
  EXPECT_EQ(source->domains().size(), 2u);
}

TEST(Perf, EventsThatAreNoJoulesAreNotRead) {
  for (const auto& [file, text] :
       {std::pair{"energy-pkg.unit", "Watts\n"}, std::pair{"energy-pkg.scale", "1e-10x\n"},
        std::pair{"energy-pkg.scale", "nan\n"}, std::pair{"energy-pkg.scale", "0\n"},
        std::pair{"energy-pkg", "event=0x02,umask=0x1\n"}}) {
    Machine m;
    write_text(m.tree.sysfs_root() + "/devices/power/events/" + file, text);
    EXPECT_EQ(m.open(), nullptr) << file << text;
    EXPECT_EQ(m.notes.size(), 1u) << file << text;
  }
}

TEST(Perf, FailedReadsSaySo) {
  Machine m;
  const auto source = m.open();
  ASSERT_NE(source, nullptr);
  std::vector<Reading> readings(1);
  for (const auto& [error, status] :
       {std::pair{EIO, PollStatus::Retry}, std::pair{ENODEV, PollStatus::Ended},
        std::pair{EACCES, PollStatus::Broken}}) {
    m.calls->read_error = error;
    source->poll(readings);
    EXPECT_EQ(readings[0].status, status);
    EXPECT_EQ(readings[0].error, error);
  }
}

TEST(Perf, DiesOfAPackageAreToldApart) {
  Machine m;
  write_text(m.tree.sysfs_root() + "/devices/power/cpumask", "0,1\n");
  write_text(m.tree.sysfs_root() + "/devices/system/cpu/cpu1/topology/die_id", "1\n");
  m.calls = std::make_shared<FakePerf>(m.tree, std::map<std::pair<std::uint64_t, int>, std::string>{
                                                   {{2, 0}, "package-0"}, {{2, 1}, "dram-0"}});
  const auto source = m.open();
  ASSERT_NE(source, nullptr);
  ASSERT_EQ(source->domains().size(), 2u);
  EXPECT_EQ(source->domains()[0].die, 0);
  EXPECT_EQ(source->domains()[1].die, 1);
}

TEST(Perf, AnotherMachinesDescriptionOpensNothingHere) {
  Machine m;
  EXPECT_EQ(open_perf(m.options, m.notes), nullptr);
  EXPECT_THAT(m.notes, IsEmpty());
}

}  // namespace
}  // namespace carnot::meter
