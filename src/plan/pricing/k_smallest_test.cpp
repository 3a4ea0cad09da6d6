// SPDX-License-Identifier: Apache-2.0
#include "plan/pricing/k_smallest.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "carnot/base/limits.hpp"
#include "carnot/base/random.hpp"

#include "plan/pricing/class_pricing.hpp"
#include "plan/problem/testing_problem.hpp"
#include "plan/search/marginal_cost.hpp"

namespace carnot::plan {
namespace {

using testing::small_problem;

/// Prices with many equals among them, as kinks make them.
std::vector<double> some_prices(std::uint64_t seed, std::size_t n) {
  const RandomStream random(seed, "prices");
  std::vector<double> out;
  for (std::size_t i = 0; i < n; ++i)
    out.push_back(random.uniform(2 * i) < 0.4
                      ? 0.05 * static_cast<double>(random.below(2 * i + 1, 3))
                      : 0.3 * random.uniform(2 * i + 1));
  return out;
}

/// The sum of the k smallest prices of a window, by sorting.
double cheapest(const std::vector<double>& price, std::size_t base, std::int32_t from,
                std::int32_t to, std::int32_t k) {
  std::vector<double> window(price.begin() + static_cast<std::ptrdiff_t>(base) + from,
                             price.begin() + static_cast<std::ptrdiff_t>(base) + to);
  std::sort(window.begin(), window.end());
  double sum = 0;
  for (std::int32_t i = 0; i < k; ++i) sum += window[static_cast<std::size_t>(i)];
  return sum;
}

/// Least cost of a job at these prices, from the definition.
double least_cost(const Problem& problem, const std::vector<double>& price, std::size_t j) {
  const PlanJobs& jobs = problem.jobs;
  double best = jobs.value(j);
  for (std::uint32_t s = 0; s < problem.sites.size(); ++s) {
    const auto* allowed = jobs.sites(j);
    if (allowed != nullptr && std::find(allowed->begin(), allowed->end(), s) == allowed->end())
      continue;
    for (std::size_t i = jobs.mode_begin(j); i < jobs.mode_end(j); ++i)
      best =
          std::min(best, jobs.mode(i).quality_eur + jobs.move_eur(j, s) +
                             jobs.mode(i).power_kw * problem.slot_h() *
                                 cheapest(price, s * static_cast<std::size_t>(problem.slots),
                                          jobs.release(j), jobs.deadline(j), jobs.mode(i).slots));
  }
  return best;
}

TEST(WindowClasses, CostsAreTheCheapestSlotsOfEachWindow) {
  for (const std::size_t sites : {1, 3, 8, 11}) {
    const Problem problem = small_problem(sites, 200, sites, 30);
    WindowClasses table(problem);
    const std::vector<double> price = some_prices(sites, sites * 30);
    table.evaluate(price, 2);
    for (std::size_t j = 0; j < problem.jobs.size(); ++j)
      for (std::size_t i = problem.jobs.mode_begin(j); i < problem.jobs.mode_end(j); ++i)
        for (std::size_t s = 0; s < sites; ++s)
          ASSERT_NEAR(table.cost(table.class_of(i))[s],
                      cheapest(price, s * 30, problem.jobs.release(j), problem.jobs.deadline(j),
                               problem.jobs.mode(i).slots),
                      1e-12);
  }
}

TEST(PriceRows, LeastIsTheFirstOfTheSmallest) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const std::size_t n = 1 + seed % 40;
    std::vector<double> row = some_prices(seed, n);
    const auto expected = std::min_element(row.begin(), row.end()) - row.begin();
    row.resize(padded(n), kInfinity);
    ASSERT_EQ(least(row.data(), n), static_cast<std::size_t>(expected));
  }
}

