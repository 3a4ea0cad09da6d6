// SPDX-License-Identifier: Apache-2.0
#include "carnot/control/training/foresight.hpp"

#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"

#include "control/training/makers.hpp"
#include "control/training/testing_world.hpp"

namespace carnot::control {
namespace {

const Instant kStart = Instant::from_unix_seconds(1'700'000'000 / 300 * 300);

/// Every sequence of choices, tried: exponential, so tiny problems only. The plain oracle of the
/// oracle.
double brute_force(const OracleProblem& p, std::size_t t, double done,
                   const site::SiteSimulator& site) {
  double best = kInfinity;
  if (t == p.weather.size()) return best;
  std::size_t mode = p.modes.size() - 1;
  for (int choice = 0; choice < 4; ++choice) {
    site::Demand d;
    if (choice > 0) d.mode = &p.modes[mode];
    if (choice == 3) d.grid_allowance = p.site.import_limit;
    if (choice == 2) {
      site::Demand full = d;
      full.grid_allowance = p.site.import_limit;
      site::SiteSimulator copy = site;
      d.grid_allowance = 0.5 * copy.advance(p.weather[t], full, p.slot).grid;
    }
    site::SiteSimulator next = site;
    const site::Flows f = next.advance(p.weather[t], d, p.slot);
    if (f.steps > 0.0 && done + f.steps >= p.steps_total) {
      const Time used = ((p.steps_total - done) / f.steps) * p.slot;
      best = std::min(best, slot_cost(f, p.weather[t], p.site, p.objective, used).in(euro));
      continue;
    }
    best = std::min(best, slot_cost(f, p.weather[t], p.site, p.objective, p.slot).in(euro) +
                              brute_force(p, t + 1, done + f.steps, next));
  }
  return best;
}

TEST(Oracle, EqualsBruteForceOnTinyProblems) {
  const auto modes = testing::modes();
  int feasible = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const auto weather = testing::weather(seed, 6);
    OracleProblem p = testing::problem(seed, weather, modes);
    p.steps_total = 120.0 + 5.0 * static_cast<double>(seed);
    p.progress_buckets = 1'000'000;  // nothing is merged
    const OracleSolution solution = solve_oracle(p, kStart);
    const double brute = brute_force(p, 0, 0.0, site::SiteSimulator(p.site));
    ASSERT_EQ(solution.feasible, std::isfinite(brute)) << seed;
    if (!solution.feasible) continue;
    ++feasible;
    EXPECT_NEAR(solution.cost.in(euro), brute, 1e-9 * std::abs(brute)) << seed;
    EXPECT_LE(solution.bound.in(euro), brute * (1 + 1e-9)) << seed;
  }
  EXPECT_GE(feasible, 20);
}

TEST(Oracle, NoPolicyBeatsTheBoundNorTheOracle) {
  const auto modes = testing::modes();
  double worst_gap = 0.0;
  int compared = 0;
  for (std::uint64_t seed = 100; seed < 130; ++seed) {
    const auto weather = testing::weather(seed, 400);
    const OracleProblem p = testing::problem(seed, weather, modes);
    const OracleSolution solution = solve_oracle(p, kStart);
    for (const std::string& name : policy_names(modes)) {
      if (name == "oracle") continue;
      const auto policy = make_job_policy(name, {modes, p.objective});
      const testing::Played played = testing::play(p, *policy, kStart);
      EXPECT_FALSE(played.cap_violation) << name << seed;
      if (!played.done) continue;
      ASSERT_TRUE(solution.feasible) << name << seed;
      ++compared;
      EXPECT_GE(played.cost_eur, solution.bound.in(euro)-1e-6) << name << " " << seed;
      EXPECT_GE(played.cost_eur, solution.cost.in(euro) * (1 - 2e-3) - 1e-6) << name << " " << seed;
    }
    if (solution.feasible) worst_gap = std::max(worst_gap, 1.0 - solution.bound / solution.cost);
  }
  EXPECT_GE(compared, 100);
  RecordProperty("worst_gap", std::to_string(worst_gap));
  EXPECT_LT(worst_gap, 0.10);
}

TEST(Oracle, OfAThousandScenariosNoneHasAPolicyBelowTheBound) {
  const auto modes = testing::modes();
  int compared = 0;
  for (std::uint64_t seed = 1000; seed < 2000; ++seed) {
    const RandomStream random(seed, "scenario");
    const auto weather = testing::weather(seed, 30 + random.below(0, 170));
    OracleProblem p = testing::problem(seed, weather, modes);
    p.slot = (random.uniform(1) < 0.3 ? 30.0 : 300.0) * second;
    p.steps_total = std::floor((0.05 + 0.95 * random.uniform(2)) * 0.35 * p.slot.in(second) *
                               static_cast<double>(weather.size()));
    const OracleSolution solution = solve_oracle(p, kStart);
    for (const char* name : {"fixed:int4", "fixed:int8", "cpt", "paper", "adaptive"}) {
      const auto policy = make_job_policy(name, {modes, p.objective});
      const testing::Played played = testing::play(p, *policy, kStart);
      if (!played.done) continue;
      ++compared;
      EXPECT_GE(played.cost_eur, solution.bound.in(euro)-1e-6) << name << " " << seed;
    }
  }
  EXPECT_GE(compared, 1000);
}

TEST(Oracle, DoesNotForgetProgressThatIsLessThanABucketASlot) {
  const auto modes = testing::modes();
  int compared = 0;
  for (std::uint64_t seed = 300; seed < 312; ++seed) {
    const auto weather = testing::weather(seed, 2500);
    OracleProblem p = testing::problem(seed, weather, modes);
    p.slot = 30.0 * second;
    p.steps_total = 4000.0;  // a slot does ten at most, a bucket holds seven
    p.progress_buckets = 100;
    const OracleSolution solution = solve_oracle(p, kStart);
    for (const char* name : {"fixed:int4", "fixed:int8", "cpt", "adaptive"}) {
      const auto policy = make_job_policy(name, {modes, p.objective});
      const testing::Played played = testing::play(p, *policy, kStart);
      if (!played.done) continue;
      ASSERT_TRUE(solution.feasible) << seed;
      ++compared;
      EXPECT_GE(played.cost_eur, solution.cost.in(euro) * (1 - 2e-3) - 1e-6) << name << " " << seed;
    }
  }
  EXPECT_GE(compared, 20);
}

TEST(Oracle, ReplayAttainsTheStatedCost) {
  const auto modes = testing::modes();
  for (std::uint64_t seed = 200; seed < 215; ++seed) {
    const auto weather = testing::weather(seed, 300);
    OracleProblem p = testing::problem(seed, weather, modes);
    p.stages = {{0.0, 4}, {std::floor(0.7 * p.steps_total), 8}};
    p.steps_total = std::floor(p.steps_total);
    const OracleSolution solution = solve_oracle(p, kStart);
    if (!solution.feasible) continue;
    const auto replay = make_replay("oracle", solution.decisions, p.stages);
    const testing::Played played = testing::play(p, *replay, kStart);
    ASSERT_TRUE(played.done) << seed;
    EXPECT_NEAR(played.cost_eur, solution.cost.in(euro),
                2e-3 * std::abs(solution.cost.in(euro)) + 0.5)
        << seed;
  }
}

TEST(Oracle, MoreForesightOfPowerNeverCostsMore) {
  // Doubling the wind of every slot cannot raise the bound, where grid power costs more than own
  // power (negative prices pay for drawing from the grid, which more wind prevents).
  const auto modes = testing::modes();
  for (std::uint64_t seed = 300; seed < 320; ++seed) {
    auto weather = testing::weather(seed, 200);
    for (site::Weather& w : weather) w.price = max(w.price, 20.0 * euro_per_megawatt_hour);
    auto windier = weather;
    for (site::Weather& w : windier) w.total = 2.0 * w.total;
    OracleProblem p = testing::problem(seed, weather, modes);
    p.site.computing_uses = site::ComputingUses::Curtailed;
    const OracleSolution a = solve_oracle(p, kStart);
    p.weather = windier;
    const OracleSolution b = solve_oracle(p, kStart);
    if (!a.feasible) continue;
    ASSERT_TRUE(b.feasible);
    EXPECT_LE(b.bound.in(euro), a.bound.in(euro) * (1 + 1e-9) + 1e-6) << seed;
  }
}

TEST(Oracle, ABatteryIsUsedAndBounded) {
  const auto modes = testing::modes();
  const auto weather = testing::weather(7, 200);
  OracleProblem p = testing::problem(7, weather, modes);
  p.site.import_limit = 30.0 * megawatt;
  p.site.computing_uses = site::ComputingUses::Curtailed;
  p.progress_buckets = 200;
  const OracleSolution without = solve_oracle(p, kStart);
  p.site.battery.capacity = 40.0 * megawatt_hour;
  p.site.battery.charge_limit = 20.0 * megawatt;
  p.site.battery.discharge_limit = 20.0 * megawatt;
  p.battery_energy = 20.0 * megawatt_hour;
  const OracleSolution with = solve_oracle(p, kStart);
  ASSERT_TRUE(with.feasible && without.feasible);
  EXPECT_LE(with.cost.in(euro), without.cost.in(euro)*1.001);
  EXPECT_LE(with.bound.in(euro), with.cost.in(euro));
}

TEST(Oracle, RefusesProblemsThatAreNone) {
  const auto modes = testing::modes();
  const auto weather = testing::weather(1, 10);
  OracleProblem p = testing::problem(1, weather, modes);
  p.stages.clear();
  EXPECT_THROW(solve_oracle(p, kStart), InputError);
  p = testing::problem(1, weather, modes);
  p.stages = {{0.0, 64}};
  EXPECT_THROW(solve_oracle(p, kStart), InputError);
  p = testing::problem(1, weather, modes);
  p.weather = {};
  EXPECT_THROW(solve_oracle(p, kStart), InputError);
}

}  // namespace
}  // namespace carnot::control
