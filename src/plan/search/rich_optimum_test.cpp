// SPDX-License-Identifier: Apache-2.0
// Small problems with everything that can be asked for, against their optima: all schedules of each
// job, written down by a plain walk over slots, and branch and cut over them and the sites' rows.
#include <cmath>
#include <cstdio>

#include <gtest/gtest.h>

#include "carnot/base/limits.hpp"
#include "carnot/plan/certificate/certificate.hpp"
#include "carnot/plan/search/extended.hpp"
#include "carnot/solve/integer_program.hpp"

#include "plan/problem/testing_terms.hpp"
#include "plan/supply/site_rows.hpp"

#ifdef CARNOT_HAVE_CLP

namespace carnot::plan {
namespace {

/// One to four jobs with terms, one or two sites with a choice of everything, goals now and then.
Problem rich(std::uint64_t seed) {
  const RandomStream random(seed, "rich-optimum");
  std::uint64_t at = 0;
  const auto u = [&](double low, double high) { return low + (high - low) * random.uniform(at++); };
  const auto often = [&](double share) { return u(0, 1) < share; };
  const std::size_t sites = 1 + random.below(at++, 2);
  const auto slots = static_cast<std::int32_t>(3 + random.below(at++, 3));
  Problem problem = testing::problem_with_terms(seed, 1 + random.below(at++, 4), sites, slots);
  const double tight = often(0.5) ? 1.0 : u(0.3, 0.8);
  for (PlanSite& site : problem.sites) {
    for (double& kw : site.capacity_kw) kw *= tight;
    SiteTerms& terms = problem.site_terms.emplace_back();
    const double cap = *std::min_element(site.capacity_kw.begin(), site.capacity_kw.end());
    const auto n = static_cast<std::size_t>(slots);
    if (often(0.4))
      terms.battery = {u(1, 10), u(1, 5), u(1, 5), u(0.8, 1), u(0.8, 1), 0.5, 0.2, u(0, 0.02)};
    if (often(0.3)) {
      terms.export_kw.assign(n, u(0, 5));
      terms.export_eur_per_kwh.assign(n, u(-0.02, 0.1));
    }
    if (often(0.3)) terms.demand_charges.push_back({u(0, 0.3), 0, slots});
    if (often(0.3)) terms.base_kw.assign(n, u(0, 0.3) * cap);
    if (often(0.3)) terms.idle_kw = u(0, 0.1);
    terms.it_eur_per_kwh = often(0.3) ? u(0, 0.02) : 0.0;
    // Facility power is convex only where it is not paid for, and what is there must be fed.
    if (often(0.3)) terms.knees.push_back({0.5 * cap, u(0, 0.4)});
    for (double& price : site.price_eur_per_kwh)
      if (!terms.knees.empty() || terms.battery.capacity_kwh > 0) price = std::abs(price);
    if (terms.idle_kw > 0 || !terms.base_kw.empty()) site.grid_limit_kw.assign(n, kInfinity);
  }
  if (often(0.15)) problem.goals.carbon_cap_g = u(2000, 20000);
  if (often(0.1)) problem.goals.energy_budget_kwh = u(5, 60);
  if (often(0.15)) {
    problem.goals.own_share = u(0.05, 0.4);
    problem.goals.own_share_each_slot = often(0.5);
  }
  return problem;
}

struct Optimum {
  bool feasible = false;
  double eur = kInfinity;
};

Optimum optimum_of(const Problem& problem) {
  const SiteModel model(problem);
  const Weights cost = weights_of(Measure::Cost);
  const std::vector<GoalRow> goals = goal_rows(problem, {});
  constexpr double kPenalty = 1e5;
  solve::LinearProgram program;
  const SiteRows rows(model, cost, goals, kPenalty, program);
  JobPrices offer;
  offer.hold_slots = problem.reserve.hold_slots;
  offer.within_s = problem.reserve.within_s;
  const std::vector<double> nothing(model.sites() * model.slots());
  offer.energy = nothing;
  std::vector<int> whole;
  std::vector<std::vector<JobRun>> runs(problem.jobs.size());
  std::vector<std::vector<int>> columns(runs.size());
  for (std::size_t j = 0; j < runs.size(); ++j) {
    JobRun dropped;
    dropped.own.drop = problem.jobs.value(j);
    runs[j].push_back(dropped);
    for (const auto& [assignment, schedule] : testing::EverySchedule(problem, j, offer).all())
      runs[j].push_back(run_of(problem, j, assignment, schedule, offer));
    const int one = program.add_row(1, 1, {});
    for (const JobRun& run : runs[j]) {
      std::vector<solve::Share> shares = rows.shares(run);
      shares.push_back({one, 1.0});
      columns[j].push_back(program.add_column(0, kInfinity, rows.cost(run), shares));
      whole.push_back(columns[j].back());
    }
  }
  const solve::IntegerAnswer answer = solve::solve_integer(program, whole);
  if (!answer.found || !answer.proven) return {};
  std::vector<JobRun> chosen;
  for (std::size_t j = 0; j < runs.size(); ++j)
    for (std::size_t k = 0; k < runs[j].size(); ++k)
      if (answer.values[static_cast<std::size_t>(columns[j][k])] > 0.5)
        chosen.push_back(runs[j][k]);
  SiteProgram sites(model, cost, goals, kPenalty);
  Optimum out{false, sites.evaluate(sums_of(problem, chosen))};
  out.feasible = std::isfinite(out.eur) && sites.rows().broken().empty();
  return out;
}

/// Of so many seeds.
void expect_near_optimal(std::uint64_t from, std::uint64_t until) {
  std::size_t all = 0, near = 0, unknown = 0;
  PlannerOptions options;
  options.threads = 1;
  for (std::uint64_t seed = from; seed < until; ++seed) {
    const Problem problem = rich(seed);
    const Optimum best = optimum_of(problem);
    const ExtendedPlan found = plan_extended(problem, options);
    if (!best.feasible) {
      EXPECT_FALSE(found.broken.empty()) << seed;
      continue;
    }
    ++all;
    EXPECT_FALSE(!found.broken.empty() && found.proven) << seed << ": a proof that is none";
    if (!found.broken.empty()) {
      ++unknown;
      continue;
    }
    const double hair = 1e-6 * std::max(1.0, std::abs(best.eur));
    EXPECT_GE(found.plan.objective_eur, best.eur - hair) << seed;
    EXPECT_LE(found.plan.bound_eur, best.eur + hair) << seed;
    if (found.plan.status == "optimal") {
      EXPECT_NEAR(found.plan.objective_eur, best.eur, hair) << seed;
    }
    if (found.plan.objective_eur <= best.eur + 0.01 * std::abs(best.eur) + 1e-6)
      ++near;
    else
      std::printf("seed %d: %g for %g\n", static_cast<int>(seed), found.plan.objective_eur,
                  best.eur);
  }
  EXPECT_GT(all, (until - from) / 2);
  EXPECT_GE(100 * near, 99 * all) << near << " of " << all << ", " << unknown << " unknown";
}

TEST(RichOptimum, PlansAreWithinAHundredth) { expect_near_optimal(0, 100); }
TEST(RichOptimumSlow, PlansAreWithinAHundredth) { expect_near_optimal(100, 1000); }

/// A site of 20 kW; a mode of 10 kW that fits and one of 30 that looks better and never does.
TEST(RichOptimum, AJobThatFitsInOneModeIsNotDropped) {
  for (const bool rigid : {false, true}) {
    Problem problem = testing::one_site(2, 1.0);
    problem.sites[0].capacity_kw.assign(2, 20.0);
    problem.site_terms.clear();
    problem.jobs.add("j", 0, 2, 200, {{1, 10, 4}, {1, 30, 0}}, kNone, 0, {});
    problem.terms[0].preemptible = !rigid;
    const ExtendedPlan found = plan_extended(problem, {});
    EXPECT_NEAR(found.plan.objective_eur, 4.0 + 10 * 0.2, 1e-9);
  }
}

/// Power is paid for in the first and the last slot: a programme that draws through the knees first
/// earns more than a site can, and takes another choice for the best.
TEST(RichOptimum, WhatKneesMakeDearerIsNotCalledTheBest) {
  Problem problem = testing::one_site(4, 1.0);
  PlanSite& site = problem.sites[0];
  site.capacity_kw = {8.786, 17.7, 15.554, 9.045};
  site.pue = {1.086, 1.454, 1.092, 1.179};
  site.free_kw = {5.311, 0.0, 0.607, 5.842};
  site.price_eur_per_kwh = {-0.022, 0.179, 0.192, -0.068};
  site.grid_limit_kw.assign(4, kInfinity);
  SiteTerms terms;
  terms.battery = {6.749, 1.251, 1.715, 0.967, 0.881, 2.849, 0.0, 0.029};
  terms.knees = {{3.514, 0.284}, {6.15, 0.243}};
  problem.site_terms.assign(1, terms);
  problem.jobs = {};
  problem.terms.clear();
  problem.jobs.add("first", 0, 4, 3.886, {{1, 10.751, 0.194}, {2, 2.986, -0.035}}, kNone, 0, {});
  problem.jobs.add("then", 1, 4, 0.156, {{1, 10.335, 0.278}}, kNone, 0, {}, {0.026});
  problem.terms[0] = {};
  problem.terms[1].speed_parts = 2;
  problem.terms[1].levels = {{{7.075, 5}, {3.736, 5}}};
  problem.workflow.dependencies.push_back({1, 0, AfterKind::Ok, 0});
  constexpr double kBest = -0.33623544000000005;  // by HiGHS, all courses written down
  const ExtendedPlan found = plan_extended(problem, {});
  EXPECT_EQ(found.plan.status, "optimal");
  EXPECT_NEAR(found.plan.objective_eur, kBest, 1e-6);
  EXPECT_LE(found.plan.bound_eur, kBest + 1e-9);
}

/// What is left of 1.4 kW that a battery of 2 kW gives is rounding below zero, and no decision.
TEST(RichOptimum, ABatteryMayGiveAllThatASiteDraws) {
  Problem problem = testing::one_site(6, 1.0);
  PlanSite& site = problem.sites[0];
  site.capacity_kw = {15.77, 10.56, 8.62, 14.94, 9.15, 12.33};
  site.pue = {1.27, 1.26, 1.17, 1.4, 1.03, 1.38};
  site.free_kw = {0.0, 3.7, 0.49, 0.0, 0.0, 0.0};
  site.price_eur_per_kwh = {0.37, 0.07, 0.17, -0.07, 0.11, -0.06};
  site.grid_limit_kw.assign(6, kInfinity);
  SiteTerms terms;
  terms.base_kw = {1.38, 0.01, 0.17, 1.13, 1.27, 0.69};
  terms.battery = {3.89, 2.64, 2.0, 0.93, 0.83, 3.88, 0.0, 0.0};
  problem.site_terms.assign(1, terms);
  problem.jobs = {};
  problem.terms.clear();
  const ExtendedPlan found = plan_extended(problem, {});
  for (const double kw : found.plan.flows[0].own_kw) EXPECT_GE(kw, 0.0);
  for (const double kw : found.plan.flows[0].grid_kw) EXPECT_GE(kw, 0.0);
}

}  // namespace
}  // namespace carnot::plan

#endif
