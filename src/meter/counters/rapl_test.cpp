// SPDX-License-Identifier: Apache-2.0
#include "meter/counters/rapl.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/random.hpp"

#include "base/testing_files.hpp"

namespace carnot::meter {
namespace {

// Ranges as machines show them.
TEST(RaplTurn, OfKnownRanges) {
  EXPECT_EQ(rapl_turn(262'143'328'850).modulus_uj, 262'143'328'911u);  // 2^-14 J
  EXPECT_EQ(rapl_turn(262'143'328'850).step_uj, 62u);
  EXPECT_EQ(rapl_turn(65'532'610'987).modulus_uj, 65'532'611'002u);  // 2^-16 J
  EXPECT_EQ(rapl_turn(65'532'610'987).step_uj, 16u);
  EXPECT_EQ(rapl_turn(65'712'999'613).modulus_uj, 65'712'999'628u);                // 15.3 uJ
  EXPECT_EQ(rapl_turn(4'294'967'295'000'000).modulus_uj, 4'294'967'296'000'000u);  // 1 J
}

TEST(RaplTurn, OfRangesNobodyKnows) {
  EXPECT_EQ(rapl_turn(1'000'000).modulus_uj, 1'000'001u);
  EXPECT_EQ(rapl_turn(1'000'000).step_uj, 1u);
  EXPECT_EQ(rapl_turn(429'496'729).modulus_uj, 429'496'730u);  // 0.1 uJ: finer than it shows
  EXPECT_EQ(rapl_turn(0).modulus_uj, 1u);
  EXPECT_EQ(rapl_turn(~std::uint64_t{0}).modulus_uj, 0u);  // 64 bits
}

RC_GTEST_PROP(RaplTurn, IsOneCountBeyondTheGreatestValue, ()) {
  const auto unit_nj = *rc::gen::inRange<std::uint64_t>(1000, 2'000'000'000);
  const auto shown = [&](detail::Uint128 counts) {
    return static_cast<std::uint64_t>(counts * unit_nj / 1000);
  };
  const RaplTurn turn = rapl_turn(shown(0xffffffffu));
  RC_ASSERT(turn.modulus_uj == shown(detail::Uint128{1} << 32));
  RC_ASSERT(turn.step_uj * 1000 >= unit_nj);
  RC_ASSERT((turn.step_uj - 1) * 1000 < unit_nj);
}

TEST(ZoneName, IsHexadecimal) {
  EXPECT_EQ(parse_zone_name("intel-rapl:0"), (ZoneName{"intel-rapl", 0, -1}));
  EXPECT_EQ(parse_zone_name("intel-rapl:f:2"), (ZoneName{"intel-rapl", 15, 2}));
  EXPECT_EQ(parse_zone_name("intel-rapl-mmio:10:a"), (ZoneName{"intel-rapl-mmio", 16, 10}));
  for (const char* none : {"intel-rapl", "dtpm:0", "intel-rapl:", "intel-rapl:g", "intel-rapl:0:",
                           "intel-rapl:0:0:0", "intel-rapl:-1", "intel-rapl:ffffffffff", ""})
    EXPECT_FALSE(parse_zone_name(none)) << none;
}

TEST(ZoneLabel, NamesPackagesDiesAndParts) {
  EXPECT_EQ(parse_zone_label("package-3"), (ZoneLabel{DomainKind::Package, 3, -1}));
  EXPECT_EQ(parse_zone_label("package-1-die-12"), (ZoneLabel{DomainKind::Package, 1, 12}));
  EXPECT_EQ(parse_zone_label("core"), (ZoneLabel{DomainKind::Core, -1, -1}));
  EXPECT_EQ(parse_zone_label("psys"), (ZoneLabel{DomainKind::Platform, -1, -1}));
  for (const char* none : {"package-", "package-x", "package-0-die-", "package-0-die", "package",
                           "package-0-1", "Package-0", "", "package--1"})
    EXPECT_FALSE(parse_zone_label(none)) << none;
}

TEST(CpuList, RangesInOrder) {
  EXPECT_EQ(parse_cpu_list("0,28-30\n"), (std::vector<int>{0, 28, 29, 30}));
  EXPECT_EQ(parse_cpu_list("0"), (std::vector<int>{0}));
  for (const char* none : {"", "a", "3-1", "0,0", "0,", "70000", "0-999999999", "-1", "1--2"})
    EXPECT_TRUE(parse_cpu_list(none).empty()) << none;
}

TEST(EventCode, IsOneHexadecimalNumber) {
  EXPECT_EQ(parse_event_code("event=0x02\n"), 2u);
  for (const char* none : {"event=2", "event=0x", "event=0x02,umask=0x1", "config=0x02", ""})
    EXPECT_FALSE(parse_event_code(none)) << none;
}

TEST(CpuInfo, FirstProcessorOnly) {
  const CpuModel model = parse_cpuinfo(
      "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 143\n"
      "model name\t: x\n\nprocessor\t: 1\nmodel\t\t: 1\n");
  EXPECT_EQ(model.vendor, "GenuineIntel");
  EXPECT_EQ(model.family, 6);
  EXPECT_EQ(model.model, 143);
  EXPECT_FALSE(model.is_amd());
  EXPECT_EQ(fixed_unit_j(DomainKind::Platform, model), 1.0);
  EXPECT_EQ(fixed_unit_j(DomainKind::Dram, model), 0x1p-16);
  EXPECT_EQ(fixed_unit_j(DomainKind::Package, model), 0.0);
  EXPECT_EQ(fixed_unit_j(DomainKind::Dram, CpuModel{"GenuineIntel", 6, 158}), 0.0);
  EXPECT_TRUE((CpuModel{"AuthenticAMD", 25, 1}.is_amd()));
}

TEST(CpuTopology, SaysMinusOneWhereNothingIsTold) {
  const TemporaryFolder folder;
  write_text(folder / "devices/system/cpu/cpu3/topology/physical_package_id", "1\n");
  const CpuTopology topology(folder.path());
  EXPECT_EQ(topology.socket_of(3), 1);
  EXPECT_EQ(topology.die_of(3), -1);
  EXPECT_EQ(topology.socket_of(4), -1);
  EXPECT_TRUE(topology.online().empty());
}

}  // namespace
}  // namespace carnot::meter
