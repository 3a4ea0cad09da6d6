// SPDX-License-Identifier: Apache-2.0
#include "carnot/assess/actions/portfolio.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"

namespace carnot::assess {
namespace {

ActionSets random_sets(std::uint64_t seed, std::size_t actions, std::size_t activities) {
  const RandomStream random(seed, "portfolio");
  ActionSets sets;
  std::uint64_t at = 0;
  for (std::size_t a = 0; a < activities; ++a) sets.base.push_back(1e6 * random.uniform(at++));
  for (std::size_t i = 0; i < actions; ++i) {
    sets.factors.emplace_back();
    for (std::size_t a = 0; a < activities; ++a)
      sets.factors.back().push_back(random.below(at++, 2) == 0 ? 1
                                                               : 0.3 + 0.8 * random.uniform(at++));
    sets.added.push_back(random.below(at++, 3) == 0 ? 1e5 * random.uniform(at++) : 0);
    sets.cost.push_back(std::floor(10000 * random.uniform(at++)) - 1000);
  }
  return sets;
}

/// The definition, set by set.
double saved_of(const ActionSets& sets, std::uint32_t set) {
  double saved = 0;
  for (std::size_t a = 0; a < sets.base.size(); ++a) {
    double left = 1;
    for (std::size_t i = 0; i < sets.factors.size(); ++i)
      if (set >> i & 1) left *= sets.factors[i][a];
    saved += sets.base[a] * (1 - left);
  }
  for (std::size_t i = 0; i < sets.added.size(); ++i)
    if (set >> i & 1) saved -= sets.added[i];
  return saved;
}
double cost_of(const ActionSets& sets, std::uint32_t set) {
  double cost = 0;
  for (std::size_t i = 0; i < sets.cost.size(); ++i)
    if (set >> i & 1) cost += sets.cost[i];
  return cost;
}

TEST(Portfolio, TwelveActionsEqualBruteForce) {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const ActionSets sets = random_sets(seed, 12, 9);
    const auto saved = savings_of_all(sets);
    ASSERT_EQ(saved.size(), 4096U);
    double most = 0;
    for (std::uint32_t set = 0; set < 4096; ++set) {
      ASSERT_NEAR(saved[set], saved_of(sets, set), 1e-6);
      most = std::max(most, cost_of(sets, set));
    }
    for (const double budget : {-500.0, 0.0, 3000.0, 12000.0, 1e9}) {
      const Portfolio best = best_within(saved, sets.cost, budget);
      double value = -1e300;
      for (std::uint32_t set = 0; set < 4096; ++set)
        if (cost_of(sets, set) <= budget) value = std::max(value, saved_of(sets, set));
      if (value > -1e300) {
        EXPECT_NEAR(best.saved, value, 1e-6) << budget;
        EXPECT_LE(cost_of(sets, best.set), budget + 1e-9);
      }
    }
    const auto front = pareto_front(saved, sets.cost);
    for (std::size_t i = 1; i < front.size(); ++i) {
      EXPECT_GT(front[i].cost, front[i - 1].cost);
      EXPECT_GT(front[i].saved, front[i - 1].saved);
    }
    for (std::uint32_t set = 0; set < 4096; ++set) {
      const bool beaten = std::any_of(front.begin(), front.end(), [&](const Portfolio& p) {
        return p.cost <= cost_of(sets, set) + 1e-9 && p.saved >= saved_of(sets, set) - 1e-6;
      });
      ASSERT_TRUE(beaten) << set;
    }
  }
}

TEST(Portfolio, SharesAreShapleysAndSumToTheWhole) {
  const ActionSets sets = random_sets(77, 7, 5);
  const auto saved = savings_of_all(sets);
  const auto shares = shapley_shares(saved);
  // The definition: the mean over all orders.
  std::vector<std::size_t> order(7);
  std::iota(order.begin(), order.end(), 0U);
  std::vector<double> mean(7, 0);
  double orders = 0;
  do {
    std::uint32_t set = 0;
    for (const std::size_t i : order) {
      mean[i] += saved_of(sets, set | 1U << i) - saved_of(sets, set);
      set |= 1U << i;
    }
    ++orders;
  } while (std::next_permutation(order.begin(), order.end()));
  for (std::size_t i = 0; i < 7; ++i) EXPECT_NEAR(shares[i], mean[i] / orders, 1e-6);
  EXPECT_NEAR(std::accumulate(shares.begin(), shares.end(), 0.0) / saved.back(), 1, 1e-9);
}

TEST(Portfolio, SharesOfTwelveSumToTheWhole) {
  const auto saved = savings_of_all(random_sets(3, 12, 30));
  const auto shares = shapley_shares(saved);
  EXPECT_NEAR(std::accumulate(shares.begin(), shares.end(), 0.0) / saved.back(), 1, 1e-9);
}

TEST(Portfolio, RefusesWhatDoesNotFit) {
  EXPECT_THROW(savings_of_all(random_sets(1, 17, 2)), InputError);
  ActionSets sets = random_sets(1, 3, 2);
  sets.factors[1][0] = -0.1;
  EXPECT_THROW(savings_of_all(sets), InputError);
  EXPECT_EQ(savings_of_all({}).size(), 1U);
}

}  // namespace
}  // namespace carnot::assess
