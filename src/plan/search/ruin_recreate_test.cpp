// SPDX-License-Identifier: Apache-2.0
#include "plan/search/ruin_recreate.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "carnot/base/limits.hpp"
#include "carnot/plan/certificate/certificate.hpp"

#include "plan/problem/testing_problem.hpp"
#include "plan/search/contract_search.hpp"
#include "plan/search/extended_search.hpp"

namespace carnot::plan {
namespace {

using testing::BruteForce;
using testing::small_problem;

/// A number that each round moves at random; allowed as told.
struct Walker {
  double now = 10, before = 0, allowed = 0;
  int restored = 0;
  double ruin(const RandomStream&) { return before = now; }
  double recreate(const RandomStream& draw) { return now += draw.uniform(0) - 0.5; }
  double allowance(const RandomStream&, std::uint64_t, std::uint64_t) const { return allowed; }
  void restore() {
    now = before;
    ++restored;
  }
};

TEST(RuinRecreate, KeepsWhatCostsNoMoreThanIsAllowed) {
  Walker strict;
  ruin_recreate(strict, 100, RandomStream(1, "walk"));
  EXPECT_LT(strict.now, 2);  // from 10
  EXPECT_GT(strict.restored, 20);
  Walker free{10, 0, kInfinity};
  ruin_recreate(free, 100, RandomStream(1, "walk"));
  EXPECT_EQ(free.restored, 0);
  EXPECT_GT(free.now, strict.now);
}

TEST(RuinRecreate, OfContractJobsIsNeverWorseThanItsStartAndMostlyOptimal) {
  int optimal = 0, better = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const Problem problem = small_problem(seed, 4, 2, 5, seed % 2 == 0 ? 0.4 : 1.0);
    const std::vector<Supply> supply = supplies(problem);
    WindowClasses classes(problem);
    const std::vector<double> price(supply.size(), 0.0);
    ContractSearch search(problem, supply, classes, price, 1);
    search.insert_all([] { return true; });
    double before = search.objective();
    const double start = before;
    for (std::uint64_t leg = 0; leg < 5; ++leg) {
      search.rebuild(200, 0.0, kInfinity, leg);
      EXPECT_LE(search.objective(), before + 1e-9) << seed;
      before = search.objective();
    }
    Plan plan;
    plan.jobs = search.assignments();
    plan.price = price;
    const Certificate certificate = certify(problem, plan);
    EXPECT_TRUE(certificate.holds()) << seed;
    EXPECT_NEAR(certificate.totals.objective_eur, before, 1e-9 * (1 + std::abs(before)));
    const double optimum = BruteForce(problem).optimum();
    EXPECT_GE(before, optimum - 1e-9) << seed;
    optimal += before <= optimum + 1e-9;
    better += before < start - 1e-9;
  }
  EXPECT_GE(optimal, 57);
  EXPECT_GE(better, 10);
}

#ifdef CARNOT_HAVE_CLP
TEST(RuinRecreate, OfJobsOneByOneIsNeverWorseThanItsStartAndOftenOptimal) {
  int optimal = 0, all = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const Problem problem = small_problem(seed, 3, 2, 5, seed % 2 == 0 ? 0.4 : 1.0);
    const SiteModel model(problem);
    const Weights cost = weights_of(Measure::Cost);
    SiteProgram sites(model, cost, {}, 1e6);
    ExtendedSearch search(model);
    std::vector<JobRun> dropped(problem.jobs.size());
    for (std::size_t j = 0; j < dropped.size(); ++j) dropped[j].own.drop = problem.jobs.value(j);
    search.set_runs(dropped);
    search.look({problem, cost, {}, {}}, std::vector<SiteFlows>(model.sites()));
    double before = sites.evaluate(search.sums());
    for (std::uint64_t leg = 0; leg < 4; ++leg) {
      search.rebuild(60, 0.0, leg);
      const double now = sites.evaluate(search.sums());
      EXPECT_LE(now, before + 1e-7) << seed;
      before = now;
    }
    Plan plan;
    for (const JobRun& run : search.runs()) plan.jobs.push_back(run.assignment);
    plan.price.assign(model.sites() * model.slots(), 0.0);
    const Certificate certificate = certify(problem, plan);
    EXPECT_TRUE(certificate.holds()) << seed;
    EXPECT_NEAR(certificate.totals.objective_eur, before, 1e-7) << seed;
    const double optimum = BruteForce(problem).optimum();
    EXPECT_GE(before, optimum - 1e-7) << seed;
    optimal += before <= optimum + 1e-7;
    ++all;
  }
  // 28 of 40 were seen without the sweeps and prices that the planner adds: a floor, not a promise.
  EXPECT_GE(optimal, all * 6 / 10);
}
#endif

}  // namespace
}  // namespace carnot::plan
