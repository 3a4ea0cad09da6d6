// SPDX-License-Identifier: Apache-2.0
#include "carnot/plan/exact/exact.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/plan/certificate/certificate.hpp"
#include "carnot/plan/exact/infeasible_subset.hpp"
#include "carnot/solve/integer_program.hpp"

#include "plan/exact/exact_model.hpp"
#include "plan/prices/contract_columns.hpp"
#include "plan/problem/testing_problem.hpp"

namespace carnot::plan {
namespace {

using testing::BruteForce;
using testing::small_problem;

#ifdef CARNOT_HAVE_CBC

/// Jobs that are alike but for their ids, three of each kind.
Problem triplets(std::uint64_t seed) {
  Problem problem = small_problem(seed, 0, 2, 4, 0.8);
  const Problem kinds = small_problem(seed + 1000, 1, 2, 4);
  const PlanJobs& from = kinds.jobs;
  for (int n = 0; n < 3; ++n)
    problem.jobs.add("t" + std::to_string(n), from.release(0), from.deadline(0), from.value(0),
                     {from.mode(0)}, 0, 0.1, {});
  return problem;
}

void expect_optimal(const Problem& problem, std::uint64_t seed) {
  const Plan plan = plan_exact(problem);
  const double optimum = BruteForce(problem).optimum(), slack = 1e-6 * (1 + std::abs(optimum));
  EXPECT_NEAR(plan.objective_eur, optimum, slack) << seed;
  EXPECT_EQ(plan.status, "optimal") << seed;
  EXPECT_NEAR(plan.solver_bound_eur, optimum, slack) << seed;
  EXPECT_LE(plan.bound_eur, optimum + slack) << seed;
  EXPECT_TRUE(certify(problem, plan).holds()) << seed;
}

TEST(Exact, IsTheBestOfAllPlans) {
  for (std::uint64_t seed = 0; seed < 60; ++seed)
    expect_optimal(small_problem(seed, 3, 2, 5, seed % 3 == 0 ? 0.4 : 1.0), seed);
}

TEST(Exact, JobsThatAreAlikeAreSharedOutRightly) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) expect_optimal(triplets(seed), seed);
}

/// The bound of linear programming by CLP on the whole model.
double relaxation(const Problem& problem) {
  const std::vector<Supply> supply = supplies(problem);
  ExactModel model(problem, supply, std::vector<double>(supply.size()), kInfinity);
  const solve::ProgramAnswer answer = model.program().solve();
  EXPECT_EQ(answer.status, solve::ProgramStatus::Optimal);
  EXPECT_NEAR(answer.bound, answer.objective, 1e-6 * (1 + std::abs(answer.objective)));
  return answer.objective + model.constant();
}

