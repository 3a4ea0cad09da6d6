// SPDX-License-Identifier: Apache-2.0
#include <cerrno>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/testing_files.hpp"
#include "meter/testing/testing.hpp"
#include "meter/testing/testing_allocations.hpp"

namespace carnot::meter {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Registers at their offsets in a sparse file.
struct Registers {
  explicit Registers(const std::filesystem::path& path) {
    std::filesystem::create_directories(path.parent_path());
    fd = ::open(path.c_str(), O_RDWR | O_CREAT, 0600);
  }
  Registers(const Registers&) = delete;
  Registers& operator=(const Registers&) = delete;
  ~Registers() { ::close(fd); }
  void set(std::uint32_t address, std::uint64_t value) const {
    EXPECT_EQ(::pwrite(fd, &value, sizeof value, static_cast<off_t>(address)),
              static_cast<ssize_t>(sizeof value));
  }
  int fd;
};

struct Machine {
  TemporaryFolder folder;
  SourceOptions options;
  std::vector<Note> notes;
  explicit Machine(const std::string& vendor, int model, int cpus = 1) {
    options.msr = true;
    options.sysfs_root = folder / "sys";
    options.procfs_root = folder / "proc";
    options.dev_root = folder / "dev";
    write_text(
        folder / "proc/cpuinfo",
        "vendor_id\t: " + vendor + "\ncpu family\t: 6\nmodel\t\t: " + std::to_string(model) + "\n");
    write_text(folder / "sys/devices/system/cpu/online", "0-" + std::to_string(cpus - 1) + "\n");
    for (int cpu = 0; cpu < cpus; ++cpu) place(cpu, cpu / 2, 0);
  }
  void place(int cpu, int socket, int die) const {
    const std::string topology =
        folder / ("sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology");
    write_text(topology + "/physical_package_id", std::to_string(socket) + "\n");
    write_text(topology + "/die_id", std::to_string(die) + "\n");
  }
  std::filesystem::path msr(int cpu) const {
    return folder / ("dev/cpu/" + std::to_string(cpu) + "/msr");
  }
};

TEST(Msr, IsNotTouchedUnlessAskedFor) {
  Machine m("GenuineIntel", 158);
  const Registers registers(m.msr(0));
  m.options.msr = false;
  EXPECT_EQ(open_msr(m.options, m.notes), nullptr);
  EXPECT_THAT(m.notes, IsEmpty());
}

TEST(Msr, ReadsIntelsRegisters) {
  Machine m("GenuineIntel", 158);
  const Registers registers(m.msr(0));
  registers.set(0x606, 0xA0E03);  // 2^-14 J
  registers.set(0x611, 0xdeadbeef'00000000u | 4'294'967'000u);
  registers.set(0x619, 5);
  registers.set(0x639, 7);
  registers.set(0x641, 9);
  registers.set(0x64D, 11);
  const auto source = open_msr(m.options, m.notes);
  ASSERT_NE(source, nullptr);
  EXPECT_THAT(testing::check_source_contract(*source, &testing::allocations), IsEmpty());
  ASSERT_EQ(source->domains().size(), 5u);
  std::vector<Reading> readings(5);
  source->poll(readings);
  EXPECT_EQ(readings[0].raw, 4'294'967'000u);  // the upper half is not the counter's
  EXPECT_EQ(source->domains()[0].counter.unit.base(), 0x1p-14);
  EXPECT_EQ(source->domains()[0].kind, DomainKind::Package);
  EXPECT_EQ(source->domains()[1].parent, source->domains()[0].id);
  EXPECT_EQ(source->domains()[4].parent, "");
  Counter counter(source->domains()[0].counter);
  counter.advance(readings[0].raw, {0, 0});
  registers.set(0x611, 704);
  source->poll(readings);
  EXPECT_EQ(counter.advance(readings[0].raw, {1'000'000'000, 1'000'000'000}).raw, 1000u);
}

TEST(Msr, KnowsUnitsThatDoNotFollowTheRegister) {
  Machine m("GenuineIntel", 143);
  const Registers registers(m.msr(0));
  registers.set(0x606, 0xA0E03);
  registers.set(0x64D, 1);
  const auto source = open_msr(m.options, m.notes);
  ASSERT_NE(source, nullptr);
  for (const Domain& d : source->domains()) {
    const double unit = d.kind == DomainKind::Platform ? 1.0
                        : d.kind == DomainKind::Dram   ? 0x1p-16
                                                       : 0x1p-14;
    EXPECT_EQ(d.counter.unit.base(), unit) << d.id;
  }
}

TEST(Msr, ReadsAmdsPackages) {
  Machine m("AuthenticAMD", 1, 4);
  const Registers first(m.msr(0)), second(m.msr(2));
  for (const Registers* r : {&first, &second}) {
    r->set(0xC0010299, 0xA1003);  // 2^-16 J
    r->set(0xC001029B, 123);
  }
  const auto source = open_msr(m.options, m.notes);
  ASSERT_NE(source, nullptr);
  ASSERT_EQ(source->domains().size(), 2u);
  EXPECT_EQ(source->domains()[1].socket, 1);
  EXPECT_EQ(source->domains()[1].counter.unit.base(), 0x1p-16);
}

TEST(Msr, CascadeLakeCountsByDie) {
  Machine m("GenuineIntel", 85, 2);
  m.place(1, 0, 1);
  const Registers first(m.msr(0)), second(m.msr(1));
  for (const Registers* r : {&first, &second}) {
    r->set(0x606, 0xA0E03);
    r->set(0x611, 1);
  }
  const auto source = open_msr(m.options, m.notes);
  ASSERT_NE(source, nullptr);
  ASSERT_EQ(source->domains().size(), 2u);
  EXPECT_EQ(source->domains()[0].die, 0);
  EXPECT_EQ(source->domains()[1].die, 1);
}

TEST(Msr, SaysWhatIsMissing) {
  Machine m("GenuineIntel", 158);
  EXPECT_EQ(open_msr(m.options, m.notes), nullptr);
  ASSERT_EQ(m.notes.size(), 1u);
  EXPECT_EQ(m.notes[0].remedy, "sudo modprobe msr");
  Machine arm("ARM", 1);
  EXPECT_EQ(open_msr(arm.options, arm.notes), nullptr);
  EXPECT_THAT(arm.notes.at(0).why, HasSubstr("Intel, AMD and Hygon only"));
}

TEST(Msr, ARegisterThatGoesIsAFailedRead) {
  Machine m("GenuineIntel", 158);
  const Registers registers(m.msr(0));
  registers.set(0x606, 0xA0E03);
  registers.set(0x611, 5);
  const auto source = open_msr(m.options, m.notes);
  ASSERT_NE(source, nullptr);
  ASSERT_EQ(::ftruncate(registers.fd, 0x611), 0);
  std::vector<Reading> readings(source->domains().size());
  source->poll(readings);
  EXPECT_EQ(readings[0].status, PollStatus::Retry);
  EXPECT_EQ(readings[0].error, ENXIO);
}

}  // namespace
}  // namespace carnot::meter
