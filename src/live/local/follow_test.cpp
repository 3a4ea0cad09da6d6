// SPDX-License-Identifier: Apache-2.0
#include "carnot/live/local/follow.hpp"

#include <cmath>
#include <numbers>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"

#include "live/local/testing_work.hpp"

namespace carnot::live {
namespace {

using testing::SimulatedWork;
using testing::WorkPlan;

std::vector<std::unique_ptr<Actuator>> one_switch(SimulatedWork& work) {
  std::vector<std::unique_ptr<Actuator>> actuators;
  actuators.push_back(std::make_unique<SimulatedWork::Switch>(work));
  return actuators;
}

FollowTotals follow_with_switch(SimulatedWork& work, const PowerProfile& profile,
                                const FollowOptions& options = {}, const FollowHooks& hooks = {}) {
  const auto energy = energy_of_cpu_time(testing::watts(10), "10 W");
  const auto actuators = one_switch(work);
  return follow(work, profile, *energy, actuators, work, options, hooks);
}

PowerProfile steps(const std::string& text) { return PowerProfile::read(text, {}, Instant{}); }

PowerProfile sine(double mean, double swing, double period_s) {
  std::vector<double> watts;
  for (int i = 0; i < 600; ++i)
    watts.push_back(mean + swing * std::sin(2 * std::numbers::pi * (0.1 * i) / period_s));
  return {Trace<Power>(TraceCore(Instant{}, Duration::nanoseconds(100'000'000), watts)),
          ProfileEnd::Repeat};
}

// In virtual time: step, sine, zero; 1 and 4 threads; waits that come up to 3 ms late.
TEST(Follow, StepSineAndZeroAreKept) {
  const PowerProfile all[] = {steps("2 W for 5 s, 6 W for 5 s"), sine(5, 3, 20),
                              steps("5 W for 5 s, 0 W for 5 s")};
  for (const PowerProfile& profile : all) {
    for (const double threads : {1.0, 4.0}) {
      WorkPlan plan;
      plan.threads = threads;
      plan.late_ms = 3;
      SimulatedWork work(plan);
      const FollowTotals t = follow_with_switch(work, profile);
      EXPECT_NEAR(t.used / t.offered, 1.0, 0.005) << threads;
      EXPECT_LE(t.rms_error / t.mean_target, 0.05) << threads;
      EXPECT_LE(t.worst_over, 0.05 * profile.peak()) << threads;
      EXPECT_EQ(t.crowded_out, Energy{});
    }
  }
}

TEST(Follow, StopsSoonAfterZero) {
  WorkPlan plan;
  plan.threads = 4;
  plan.cpus = 4;
  plan.length_s = 10;
  SimulatedWork work(plan);
  const FollowTotals t = follow_with_switch(work, steps("30 W for 5 s, 0 W for 5 s"));
  EXPECT_GT(work.ran_until_s(), 4.9);
  EXPECT_LE(work.ran_until_s(), 5.1);
  EXPECT_GT(t.stopped_s, 5.0);
}

TEST(Follow, NeverAboveWhereOthersHaveTheCpus) {
  for (const double others : {1.2, 1.8, 2.0}) {
    WorkPlan plan;
    plan.threads = 2;
    plan.others = others;
    plan.late_ms = 5;
    SimulatedWork work(plan);
    const PowerProfile profile = steps("4 W for 5 s, 12 W for 5 s");
    const FollowTotals t = follow_with_switch(work, profile);
    EXPECT_LE(t.worst_over, 0.05 * profile.peak()) << others;
    EXPECT_GT(t.could_not_use, 0.1 * t.offered) << others;
    // All of it is told to be the others' doing, but for the start of the last second.
    EXPECT_NEAR(t.crowded_out / t.could_not_use, 1.0, 1e-9) << others;
  }
}

TEST(Follow, WhatIsNotAskedForIsToldApartAndNotSavedUp) {
  WorkPlan plan;
  plan.idle_from_s = 10;
  plan.idle_to_s = 30;
  SimulatedWork work(plan);
  const FollowTotals t = follow_with_switch(work, steps("4 W"));
  EXPECT_NEAR(t.could_not_use.in(joule), 80.0, 1.0);
  EXPECT_EQ(t.crowded_out, Energy{});
  // After twenty idle seconds no second is above by more than the burst.
  EXPECT_LE(t.worst_over, 0.06 * 4.0 * watt);
}

RC_GTEST_PROP(Follow, AccountsBalance, ()) {
  WorkPlan plan;
  plan.threads = *rc::gen::inRange(1, 9) * 0.5;
  plan.cpus = *rc::gen::inRange(1, 9);
  plan.others = *rc::gen::inRange(0, 9) * 0.5;
  plan.length_s = *rc::gen::inRange(1, 20);
  plan.idle_from_s = *rc::gen::inRange(0, 20);
  plan.idle_to_s = plan.idle_from_s + *rc::gen::inRange(0, 10);
  plan.late_ms = *rc::gen::inRange(0, 200);
  plan.seed = *rc::gen::arbitrary<std::uint64_t>();
  SimulatedWork work(plan);
  std::vector<double> watts;
  for (int i = 0; i < 10; ++i) watts.push_back(*rc::gen::inRange(0, 60));
  const auto end = static_cast<ProfileEnd>(*rc::gen::inRange(0, 4));
  const PowerProfile profile(Trace<Power>(TraceCore(Instant{}, Duration::seconds(1), watts)), end);
  const FollowTotals t = follow_with_switch(work, profile);
  const double scale = 1.0 + t.offered.in(joule) + t.used.in(joule);
  RC_ASSERT(std::abs((t.offered - t.used - t.could_not_use - t.left).in(joule)) < 1e-9 * scale);
  RC_ASSERT(std::abs((t.used + t.free_used).in(joule)-work.true_energy_j()) < 1e-9 * scale);
  RC_ASSERT(t.crowded_out <= t.could_not_use);
  Energy used, offered, above;
  for (const FollowSecond& s : t.seconds) {
    used += s.used;
    offered += s.offered;
    above += max(Energy{}, s.used - s.offered);
  }
  RC_ASSERT(std::abs((used - t.used).in(joule)) < 1e-9 * scale);
  RC_ASSERT(std::abs((offered - t.offered).in(joule)) < 1e-9 * scale);
  RC_ASSERT(std::abs((above - t.above).in(joule)) < 1e-9 * scale);
}

TEST(Follow, ReleasesWhenTheProfileIsOver) {
  WorkPlan plan;
  plan.length_s = 20;
  SimulatedWork work(plan);
  ProfileOptions options;
  options.end = ProfileEnd::Release;
  const FollowTotals t =
      follow_with_switch(work, PowerProfile::read("0 W for 10 s", options, Instant{}));
  EXPECT_TRUE(t.profile_ended);
  EXPECT_NEAR(t.free_used.in(joule), 100.0, 1.0);
  EXPECT_NEAR(t.used.in(joule), 0.0, 0.3);
  EXPECT_NEAR(t.free_s, 10.0, 0.1);
}

TEST(Follow, AQuotaKeepsTheMean) {
  WorkPlan plan;
  plan.threads = 2;
  SimulatedWork work(plan);
  const auto energy = energy_of_cpu_time(testing::watts(10), "10 W");
  auto actuators = one_switch(work);
  actuators.push_back(std::make_unique<SimulatedWork::Rate>(work));
  const PowerProfile profile = steps("4 W for 10 s, 12 W for 10 s, 0 W for 10 s");
  const FollowTotals t = follow(work, profile, *energy, actuators, work);
  EXPECT_NEAR(t.used / t.offered, 1.0, 0.005);
  EXPECT_LE(t.worst_over, 0.05 * profile.peak());
  EXPECT_LT(t.switches, 10u);  // the switch is for the zeros alone
}

TEST(Follow, ClosesOnASensorThatTheModelMisjudges) {
  // True power bends with load; the first guess of k is wrong threefold; the sensor tells each
  // second, in steps.
  WorkPlan plan;
  plan.threads = 3;
  plan.cpus = 8;
  plan.rest_w = 50;
  plan.curve = 0.7;
  plan.length_s = 120;
  for (const bool whole : {false, true}) {
    SimulatedWork work(plan);
    SensorOptions options;
    options.per_cpu = 30 * watt;
    options.whole_machine = whole;
    const auto energy = energy_by_sensor(
        [&] {
          SensorReading reading;
          reading.energy = std::floor(work.machine_energy_j() / 0.5) * 0.5 * joule;
          reading.low = 0.95 * reading.energy;
          reading.high = 1.05 * reading.energy;
          reading.busy_cpu_s = work.machine_cpu_s();
          reading.rest = plan.rest_w * watt;
          return reading;
        },
        options);
    const auto actuators = one_switch(work);
    const PowerProfile profile =
        whole ? steps("55 W for 20 s, 65 W for 20 s") : steps("4 W for 20 s, 14 W for 20 s");
    const FollowTotals t = follow(work, profile, *energy, actuators, work);
    const double truth = whole ? work.machine_energy_j() : work.true_energy_j();
    EXPECT_NEAR(truth / t.offered.in(joule), 1.0, 0.02) << whole;
    const Estimate<Energy> used = energy->total();
    EXPECT_EQ(used.origin(), Origin::Measured);
    EXPECT_NEAR(used.value().in(joule), truth, 0.02 * truth) << whole;
    EXPECT_LT(used.low(), used.value());
    EXPECT_GT(used.high(), used.value());
  }
}

TEST(Follow, FreeLiftsTheLimitAndLeaveEndsIt) {
  WorkPlan plan;
  SimulatedWork work(plan);
  FollowHooks hooks;
  hooks.wish = [&] {
    const double now = work.now_s();
    return now > 8 ? FollowWish::Leave : now > 3 && now < 5 ? FollowWish::Free : FollowWish::Follow;
  };
  const FollowTotals t = follow_with_switch(work, steps("0 W"), {}, hooks);
  EXPECT_NEAR(work.true_energy_j(), 20.0, 1.0);
  EXPECT_NEAR(t.above.in(joule), 20.0, 1.0);
  EXPECT_NEAR(work.now_s(), 8.0, 0.1);
}

TEST(Bucket, StopsAtOnceAtZeroAndOwesWhatWasTooMuch) {
  EnergyBucket bucket;
  bucket.advance(1 * joule, Energy{}, 5 * watt, 10 * watt);
  EXPECT_TRUE(bucket.run());
  bucket.advance(Energy{}, Energy{}, Power{}, 10 * watt);
  EXPECT_FALSE(bucket.run());
  EXPECT_EQ(bucket.level(), Energy{});
  EXPECT_NEAR(bucket.spilled().in(joule), 1.0, 1e-12);
  bucket.advance(Energy{}, 2 * joule, 5 * watt, 10 * watt);
  EXPECT_FALSE(bucket.run());
  EXPECT_NEAR(bucket.level().in(joule), -2.0, 1e-12);
  // 2 J owed and a slice of 20 ms at 5 W to be saved: 0.42 s at 5 W.
  EXPECT_NEAR(bucket.until_change().in(second), 0.42, 1e-9);
}

}  // namespace
}  // namespace carnot::live
