// SPDX-License-Identifier: Apache-2.0
#include "carnot/plan/search/planner.hpp"

#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/plan/certificate/certificate.hpp"

#include "plan/problem/testing_problem.hpp"

namespace carnot::plan {
namespace {

using testing::BruteForce;
using testing::small_problem;

TEST(Planner, TinyPlansAreOptimalAndBoundsHold) {
  double optimal = 0, all = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const Problem problem = small_problem(seed, 3, 2, 5, seed % 3 == 0 ? 0.4 : 1.0);
    PlannerOptions options;
    options.threads = 1;
    options.rounds = 1000;
    const Plan plan = plan_large(problem, options);
    const double optimum = BruteForce(problem).optimum();
    const double slack = 1e-9 * (1 + std::abs(optimum));
    EXPECT_LE(plan.bound_eur, optimum + slack) << seed;
    EXPECT_GE(plan.objective_eur, optimum - slack) << seed;
    optimal += plan.objective_eur <= optimum + 1e-6 * (1 + std::abs(optimum));
    ++all;
  }
  EXPECT_GE(optimal / all, 0.95);
}

TEST(Planner, SmallBoundsComeCloseToTheOptimumWhereJobsDoNotMeet) {
  // With room for everything the relaxation is exact: each job takes its own cheapest.
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    Problem problem = small_problem(seed, 4, 2, 6, 1.0);
    for (PlanSite& site : problem.sites)
      for (std::size_t t = 0; t < 6; ++t) {
        site.capacity_kw[t] = 1e6;
        site.free_kw[t] = 0;
        site.grid_limit_kw[t] = kInfinity;
        site.price_eur_per_kwh[t] = std::abs(site.price_eur_per_kwh[t]);
      }
    const Plan plan = plan_large(problem);
    EXPECT_NEAR(plan.objective_eur, plan.bound_eur, 2e-3 * std::abs(plan.objective_eur)) << seed;
  }
}

TEST(Planner, TheSameForAnyNumberOfThreads) {
  const Problem problem = testing::generated(3000, 5, 72);
  PlannerOptions options;
  options.iterations = 60;
  options.rounds = 500;
  options.threads = 1;
  const Plan one = plan_large(problem, options);
  for (const int threads : {2, 5}) {
    options.threads = threads;
    const Plan other = plan_large(problem, options);
    ASSERT_EQ(one.price, other.price);
    ASSERT_EQ(one.objective_eur, other.objective_eur);
    ASSERT_EQ(one.bound_eur, other.bound_eur);
    for (std::size_t j = 0; j < one.jobs.size(); ++j) {
      ASSERT_EQ(one.jobs[j].site, other.jobs[j].site);
      ASSERT_EQ(one.jobs[j].mode, other.jobs[j].mode);
      ASSERT_EQ(one.jobs[j].slots, other.jobs[j].slots);
    }
  }
}

TEST(Planner, FewJobsAreTheSameForAnyNumberOfThreads) {
  const Problem problem = small_problem(7, 40, 3, 24, 0.5);
  PlannerOptions options;
  options.rounds = 2000;
  options.threads = 1;
  const Plan one = plan_large(problem, options);
  options.threads = 4;
  const Plan other = plan_large(problem, options);
  EXPECT_EQ(one.price, other.price);
  EXPECT_EQ(one.objective_eur, other.objective_eur);
}

TEST(Planner, GeneratedProblemsHaveSmallGapsAndDropLittle) {
  for (const std::uint64_t seed : {1, 2}) {
    const Problem problem = testing::generated(1000, 5, 72, seed);
    PlannerOptions options;
    options.iterations = 300;
    options.rounds = 1500;
    const Plan plan = plan_large(problem, options);
    EXPECT_LT(plan.gap(), 0.005) << seed;
    std::size_t dropped = 0;
    for (const Assignment& a : plan.jobs) dropped += a.site == kNone;
    EXPECT_LT(dropped, 20U) << seed;
  }
}

TEST(Planner, StopsWhenAskedAndStillCertifies) {
  const Problem problem = small_problem(3, 40, 3, 24);
  PlannerOptions options;
  int calls = 0;
  options.progress = [&](const PlanProgress&) { return ++calls < 3; };
  const Plan plan = plan_large(problem, options);
  EXPECT_TRUE(certify(problem, plan).holds());
  EXPECT_EQ(plan.objective_eur, certify(problem, plan).totals.objective_eur);
  EXPECT_LT(calls, 10);
}

TEST(Planner, NoJobsCostNothingUnlessPowerIsPaidToBeTaken) {
  Problem problem = small_problem(5, 0, 2, 4);
  const Plan plan = plan_large(problem);
  EXPECT_EQ(plan.objective_eur, 0.0);
  EXPECT_LE(plan.bound_eur, 0.0);
}

