// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carnot/base/limits.hpp"
#include "carnot/control/registry.hpp"
#include "carnot/control/training/adaptive.hpp"
#include "carnot/control/training/job_policy.hpp"

#include "control/training/makers.hpp"
#include "control/training/testing_world.hpp"

namespace carnot::control {
namespace {

const Instant kStart = Instant::from_unix_seconds(1'700'000'000 / 300 * 300);

Observation observation(std::span<const site::Mode> modes) {
  Observation o;
  o.slot = Duration::seconds(300);
  o.start = o.now = kStart;
  o.deadline = kStart + Duration::seconds(96 * 3600);
  o.site.total = 100.0 * megawatt;
  o.site.export_first = 60.0 * megawatt;
  o.site.grid_limit = 30.0 * megawatt;
  o.site.pue = 1.1;
  o.learning.modes = modes;
  o.learning.steps_total = 10'000;
  return o;
}

TEST(Policy, ThePapersRuleGivesMorePowerMoreBits) {
  const auto modes = testing::modes();
  const auto policy = make_job_policy("paper", {modes, {}});
  int before = static_cast<int>(modes.size());
  for (double mw = 0; mw <= 160; mw += 1) {
    Observation o = observation(modes);
    o.site.total = mw * megawatt;
    const int mode = policy->decide(o).mode;
    EXPECT_LE(mode, before);
    before = mode;
  }
  EXPECT_EQ(before, 0);
}

TEST(Policy, OnlyTheDeadlineMakesFollowersBuy) {
  const auto modes = testing::modes();
  for (const char* name :
       {"pause-resume", "fixed:int8", "paper", "cpt", "pfq", "sqrt3", "switch:int4>int8@0.8"}) {
    const auto policy = make_job_policy(name, {modes, {}});
    Observation o = observation(modes);
    o.site.total = Power{};
    EXPECT_EQ(policy->decide(o).grid_allowance, Power{}) << name;
    o.now = o.deadline - Duration::seconds(1800);
    const Decision d = policy->decide(o);
    EXPECT_EQ(d.grid_allowance, o.site.grid_limit) << name;
    EXPECT_GE(d.mode, 0) << name;
  }
}

TEST(Policy, TheDeadlineGuardLeavesTimeEnough) {
  // Buying from the first slot at which must_buy holds finishes before the deadline, whatever the
  // mode.
  const auto modes = testing::modes();
  for (const site::Mode& mode : modes)
    for (const double steps : {10.0, 500.0, 5000.0}) {
      Observation o = observation(modes);
      const Time needed = steps / mode.steps_per_second * second;
      while (!must_buy(o, mode, steps) && o.now < o.deadline) o.now = o.now + o.slot;
      EXPECT_GE((o.deadline - o.now).time().in(second), needed.in(second)) << mode.name << steps;
    }
}

TEST(Policy, CyclicPrecisionVisitsBothEndsEachCycle) {
  const auto modes = testing::modes();
  const auto policy = make_job_policy("cpt", {modes, {}});
  std::vector<int> bits;
  for (std::uint64_t step = 0; step < 10'000;) {
    Observation o = observation(modes);
    o.learning.steps_done = step;
    const Decision d = policy->decide(o);
    bits.push_back(modes[static_cast<std::size_t>(d.mode)].bits);
    step += static_cast<std::uint64_t>(d.max_steps);
  }
  int switches = 0;
  for (std::size_t i = 1; i < bits.size(); ++i) switches += bits[i] != bits[i - 1];
  EXPECT_THAT(bits, ::testing::Each(::testing::AnyOf(4, 8)));
  EXPECT_GE(switches, 62);
  EXPECT_LE(switches, 64);
}

TEST(Policy, SwitchesWhereItSays) {
  const auto modes = testing::modes();
  const auto policy = make_job_policy("switch:4>int8@0.5>f32@0.9", {modes, {}});
  ASSERT_NE(policy, nullptr);
  Observation o = observation(modes);
  for (const auto& [step, mode, most] :
       {std::tuple{0, 3, 5000.0}, {4990, 3, 10.0}, {5000, 2, 4000.0}, {9000, 0, 1e300}}) {
    o.learning.steps_done = static_cast<std::uint64_t>(step);
    const Decision d = policy->decide(o);
    EXPECT_EQ(d.mode, mode) << step;
    EXPECT_EQ(d.max_steps, most) << step;
  }
  for (const char* wrong :
       {"switch:", "switch:int4>int8", "switch:int4>int8@1.5", "switch:int4@0.2>int8@0.5",
        "switch:int5>int8@0.5", "switch:int4>int8@0.6>f32@0.5", "switch:int4>int8@x"})
    EXPECT_EQ(make_job_policy(wrong, {modes, {}}), nullptr) << wrong;
}

TEST(Policy, TheRootOfThreeRuleGoesUpWhenTheGradientDrowns) {
  const auto modes = testing::modes();
  const auto policy = make_job_policy("sqrt3", {modes, {}});
  Observation o = observation(modes);
  std::vector<ModeNoise> noise{{}, {}, {0, 0, 40.0}, {0, 0, 1.8}};
  EXPECT_TRUE(policy->decide(o).measure_noise);
  o.learning.noise = noise;
  EXPECT_EQ(policy->decide(o).mode, 3);
  noise[3].signal = 1.7;  // below the root of three
  EXPECT_EQ(policy->decide(o).mode, 2);
  noise[2].signal = 0.1;  // eight bits are as far as it goes
  EXPECT_EQ(policy->decide(o).mode, 2);
}

TEST(Policy, ProgressiveQuantisationMovesUpWhenTheLossStalls) {
  const auto modes = testing::modes();
  const auto policy = make_job_policy("pfq", {modes, {}});
  Observation o = observation(modes);
  o.learning.smoothed_loss = 2.0;
  EXPECT_EQ(policy->decide(o).mode, 3);
  o.learning.steps_done = 250;
  o.learning.smoothed_loss = 1.0;  // falls: stay
  EXPECT_EQ(policy->decide(o).mode, 3);
  o.learning.steps_done = 500;
  o.learning.smoothed_loss = 0.999;  // stalls: from 3 bits to 4, which the same mode carries
  EXPECT_EQ(policy->decide(o).mode, 3);
  o.learning.steps_done = 750;
  o.learning.smoothed_loss = 0.9989;  // gradients of more bits: no mode of its own
  EXPECT_EQ(policy->decide(o).mode, 3);
  o.learning.steps_done = 1000;
  o.learning.smoothed_loss = 0.99889;  // six bits
  EXPECT_EQ(policy->decide(o).mode, 2);
  o.learning.steps_done = 1250;
  o.learning.smoothed_loss = 0.9989;  // as far as the integers go
  EXPECT_EQ(policy->decide(o).mode, 2);
}

TEST(Policy, NoneSeesTheFuture) {
  // Swap the weather after slot 120: every decision before is the same.
  const auto modes = testing::modes();
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const auto weather = testing::weather(seed, 240);
    auto other = weather;
    const auto strange = testing::weather(seed + 1000, 240);
    std::copy(strange.begin() + 120, strange.end(), other.begin() + 120);
    OracleProblem a = testing::problem(seed, weather, modes);
    a.steps_total = 1e6;  // neither ends
    OracleProblem b = a;
    b.weather = other;
    for (const std::string& name : policy_names(modes)) {
      if (name == "oracle") continue;
      const auto first = testing::play(a, *make_job_policy(name, {modes, a.objective}), kStart);
      const auto second = testing::play(b, *make_job_policy(name, {modes, b.objective}), kStart);
      for (std::size_t i = 0; i < 120; ++i) {
        ASSERT_EQ(first.mode[i], second.mode[i]) << name;
        ASSERT_EQ(first.allowance_w[i], second.allowance_w[i]) << name;
      }
    }
  }
}

TEST(Policy, SaveAndRestoreGoOnTheSame) {
  const auto modes = testing::modes();
  for (const std::string& name : policy_names(modes)) {
    if (name == "oracle") continue;
    const auto whole = make_job_policy(name, {modes, {}});
    auto halves = make_job_policy(name, {modes, {}});
    const std::vector<ModeNoise> noise{{0, 0}, {0, 0}, {0.01, 0.01}, {0.2, 3.0}};
    for (std::uint64_t i = 0; i < 100; ++i) {
      Observation o = observation(modes);
      o.now = o.now + o.slot * static_cast<std::int64_t>(i);
      o.learning.steps_done = 100 * i;
      o.learning.remaining_learning = 1.0 - static_cast<double>(i) / 100.0;
      o.learning.smoothed_loss = 1.0 / (1.0 + static_cast<double>(i));
      o.learning.noise = noise;
      if (i == 37) {
        auto fresh = make_job_policy(name, {modes, {}});
        StateWriter state;
        halves->save(state);
        const std::vector<std::uint8_t> bytes = state.take();
        StateReader reader(bytes);
        fresh->restore(reader);
        reader.end();
        halves = std::move(fresh);
      }
      const Decision a = whole->decide(o), b = halves->decide(o);
      ASSERT_EQ(a.mode, b.mode) << name << i;
      ASSERT_EQ(a.max_steps, b.max_steps) << name << i;
      ASSERT_EQ(a.measure_noise, b.measure_noise) << name << i;
    }
  }
}

TEST(Governor, TakesTheCheapestModeWhoseSurvivingNoiseIsSmall) {
  const auto modes = testing::modes();
  const std::vector<ModeNoise> noise{{0, 0}, {1e-4, 1e-4}, {0.01, 0.02}, {0.2, 4.0}};
  GovernorOptions options;
  EXPECT_EQ(cheapest_sufficient_mode(modes, {}, 1.0, options), 3);     // nothing measured
  EXPECT_EQ(cheapest_sufficient_mode(modes, noise, 1.0, options), 3);  // forgotten by the end
  EXPECT_EQ(cheapest_sufficient_mode(modes, noise, 0.0, options), 2);  // would stay
  std::vector<ModeNoise> loud = noise;
  loud[3].gradient = 1.5;  // drowns the signal: never
  EXPECT_EQ(cheapest_sufficient_mode(modes, loud, 1.0, options), 2);
  // Where exactly: 4 exp(-200 R) = rho.
  const double r = std::log(4.0 / options.rho) / 200.0;
  EXPECT_EQ(cheapest_sufficient_mode(modes, noise, r * 1.01, options), 3);
  EXPECT_EQ(cheapest_sufficient_mode(modes, noise, r * 0.99, options), 2);
}

TEST(Governor, NeverGoesBackToFewerBits) {
  const auto modes = testing::modes();
  const auto policy = make_governor(modes, {});
  std::vector<ModeNoise> noise{{0, 0}, {0, 0}, {0.01, 0.01}, {0.2, 4.0}};
  int least = 0;
  for (int i = 0; i <= 200; ++i) {
    Observation o = observation(modes);
    o.learning.steps_done = static_cast<std::uint64_t>(50 * i);
    o.learning.remaining_learning = std::pow(1.0 - i / 200.0, 3);
    noise[3].update = i % 7 == 0 ? 0.01 : 4.0;  // a flattering measurement now and then
    o.learning.noise = noise;
    const int bits = modes[static_cast<std::size_t>(policy->decide(o).mode)].bits;
    EXPECT_GE(bits, least);
    least = bits;
  }
  EXPECT_EQ(least, 8);
}

TEST(Governor, ACopyOfTheDataIsPartOfTheChoice) {
  auto modes = testing::modes();
  modes[2].first_use = 5000.0 * modes[2].step_energy();  // int8 would need a copy of its own
  modes.insert(modes.begin() + 3, {"d4w8g4", 8, 0.22, modes[2].static_power, 15.0 * megawatt, 4});
  modes[4].data_bits = 4;
  const std::vector<ModeNoise> noise{{0, 0}, {1e-4, 1e-4}, {0.01, 0.02}, {0.01, 0.02}, {0.2, 4.0}};
  modes[3].dynamic_power = 17.0 * megawatt;  // dearer a step than int8
  GovernorOptions options;
  const std::vector<int> widths{4};
  EXPECT_EQ(cheapest_sufficient_mode(modes, noise, 0.0, options, 1e9, widths), 2);
  EXPECT_EQ(cheapest_sufficient_mode(modes, noise, 0.0, options, 100.0, widths), 3);
}

TEST(Governor, AnEarlyLookIsWorthWhatItSavesLessWhatItRisks) {
  EXPECT_NEAR(value_of_look(0.25, 1.0, 1.0, 1.0, 0.01), 0.75, 1e-12);
  EXPECT_NEAR(value_of_look(0.25, 0.5, 1.0, 1.0, 0.01), 0.37, 1e-12);
  EXPECT_NEAR(value_of_look(0.5, 0.5, 0.9, 0.8, 0.0), 0.25 - 0.5 * 20 * 0.1, 1e-12);
  EXPECT_LT(value_of_look(0.9, 0.3, 0.6, 0.4, 0.0), 0.0);
}

TEST(Governor, NeedsNoMoreBitsWhereTheFloorIsCertain) {
  const auto modes = testing::modes();
  const std::vector<ModeNoise> noise{{0, 0}, {0, 0}, {0.01, 0.01}, {0.2, 4.0}};
  for (const bool easy : {false, true}) {
    const auto policy = make_governor(modes, {});
    Observation o = observation(modes);
    o.learning.training_quality = 0.97;
    o.learning.held_out_rows = 1000;
    o.learning.needed = easy ? 0.90 : 0.97;
    o.learning.needed_after = o.learning.needed + 0.005;
    o.learning.noise = noise;
    policy->decide(o);
    o.learning.steps_done = 9'000;
    o.learning.remaining_learning = 0.0;
    const Decision d = policy->decide(o);
    EXPECT_EQ(modes[static_cast<std::size_t>(d.mode)].bits, easy ? 4 : 8);
    EXPECT_EQ(d.look, easy);
  }
}

}  // namespace
}  // namespace carnot::control
