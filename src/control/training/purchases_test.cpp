// SPDX-License-Identifier: Apache-2.0
#include "carnot/control/training/purchases.hpp"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "carnot/base/limits.hpp"
#include "carnot/base/random.hpp"

namespace carnot::control {
namespace {

using Scratch = std::vector<std::pair<double, double>>;

/// Whole units of energy: what a step offers is 0 to 3 units of each kind, so that the exact
/// optimum is found by trying every split. Plain oracle by recursion.
double brute(std::span<const PlanStep> steps, std::size_t at, int work, double delay, double unit) {
  if (work <= 0) return 0.0;
  if (at == steps.size()) return kInfinity;
  const PlanStep& s = steps[at];
  double best = kInfinity;
  const int own = static_cast<int>(std::lround(s.own.in(joule) / unit));
  const int room = static_cast<int>(std::lround(s.room.in(joule) / unit));
  for (int a = 0; a <= std::min(own, work); ++a)
    for (int b = 0; b <= std::min(room, work - a); ++b)
      best = std::min(best, delay * s.length.in(hour) + unit * (a * s.own_cost + b * s.unit_cost) +
                                brute(steps, at + 1, work - a - b, delay, unit));
  return best;
}

std::vector<PlanStep> random_steps(std::uint64_t seed, std::size_t n, double unit) {
  const RandomStream random(seed, "steps");
  std::vector<PlanStep> steps(n);
  for (std::size_t i = 0; i < n; ++i) {
    steps[i].length = hour;
    steps[i].own = unit * static_cast<double>(random.below(4 * i, 4)) * joule;
    steps[i].room = unit * static_cast<double>(random.below(4 * i + 1, 4)) * joule;
    steps[i].own_cost = 1e-8 * random.uniform(4 * i + 2);
    steps[i].unit_cost = 4e-8 * random.uniform(4 * i + 3);
  }
  return steps;
}

TEST(Purchases, LeastCostEqualsTryingEverySplit) {
  Scratch scratch;
  const double unit = 3.6e9;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const RandomStream random(seed, "case");
    const auto steps = random_steps(seed, 1 + random.below(0, 5), unit);
    const int work = 1 + static_cast<int>(random.below(1, 9));
    const double delay = 40.0 * random.uniform(2);
    const double expected = brute(steps, 0, work, delay, unit);
    const double found =
        least_cost(steps, work * unit * joule, delay * euro_per_hour, steps.size(), scratch);
    if (std::isinf(expected))
      EXPECT_TRUE(std::isinf(found)) << seed;
    else
      EXPECT_NEAR(found, expected, 1e-9 * expected + 1e-9) << seed;
  }
}

TEST(Purchases, TheActionIsTheOneThatTryingAllWouldTake) {
  // Two stages: now, then one of two futures. Every action's expected cost by brute force.
  Scratch scratch;
  const double unit = 3.6e9;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const RandomStream random(seed, "case");
    const std::size_t n = 2 + random.below(0, 3);
    std::vector<std::vector<PlanStep>> futures{random_steps(2 * seed, n, unit),
                                               random_steps(2 * seed + 1, n, unit)};
    futures[1].front() = futures[0].front();
    for (auto& steps : futures) steps.back().room = 12 * unit * joule;  // the guard can do it all
    const std::vector<double> weights{0.3, 0.7};
    const int work = 1 + static_cast<int>(random.below(1, 9));
    const double delay = 40.0 * random.uniform(2);
    const PlanStep& now = futures[0].front();
    const int own = std::min(work, static_cast<int>(std::lround(now.own.in(joule) / unit)));
    const int room = std::min(work - own, static_cast<int>(std::lround(now.room.in(joule) / unit)));
    const auto cost = [&](int from_own, int bought) {
      const int left = work - from_own - bought;
      const double most = (now.own + now.room).in(joule) / unit;
      const double share = left > 0 || most <= 0 ? 1.0 : (from_own + bought) / most;
      double sum = 0.0;
      for (std::size_t s = 0; s < 2; ++s)
        sum += weights[s] *
               (share * delay + unit * (from_own * now.own_cost + bought * now.unit_cost) +
                brute(std::span(futures[s]).subspan(1), 0, left, delay, unit));
      return sum;
    };
    const double own_only = cost(own, 0), both = cost(own, room), pause = cost(0, 0);
    const double least = std::min({own_only, both, pause});
    const PowerAction action =
        best_action(futures, weights, work * unit * joule, delay * euro_per_hour, n, true, scratch);
    const double taken = action == PowerAction::Own          ? own_only
                         : action == PowerAction::OwnAndGrid ? both
                                                             : pause;
    EXPECT_NEAR(taken, least, 1e-9 * least + 1e-9) << seed;
  }
}

TEST(Purchases, WaitingForACheaperHourIsAChoice) {
  Scratch scratch;
  PlanStep now, later;
  now.length = later.length = hour;
  now.room = later.room = 5.0 * megawatt_hour;
  now.unit_cost = 80.0 / 3.6e9;
  later.unit_cost = 60.0 / 3.6e9;
  const std::vector<std::vector<PlanStep>> futures{{now, later}};
  const auto at = [&](double delay) {
    return best_action(futures, std::vector<double>{1.0}, 4.0 * megawatt_hour,
                       delay * euro_per_hour, 2, false, scratch);
  };
  EXPECT_EQ(at(20.0), PowerAction::Own);          // 80 EUR saved, 20 EUR of delay
  EXPECT_EQ(at(200.0), PowerAction::OwnAndGrid);  // the hour is worth more
}

}  // namespace
}  // namespace carnot::control