RC_GTEST_PROP(ExactProperties, PricesProveTheRelaxationWhichIsBelowEveryPlan, ()) {
  const auto seed = *rc::gen::inRange<std::uint64_t>(0, 100'000);
  const auto scale = *rc::gen::element(0.3, 1.0, 3.0);
  const Problem problem = small_problem(seed, 8, 3, 10, scale);
  const std::vector<Supply> supply = supplies(problem);
  const DantzigWolfe prices =
      contract_columns(problem, supply, std::vector<double>(supply.size()), 1e-10);
  Plan plan = plan_exact(problem);
  const double exact = plan.objective_eur, size = 1e-6 * (1 + std::abs(exact));
  plan.price = prices.price;
  plan.packing.clear();  // prices of energy alone
  const Certificate certificate = certify(problem, plan);
  RC_ASSERT(certificate.holds());
  RC_ASSERT(std::abs(certificate.totals.bound_eur - prices.bound) <= size);
  // Where grid power costs less than nothing, prices of at least zero prove less: then no equality.
  bool negative = false;
  for (const Supply& x : supply) negative = negative || x.first_price < 0;
  const double relaxed = relaxation(problem);
  RC_ASSERT(prices.bound <= relaxed + size);
  RC_ASSERT(std::abs(prices.programme - prices.bound) <= size || negative);
  if (!negative) {
    RC_ASSERT(std::abs(prices.bound - relaxed) <= size);
  }
  RC_ASSERT(relaxed <= exact + size);
  RC_ASSERT(plan.solver_bound_eur <= exact + size);
  RC_ASSERT(plan_large(problem).objective_eur >= exact - size);
}

/// A reduced model must still hold every plan that costs less than the one it was reduced with.
TEST(ExactModel, WhatIsLeftOutMattersToNoBetterPlan) {
  int smaller = 0;
  for (std::uint64_t seed = 0; seed < 80; ++seed) {
    const Problem problem = small_problem(seed, 3, 2, 6, seed % 2 == 0 ? 0.5 : 0.8);
    const std::vector<Supply> supply = supplies(problem);
    const DantzigWolfe prices =
        contract_columns(problem, supply, std::vector<double>(supply.size()), 1e-9);
    const double optimum = BruteForce(problem).optimum();
    ExactModel whole(problem, supply, prices.price, kInfinity);
    ExactModel reduced(problem, supply, prices.price, optimum - prices.bound + 1e-6);
    smaller += reduced.program().columns() < whole.program().columns();
    for (ExactModel* model : {&whole, &reduced}) {
      const solve::IntegerAnswer answer = solve::solve_integer(model->program(), model->whole());
      ASSERT_TRUE(answer.found) << seed;
      EXPECT_NEAR(answer.objective + model->constant(), optimum, 1e-6) << seed;
      Plan plan;
      plan.jobs = model->plan(answer.values);
      plan.price = prices.price;
      EXPECT_NEAR(certify(problem, plan).totals.objective_eur, optimum, 1e-6) << seed;
      EXPECT_TRUE(certify(problem, plan).holds()) << seed;
    }
  }
  EXPECT_GT(smaller, 30);
}

TEST(Exact, StopsWhenAskedOrLateWithACertifiedPlan) {
  const Problem problem = testing::generated(40, 4, 48);
  ExactOptions options;
  options.time_limit_s = 1e-3;
  const Plan late = plan_exact(problem, options);
  EXPECT_EQ(late.status, "time-limit");
  EXPECT_TRUE(certify(problem, late).holds());
  EXPECT_LE(late.bound_eur, late.solver_bound_eur);
  EXPECT_LE(late.solver_bound_eur, late.objective_eur);
  int calls = 0;
  options.time_limit_s = 0;
  options.progress = [&](const PlanProgress& p) {
    EXPECT_LE(p.bound_eur, p.objective_eur);
    return ++calls < 5;
  };
  const Plan stopped = plan_exact(problem, options);
  EXPECT_EQ(stopped.status, "stopped");
  EXPECT_TRUE(certify(problem, stopped).holds());
}

TEST(Exact, TheSameTwice) {
  const Problem problem = small_problem(11, 9, 3, 12);
  const Plan one = plan_exact(problem), two = plan_exact(problem);
  EXPECT_EQ(one.price, two.price);
  EXPECT_EQ(one.objective_eur, two.objective_eur);
  for (std::size_t j = 0; j < one.jobs.size(); ++j) EXPECT_EQ(one.jobs[j].slots, two.jobs[j].slots);
}

TEST(Exact, SaysHowLargeIsTooLarge) {
  GenerateOptions generate;
  generate.jobs = 900;
  const Problem problem = generate_problem(generate);
  try {
    plan_exact(problem);
    ADD_FAILURE();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("900 jobs' modes, at most 1000000"));
    EXPECT_THAT(error.what(), ::testing::HasSubstr("--solver large"));
  }
}

TEST(Exact, RefusesWhatItDoesNotKnow) {
  Problem problem = small_problem(1, 3, 2, 5);
  problem.terms[0] = JobTerms();
  EXPECT_THROW(plan_exact(problem), InputError);
  EXPECT_THROW(find_clash(problem), InputError);
}

TEST(ExactBoundsSlow, LargePlansComeCloseToWhatSolversProve) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    const Problem problem = testing::generated(30, 3, 48, seed);
    const Plan plan = plan_large(problem);
    EXPECT_GE(plan.bound_eur, 0.999 * relaxation(problem)) << seed;
    ExactOptions options;
    options.time_limit_s = 20;
    EXPECT_LE(plan.objective_eur, 1.005 * plan_exact(problem, options).objective_eur) << seed;
  }
}

#else

TEST(Exact, SaysWhatIsMissing) { EXPECT_THROW(plan_exact(small_problem(1, 2, 2, 4)), DeviceError); }

#endif

}  // namespace
}  // namespace carnot::plan
