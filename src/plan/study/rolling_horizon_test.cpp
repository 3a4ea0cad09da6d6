// SPDX-License-Identifier: Apache-2.0
#include "carnot/plan/study/rolling_horizon.hpp"

#include <gtest/gtest.h>

#include "carnot/base/error.hpp"

#include "plan/problem/testing_problem.hpp"

namespace carnot::plan {
namespace {

using testing::small_problem;

/// Sites as they are from a slot on.
std::vector<PlanSite> from(const Problem& problem, std::size_t slot, std::size_t count) {
  std::vector<PlanSite> out;
  for (const PlanSite& site : problem.sites) {
    const auto cut = [&](const std::vector<double>& x) {
      const auto begin = x.begin() + static_cast<std::ptrdiff_t>(slot);
      return std::vector<double>(begin, begin + static_cast<std::ptrdiff_t>(count));
    };
    out.push_back({site.name, cut(site.capacity_kw), cut(site.pue), cut(site.free_kw),
                   cut(site.price_eur_per_kwh), cut(site.carbon_g_per_kwh),
                   cut(site.grid_limit_kw)});
  }
  return out;
}

ReplanOptions quick(bool warm = true) {
  ReplanOptions options;
  options.planner.threads = 1;
  options.planner.rounds = 200;
  options.warm = warm;
  return options;
}

struct Outcome {
  double cost = 0, own_kwh = 0, grid_kwh = 0;
  std::size_t finished = 0, dropped = 0, stopped = 0;
};

/// Runs all slots; each job becomes known at its release.
/// \param truth  what really is, against the problem's own series, which are the forecast
Outcome live(const Problem& problem, const Problem& truth, Replanner& replanner,
             bool plan_once = false) {
  Outcome out;
  const auto slots = static_cast<std::size_t>(problem.slots);
  for (std::size_t t = 0; t < slots; ++t) {
    for (std::size_t j = 0; j < problem.jobs.size(); ++j)
      if (plan_once ? t == 0 : problem.jobs.release(j) == static_cast<std::int32_t>(t))
        replanner.add(problem.jobs, j);
    if (!plan_once || t == 0) {
      const Plan& plan = replanner.plan(from(problem, t, slots - t));
      EXPECT_LE(plan.bound_eur, plan.objective_eur + 1e-9);
    }
    const SlotReport report = replanner.run(from(truth, t, 1));
    out.cost += report.cost_eur();
    out.own_kwh += report.own_kwh;
    out.grid_kwh += report.grid_kwh;
    out.finished += report.finished;
    out.dropped += report.dropped;
    out.stopped += report.stopped;
  }
  return out;
}

TEST(Replanner, EveryJobEndsOnceAndItsWorkAddsUp) {
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    const Problem problem = small_problem(seed, 40, 3, 16, seed % 2 == 0 ? 1.0 : 0.4);
    const Problem truth = small_problem(seed + 100, 0, 3, 16, seed % 2 == 0 ? 1.0 : 0.4);
    Replanner replanner(problem.slot_s, problem.carbon_price_eur_per_t, quick());
    Problem as_true = truth;
    as_true.carbon_price_eur_per_t = problem.carbon_price_eur_per_t;
    const Outcome out = live(problem, as_true, replanner);
    std::vector<std::size_t> order;  // jobs come in order of release
    for (std::int32_t t = 0; t < problem.slots; ++t)
      for (std::size_t j = 0; j < problem.jobs.size(); ++j)
        if (problem.jobs.release(j) == t) order.push_back(j);
    ASSERT_EQ(replanner.jobs(), order.size());
    EXPECT_EQ(replanner.open(), 0U);
    EXPECT_EQ(out.finished + out.dropped, problem.jobs.size());
    std::size_t finished = 0;
    double least = 0, most = 0;  // kWh at the facility, with PUE from 1 to 1.5
    for (std::size_t n = 0; n < replanner.jobs(); ++n) {
      const JobStanding& x = replanner.standing(n);
      ASSERT_TRUE(x.stage == JobStage::Finished || x.stage == JobStage::Dropped);
      finished += x.stage == JobStage::Finished;
      if (x.slots_done == 0) continue;
      const PlanMode& mode = problem.jobs.mode(problem.jobs.mode_begin(order[n]) + x.mode);
      if (x.stage == JobStage::Finished) {
        EXPECT_EQ(x.slots_done, mode.slots);
      }
      least += x.slots_done * mode.power_kw * problem.slot_h();
      most += 1.5 * x.slots_done * mode.power_kw * problem.slot_h();
    }
    EXPECT_EQ(finished, out.finished);
    EXPECT_GE(out.own_kwh + out.grid_kwh, least - 1e-9);
    EXPECT_LE(out.own_kwh + out.grid_kwh, most + 1e-9);
  }
}

TEST(Replanner, WithoutSurpriseNothingIsStoppedAndPlanningAgainCostsNoMore) {
  for (std::uint64_t seed = 20; seed < 26; ++seed) {
    Problem problem = small_problem(seed, 30, 2, 14);
    Replanner once(problem.slot_s, problem.carbon_price_eur_per_t, quick());
    Replanner again(problem.slot_s, problem.carbon_price_eur_per_t, quick());
    const Outcome a = live(problem, problem, once, true);
    EXPECT_EQ(a.stopped, 0U) << seed;
    // All jobs known from the start, so that the first plan's cost is what is to be paid.
    for (std::size_t j = 0; j < problem.jobs.size(); ++j) again.add(problem.jobs, j);
    double promised = 0, paid = 0;
    for (std::size_t t = 0; t < 14; ++t) {
      const Plan& plan = again.plan(from(problem, t, 14 - t));
      if (t == 0) promised = plan.objective_eur;
      paid += again.run(from(problem, t, 1)).cost_eur();
    }
    EXPECT_NEAR(a.cost, promised, 1e-9 * (1 + std::abs(promised))) << seed;
    EXPECT_LE(paid, promised + 0.01 * std::abs(promised)) << seed;
  }
}

TEST(Replanner, WhatHasStartedKeepsItsSiteAndMode) {
  for (std::uint64_t seed = 40; seed < 46; ++seed) {
    const Problem problem = small_problem(seed, 40, 3, 16);
    Replanner replanner(problem.slot_s, problem.carbon_price_eur_per_t, quick());
    for (std::size_t j = 0; j < problem.jobs.size(); ++j) replanner.add(problem.jobs, j);
    std::vector<JobStanding> before(problem.jobs.size());
    for (std::size_t t = 0; t < 16; ++t) {
      // Forecasts that change every slot, so that plans would like to move everything.
      Problem forecast = small_problem(seed * 100 + t, 0, 3, 16);
      for (std::size_t s = 0; s < 3; ++s)
        forecast.sites[s].capacity_kw = problem.sites[s].capacity_kw;
      replanner.plan(from(forecast, t, 16 - t));
      replanner.run(from(problem, t, 1));
      for (std::size_t j = 0; j < problem.jobs.size(); ++j) {
        const JobStanding& x = replanner.standing(j);
        EXPECT_GE(x.slots_done, before[j].slots_done);
        if (before[j].slots_done > 0) {
          EXPECT_EQ(x.site, before[j].site);
          EXPECT_EQ(x.mode, before[j].mode);
          const auto& mode = problem.jobs.mode(problem.jobs.mode_begin(j) + x.mode);
          if (x.stage != JobStage::Dropped) {
            EXPECT_EQ(x.slots_done + x.slots_left, mode.slots);
          }
        }
        before[j] = x;
      }
    }
  }
}

TEST(Replanner, AJobThatMayMoveLeavesASiteThatLosesItsPower) {
  Problem problem;
  problem.slots = 6;
  for (int s = 0; s < 2; ++s) {
    PlanSite site;
    site.capacity_kw.assign(6, 10);
    site.pue.assign(6, 1);
    site.free_kw.assign(6, s == 0 ? 10.0 : 0.0);
    site.price_eur_per_kwh.assign(6, s == 0 ? 1.0 : 0.1);
    site.carbon_g_per_kwh.assign(6, 0);
    site.grid_limit_kw.assign(6, 100);
    problem.sites.push_back(site);
  }
  problem.jobs.add("a", 0, 6, 100, {{6, 5, 0}}, 0, 0.2, {});
  for (const bool may_move : {false, true}) {
    Replanner replanner(3600, 0, quick());
    replanner.add(problem.jobs, 0, may_move);
    double moves = 0;
    Problem now = problem;
    for (std::size_t t = 0; t < 6; ++t) {
      if (t == 2) now.sites[0].free_kw.assign(6, 0.0);
      replanner.plan(from(now, t, 6 - t));
      moves += replanner.run(from(now, t, 1)).move_eur;
    }
    EXPECT_EQ(replanner.standing(0).stage, JobStage::Finished);
    EXPECT_EQ(replanner.standing(0).site, may_move ? 1U : 0U);
    EXPECT_DOUBLE_EQ(moves, may_move ? 0.2 : 0.0);
  }
}

TEST(Replanner, WhereThereIsNotEnoughPowerTheOneWithTimeToSpareStops) {
  Problem problem;
  problem.slots = 4;
  PlanSite site;
  site.capacity_kw.assign(4, 10);
  site.pue.assign(4, 1);
  site.free_kw.assign(4, 10);
  site.price_eur_per_kwh.assign(4, 0.1);
  site.carbon_g_per_kwh.assign(4, 0);
  site.grid_limit_kw.assign(4, 0);
  problem.sites.push_back(site);
  problem.jobs.add("tight", 0, 2, 100, {{2, 5, 0}}, 0, 0, {});
  problem.jobs.add("loose", 0, 4, 100, {{2, 5, 0}}, 0, 0, {});
  Replanner replanner(3600, 0, quick());
  replanner.add(problem.jobs, 1);
  replanner.add(problem.jobs, 0);
  replanner.plan(from(problem, 0, 4));
  std::size_t stopped = 0, finished = 0;
  for (std::size_t t = 0; t < 4; ++t) {
    Problem truth = problem;
    if (t < 2) truth.sites[0].free_kw.assign(4, 6);
    const SlotReport report = replanner.run(from(truth, t, 1));
    stopped += report.stopped;
    finished += report.finished;
  }
  EXPECT_EQ(finished, 2U);
  EXPECT_LE(stopped, 2U);
  EXPECT_EQ(replanner.standing(1).stage, JobStage::Finished);
}

TEST(Replanner, AJobDoneSoonerLeavesAndAForecastThatIsTooShortIsRefused) {
  const Problem problem = small_problem(7, 5, 2, 10);
  Replanner replanner(problem.slot_s, problem.carbon_price_eur_per_t, quick());
  for (std::size_t j = 0; j < 5; ++j) replanner.add(problem.jobs, j);
  replanner.complete(2);
  replanner.complete(2);
  EXPECT_EQ(replanner.open(), 4U);
  EXPECT_EQ(replanner.standing(2).stage, JobStage::Finished);
  EXPECT_THROW(replanner.plan(from(problem, 0, 1)), InputError);
  EXPECT_EQ(replanner.plan(from(problem, 0, 10)).jobs.size(), 4U);
}

TEST(Replanner, ASlotInPartsCostsTheMeanOfItsParts) {
  Problem problem;
  problem.slots = 1;
  PlanSite site{"a", {10}, {1}, {3}, {0.2}, {100}, {100}};
  problem.sites.push_back(site);
  problem.jobs.add("a", 0, 1, 100, {{1, 4, 0}}, 0, 0, {});
  Replanner replanner(3600, 0, quick());
  replanner.add(problem.jobs, 0);
  replanner.plan(problem.sites);
  PlanSite parts{"a", {10, 10}, {1, 1}, {6, 0}, {0.2, 0.4}, {100, 100}, {100, 100}};
  const SlotReport report = replanner.run({parts});
  EXPECT_DOUBLE_EQ(report.own_kwh, 2);  // 4 kW for half an hour
  EXPECT_DOUBLE_EQ(report.grid_kwh, 2);
  EXPECT_DOUBLE_EQ(report.grid_eur, 0.8);
  EXPECT_DOUBLE_EQ(report.carbon_g, 200);
}

}  // namespace
}  // namespace carnot::plan
