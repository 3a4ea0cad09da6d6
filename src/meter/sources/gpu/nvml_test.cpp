// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/meter/attribution/attribution.hpp"
#include "carnot/meter/counters/resolver.hpp"
#include "carnot/meter/counters/source.hpp"
#include "carnot/meter/meter.hpp"

#include "base/testing_files.hpp"
#include "meter/sources/gpu/nvml_library.hpp"
#include "meter/testing/testing.hpp"
#include "meter/testing/testing_stub.hpp"

namespace carnot::meter {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Nvml : public testing::StubGpuTest {
 protected:
  Nvml() : StubGpuTest(CARNOT_STUB_NVML, &SourceOptions::nvml, open_nvml) {}
  void open(const std::string& scenario) {
    stub_.scenario(scenario);
    stub_.pass(Duration::seconds(1));
    reopen();
  }
};

TEST_F(Nvml, CounterGivesTheEnergyAndOneCallABoardAndPoll) {
  open("devices=3 power_w=300 power_w1=100");
  ASSERT_NE(source_, nullptr);
  ASSERT_THAT(source_->domains(), SizeIs(3));
  EXPECT_EQ(domain(1).kind, DomainKind::Gpu);
  EXPECT_EQ(domain(1).device, 1);
  EXPECT_EQ(domain(1).id, "nvml/GPU-00000000-0000-0000-0000-000000000001");
  EXPECT_TRUE(domain(1).is_counter);
  EXPECT_EQ(domain(1).counter.power_cap, 1400.0 * watt);  // twice its limit
  Counter first(domain(0).counter), second(domain(1).counter);
  Stamp at{1, 1};
  for (int tick = 0; tick < 50; ++tick) {
    const long before = stub_.calls();
    const std::vector<Reading> readings = poll();
    EXPECT_EQ(stub_.calls() - before, 3);
    first.advance(readings[0].raw, at);
    second.advance(readings[1].raw, at);
    stub_.pass(Duration::seconds(1));
    at.monotonic_ns += 1'000'000'000;
    at.boottime_ns += 1'000'000'000;
  }
  EXPECT_NEAR(first.total().in(joule), 49 * 300, 31);  // an update period of power
  EXPECT_NEAR(second.total().in(joule), 49 * 100, 11);
}

TEST_F(Nvml, WithoutACounterPowerIsReadAsWhatItIs) {
  struct Case {
    const char* scenario;
    double window_s, duty;
    const char* function;
  };
  for (const Case& c :
       {Case{"counter=0 name=NVIDIA_A100-SXM4-80GB", 0, 0.25, "fields"},
        Case{"counter=0 name=NVIDIA_L40S", 0, 1, "fields"},
        Case{"counter=0 name=NVIDIA_H200 instant=0", 1, 0.25, "fields"},
        Case{"counter=0 name=NVIDIA_H100_PCIe fields=0 architecture=9", 1, 0.25, "usage"},
        Case{"counter=0 name=NVIDIA_A100-PCIE-40GB fields=0 architecture=7", 0, 0.25, "usage"},
        Case{"counter=0 name=NVIDIA_A30 fields=0 architecture=7", 0, 1, "usage"},
        Case{"counter=0 name=Tesla_P100 fields=0 architecture=4", 0, 1, "usage"}}) {
    open(std::string("power_w=250 ") + c.scenario);
    ASSERT_NE(source_, nullptr) << c.scenario;
    EXPECT_FALSE(domain(0).is_counter) << c.scenario;
    EXPECT_EQ(domain(0).gauge.window.time().in(second), c.window_s) << c.scenario;
    EXPECT_EQ(domain(0).gauge.duty, c.duty) << c.scenario;
    const long before = stub_.calls(), asked = stub_.calls(c.function);
    EXPECT_EQ(poll()[0].power, 250.0 * watt) << c.scenario;
    EXPECT_EQ(stub_.calls() - before, 1) << c.scenario;
    EXPECT_EQ(stub_.calls(c.function) - asked, 1) << c.scenario;
  }
}

TEST_F(Nvml, ACounterThatStandsAtNothingIsNotBelieved) {
  open("power_w=0 name=GRID_A100-8Q");
  ASSERT_NE(source_, nullptr);
  EXPECT_FALSE(domain(0).is_counter);
}

TEST_F(Nvml, MemoryPowerIsAPartAndComesInTheSameCall) {
  open("power_w=400 memory_w=60 counter_field=1");
  ASSERT_THAT(source_->domains(), SizeIs(2));
  EXPECT_TRUE(domain(0).is_counter);
  EXPECT_EQ(domain(1).kind, DomainKind::GpuMemory);
  EXPECT_EQ(domain(1).parent, domain(0).id);
  const long before = stub_.calls();
  const std::vector<Reading> readings = poll();
  EXPECT_EQ(stub_.calls() - before, 1);
  EXPECT_GT(readings[0].raw, 0u);
  EXPECT_EQ(readings[1].power, 60.0 * watt);
  const Resolution resolution = resolve(source_->domains());
  EXPECT_EQ(resolution.entries[0].role, Role::Counted);
  EXPECT_EQ(resolution.entries[1].role, Role::Part);
}

TEST_F(Nvml, ModuleScopeIsAModuleWithANote) {
  open("counter=0 module=1 power_w=600 name=NVIDIA_GH200_480GB");
  ASSERT_NE(source_, nullptr);
  EXPECT_EQ(domain(0).kind, DomainKind::Module);
  EXPECT_GE(domain(0).gauge.power_cap, 2000.0 * watt);
  ASSERT_THAT(notes_, SizeIs(1));
  EXPECT_THAT(notes_[0].why, HasSubstr("module"));
  EXPECT_EQ(poll()[0].power, 600.0 * watt);
  // The processor's counter is inside: counted once.
  std::vector<Domain> domains = source_->domains();
  domains.push_back(testing::counter_domain("hwmon/grace", DomainKind::Package, 0));
  const Resolution resolution = resolve(domains);
  EXPECT_EQ(resolution.entries[0].role, Role::Counted);
  EXPECT_EQ(resolution.entries[1].role, Role::Part);
}

TEST_F(Nvml, ALostBoardIsBrokenAndNotAskedAgain) {
  // The probe takes some calls; the loss comes later.
  open("devices=2 counter=1");
  stub_.scenario("devices=2 counter=1 lost_after1=3");
  stub_.pass(Duration::seconds(1));
  PollStatus last = PollStatus::Ok;
  for (int tick = 0; tick < 5; ++tick) last = poll()[1].status;
  EXPECT_EQ(last, PollStatus::Broken);
  EXPECT_EQ(poll()[1].error, nvml::kGpuIsLost);
  EXPECT_EQ(poll()[0].status, PollStatus::Ok);
  const long before = stub_.calls();
  poll();
  EXPECT_EQ(stub_.calls() - before, 1);  // the other board alone
}

TEST_F(Nvml, ABoardThatWasTakenOutHasEndedAndABusyOneIsAskedAgain) {
  open("counter=1");
  stub_.scenario("counter=1 lost_after=0 lost_code=23");
  EXPECT_EQ(poll()[0].status, PollStatus::Retry);
  stub_.scenario("counter=1");
  EXPECT_EQ(poll()[0].status, PollStatus::Ok);
  stub_.scenario("counter=1 lost_after=0 lost_code=28");
  EXPECT_EQ(poll()[0].status, PollStatus::Ended);
  stub_.scenario("counter=1");
  EXPECT_EQ(poll()[0].status, PollStatus::Ended);
}

TEST_F(Nvml, SharesOfProcessesConserveTheBoardsEnergy) {
  open("devices=2 processes=100:30:5,200:50:7,300:0:9 processes1=400:80:1,500:60:1");
  const long before = stub_.calls();
  const std::vector<DeviceUse> all = use();
  EXPECT_EQ(stub_.calls() - before, 2);  // one a board
  ASSERT_THAT(all, SizeIs(4));           // who did nothing is not there
  EXPECT_DOUBLE_EQ(all[0].busy_share, 0.3);
  EXPECT_DOUBLE_EQ(all[1].busy_share, 0.5);
  EXPECT_EQ(all[1].pid, 200);
  // Time-slicing samples may overlap; a board cannot be busy more than always.
  EXPECT_DOUBLE_EQ(all[2].busy_share + all[3].busy_share, 1.0);
  EXPECT_DOUBLE_EQ(all[2].busy_share / all[3].busy_share, 80.0 / 60.0);

  const Energy board = 1234.5 * joule;
  std::vector<double> weights{all[0].busy_share, all[1].busy_share,
                              1.0 - all[0].busy_share - all[1].busy_share};
  std::vector<Energy> rows(3);
  divide(board, weights, rows);
  EXPECT_NEAR((rows[0] + rows[1] + rows[2]).in(joule), 1234.5, 1e-9);
  EXPECT_NEAR(rows[0].in(joule), 0.3 * 1234.5, 1e-9);
  EXPECT_NEAR(rows[2].in(joule), 0.2 * 1234.5, 1e-9);  // unattributed
}

TEST_F(Nvml, UseIsOfTheTimeSinceTheLastLook) {
  open("processes=100:30:5 once=1");
  EXPECT_THAT(use(), SizeIs(1));
  EXPECT_THAT(use(), IsEmpty());  // the same sample is no new use
}

TEST_F(Nvml, MoreProcessesThanRoomAreThereTheNextTime) {
  std::string processes = "processes=";
  for (int pid = 1; pid <= 300; ++pid) processes += std::to_string(1000 + pid) + ":1:0,";
  processes.pop_back();
  open(processes);
  EXPECT_THAT(use(), IsEmpty());
  const std::vector<DeviceUse> all = use();
  ASSERT_THAT(all, SizeIs(300));
  double sum = 0;
  for (const DeviceUse& one : all) sum += one.busy_share;
  EXPECT_LE(sum, 1.0 + 1e-12);
}

TEST_F(Nvml, ADividedBoardIsMeasuredWholeAndAttributedToNobody) {
  open("mig=1 processes=100:30:5 power_w=300");
  ASSERT_NE(source_, nullptr);
  ASSERT_THAT(notes_, SizeIs(1));
  EXPECT_THAT(notes_[0].why, HasSubstr("MIG"));
  EXPECT_EQ(poll()[0].status, PollStatus::Ok);
  const long before = stub_.calls();
  const std::vector<DeviceUse> all = use();  // by somebody whom nobody can name
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_EQ(all[0].pid, 0);
  EXPECT_EQ(all[0].busy_share, 1.0);
  EXPECT_EQ(stub_.calls(), before);
}

TEST_F(Nvml, WithoutUtilisationProcessesAreNamedWithTheirMemory) {
  open("utilization=0 processes=100:30:5,200:0:7");
  EXPECT_THAT(use(), IsEmpty());  // the call that found out
  const long before = stub_.calls();
  const std::vector<DeviceUse> all = use();
  EXPECT_EQ(stub_.calls() - before, 1);
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[1].pid, 200);
  EXPECT_EQ(all[1].memory_b, 7u);
  EXPECT_EQ(all[1].busy_share, 0.0);
}

