// SPDX-License-Identifier: Apache-2.0
#include "carnot/plan/study/stochastic.hpp"

#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"

#include "plan/problem/testing_problem.hpp"

namespace carnot::plan {
namespace {

using testing::BruteForce;
using testing::cell_cost;
using testing::small_problem;

/// Futures in which own power, prices and carbon differ, and what there is room for does not.
std::vector<Scenario> futures(const Problem& problem, std::uint64_t seed, std::size_t count) {
  const RandomStream random(seed, "futures");
  std::vector<Scenario> out;
  std::uint64_t at = 0;
  for (std::size_t n = 0; n < count; ++n) {
    Scenario x;
    x.weight = 0.5 + random.uniform(at++);
    x.sites = problem.sites;
    for (PlanSite& site : x.sites)
      for (std::size_t t = 0; t < site.pue.size(); ++t) {
        site.free_kw[t] *= 2 * random.uniform(at++);
        site.price_eur_per_kwh[t] += 0.2 * random.uniform(at++) - 0.1;
      }
    out.push_back(x);
  }
  return out;
}

ScenarioOptions quick() {
  ScenarioOptions options;
  options.planner.threads = 1;
  options.planner.rounds = 1000;
  options.planner.pack = false;  // scenarios are compared by prices of power alone
  return options;
}

/// Costs of a plan in one future, from the definition.
double cost_in(const Problem& problem, const Scenario& scenario, const Plan& plan) {
  Problem there = problem;
  there.sites = scenario.sites;
  const auto slots = static_cast<std::size_t>(problem.slots);
  std::vector<double> load(there.sites.size() * slots);
  double cost = 0;
  for (std::size_t j = 0; j < problem.jobs.size(); ++j) {
    const Assignment& a = plan.jobs[j];
    if (a.site == kNone) {
      cost += problem.jobs.value(j);
      continue;
    }
    const PlanMode& mode = problem.jobs.mode(problem.jobs.mode_begin(j) + a.mode);
    cost += mode.quality_eur + problem.jobs.move_eur(j, a.site);
    for (const std::int32_t t : a.slots)
      load[a.site * slots + static_cast<std::size_t>(t)] += mode.power_kw;
  }
  for (std::size_t i = 0; i < load.size(); ++i)
    cost += cell_cost(there, i / slots, i % slots, load[i] * (1 - 1e-12));
  return cost;
}

TEST(Cvar, IsTheMeanOfTheWorstShare) {
  const std::vector<double> cost{1, 5, 3, 2}, weight{0.25, 0.25, 0.25, 0.25};
  EXPECT_DOUBLE_EQ(cvar(cost, weight, 0), 2.75);
  EXPECT_DOUBLE_EQ(cvar(cost, weight, 0.5), 4);
  EXPECT_DOUBLE_EQ(cvar(cost, weight, 0.75), 5);
  EXPECT_NEAR(cvar(cost, weight, 0.6), (0.25 * 5 + 0.15 * 3) / 0.4, 1e-12);
  EXPECT_DOUBLE_EQ(cvar(cost, weight, 0.99), 5);
}

TEST(Scenarios, OneFutureIsThePlainProblem) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const Problem problem = small_problem(seed, 12, 2, 10);
    const ScenarioPlan one = plan_scenarios(problem, {{3.0, problem.sites}}, quick());
    const Plan plain = plan_large(problem, quick().planner);
    EXPECT_NEAR(one.plan.objective_eur, plain.objective_eur, 1e-9 * (1 + plain.objective_eur));
    EXPECT_NEAR(one.plan.bound_eur, plain.bound_eur, 1e-9 * (1 + std::abs(plain.bound_eur)));
    EXPECT_EQ(one.plan.price, plain.price);
    EXPECT_LE(one.foresight_eur, one.mean_eur + 1e-9);
  }
}

TEST(Scenarios, TheSameFutureTwiceIsAsOnce) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const Problem problem = small_problem(seed, 12, 2, 10);
    const ScenarioPlan two =
        plan_scenarios(problem, {{1.0, problem.sites}, {2.0, problem.sites}}, quick());
    const Plan plain = plan_large(problem, quick().planner);
    EXPECT_NEAR(two.plan.bound_eur, plain.bound_eur, 0.01 * (1 + std::abs(plain.bound_eur)));
    EXPECT_NEAR(two.cost_eur[0], two.cost_eur[1], 1e-9);
    EXPECT_GE(two.plan.objective_eur, plain.bound_eur - 1e-9 * (1 + std::abs(plain.bound_eur)));
  }
}

TEST(Scenarios, CostsAreThoseOfEachFutureAndCvarOfNothingIsTheMean) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const Problem problem = small_problem(seed, 10, 2, 8);
    const std::vector<Scenario> scenarios = futures(problem, seed, 4);
    const ScenarioPlan plan = plan_scenarios(problem, scenarios, quick());
    double mean = 0, weight = 0;
    for (std::size_t s = 0; s < scenarios.size(); ++s) {
      const double cost = cost_in(problem, scenarios[s], plan.plan);
      EXPECT_NEAR(plan.cost_eur[s], cost, 1e-6 * (1 + std::abs(cost)));
      mean += scenarios[s].weight * cost;
      weight += scenarios[s].weight;
    }
    EXPECT_NEAR(plan.mean_eur, mean / weight, 1e-6 * (1 + std::abs(mean)));
    EXPECT_NEAR(plan.cvar_eur, plan.mean_eur, 1e-9 * (1 + std::abs(mean)));
    EXPECT_DOUBLE_EQ(plan.plan.objective_eur, plan.cvar_eur);
    EXPECT_LE(plan.foresight_eur, plan.mean_eur + 1e-9 * (1 + std::abs(plan.mean_eur)));
  }
}

