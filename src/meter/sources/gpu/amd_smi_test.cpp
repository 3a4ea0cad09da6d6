// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/meter/counters/resolver.hpp"
#include "carnot/meter/counters/source.hpp"

#include "meter/sources/gpu/amd_smi_library.hpp"
#include "meter/testing/testing.hpp"
#include "meter/testing/testing_stub.hpp"

namespace carnot::meter {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class AmdSmi : public testing::StubGpuTest {
 protected:
  AmdSmi() : StubGpuTest(CARNOT_STUB_AMD_SMI, &SourceOptions::amd_smi, open_amd_smi) {}
  void open(const std::string& scenario) {
    stub_.scenario("every_ms=1 " + scenario);
    clock_.pass(Duration::seconds(1));
    reopen();
  }
};

TEST_F(AmdSmi, CounterThatAgreesWithThePowerIsReadWithOneCall) {
  open("devices=2 power_w=500");
  ASSERT_NE(source_, nullptr);
  ASSERT_THAT(source_->domains(), SizeIs(2));
  EXPECT_EQ(domain(0).id, "amd-smi/0000:c1:00.0");
  EXPECT_EQ(domain(1).device, 1);
  EXPECT_TRUE(domain(0).is_counter);
  EXPECT_EQ(domain(0).counter.unit, 0x1p-16 * joule);
  const long before = stub_.calls();
  const std::vector<Reading> readings = poll();
  EXPECT_EQ(stub_.calls() - before, 2);
  EXPECT_NEAR((static_cast<double>(readings[0].raw) * domain(0).counter.unit).in(joule),
              stub_.energy_j(0), 500 * 0.001);
}

TEST_F(AmdSmi, CounterThatStandsOrRunsWrongGivesWayToThePower) {
  for (const char* scenario :
       {"counter_rate=0", "counter_rate=10", "counter_rate=0.1", "counter=0"}) {
    open(std::string("power_w=500 ") + scenario);
    ASSERT_NE(source_, nullptr) << scenario;
    EXPECT_FALSE(domain(0).is_counter) << scenario;
    const long before = stub_.calls();
    EXPECT_EQ(poll()[0].power, 500.0 * watt) << scenario;
    EXPECT_EQ(stub_.calls() - before, 1) << scenario;
  }
}

TEST_F(AmdSmi, PowersAreFoundInEveryLayout) {
  for (const char* version : {"23", "24", "25", "26"})
    for (const char* told : {"present=1", "present=0"}) {
      open(std::string("counter=0 power_w=321 version=") + version + " " + told);
      ASSERT_NE(source_, nullptr) << version << told;
      EXPECT_EQ(poll()[0].power, 321.0 * watt) << version << told;
    }
}

TEST(AmdSmiPower, NotToldIsNotNothing) {
  amd_smi::PowerInfo info;
  info.fill(~0u);
  EXPECT_EQ(amd_smi::watts(info, true), std::nullopt);
  EXPECT_EQ(amd_smi::watts(info, false), std::nullopt);
  info[0] = info[1] = 0xFFFF;
  EXPECT_EQ(amd_smi::watts(info, false), std::nullopt);
  info[0] = 0;
  EXPECT_EQ(amd_smi::watts(info, false), 0u);
  info[2] = 300;
  EXPECT_EQ(amd_smi::watts(info, true), 300u);
}

TEST_F(AmdSmi, TwoDiesOfOneBoardAreOneDomain) {
  open("devices=4 second1=1 second3=1 power_w=450 processes1=77:40:1");
  ASSERT_NE(source_, nullptr);
  ASSERT_THAT(source_->domains(), SizeIs(2));
  EXPECT_EQ(domain(0).label, "AMD GPU 0 and 1");
  EXPECT_EQ(domain(1).label, "AMD GPU 2 and 3");
  EXPECT_EQ(domain(1).device, 2);
  EXPECT_TRUE(domain(0).is_counter);
  // Who works on the second die spends the energy that the first one shows.
  use();
  clock_.pass(Duration::nanoseconds(20'000'000));
  const std::vector<DeviceUse> all = use();
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(all[0].device, 0);
  EXPECT_EQ(all[0].pid, 77);
  EXPECT_NEAR(all[0].busy_share, 0.4, 1e-6);
}

TEST_F(AmdSmi, TwoDiesOfOneBoardAreOneDomainWithoutCountersToo) {
  open("devices=2 counter=0 second1=1 power_w=450");
  ASSERT_NE(source_, nullptr);
  ASSERT_THAT(source_->domains(), SizeIs(1));
  EXPECT_EQ(poll()[0].power, 450.0 * watt);
}

TEST_F(AmdSmi, TheKernelsViewOfABoardIsADuplicate) {
  open("devices=1 power_w=450");
  std::vector<Domain> domains = source_->domains();
  Domain hwmon = testing::gauge_domain("hwmon/amdgpu-0000:c1:00.0/power1", DomainKind::Gpu);
  hwmon.source = "hwmon";
  hwmon.device = 0;
  hwmon.same_as = domains[0].id;
  domains.push_back(hwmon);
  EXPECT_EQ(resolve(domains).entries[0].role, Role::Counted);
  EXPECT_EQ(resolve(domains).entries[1].role, Role::Duplicate);
}

TEST_F(AmdSmi, SharesOfOneBoardAddUpToAtMostOne) {
  open("devices=1 processes=77:80:1,78:90:2");
  use();
  clock_.pass(Duration::nanoseconds(20'000'000));
  const long before = stub_.calls();
  const std::vector<DeviceUse> all = use();
  EXPECT_EQ(stub_.calls() - before, 1);
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_NEAR(all[0].busy_share + all[1].busy_share, 1.0, 1e-12);
  EXPECT_EQ(all[1].memory_b, 2u);
}

TEST_F(AmdSmi, AnUnknownLayoutOfProcessesIsNotGuessed) {
  open("devices=1 version=25 processes=77:80:1");
  use();
  EXPECT_THAT(use(), IsEmpty());
  EXPECT_EQ(stub_.calls("processes"), 0);
}

TEST_F(AmdSmi, ABoardThatWentHasEnded) {
  open("devices=2");
  stub_.scenario("devices=2 lost_after1=0");
  EXPECT_EQ(poll()[1].status, PollStatus::Ended);
  stub_.scenario("devices=2");
  EXPECT_EQ(poll()[1].status, PollStatus::Ended);
  EXPECT_EQ(poll()[0].status, PollStatus::Ok);
  stub_.scenario("devices=2 lost_after0=0 lost_code=30");
  EXPECT_EQ(poll()[0].status, PollStatus::Retry);
}

TEST_F(AmdSmi, ProcessorsThatAreNoAcceleratorsAreLeftOut) {
  open("devices=2 type0=2");
  ASSERT_THAT(source_->domains(), SizeIs(1));
  EXPECT_EQ(domain(0).id, "amd-smi/0000:c2:00.0");
}

TEST_F(AmdSmi, WhatTellsNothingIsANote) {
  open("counter=0 fail=1");
  EXPECT_EQ(source_, nullptr);
  ASSERT_THAT(notes_, SizeIs(1));
  EXPECT_THAT(notes_[0].why, HasSubstr("neither energy nor power"));
  open("init=34");
  EXPECT_EQ(source_, nullptr);
  ASSERT_THAT(notes_, SizeIs(1));
  EXPECT_THAT(notes_[0].why, HasSubstr("34"));
}

TEST(AmdSmiLibrary, MissingIsQuietUnlessItWasNamed) {
  std::vector<Note> notes;
  SourceOptions options;
  options.amd_smi = "none";
  EXPECT_EQ(open_amd_smi(options, notes), nullptr);
  options.amd_smi = "/nowhere/libamd_smi.so";
  EXPECT_THROW(open_amd_smi(options, notes), InputError);
  options.amd_smi = "libc.so.6";
  EXPECT_EQ(open_amd_smi(options, notes), nullptr);
  ASSERT_THAT(notes, SizeIs(1));
  EXPECT_THAT(notes[0].why, HasSubstr("no AMD SMI"));
}

}  // namespace
}  // namespace carnot::meter