TEST_F(Nvml, ABoardThatTellsNothingIsANote) {
  open("counter=0 fields=0 usage=0");
  EXPECT_EQ(source_, nullptr);
  ASSERT_THAT(notes_, SizeIs(1));
  EXPECT_THAT(notes_[0].why, HasSubstr("neither energy nor power"));
}

TEST_F(Nvml, ALibraryWithoutADriverIsANoteInItsOwnWords) {
  open("init=9");
  EXPECT_EQ(source_, nullptr);
  ASSERT_THAT(notes_, SizeIs(1));
  EXPECT_THAT(notes_[0].why, HasSubstr("Driver Not Loaded"));
}

TEST_F(Nvml, TheMeterCountsBoardsOnceAndWithinItsInterval) {
  const TemporaryFolder nothing;
  stub_.scenario("devices=2 power_w=300 power_w1=200 every_ms=10 memory_w=50 counter_field=1");
  clock_.pass(Duration::seconds(1));
  MeterOptions options;
  options.sources.sysfs_root = nothing / "sys";
  options.sources.dev_root = nothing / "dev";
  options.sources.amd_smi = "none";
  options.sources.nvml = stub_.path();
  options.sources.clock = &clock_;
  options.model = false;
  Meter meter = Meter::open(options);
  const Snapshot a = meter.sample();
  const double first = stub_.energy_j(0) + stub_.energy_j(1);
  clock_.pass(Duration::nanoseconds(300'000'000));
  const Snapshot b = meter.sample();
  const double truth = stub_.energy_j(0) + stub_.energy_j(1) - first;
  EXPECT_NEAR(truth, 0.3 * 500, 1e-6);
  const EnergyBetween between = meter.energy(a, b);
  EXPECT_EQ(between.length, Duration::nanoseconds(300'000'000));
  ASSERT_THAT(between.by_channel, SizeIs(4));
  EXPECT_EQ(meter.boundary(), Boundary::Chip);
  EXPECT_LE(between.total.low().in(joule), truth);
  EXPECT_GE(between.total.high().in(joule), truth);
  EXPECT_NEAR(between.total.value().in(joule),
              (between.by_channel[0].value() + between.by_channel[2].value()).in(joule), 1e-9);
}

