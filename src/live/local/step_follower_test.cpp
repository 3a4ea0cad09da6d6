// SPDX-License-Identifier: Apache-2.0
#include "carnot/live/local/step_follower.hpp"

#include <cmath>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"

#include "base/testing_thrown.hpp"
#include "live/local/testing_work.hpp"

namespace carnot::live {
namespace {

/// A training of one CPU: a step takes `step_s[mode]` seconds of it.
struct Training {
  std::vector<double> step_s{0.030, 0.012};
  double now_s = 0, cpu_s = 0;
  int checkpoints = 0;

  StepTotals run(const std::string& profile, double length_s, StepFollowerOptions options,
                 const ProfileOptions& profile_options = {}) {
    options.modes = static_cast<int>(step_s.size());
    StepFollower follower(PowerProfile::read(profile, profile_options, Instant{}),
                          energy_of_cpu_time(testing::watts(10), ""), options);
    bool stepped = false;
    while (now_s < length_s) {
      const StepDecision d = follower.next(Duration::from(now_s * second), cpu_s, stepped);
      checkpoints += d.checkpoint ? 1 : 0;
      stepped = d.wait <= Time{};
      const double length = stepped ? step_s[static_cast<std::size_t>(d.mode)] : d.wait.in(second);
      now_s += length;
      if (stepped) cpu_s += length;
    }
    follower.next(Duration::from(now_s * second), cpu_s, stepped);
    return follower.totals();
  }
};

TEST(StepFollower, KeepsToTheProfileAndChoosesTheModeByPower) {
  Training training;
  const StepTotals t = training.run("2 W for 10 s, 8 W for 10 s, 0 W for 5 s", 75, {});
  EXPECT_NEAR(t.used / t.offered, 1.0, 0.01);
  EXPECT_LE(t.worst_over, 0.06 * 8 * watt);
  // Two tenths of a CPU: the cheap mode; eight tenths: the user's own.
  EXPECT_NEAR(static_cast<double>(t.steps[1]), 3 * 2.0 / 0.012, 40);
  EXPECT_NEAR(static_cast<double>(t.steps[0]), 3 * 8.0 / 0.030, 40);
  EXPECT_NEAR((t.offered - t.used - t.could_not_use - t.left).in(joule), 0, 1e-9);
}

TEST(StepFollower, NothingIsAskedOfATrainingWithPowerEnough) {
  Training training;
  const StepTotals t = training.run("1 kW", 10, {});
  EXPECT_EQ(t.waited_s, 0.0);
  EXPECT_EQ(t.steps[1], 0u);
  EXPECT_NEAR(training.cpu_s, training.now_s, 1e-9);
}

TEST(StepFollower, ALongPauseAsksOnceForACheckpoint) {
  Training training;
  StepFollowerOptions options;
  options.checkpoint_after = 20.0 * second;
  training.run("8 W for 10 s, 0 W for 30 s, 8 W for 10 s, 0 W for 10 s", 118, options);
  EXPECT_EQ(training.checkpoints, 2);  // one for each long pause, none for the short one
}

TEST(StepFollower, ReleasedWhenTheProfileIsOver) {
  Training training;
  ProfileOptions release;
  release.end = ProfileEnd::Release;
  const StepTotals t = training.run("0 W for 5 s", 10, {}, release);
  EXPECT_NEAR(training.cpu_s, 5, 0.1);
  EXPECT_NEAR(t.free_used.in(joule), 50, 1);
  EXPECT_EQ(training.checkpoints, 0);  // the end of the pause is in sight
}

RC_GTEST_PROP(StepFollower, AccountsBalanceWhateverTheSteps, ()) {
  Training training;
  training.step_s.clear();
  const int modes = *rc::gen::inRange(1, 5);
  for (int m = 0; m < modes; ++m) training.step_s.push_back(0.001 * *rc::gen::inRange(1, 900));
  const std::string profile = std::to_string(*rc::gen::inRange(0, 12)) + " W for 3 s, " +
                              std::to_string(*rc::gen::inRange(0, 12)) + " W for 2 s";
  const StepTotals t = training.run(profile, 40, {});
  RC_ASSERT(std::abs((t.offered - t.used - t.could_not_use - t.left).in(joule)) < 1e-6);
  RC_ASSERT(std::abs(t.used.in(joule)-10 * training.cpu_s) < 1e-6);
  // Never more than a step, and what the bucket saves up, beyond what was offered.
  const double longest = *std::max_element(training.step_s.begin(), training.step_s.end());
  RC_ASSERT(t.used.in(joule) <= t.offered.in(joule) + 10 * longest + 1e-6);
}

// Offered as much as it draws, a training of long steps runs on into each pause. It is to pay for
// that before it goes on, not to owe more with every pause.
TEST(StepFollower, WhatALongStepOwesIsPaidThoughTheOfferCoversTheDraw) {
  Training training;
  training.step_s = {0.769};
  const StepTotals t = training.run("10 W for 3 s, 0 W for 2 s", 400, {});
  EXPECT_LE(t.used, t.offered + 7.69 * joule);
  EXPECT_GT(t.used / t.offered, 0.95);
}

TEST(StepFollower, OptionsOutOfRangeAreRefused) {
  StepFollowerOptions options;
  options.modes = 0;
  EXPECT_NE(thrown<InputError>([&] {
              StepFollower(PowerProfile::read("1 W", {}, Instant{}),
                           energy_of_cpu_time(testing::watts(1), ""), options);
            }).find("1 to 64"),
            std::string::npos);
}

}  // namespace
}  // namespace carnot::live
