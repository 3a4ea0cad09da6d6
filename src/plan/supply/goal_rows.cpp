// SPDX-License-Identifier: Apache-2.0
#include "plan/supply/goal_rows.hpp"

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"

namespace carnot::plan {

Weights weights_of(Measure measure) {
  Weights w;
  switch (measure) {
    case Measure::Cost:
      w.jobs = {1, 1, 1, 1, 1};
      w.sites.money = 1;
      break;
    case Measure::Late:
      w.jobs.late = 1;
      break;
    case Measure::Dropped:
      w.jobs.drop = 1;
      break;
    case Measure::Quality:
      w.jobs.quality = 1;
      break;
    case Measure::Carbon:
      w.sites.carbon = 1;
      break;
    case Measure::Energy:
      w.sites.own = w.sites.grid = 1;
      break;
  }
  return w;
}

std::vector<GoalRow> goal_rows(const Problem& problem, const std::vector<HeldGoal>& held) {
  const PlanGoals& goals = problem.goals;
  std::vector<GoalRow> rows;
  const auto add = [&](std::string words, const Weights& weights, double limit) {
    rows.push_back({std::move(words), weights, 0, problem.slots, limit});
  };
  if (goals.carbon_cap_g < kInfinity)
    add(fmt::format("carbon_cap_g {}", goals.carbon_cap_g), weights_of(Measure::Carbon),
        goals.carbon_cap_g);
  if (goals.energy_budget_kwh < kInfinity)
    add(fmt::format("energy_budget_kwh {}", goals.energy_budget_kwh), weights_of(Measure::Energy),
        goals.energy_budget_kwh);
  if (goals.quality_cap_eur < kInfinity)
    add(fmt::format("quality_cap_eur {}", goals.quality_cap_eur), weights_of(Measure::Quality),
        goals.quality_cap_eur);
  if (goals.own_share > 0) {
    Weights w;
    w.sites.own = goals.own_share - 1;
    w.sites.grid = goals.own_share;
    const std::string words = fmt::format("own_share {}", goals.own_share);
    if (goals.own_share_each_slot)
      for (std::int32_t t = 0; t < problem.slots; ++t)
        rows.push_back({fmt::format("{} in slot {}", words, t), w, t, t + 1, 0.0});
    else
      add(words, w, 0.0);
  }
  for (const HeldGoal& goal : held)
    add(fmt::format("{} held at {}", to_text(goal.measure), goal.value), weights_of(goal.measure),
        goal.limit());
  return rows;
}

PricedWeights::PricedWeights(const Problem& problem, const Weights& objective,
                             const std::vector<GoalRow>& rows,
                             const std::vector<double>& multipliers)
    : jobs_(objective.jobs), sites_(static_cast<std::size_t>(problem.slots), objective.sites) {
  CARNOT_CHECK(multipliers.size() == rows.size(), "one multiplier a row");
  for (std::size_t k = 0; k < rows.size(); ++k) {
    const double y = multipliers[k];
    if (y == 0) continue;
    const OwnWeights& own = rows[k].weights.jobs;
    jobs_.quality += y * own.quality;
    jobs_.move += y * own.move;
    jobs_.restart += y * own.restart;
    jobs_.late += y * own.late;
    jobs_.drop += y * own.drop;
    const SiteWeights& w = rows[k].weights.sites;
    for (std::int32_t t = rows[k].from; t < rows[k].to; ++t) {
      SiteWeights& to = sites_[static_cast<std::size_t>(t)];
      to.money += y * w.money;
      to.carbon += y * w.carbon;
      to.own += y * w.own;
      to.grid += y * w.grid;
    }
  }
}

double weighted(const OwnWeights& w, const OwnCost& own) {
  return w.quality * own.quality + w.move * own.move + w.restart * own.restart + w.late * own.late +
         w.drop * own.drop;
}

}  // namespace carnot::plan