/// The best of all plans by its CVaR: every plan of three jobs is tried.
class EveryPlan {
 public:
  EveryPlan(const Problem& problem, const std::vector<Scenario>& scenarios, double alpha)
      : problem_(problem), scenarios_(scenarios), alpha_(alpha) {
    double sum = 0;
    for (const Scenario& x : scenarios) sum += x.weight;
    for (const Scenario& x : scenarios) weight_.push_back(x.weight / sum);
    plan_.jobs.resize(problem.jobs.size());
  }
  double optimum() {
    job(0);
    return best_;
  }

 private:
  void job(std::size_t j) {
    if (j == problem_.jobs.size()) {
      std::vector<double> cost;
      for (const Scenario& x : scenarios_) cost.push_back(cost_in(problem_, x, plan_));
      for (const double x : cost)
        if (!std::isfinite(x)) return;
      best_ = std::min(best_, cvar(cost, weight_, alpha_));
      return;
    }
    plan_.jobs[j] = {};
    job(j + 1);
    for (const Assignment& choice : testing::every_choice(problem_, j)) {
      plan_.jobs[j] = choice;
      job(j + 1);
    }
    plan_.jobs[j] = {};
  }

  const Problem& problem_;
  const std::vector<Scenario>& scenarios_;
  double alpha_;
  std::vector<double> weight_;
  Plan plan_;
  double best_ = kInfinity;
};

TEST(Scenarios, TinyPlansAreNearTheBestAndBoundsHold) {
  double near = 0, all = 0;
  for (std::uint64_t seed = 0; seed < 12; ++seed)
    for (const double alpha : {0.0, 0.5, 0.9}) {
      const Problem problem = small_problem(seed, 2, 2, 5);
      const std::vector<Scenario> scenarios = futures(problem, seed, 3);
      ScenarioOptions options = quick();
      options.alpha = alpha;
      const ScenarioPlan plan = plan_scenarios(problem, scenarios, options);
      const double optimum = EveryPlan(problem, scenarios, alpha).optimum();
      const double slack = 1e-6 * (1 + std::abs(optimum));
      EXPECT_LE(plan.plan.bound_eur, optimum + slack) << seed << " " << alpha;
      EXPECT_GE(plan.plan.objective_eur, optimum - slack) << seed << " " << alpha;
      near += plan.plan.objective_eur <= optimum + 1e-3 * (1 + std::abs(optimum));
      ++all;
    }
  EXPECT_GE(near / all, 0.85);
}

TEST(Scenarios, MoreAversionCostsMoreOnAverageAndLessAtWorst) {
  const Problem problem = testing::generated(400, 3, 48);
  const std::vector<Scenario> scenarios = futures(problem, 1, 6);
  std::vector<double> weight;
  double sum = 0;
  for (const Scenario& x : scenarios) sum += x.weight;
  for (const Scenario& x : scenarios) weight.push_back(x.weight / sum);
  ScenarioOptions options = quick();
  const ScenarioPlan neutral = plan_scenarios(problem, scenarios, options);
  options.alpha = 0.8;
  const ScenarioPlan averse = plan_scenarios(problem, scenarios, options);
  EXPECT_LE(neutral.mean_eur, averse.mean_eur * 1.002);
  EXPECT_LE(averse.cvar_eur, cvar(neutral.cost_eur, weight, 0.8) + 1e-9);
  EXPECT_LE(averse.plan.bound_eur, averse.plan.objective_eur);
  EXPECT_LT(neutral.plan.gap(), 0.02);
  // The plan for the mean does better over the futures than the plan for the mean future.
  Problem middle = problem;
  for (std::size_t s = 0; s < 3; ++s)
    for (std::size_t t = 0; t < 48; ++t) {
      double free = 0, price = 0;
      for (std::size_t n = 0; n < scenarios.size(); ++n) {
        free += weight[n] * scenarios[n].sites[s].free_kw[t];
        price += weight[n] * scenarios[n].sites[s].price_eur_per_kwh[t];
      }
      middle.sites[s].free_kw[t] = free;
      middle.sites[s].price_eur_per_kwh[t] = price;
    }
  const Plan simple = plan_large(middle, options.planner);
  double mean = 0;
  for (std::size_t n = 0; n < scenarios.size(); ++n)
    mean += weight[n] * cost_in(problem, scenarios[n], simple);
  EXPECT_LT(neutral.mean_eur, mean);
}

TEST(Scenarios, WhatCannotBeUnderstoodIsRefused) {
  const Problem problem = small_problem(1, 3, 2, 6);
  EXPECT_THROW(plan_scenarios(problem, {}, quick()), InputError);
  EXPECT_THROW(plan_scenarios(problem, {{0.0, problem.sites}}, quick()), InputError);
  ScenarioOptions options = quick();
  options.alpha = 1;
  EXPECT_THROW(plan_scenarios(problem, {{1.0, problem.sites}}, options), InputError);
  Scenario ragged{1.0, problem.sites};
  ragged.sites[1].free_kw.pop_back();
  EXPECT_THROW(plan_scenarios(problem, {ragged}, quick()), InputError);
  EXPECT_THROW(plan_scenarios(problem, {{1.0, problem.sites}, {1.0, {problem.sites[0]}}}, quick()),
               InputError);
}

}  // namespace
}  // namespace carnot::plan