TEST(Planner, WhereNothingFitsEveryJobIsDropped) {
  Problem problem = small_problem(6, 10, 2, 8);
  double value = 0;
  for (PlanSite& site : problem.sites)
    for (double& kw : site.capacity_kw) kw = 0.5;  // the smallest job draws 1
  for (std::size_t j = 0; j < problem.jobs.size(); ++j) value += problem.jobs.value(j);
  const Plan plan = plan_large(problem);
  EXPECT_NEAR(plan.objective_eur, value, 1e-9);
  for (const Assignment& a : plan.jobs) EXPECT_EQ(a.site, kNone);
}

TEST(Planner, AnyTimeLimitLeavesAFeasiblePlanAndABoundThatHolds) {
  const Problem problem = testing::generated(8000, 9, 96);
  double last = kInfinity;
  for (const double limit : {1e-9, 0.01, 0.05, 0.2}) {
    PlannerOptions options;
    options.threads = 2;
    options.time_limit_s = limit;
    options.progress = [&](const PlanProgress& p) {
      EXPECT_LE(p.bound_eur, p.objective_eur);
      EXPECT_TRUE(std::isfinite(p.bound_eur) && std::isfinite(p.objective_eur));
      return true;
    };
    const Plan plan = plan_large(problem, options);
    EXPECT_TRUE(certify(problem, plan).holds());
    EXPECT_TRUE(std::isfinite(plan.bound_eur));
    EXPECT_LE(plan.bound_eur, plan.objective_eur);
    last = plan.gap();
  }
  EXPECT_LT(last, 1.0);
}

// Stops at every call of `progress` in turn: what is there then can always be carried out, and what
// was reported is what there is or better.
TEST(Planner, StoppedAnywhereItKeepsWhatItReported) {
  const Problem problem = small_problem(11, 60, 3, 24, 0.5);
  for (int stop = 1; stop < 400; stop += 7) {
    PlannerOptions options;
    options.threads = 1;
    options.iterations = 40;
    options.rounds = 200;
    int calls = 0;
    PlanProgress said;
    options.progress = [&](const PlanProgress& p) {
      if (calls < stop) said = p;
      return ++calls < stop;
    };
    const Plan plan = plan_large(problem, options);
    ASSERT_TRUE(certify(problem, plan).holds());
    EXPECT_LE(plan.objective_eur, said.objective_eur + 1e-6 * (1 + said.objective_eur)) << stop;
    EXPECT_GE(plan.bound_eur, said.bound_eur - 1e-6 * (1 + std::abs(said.bound_eur))) << stop;
  }
}

TEST(Planner, AWarmStartNeverHurtsValidityAndEndsWhereItBegan) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Problem problem = small_problem(seed, 3, 2, 5, seed % 3 == 0 ? 0.4 : 1.0);
    const double optimum = BruteForce(problem).optimum();
    // Prices and assignments of another problem: of no use, but nothing may break.
    const Problem other = small_problem(seed + 500, 3, 2, 5);
    PlannerOptions options;
    options.threads = 1;
    options.rounds = 100;
    const Plan strange = plan_large(other, options);
    options.start_price = strange.price;
    options.start_plan = strange.jobs;
    const Plan plan = plan_large(problem, options);
    EXPECT_TRUE(certify(problem, plan).holds());
    EXPECT_LE(plan.bound_eur, optimum + 1e-9 * (1 + std::abs(optimum))) << seed;
    EXPECT_GE(plan.objective_eur, optimum - 1e-9 * (1 + std::abs(optimum))) << seed;
  }
  const Problem problem = testing::generated(3000, 5, 72);
  PlannerOptions options;
  options.rounds = 0;
  const Plan cold = plan_large(problem, options);
  options.start_price = cold.price;
  options.start_plan = cold.jobs;
  const Plan warm = plan_large(problem, options);
  EXPECT_GE(warm.bound_eur, cold.bound_eur * (1 - 1e-9));
  EXPECT_LT(warm.gap(), 1.5 * cold.gap() + 1e-3);
}

TEST(Planner, AWarmStartOfTheWrongSizeIsRefused) {
  const Problem problem = small_problem(1, 5, 2, 6);
  PlannerOptions options;
  options.start_price.assign(11, 0.1);
  EXPECT_THROW(plan_large(problem, options), InputError);
  options.start_price.assign(12, -2e12);
  EXPECT_THROW(plan_large(problem, options), InputError);
  options.start_price.clear();
  options.start_plan.resize(4);
  EXPECT_THROW(plan_large(problem, options), InputError);
}

TEST(Planner, RefusesTermsThatItDoesNotKnow) {
  Problem problem = small_problem(1, 2, 2, 5);
  problem.terms[1].preemptible = false;
  EXPECT_THROW(plan_large(problem), InputError);
}

}  // namespace
}  // namespace carnot::plan