TEST(NvmlLibrary, MissingIsQuietUnlessItWasNamed) {
  std::vector<Note> notes;
  SourceOptions options;
  options.nvml = "none";
  EXPECT_EQ(open_nvml(options, notes), nullptr);
  options.nvml = "/nowhere/libnvidia-ml.so.1";
  try {
    open_nvml(options, notes);
    FAIL() << "a library that was named must be there";
  } catch (const InputError& problem) {
    EXPECT_THAT(problem.what(), HasSubstr("/nowhere/libnvidia-ml.so.1"));
    EXPECT_THAT(problem.what(), HasSubstr("No such file"));
  }
  options.nvml = "libc.so.6";  // a library, and no NVML
  EXPECT_EQ(open_nvml(options, notes), nullptr);
  ASSERT_THAT(notes, SizeIs(1));
  EXPECT_THAT(notes[0].why, HasSubstr("no NVML"));
}

TEST(NvmlLibrary, FieldValuesAreReadByTheirType) {
  nvml::FieldValue field;
  field.type = 0;
  field.value.real = 250.7;
  EXPECT_EQ(field.whole(), 250u);
  field.value.real = std::nan("");
  EXPECT_EQ(field.whole(), 0u);
  field.type = 1;
  field.value.u64 = 0xFFFFFFFF00000005u;
  EXPECT_EQ(field.whole(), 5u);
  field.type = 3;
  EXPECT_EQ(field.whole(), 0xFFFFFFFF00000005u);
  field.type = 4;
  EXPECT_EQ(field.whole(), 0u);  // below zero
  field.type = 9;
  EXPECT_EQ(field.whole(), 0u);
}

}  // namespace
}  // namespace carnot::meter
