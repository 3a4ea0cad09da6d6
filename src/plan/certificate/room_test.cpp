// SPDX-License-Identifier: Apache-2.0
// Slots that cannot feed a job are not open to it: the bound of few, big jobs.
#include <cmath>

#include <gtest/gtest.h>

#include "carnot/base/limits.hpp"
#include "carnot/plan/certificate/certificate.hpp"
#include "carnot/plan/exact/exact.hpp"
#include "carnot/plan/search/extended.hpp"
#include "carnot/plan/search/planner.hpp"

#include "plan/problem/testing_problem.hpp"

#ifdef CARNOT_HAVE_CLP

namespace carnot::plan {
namespace {

/// Three slots at 0.01, 0.2 and 0.3 EUR a kWh, of which the first has 5 kW of room, or of grid.
Problem one_big_job(bool by_grid) {
  Problem problem = testing::one_site(3, 1.0);
  PlanSite& site = problem.sites[0];
  site.price_eur_per_kwh = {0.01, 0.2, 0.3};
  site.carbon_g_per_kwh.assign(3, 0);
  (by_grid ? site.grid_limit_kw : site.capacity_kw).assign({5, 20, 20});
  problem.site_terms.clear();
  problem.jobs.add("j", 0, 3, 100, {{1, 10, 0}}, kNone, 0, {});
  return problem;
}

TEST(Room, ClosedSlotsAreNotInTheBound) {
  for (const bool by_grid : {false, true}) {
    Problem problem = one_big_job(by_grid);
    const Plan plan = plan_large(problem);
    EXPECT_NEAR(plan.objective_eur, 2.0, 1e-9);
    EXPECT_NEAR(plan.bound_eur, 2.0, 1e-6);  // a mixture would be had for 0.05 + 1.0
    EXPECT_NEAR(plan_exact(problem).bound_eur, 2.0, 1e-6);
    problem.terms[0].preemptible = false;  // the same of a job with terms
    const ExtendedPlan rich = plan_extended(problem, {});
    EXPECT_NEAR(rich.plan.objective_eur, 2.0, 1e-9);
    EXPECT_NEAR(rich.plan.bound_eur, 2.0, 1e-3);
  }
}

TEST(Room, BoundsStayBelowTheOptimumOfTightSites) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const Problem problem = testing::small_problem(seed, 4, 2, 5, 0.35);
    const double optimum = testing::BruteForce(problem).optimum();
    const double hair = 1e-9 * std::max(1.0, std::abs(optimum));
    EXPECT_LE(plan_large(problem).bound_eur, optimum + hair) << seed;
    const Plan exact = plan_exact(problem);
    EXPECT_NEAR(exact.objective_eur, optimum, 1e-6 * std::max(1.0, std::abs(optimum))) << seed;
    EXPECT_EQ(exact.status, "optimal") << seed;
    EXPECT_LE(plan_extended(problem, {}).plan.bound_eur, optimum + hair) << seed;
  }
}

TEST(Room, NothingRunsWhereThereIsNone) {
  Problem problem = one_big_job(false);
  problem.sites[0].capacity_kw = {0, 0, 20};
  EXPECT_NEAR(plan_large(problem).objective_eur, 3.0, 1e-9);
  EXPECT_NEAR(plan_exact(problem).objective_eur, 3.0, 1e-9);
  problem.terms[0].preemptible = false;
  EXPECT_NEAR(plan_extended(problem, {}).plan.objective_eur, 3.0, 1e-9);
}

TEST(Gap, OfNearlyNothingIsNoShare) {
  EXPECT_NEAR(relative_gap(200, 100), 0.5, 1e-15);
  EXPECT_NEAR(relative_gap(-416.8, -640.4), 223.6 / 416.8, 1e-12);
  EXPECT_EQ(relative_gap(0, 0), 0.0);
  EXPECT_TRUE(std::isnan(relative_gap(1e-9, -5)));
  EXPECT_TRUE(std::isnan(relative_gap(0, -5)));
  EXPECT_EQ(gap_words(0, -5), "gap 5 EUR");
  EXPECT_EQ(gap_words(3.105, 3.105 - 4e-16), "gap 0 EUR, 0.000 %");
  EXPECT_EQ(gap_words(3.105, 3.105 - 4e-7), "gap 4e-07 EUR, 0.000 %");
  EXPECT_EQ(gap_words(-416.8, -640.4), "gap 223.6 EUR, 53.647 %");
}

}  // namespace
}  // namespace carnot::plan

#endif
