// SPDX-License-Identifier: Apache-2.0
// Planners stopped at their k-th look at a token, for many k: always a plan that holds with a bound
// that is true, or `Stopped` before there was one; and limits of time by a clock that is looked at.

#include <cstdint>
#include <functional>

#include <gtest/gtest.h>

#include "carnot/plan/certificate/certificate.hpp"
#include "carnot/plan/search/extended.hpp"
#include "carnot/plan/search/planner.hpp"
#include "carnot/plan/study/pareto.hpp"

#include "base/testing_stop.hpp"
#include "plan/problem/testing_terms.hpp"

namespace carnot::plan {
namespace {

using carnot::testing::CountedStop;
using carnot::testing::ticking;

PlannerOptions quick(StopToken stop) {
  PlannerOptions options;
  options.threads = 1;
  options.rounds = 300;
  options.stop = std::move(stop);
  return options;
}

void expect_sound(const Problem& problem, const Plan& plan, double best_eur, std::int64_t k) {
  const Certificate certificate = certify(problem, plan);
  EXPECT_TRUE(certificate.holds()) << k << ": " << certificate.violations.front();
  EXPECT_EQ(plan.status, "stopped") << k;
  EXPECT_EQ(certificate.totals.objective_eur, plan.objective_eur) << k;
  EXPECT_EQ(plan.totals.objective_eur, plan.objective_eur) << k;
  EXPECT_LE(plan.bound_eur, best_eur + 1e-6 * (1 + best_eur)) << k;
}

/// k = 0, 1, 2, ... in ever longer strides up to where `plan` asks no more. Returns how many.
int at_many(const std::function<void(CountedStop&)>& plan,
            const std::function<void(CountedStop&, std::int64_t)>& stopped) {
  CountedStop never(INT64_MAX);
  plan(never);
  int tried = 0;
  for (std::int64_t k = 0; k < never.asked(); k += 1 + k / 4, ++tried) {
    CountedStop stop(k);
    stopped(stop, k);
    EXPECT_LE(stop.asked(), k + 1) << "a token that said yes is not asked again";
  }
  return tried;
}

TEST(PlannerStop, ContractJobs) {
  const Problem problem = testing::generated(40, 3, 48);
  double best = 0, last = 1e300;
  const int tried = at_many(
      [&](CountedStop& never) {
        const Plan plan = plan_large(problem, quick(never.token()));
        EXPECT_EQ(plan.status, "");
        best = plan.objective_eur;
      },
      [&](CountedStop& stop, std::int64_t k) {
        const Plan plan = plan_large(problem, quick(stop.token()));
        expect_sound(problem, plan, best, k);
        last = plan.objective_eur;
      });
  EXPECT_GT(tried, 20);
  EXPECT_LT(last, 1.05 * best) << "the last one had nearly all the time";
}

TEST(PlannerStop, ALimitOfTimeIsOneOfTheTokensClock) {
  const Problem problem = testing::generated(40, 3, 48);
  for (const double limit : {0.5, 5.0, 50.0, 500.0}) {
    PlannerOptions options = quick(ticking(1.0));
    options.time_limit_s = limit;
    const Plan plan = plan_large(problem, options);
    EXPECT_EQ(plan.status, "time-limit") << limit;
    EXPECT_TRUE(certify(problem, plan).holds()) << limit;
  }
}

#ifdef CARNOT_HAVE_CLP

TEST(PlannerStop, JobsWithTerms) {
  int with_a_plan = 0, with_none = 0;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    Problem problem = testing::problem_with_terms(seed, 8, 2, 12);
    if (seed == 3) problem.goals.order = {Measure::Late, Measure::Carbon};
    double best = 0;
    at_many(
        [&](CountedStop& never) {
          best = plan_extended(problem, quick(never.token())).plan.objective_eur;
        },
        [&](CountedStop& stop, std::int64_t k) {
          try {
            const ExtendedPlan plan = plan_extended(problem, quick(stop.token()));
            EXPECT_TRUE(plan.broken.empty());
            EXPECT_FALSE(plan.proven);
            // Where goals are ordered, the bound is of plans that keep what came before.
            expect_sound(problem, plan.plan, problem.goals.order.empty() ? best : 1e300, k);
            ++with_a_plan;
          } catch (const Stopped&) {
            ++with_none;
          }
        });
  }
  EXPECT_GT(with_a_plan, 30);
  EXPECT_GT(with_none, 2);
}

TEST(PlannerStop, AFrontHasThePointsThatWereDone) {
  const Problem problem = testing::problem_with_terms(5, 6, 2, 10);
  std::size_t whole = 0, some = 0, none = 0;
  const auto front_of = [&](StopToken stop) {
    ParetoOptions options;
    options.carbon_prices = 4;
    options.planner = quick(std::move(stop));
    options.planner.rounds = 60;
    return pareto_front(problem, options);
  };
  at_many(
      [&](CountedStop& never) {
        const ParetoFront front = front_of(never.token());
        EXPECT_FALSE(front.stopped);
        whole = front.points.size();
      },
      [&](CountedStop& stop, std::int64_t k) {
        const ParetoFront front = front_of(stop.token());
        EXPECT_TRUE(front.stopped) << k;
        ++(front.points.empty() ? none : some);
        for (const ParetoPoint& point : front.points) {
          const Problem at = weighted(problem, point.carbon_price_eur_per_t, point.quality_weight);
          EXPECT_TRUE(certify(at, point.plan).holds()) << k;
        }
      });
  EXPECT_GT(whole, 0U);
  EXPECT_GT(some, 5U);
  EXPECT_GT(none, 2U);
}

#endif

}  // namespace
}  // namespace carnot::plan
