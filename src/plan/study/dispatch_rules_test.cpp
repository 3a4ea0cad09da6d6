// SPDX-License-Identifier: Apache-2.0
#include "carnot/plan/study/dispatch_rules.hpp"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/limits.hpp"
#include "carnot/plan/certificate/certificate.hpp"

#include "plan/problem/testing_problem.hpp"

namespace carnot::plan {
namespace {

using ::testing::ElementsAre;

Certificate certificate_of(const Problem& problem, Plan plan, std::vector<double> price) {
  plan.price = std::move(price);
  return certify(problem, plan);
}

std::vector<double> prices(const Problem& problem, double price) {
  return std::vector<double>(problem.sites.size() * static_cast<std::size_t>(problem.slots), price);
}

/// Two sites, four slots of an hour, 10 kW halls, prices by slot; no own power unless given.
Problem two_sites() {
  Problem problem;
  problem.slots = 4;
  for (int s = 0; s < 2; ++s) {
    PlanSite site;
    site.name = s == 0 ? "dear" : "cheap";
    site.capacity_kw.assign(4, 10);
    site.pue.assign(4, 1.25);
    site.free_kw.assign(4, 0);
    site.price_eur_per_kwh =
        s == 0 ? std::vector<double>{0.4, 0.3, 0.2, 0.1} : std::vector<double>{0.2, 0.2, 0.05, 0.2};
    site.carbon_g_per_kwh.assign(4, 0);
    site.grid_limit_kw.assign(4, kInfinity);
    problem.sites.push_back(site);
  }
  return problem;
}

/// A job from the dear site, open all day; mode 0 as asked, mode 1 longer and leaner.
void add_job(Problem& problem, const char* id, double value, double move = 0.5) {
  problem.jobs.add(id, 0, 4, value, {{2, 8, 0}, {3, 4, 0}}, 0, move, {});
}

TEST(Rivals, DoWhatTheirNamesSay) {
  Problem problem = two_sites();
  add_job(problem, "a", 100);
  const Plan once = rule_plan(problem, DispatchRule::AtOnce);
  EXPECT_EQ(once.solver, "at-once");
  EXPECT_EQ(once.jobs[0].site, 0U);
  EXPECT_EQ(once.jobs[0].mode, 0U);
  EXPECT_THAT(once.jobs[0].slots, ElementsAre(0, 1));
  const Plan moved = rule_plan(problem, DispatchRule::MoveOnly);
  EXPECT_EQ(moved.jobs[0].site, 1U);
  EXPECT_THAT(moved.jobs[0].slots, ElementsAre(0, 1));
  const Plan waited = rule_plan(problem, DispatchRule::WaitOnly);
  EXPECT_EQ(waited.jobs[0].site, 0U);
  EXPECT_THAT(waited.jobs[0].slots, ElementsAre(2, 3));
  const Plan greedy = rule_plan(problem, DispatchRule::PriceGreedy);
  // Lean at home: 1.25 x 4 (0.1 + 0.2 + 0.3) = 3.00 EUR; away 0.5 + 1.25 x 4 (0.05 + 0.2 + 0.2) =
  // 2.75 EUR; as asked away: 0.5 + 1.25 x 8 x 0.25 = 3.00 EUR.
  EXPECT_EQ(greedy.jobs[0].site, 1U);
  EXPECT_EQ(greedy.jobs[0].mode, 1U);
  EXPECT_THAT(greedy.jobs[0].slots, ElementsAre(0, 1, 2));
  EXPECT_NEAR(certificate_of(problem, greedy, prices(problem, 0)).totals.objective_eur, 2.75,
              1e-12);
}

TEST(Rivals, SeeWhatIsTakenAndRepairIt) {
  Problem problem = two_sites();
  add_job(problem, "a", 100);
  add_job(problem, "b", 100);
  add_job(problem, "c", 100);
  const Plan once = rule_plan(problem, DispatchRule::AtOnce);
  EXPECT_THAT(once.jobs[1].slots, ElementsAre(2, 3)) << "8 + 8 kW do not fit 10 kW";
  EXPECT_EQ(once.jobs[2].site, 1U) << "no room at the origin";
  EXPECT_THAT(once.jobs[2].slots, ElementsAre(0, 1));
  // Own power for one job in the dearest slots draws the first job there, and only the first.
  problem.sites[0].free_kw = {10, 10, 0, 0};
  const Plan waited = rule_plan(problem, DispatchRule::WaitOnly);
  EXPECT_THAT(waited.jobs[0].slots, ElementsAre(0, 1));
  EXPECT_THAT(waited.jobs[1].slots, ElementsAre(2, 3));
}

TEST(Rivals, DropWhatIsNotWorthIt) {
  Problem problem = two_sites();
  add_job(problem, "a", 0.1);
  EXPECT_EQ(rule_plan(problem, DispatchRule::AtOnce).jobs[0].site, 0U) << "runs whatever it costs";
  for (const DispatchRule rule :
       {DispatchRule::MoveOnly, DispatchRule::WaitOnly, DispatchRule::PriceGreedy})
    EXPECT_EQ(rule_plan(problem, rule).jobs[0].site, kNone) << name(rule);
  problem.jobs = {};
  problem.jobs.add("big", 0, 4, 1, {{1, 11, 0}}, 0, 0, {});  // no hall has room
  for (const DispatchRule rule : all_rules())
    EXPECT_EQ(rule_plan(problem, rule).jobs[0].site, kNone) << name(rule);
}

TEST(Rivals, OfNoJobsAreEmpty) {
  const Problem problem = two_sites();
  for (const DispatchRule rule : all_rules()) {
    EXPECT_TRUE(rule_plan(problem, rule).jobs.empty());
    EXPECT_EQ(rule_steps(problem, rule), 0.0);
  }
}

RC_GTEST_PROP(RivalsProperty, AreFeasibleAndNeverBelowTheBound, ()) {
  const auto seed = *rc::gen::inRange<std::uint64_t>(0, 1'000'000);
  const auto jobs = *rc::gen::inRange<std::size_t>(0, 40);
  const double scale = *rc::gen::element(0.2, 1.0, 4.0);
  const Problem problem = testing::small_problem(seed, jobs, 3, 9, scale);
  const double price = *rc::gen::element(0.0, 0.05, 0.3);
  for (const DispatchRule rule : all_rules()) {
    const Certificate c = certificate_of(problem, rule_plan(problem, rule), prices(problem, price));
    RC_ASSERT(c.holds());
    RC_ASSERT(c.totals.objective_eur >= c.totals.bound_eur);
  }
}

RC_GTEST_PROP(RivalsProperty, AreNeverBelowTheOptimum, ()) {
  const auto seed = *rc::gen::inRange<std::uint64_t>(0, 1'000'000);
  const Problem problem = testing::small_problem(seed, 3, 2, 5);
  const double optimum = testing::BruteForce(problem).optimum();
  for (const DispatchRule rule : all_rules()) {
    const Certificate c = certificate_of(problem, rule_plan(problem, rule), prices(problem, 0));
    RC_ASSERT(c.totals.objective_eur >= optimum - 1e-9);
  }
}

/// One job alone: the greedy rule sees every choice and is the optimum.
RC_GTEST_PROP(RivalsProperty, GreedyIsOptimalForOneJob, ()) {
  const auto seed = *rc::gen::inRange<std::uint64_t>(0, 1'000'000);
  const Problem problem = testing::small_problem(seed, 1, 3, 6);
  const Certificate c =
      certificate_of(problem, rule_plan(problem, DispatchRule::PriceGreedy), prices(problem, 0));
  double optimum = testing::BruteForce(problem).optimum();
  RC_ASSERT(std::abs(c.totals.objective_eur - optimum) <= 1e-9);
}

}  // namespace
}  // namespace carnot::plan