TEST(WindowClasses, PartsHoldEveryWindowOnce) {
  const Problem problem = small_problem(1, 300, 9, 40);
  const WindowClasses table(problem);
  for (const std::size_t parts : {1, 2, 7, 1000}) {
    const std::vector<std::size_t> cut = table.parts(parts, 2.0);
    EXPECT_EQ(cut.front(), 0U);
    EXPECT_EQ(cut.back(), table.windows().size());
    EXPECT_TRUE(std::is_sorted(cut.begin(), cut.end(), std::less_equal<>()));
    EXPECT_LE(cut.size(), parts + 1);
  }
}

TEST(ClassPricing, CostIsTheSumOfEachJobsLeast) {
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    const std::size_t sites = 1 + seed;
    const Problem problem = small_problem(seed, 60, sites, 20);
    const WindowClasses table(problem);
    ClassPricing jobs(problem, table);
    const std::vector<double> price = some_prices(seed, sites * 20);
    std::vector<double> demand;
    double sum = 0;
    for (std::size_t j = 0; j < problem.jobs.size(); ++j) sum += least_cost(problem, price, j);
    EXPECT_NEAR(jobs.respond(price, 2, demand), sum, 1e-9 * (1 + std::abs(sum))) << seed;
  }
}

// The cost is concave in the prices and the demand its slope: no other prices cost more than the
// straight line through these says.
TEST(ClassPricing, DemandIsTheSlopeOfTheCost) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Problem problem = small_problem(seed, 40, 3, 16);
    const WindowClasses table(problem);
    ClassPricing jobs(problem, table);
    const std::vector<double> here = some_prices(seed, 48);
    std::vector<double> demand, unused;
    const double cost = jobs.respond(here, 1, demand);
    for (std::uint64_t other = 0; other < 10; ++other) {
      const std::vector<double> there = some_prices(1000 + other, 48);
      double line = cost;
      for (std::size_t i = 0; i < here.size(); ++i)
        line += demand[i] * problem.slot_h() * (there[i] - here[i]);
      ASSERT_LE(jobs.respond(there, 1, unused), line + 1e-9 * (1 + std::abs(line)));
    }
  }
}

TEST(CellCosts, WithoutTrustTheyAreDifferencesOfTheTrueCost) {
  const Problem problem = small_problem(4, 0, 3, 12);
  const std::vector<Supply> supply = supplies(problem);
  CellCosts cells(supply, some_prices(4, supply.size()));
  cells.look({});
  std::vector<double> load(supply.size());
  const RandomStream random(4, "loads");
  for (std::size_t n = 0; n < 400; ++n) {
    const std::size_t i = random.below(2 * n, supply.size());
    const double power = 3 * random.uniform(2 * n + 1);
    const double marginal = cells.marginal(i, power);
    if (load[i] + power > supply[i].most) {
      ASSERT_EQ(marginal, kInfinity);
      continue;
    }
    ASSERT_NEAR(marginal, supply[i].cost(load[i] + power) - supply[i].cost(load[i]), 1e-9);
    cells.add(i, power);
    load[i] += power;
  }
  double total = 0;
  for (std::size_t i = 0; i < supply.size(); ++i) total += supply[i].cost(load[i]);
  EXPECT_NEAR(cells.total(), total, 1e-9);
}

TEST(CellCosts, ALeaningPriceIsLowerInAnEmptyCellAndHigherInAFullOne) {
  // 10 kW of own power, then grid power at 0.2; the price says that own power is worth 0.1.
  const std::vector<Supply> supply{{10, 100, 0.0, 0.2, {}}};
  CellCosts cells(supply, {0.1});
  cells.look({.trust = 1, .lean = 0.05, .width = 0.02});
  EXPECT_NEAR(cells.marginal(0, 1.0), 0.095, 1e-12);
  cells.add(0, 7.5);  // two kilowatts short: the middle
  EXPECT_NEAR(cells.marginal(0, 1.0), 0.1, 1e-12);
  cells.add(0, 1.5);
  EXPECT_NEAR(cells.marginal(0, 1.0), 0.1 * (1 + 0.05 * 0.75), 1e-12);
  cells.add(0, 1.0);
  EXPECT_NEAR(cells.marginal(0, 1.0), 0.2, 1e-12);
}

}  // namespace
}  // namespace carnot::plan
