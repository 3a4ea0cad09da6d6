// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "carnot/base/file.hpp"

#include "base/testing_files.hpp"
#include "meter/sources/rapl/powercap_zones.hpp"
#include "meter/testing/testing.hpp"
#include "meter/testing/testing_allocations.hpp"
#include "meter/testing/testing_tree.hpp"

namespace carnot::meter {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::SensorTree;
using testing::Topology;

SourceOptions options_of(const SensorTree& tree) {
  SourceOptions options;
  options.sysfs_root = tree.sysfs_root();
  options.procfs_root = tree.procfs_root();
  options.dev_root = tree.dev_root();
  options.nvml = options.amd_smi = "none";
  return options;
}

std::vector<std::string> labels(const Source& source) {
  std::vector<std::string> all;
  for (const Domain& d : source.domains()) all.push_back(d.label);
  return all;
}

class PowercapContract : public ::testing::TestWithParam<Topology> {};

TEST_P(PowercapContract, IsKept) {
  const TemporaryFolder folder;
  SensorTree tree(folder.path(), GetParam());
  std::vector<Note> notes;
  const auto source = open_powercap(options_of(tree), notes);
  if (GetParam() == Topology::HwmonOnly || GetParam() == Topology::Empty) {
    EXPECT_EQ(source, nullptr);
    EXPECT_THAT(notes, IsEmpty());
    return;
  }
  ASSERT_NE(source, nullptr);
  EXPECT_THAT(testing::check_source_contract(*source, &testing::allocations), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Topologies, PowercapContract,
                         ::testing::ValuesIn(testing::all_topologies()), [](const auto& trial) {
                           std::string word(testing::name(trial.param));
                           std::erase(word, '-');
                           return word;
                         });

TEST(Powercap, FindsZonesAndWhatContainsThem) {
  const TemporaryFolder folder;
  SensorTree tree(folder.path(), Topology::Psys);
  std::vector<Note> notes;
  const auto source = open_powercap(options_of(tree), notes);
  ASSERT_NE(source, nullptr);
  EXPECT_THAT(labels(*source), ElementsAre("package-0", "core", "uncore", "dram", "psys"));
  const auto& d = source->domains();
  EXPECT_EQ(d[0].id, "powercap/intel-rapl:0");
  EXPECT_EQ(d[1].parent, d[0].id);
  EXPECT_EQ(d[3].socket, 0);
  EXPECT_EQ(d[3].kind, DomainKind::Dram);
  EXPECT_EQ(d[4].parent, "");
  EXPECT_EQ(d[4].kind, DomainKind::Platform);
  EXPECT_EQ(d[0].counter.power_cap.in(watt), 1080.0);  // four times the stated 270 W
  EXPECT_THAT(notes, IsEmpty());
}

TEST(Powercap, CountsInHexadecimal) {
  const TemporaryFolder folder;
  SensorTree tree(folder.path(), Topology::SixteenZones);
  std::vector<Note> notes;
  const auto source = open_powercap(options_of(tree), notes);
  ASSERT_NE(source, nullptr);
  ASSERT_EQ(source->domains().size(), 16u);
  EXPECT_EQ(source->domains()[15].id, "powercap/intel-rapl:f");
  EXPECT_EQ(source->domains()[15].socket, 7);
  EXPECT_EQ(source->domains()[15].die, 1);
  EXPECT_EQ(source->domains()[15].same_as, "");
}

// Files stay open: new values are seen through the same file, across a turn.
TEST(Powercap, SeesNewValuesThroughOpenFiles) {
  const TemporaryFolder folder;
  SensorTree tree(folder.path(), Topology::AmdCore, 100.0);
  std::vector<Note> notes;
  const auto source = open_powercap(options_of(tree), notes);
  ASSERT_NE(source, nullptr);
  std::vector<Reading> readings(source->domains().size());
  for (int i = 0; i < 20; ++i) {
    source->poll(readings);
    for (const char* id : {"package-0", "core"}) {
      const Reading& r = readings[std::string(id) == "core" ? 1 : 0];
      ASSERT_EQ(r.status, PollStatus::Ok);
      ASSERT_EQ(r.raw, tree.counts(id) * 15'258 / 1000);
    }
    tree.advance(0.25);
  }
}

TEST(Powercap, OneNoteAndOneCommandWhereRootAloneMayRead) {
  const TemporaryFolder folder;
  SensorTree tree(folder.path(), Topology::Dram);
  for (const char* zone : {"intel-rapl:0", "intel-rapl:0:0", "intel-rapl:1", "intel-rapl:1:0"})
    fs::permissions(tree.sysfs_root() + "/class/powercap/" + zone + "/energy_uj",
                    fs::perms::owner_read);
  fs::permissions(folder.path(),
                  fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec);
  constexpr uid_t kNobody = 65534;
  const bool was_root = ::geteuid() == 0;
  ASSERT_EQ(was_root ? ::seteuid(kNobody) : 0, 0);
  std::vector<Note> notes;
  const auto source = open_powercap(options_of(tree), notes);
  ASSERT_EQ(was_root ? ::seteuid(0) : 0, 0);
  if (!was_root) GTEST_SKIP() << "only root can make files that it must not read itself";
  EXPECT_EQ(source, nullptr);
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_THAT(notes[0].why, HasSubstr("4 zones"));
  EXPECT_EQ(notes[0].remedy, "sudo chmod a+r " + tree.sysfs_root() + "/class/powercap/*/energy_uj");
}

TEST(Powercap, OneOfTwoPackagesThatCannotBeReadIsADomainAllTheSame) {
  const TemporaryFolder folder;
  SensorTree tree(folder.path(), Topology::TwoSockets);
  fs::permissions(tree.sysfs_root() + "/class/powercap/intel-rapl:1/energy_uj",
                  fs::perms::owner_read);
  fs::permissions(folder.path(),
                  fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec);
  constexpr uid_t kNobody = 65534;
  const bool was_root = ::geteuid() == 0;
  ASSERT_EQ(was_root ? ::seteuid(kNobody) : 0, 0);
  std::vector<Note> notes;
  const auto source = open_powercap(options_of(tree), notes);
  ASSERT_EQ(was_root ? ::seteuid(0) : 0, 0);
  if (!was_root) GTEST_SKIP() << "only root can make files that it must not read itself";
  ASSERT_NE(source, nullptr);
  ASSERT_EQ(source->domains().size(), 2u);
  std::vector<Reading> readings(2);
  source->poll(readings);
  EXPECT_EQ(readings[0].status, PollStatus::Ok);
  EXPECT_NE(readings[1].status, PollStatus::Ok);
}

TEST(Powercap, MaskedZonesAreNamedWithTheirCure) {
  const TemporaryFolder folder;
  const std::string root = folder.path();
  fs::create_directories(root + "/class/powercap");
  for (const char* zone : {"intel-rapl:0", "intel-rapl:1"})
    fs::create_directory_symlink("../../devices/virtual/powercap/intel-rapl/" + std::string(zone),
                                 root + "/class/powercap/" + zone);
  SourceOptions options;
  options.sysfs_root = root;
  std::vector<Note> notes;
  EXPECT_EQ(open_powercap(options, notes), nullptr);
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_THAT(notes[0].why, HasSubstr("masks"));
  EXPECT_THAT(notes[0].remedy, HasSubstr("systempaths=unconfined"));
}

TEST(Powercap, TellsWhatItHadToGuess) {
  const TemporaryFolder folder;
  SensorTree tree(folder.path(), Topology::NoName);
  fs::remove(tree.sysfs_root() + "/class/powercap/intel-rapl:0/max_energy_range_uj");
  std::vector<Note> notes;
  const auto source = open_powercap(options_of(tree), notes);
  ASSERT_NE(source, nullptr);
  EXPECT_EQ(source->domains()[0].kind, DomainKind::Package);
  EXPECT_FALSE(source->domains()[0].counter.modulus_known);
  EXPECT_TRUE(source->domains()[1].counter.modulus_known);
  ASSERT_EQ(notes.size(), 2u);
  EXPECT_THAT(notes[0].why, HasSubstr("intel-rapl:0 without a name"));
  EXPECT_THAT(notes[1].why, HasSubstr("max_energy_range_uj of intel-rapl:0 cannot be read"));
}

// `enabled` is about power limits; the counter counts all the same.
TEST(Powercap, ReadsZonesWhoseLimitsAreOff) {
  const TemporaryFolder folder;
  SensorTree tree(folder.path(), Topology::Dram);
  write_text(tree.sysfs_root() + "/class/powercap/intel-rapl:0:0/enabled", "0\n");
  std::vector<Note> notes;
  const auto source = open_powercap(options_of(tree), notes);
  ASSERT_NE(source, nullptr);
  EXPECT_EQ(source->domains().size(), 4u);
}

TEST(Powercap, TextThatIsNoNumberIsAFailedReadNotZero) {
  const TemporaryFolder folder;
  SensorTree tree(folder.path(), Topology::OneSocket);
  std::vector<Note> notes;
  const auto source = open_powercap(options_of(tree), notes);
  ASSERT_NE(source, nullptr);
  for (const char* bad : {"", "-5\n", "12 34\n", "0x10\n", "99999999999999999999999\n"}) {
    write_text(tree.sysfs_root() + "/class/powercap/intel-rapl:0/energy_uj", bad);
    std::vector<Reading> readings(3);
    source->poll(readings);
    EXPECT_EQ(readings[0].status, PollStatus::Retry) << bad;
    EXPECT_NE(readings[0].error, 0) << bad;
    EXPECT_EQ(readings[1].status, PollStatus::Ok) << bad;
  }
}

// Dies of a package that show one value are one register; a value of their own, or none yet, is
// not.
TEST(Powercap, KnowsTheSameRegisterByItsValue) {
  const TemporaryFolder folder;
  SensorTree tree(folder.path(), Topology::DieMirrors);
  std::vector<Note> notes;
  auto source = open_powercap(options_of(tree), notes);
  ASSERT_NE(source, nullptr);
  EXPECT_EQ(source->domains()[1].same_as, "powercap/intel-rapl:0");
  for (const char* die_1 : {"77\n", "0\n"}) {
    const std::string zones = tree.sysfs_root() + "/class/powercap/intel-rapl:";
    if (die_1[0] == '0') write_text(zones + "0/energy_uj", die_1);
    write_text(zones + "1/energy_uj", die_1);
    source = open_powercap(options_of(tree), notes);
    ASSERT_NE(source, nullptr);
    EXPECT_EQ(source->domains()[1].same_as, "") << die_1;
  }
}

TEST(Powercap, KnowsTheSameRegisterByNameAndMaker) {
  const TemporaryFolder folder;
  SensorTree twin(folder / "twin", Topology::MmioTwin);
  SensorTree dies(folder / "dies", Topology::SixteenMirrors);
  std::vector<Note> notes;
  const auto of_twin = open_powercap(options_of(twin), notes);
  ASSERT_NE(of_twin, nullptr);
  EXPECT_EQ(of_twin->domains()[1].id, "powercap/intel-rapl-mmio:0");
  EXPECT_EQ(of_twin->domains()[1].same_as, "powercap/intel-rapl:0");
  const auto of_dies = open_powercap(options_of(dies), notes);
  ASSERT_NE(of_dies, nullptr);
  for (std::size_t i = 0; i < 16; ++i) {
    const std::string expected = i % 8 == 0 ? ""
                                 : i < 8    ? "powercap/intel-rapl:0"
                                            : "powercap/intel-rapl:8";
    EXPECT_EQ(of_dies->domains()[i].same_as, expected) << i;
  }
}

// Also where the maker's dies mirror each other, two that show what one register cannot count for
// themselves; and a folder that stands for /sys is not this machine, whoever made its processor.
TEST(Powercap, BelievesValuesBeforeTheMaker) {
  const TemporaryFolder folder;
  SensorTree dies(folder / "dies", Topology::SixteenMirrors);
  const std::string die_1 = dies.sysfs_root() + "/class/powercap/intel-rapl:1/energy_uj";
  const std::uint64_t shown = std::stoull(read_file(die_1));
  const auto same_as = [&](std::uint64_t uj, const std::string& procfs_root) {
    write_text(die_1, std::to_string(uj) + "\n");
    std::vector<Note> notes;
    SourceOptions options = options_of(dies);
    options.procfs_root = procfs_root;
    return open_powercap(options, notes)->domains()[1].same_as;
  };
  const std::string own = dies.procfs_root();
  EXPECT_EQ(same_as(shown + 90'000'000, own), "powercap/intel-rapl:0");
  EXPECT_EQ(same_as(shown - 110'000'000, own), "");
  EXPECT_EQ(same_as(shown + 500'000, "/proc"), "powercap/intel-rapl:0");
  EXPECT_EQ(same_as(shown + 90'000'000, "/proc"), "");
}

}  // namespace
}  // namespace carnot::meter
