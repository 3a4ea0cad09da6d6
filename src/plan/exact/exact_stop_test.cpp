// SPDX-License-Identifier: Apache-2.0
// `plan_exact` stopped at its k-th look at a token, for many k: always a plan that holds, with a
// bound that is true, and soon after.

#include <cstdint>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "carnot/plan/certificate/certificate.hpp"
#include "carnot/plan/exact/exact.hpp"

#include "base/testing_stop.hpp"
#include "plan/problem/testing_problem.hpp"

namespace carnot::plan {
namespace {

using carnot::testing::CountedStop;

#ifdef CARNOT_HAVE_CBC

/// How often a token is asked once it has said yes: 0, for it is not asked any more; so what is
/// counted is that the questions stop.
Plan stopped_at(const Problem& problem, std::int64_t k) {
  CountedStop stop(k);
  ExactOptions options;
  options.stop = stop.token();
  const Plan plan = plan_exact(problem, options);
  EXPECT_LE(stop.asked(), k + 1) << k;
  const Certificate certificate = certify(problem, plan);
  EXPECT_TRUE(certificate.holds()) << k << ": " << certificate.violations.front();
  EXPECT_NEAR(certificate.totals.objective_eur, plan.objective_eur, 1e-9) << k;
  EXPECT_EQ(plan.jobs.size(), problem.jobs.size());
  return plan;
}

TEST(ExactStop, HasAPlanThatHoldsWhereverItIsStopped) {
  const Problem problem = testing::generated(24, 3, 30);
  CountedStop never(INT64_MAX);
  ExactOptions options;
  options.stop = never.token();
  const Plan best = plan_exact(problem, options);
  ASSERT_EQ(best.status, "optimal");
  ASSERT_GT(never.asked(), 1000);
  std::set<std::string> statuses;
  for (std::int64_t k = 0; k < never.asked(); k += 1 + k / 3) {
    const Plan plan = stopped_at(problem, k);
    const double slack = 1e-6 * (1 + best.objective_eur);
    EXPECT_GE(plan.objective_eur, best.objective_eur - slack) << k;
    EXPECT_LE(plan.bound_eur, best.objective_eur + slack) << k;
    EXPECT_LE(plan.solver_bound_eur, best.objective_eur + slack) << k;
    statuses.insert(plan.status);
  }
  EXPECT_TRUE(statuses.count("stopped"));
  EXPECT_FALSE(statuses.count("solver-gave-up"));
}

/// Three hundred jobs keep CBC busy for many minutes; each of its phases ends when asked.
TEST(ExactStopSlow, EndsInEveryPhaseOfABigInstance) {
  const Problem problem = testing::generated(300, 4, 96);
  for (std::int64_t k = 1; k < 300'000; k *= 3) {
    const Plan plan = stopped_at(problem, k);
    EXPECT_EQ(plan.status, "stopped") << k;
    EXPECT_LE(plan.bound_eur, plan.objective_eur + 1e-9) << k;
  }
}

#endif

}  // namespace
}  // namespace carnot::plan
