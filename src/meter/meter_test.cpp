// SPDX-License-Identifier: Apache-2.0
#include "carnot/meter/meter.hpp"

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <new>
#include <numeric>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"

#include "meter/testing/testing.hpp"
#include "meter/testing/testing_allocations.hpp"
#include "meter/testing/testing_clock.hpp"
#include "meter/testing/testing_real.hpp"

namespace carnot::meter {
namespace {

using testing::FakeSource;
using testing::real_domain;
using testing::RealSource;

/// A meter over fakes, which stay reachable.
struct Rig {
  std::vector<FakeSource*> fakes;
  std::unique_ptr<Meter> meter;

  explicit Rig(std::vector<std::unique_ptr<FakeSource>> sources) {
    std::vector<std::unique_ptr<Source>> owned;
    for (auto& source : sources) {
      fakes.push_back(source.get());
      owned.push_back(std::move(source));
    }
    meter = std::make_unique<Meter>(Meter::over(std::move(owned), {}));
  }
  void pass(double seconds) {
    for (FakeSource* fake : fakes)
      fake->pass(Duration::nanoseconds(static_cast<std::int64_t>(seconds * 1e9)));
  }
};

std::unique_ptr<FakeSource> package_source(Power power, std::uint64_t start = 0,
                                           double gain = 1.0) {
  auto fake = std::make_unique<FakeSource>();
  fake->add(testing::package_domain("fake/package-0"), power, start, gain);
  return fake;
}

std::vector<std::unique_ptr<FakeSource>> only(std::unique_ptr<FakeSource> one) {
  std::vector<std::unique_ptr<FakeSource>> sources;
  sources.push_back(std::move(one));
  return sources;
}

TEST(Meter, CountsEveryJouleOnceAcrossATurn) {
  // 2^32 - 1000 counts of 2^-14 J: the counter turns after 61 mJ.
  Rig rig(only(package_source(120.0 * watt, 0xffffffffULL - 1000)));
  const Snapshot a = rig.meter->sample();
  const Energy before = rig.fakes[0]->truth(0);
  for (int i = 0; i < 10; ++i) {
    rig.pass(1.0);
    rig.meter->sample();
  }
  const Snapshot b = rig.meter->sample();
  const EnergyBetween e = rig.meter->energy(a, b);
  const Energy truth = rig.fakes[0]->truth(0) - before;
  EXPECT_NEAR(e.total.value().in(joule), truth.in(joule), 0.2);
  EXPECT_LE(e.total.low(), truth);
  EXPECT_GE(e.total.high(), truth);
  EXPECT_EQ(e.length, Duration::seconds(10));
  EXPECT_EQ(e.total.origin(), Origin::Measured);
  EXPECT_EQ(e.total.boundary(), Boundary::Chip);
  EXPECT_EQ(e.unobserved, Duration{});
}

TEST(Meter, SaysHowMuchMayHavePassedWhereNoReadingMoved) {
  Rig rig(only(package_source(100.0 * watt)));
  rig.pass(2.0);
  const Snapshot a = rig.meter->sample();
  rig.fakes[0]->pass(Duration::nanoseconds(1'000));  // 0.1 mJ, within one update period
  const EnergyBetween e = rig.meter->energy(a, rig.meter->sample());
  EXPECT_EQ(e.total.low(), Energy{});
  EXPECT_GE(e.total.high().in(joule), 100.0 * 1e-3);
  EXPECT_LE(e.total.high().in(joule), 0.5);
}

TEST(Meter, NeverGoesBelowZeroAndCoversTheTruthInShortWindows) {
  Rig rig(only(package_source(80.0 * watt)));
  const RandomStream draw(7, "short windows");
  rig.pass(1.0);
  rig.meter->sample();
  int covered = 0;
  constexpr int kWindows = 400;
  for (int i = 0; i < kWindows; ++i) {
    const Snapshot a = rig.meter->sample();
    const Energy before = rig.fakes[0]->truth(0);
    rig.pass(0.001 * std::pow(1000.0, draw.uniform(static_cast<std::uint64_t>(i))));
    const Snapshot b = rig.meter->sample();
    const Energy truth = rig.fakes[0]->truth(0) - before;
    const Estimate<Energy> e = rig.meter->energy(a, b).total;
    ASSERT_GE(e.low(), Energy{});
    ASSERT_LE(abs(e.value() - truth).in(joule), 80.0 * 1e-3 + 0x1p-13);
    covered += e.low() <= truth && truth <= e.high();
  }
  EXPECT_GE(covered, kWindows * 93 / 100);
}

TEST(Meter, LeavesOutWhatASensorDidNotSee) {
  Rig rig(only(package_source(50.0 * watt)));
  rig.pass(1.0);
  const Snapshot a = rig.meter->sample();
  rig.pass(5.0);
  rig.meter->sample();
  rig.fakes[0]->reset(0);
  rig.pass(5.0);
  const EnergyBetween e = rig.meter->energy(a, rig.meter->sample());
  EXPECT_GE(e.unobserved, Duration::seconds(4));
  EXPECT_LE(e.total.value().in(joule), 501.0);
  EXPECT_GE(e.total.high().in(joule), 500.0) << "what passed unseen is in the interval";
}

TEST(Meter, CountsTimeAfterALossAsUnobserved) {
  Rig rig(only(package_source(50.0 * watt)));
  const Snapshot a = rig.meter->sample();
  rig.pass(1.0);
  rig.meter->sample();
  rig.fakes[0]->vanish(0);
  rig.pass(3.0);
  const Snapshot b = rig.meter->sample();
  EXPECT_EQ(b.channels[0].status, PollStatus::Ended);
  EXPECT_NEAR(rig.meter->energy(a, b).total.value().in(joule), 50.0, 0.1);
}

TEST(Meter, GoesOnFromARecordedState) {
  Rig rig(only(package_source(50.0 * watt)));
  rig.pass(1.0);
  const Snapshot recorded = rig.meter->sample();
  rig.pass(3.0);
  rig.meter->sample();
  rig.meter->restore({"fake/package-0"}, recorded);
  rig.pass(1.0);
  const Snapshot b = rig.meter->sample();
  EXPECT_NEAR(rig.meter->energy(recorded, b).total.value().in(joule), 200.0, 0.1);
  EXPECT_THROW(rig.meter->restore({"fake/package-1"}, recorded), InputError);
  EXPECT_THROW(rig.meter->restore({}, Snapshot{}), InputError);
}

/// Equal readings that never moved prove nothing.
TEST(Meter, DropsNoChannelWithoutEvidence) {
  auto fake = std::make_unique<FakeSource>();
  Domain first = testing::package_domain("fake/a", 0);
  Domain second = testing::package_domain("fake/b", 1);
  fake->add(first, 100.0 * watt);
  fake->add(second, 100.0 * watt);
  // Simulated time stands still while the meter looks: no evidence, no mirror.
  Rig rig(only(std::move(fake)));
  const Snapshot a = rig.meter->sample();
  rig.pass(1.0);
  EXPECT_NEAR(rig.meter->energy(a, rig.meter->sample()).total.value().in(joule), 200.0, 0.5);
}

TEST(Meter, FindsMirrorsByTheirBehaviour) {
  std::vector<std::unique_ptr<Source>> sources;
  sources.push_back(std::make_unique<RealSource>(
      std::vector{real_domain("real/a", -1), real_domain("real/b", -1)}, 100.0));
  Meter meter = Meter::over(std::move(sources), {});
  EXPECT_EQ(meter.channels()[0].role, Role::Counted);
  EXPECT_EQ(meter.channels()[1].role, Role::Duplicate);
  EXPECT_EQ(meter.channels()[1].of, "real/a");
}

TEST(Meter, AsksSlowSourcesLessOften) {
  testing::PacedClock clock;
  auto slow = std::make_unique<RealSource>(std::vector{real_domain("real/a", 0)}, 100.0, clock);
  slow->shortest = Duration::seconds(3600);
  RealSource& kept = *slow;
  Meter meter = testing::meter_over(std::move(slow), clock);
  const int at_first = kept.polls;
  const Snapshot a = meter.sample();
  clock.pass(Duration::nanoseconds(5'000'000));
  const Snapshot b = meter.sample();
  EXPECT_EQ(kept.polls, at_first);
  const Estimate<Energy> e = meter.energy(a, b).total;
  EXPECT_EQ(e.value(), Energy{});
  EXPECT_GE(e.high().in(joule), 0.5) << "5 ms at 100 W went by unseen";
  clock.pass(Duration::seconds(3600));
  EXPECT_GT(meter.energy(a, meter.sample()).total.value(), Energy{});
  EXPECT_EQ(kept.polls, at_first + 1);
}

TEST(Meter, RefusesToMeasureWithNothing) { EXPECT_THROW(Meter::over({}, {}), DeviceError); }

TEST(Meter, ModelsFromTheFirstMomentWhereThereIsNoSensor) {
  MeterOptions options;
  options.sources.sysfs_root = options.sources.dev_root = "/nonexistent";
  options.sources.nvml = options.sources.amd_smi = "none";
  testing::PacedClock clock;
  options.sources.clock = &clock;
  Meter meter = Meter::open(options);
  const Snapshot a = meter.sample();
  clock.pass(Duration::nanoseconds(2'000'000));
  const EnergyBetween e = meter.energy(a, meter.sample());
  EXPECT_EQ(e.length, Duration::nanoseconds(2'000'000));
  EXPECT_GT(e.total.value(), Energy{});
  EXPECT_EQ(e.total.origin(), Origin::Modelled);
  EXPECT_EQ(e.total.boundary(), Boundary::Node);
  EXPECT_FALSE(meter.notes().empty());
  // Power at rest is the model's, whatever the load was, and nothing to be learned.
  const auto idle = estimate_wall_power(read_host_facts("/nonexistent"), 0.0);
  ASSERT_TRUE(meter.static_power().is_given());
  EXPECT_NEAR(meter.static_power().watts() / idle.value(), 1, 1e-9);
  EXPECT_NEAR(meter.static_power().value().low() / idle.low(), 1, 1e-9);
  EXPECT_EQ(meter.static_power().value().origin(), Origin::Modelled);
  options.model = false;
  EXPECT_THROW(Meter::open(options), DeviceError);
}

TEST(Meter, SamplesWithoutAllocating) {
  Rig rig(only(package_source(50.0 * watt)));
  Snapshot into;
  rig.meter->sample(into);
  const std::uint64_t before = testing::allocations();
  for (int i = 0; i < 100; ++i) {
    rig.pass(0.05);
    rig.meter->sample(into);
  }
  EXPECT_EQ(testing::allocations(), before);
}

TEST(Meter, SamplesFromManyThreadsAtOnce) {
  std::vector<std::unique_ptr<Source>> sources;
  sources.push_back(std::make_unique<RealSource>(std::vector{real_domain("real/a", 0)}, 100.0));
  Meter meter = Meter::over(std::move(sources), {});
  meter.keep_alive();
  meter.keep_alive();
  const Snapshot a = meter.sample();
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&meter] {
      Snapshot mine;
      Energy last;
      for (int i = 0; i < 300; ++i) {
        meter.sample(mine);
        ASSERT_GE(mine.channels[0].energy, last);
        last = mine.channels[0].energy;
      }
    });
  for (std::thread& thread : threads) thread.join();
  const EnergyBetween e = meter.energy(a, meter.sample());
  EXPECT_NEAR(e.total.value() / (e.length.time() * (100.0 * watt)), 1.0, 0.2);
}

TEST(Meter, WorksInAForkedChildWhileAThreadSamples) {
  std::vector<std::unique_ptr<Source>> sources;
  sources.push_back(std::make_unique<RealSource>(std::vector{real_domain("real/a", 0)}, 100.0));
  Meter meter = Meter::over(std::move(sources), {});
  meter.keep_alive();
  std::atomic<bool> done{false};
  std::thread busy([&] {
    Snapshot mine;
    while (!done) meter.sample(mine);
  });
  for (int round = 0; round < 20; ++round) {
    const Snapshot a = meter.sample();
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(20);  // a deadlock ends here
      const Snapshot b = meter.sample();
      const bool grew = b.channels[0].energy >= a.channels[0].energy;
      const Energy between = meter.energy(a, b).total.value();
      ::_exit(grew && between >= Energy{} && between.in(joule) < 2000.0 ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "round " << round;
  }
  done = true;
  busy.join();
}

}  // namespace
}  // namespace carnot::meter
