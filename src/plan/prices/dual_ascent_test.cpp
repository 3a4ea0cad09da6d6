// SPDX-License-Identifier: Apache-2.0
#include "plan/prices/dual_ascent.hpp"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "carnot/base/limits.hpp"

#include "plan/pricing/class_pricing.hpp"
#include "plan/pricing/job_pricing.hpp"
#include "plan/problem/testing_problem.hpp"

namespace carnot::plan {
namespace {

using testing::BruteForce;
using testing::cell_cost;
using testing::small_problem;

/// The bound that prices prove, from the definition: cells by trying every kink.
double plain_bound(const Problem& problem, const std::vector<double>& price) {
  const auto slots = static_cast<std::size_t>(problem.slots);
  double sum = 0;
  for (std::size_t j = 0; j < problem.jobs.size(); ++j) {
    const PlanJobs& jobs = problem.jobs;
    double least = jobs.value(j);
    for (std::uint32_t s = 0; s < problem.sites.size(); ++s) {
      const auto* allowed = jobs.sites(j);
      if (allowed != nullptr && std::find(allowed->begin(), allowed->end(), s) == allowed->end())
        continue;
      std::vector<double> window(
          price.begin() + static_cast<std::ptrdiff_t>(s * slots) + jobs.release(j),
          price.begin() + static_cast<std::ptrdiff_t>(s * slots) + jobs.deadline(j));
      std::sort(window.begin(), window.end());
      for (std::size_t m = jobs.mode_begin(j); m < jobs.mode_end(j); ++m) {
        double cost = jobs.mode(m).quality_eur + jobs.move_eur(j, s);
        for (int k = 0; k < jobs.mode(m).slots; ++k)
          cost +=
              jobs.mode(m).power_kw * problem.slot_s / 3600 * window[static_cast<std::size_t>(k)];
        least = std::min(least, cost);
      }
    }
    sum += least;
  }
  for (std::size_t i = 0; i < price.size(); ++i) {
    const PlanSite& site = problem.sites[i / slots];
    const std::size_t t = i % slots;
    const double most = std::min(
        site.capacity_kw[t], (site.free_kw[t] + site.grid_limit_kw[t]) / site.pue[t] * (1 - 1e-12));
    double least = 0;
    for (const double kink :
         {site.free_kw[t] / site.pue[t], site.grid_limit_kw[t] / site.pue[t], most}) {
      const double it = std::min(kink, most);
      least = std::min(
          least, cell_cost(problem, i / slots, t, it) - price[i] * it * problem.slot_s / 3600);
    }
    sum += least;
  }
  return sum;
}

TEST(DualAscent, BoundIsWhatItsPricesProveAndBelowEveryPlan) {
  double gap = 0;
  int all = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const Problem problem = small_problem(seed, 3, 2, 5, seed % 3 == 0 ? 0.4 : 1.0);
    const double optimum = BruteForce(problem).optimum(), slack = 1e-9 * (1 + std::abs(optimum));
    const std::vector<Supply> supply = supplies(problem);
    const WindowClasses classes(problem);
    ClassPricing by_class(problem, classes);
    JobPricing by_job(problem, {});
    for (Pricing* pricing : {static_cast<Pricing*>(&by_class), static_cast<Pricing*>(&by_job)}) {
      const DualResult dual = maximise_dual(problem, supply, *pricing, {}, {});
      EXPECT_NEAR(dual.bound, plain_bound(problem, dual.price), 1e-7 * (1 + std::abs(optimum)));
      EXPECT_LE(dual.bound, optimum + slack) << seed;
      EXPECT_GE(*std::min_element(dual.price.begin(), dual.price.end()), 0.0);
      EXPECT_EQ(dual.iterations, 400);
      EXPECT_GE(dual.best_iteration, 1);
      gap += (optimum - dual.bound) / (1 + std::abs(optimum));
      ++all;
    }
  }
  // Most of the gap is that jobs are whole here; 0.27 was seen, so this tells only of an ascent
  // that stops early. What the prices prove is checked above.
  EXPECT_LT(gap / all, 0.3);
}

TEST(DualAscent, PricesBelowZeroProveMoreWhereTheGridPays) {
  // One slot: 10 kW of grid at -0.1 EUR per kWh, a job of 4 kW. Only a price of -0.1 lets the site
  // stand still at no loss; then the job is paid for what it draws.
  Problem problem;
  problem.slots = 1;
  // At the other site, where the job may not run, it costs 0.2: steps are shares of such prices.
  problem.sites = {{"s", {10}, {1}, {0}, {-0.1}, {0}, {10}},
                   {"t", {10}, {1}, {0}, {0.2}, {0}, {10}}};
  problem.jobs.add("j", 0, 1, 5.0, {{1, 4.0, 0.0}}, kNone, 0, {0});
  JobPricing pricing(problem, {});
  DualOptions options;
  EXPECT_NEAR(maximise_dual(problem, supplies(problem), pricing, {}, options).bound, -1.0, 1e-9);
  options.least_price = -kInfinity;
  const DualResult free = maximise_dual(problem, supplies(problem), pricing, {}, options);
  EXPECT_NEAR(free.bound, -0.4, 1e-6);
  EXPECT_NEAR(free.price[0], -0.1, 1e-6);
}

}  // namespace
}  // namespace carnot::plan
