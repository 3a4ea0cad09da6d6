// SPDX-License-Identifier: Apache-2.0
#include "carnot/control/training/purchases.hpp"

#include <algorithm>
#include <cmath>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"

namespace carnot::control {

namespace {

/// A joule of work that no step before the deadline can do is as dear as this many of the dearest.
constexpr double kMissingTimes = 20.0;

/// `least_cost`, or the price of what is left undone.
double recourse(std::span<const PlanStep> steps, Energy work, DelayPrice delay, std::size_t last,
                std::vector<std::pair<double, double>>& scratch) {
  if (work <= Energy{}) return 0.0;
  const double cost = least_cost(steps, work, delay, last, scratch);
  if (std::isfinite(cost)) return cost;
  double sum = 0.0, dearest = 0.0;
  Energy done;
  Time elapsed;
  for (std::size_t k = 0; k < std::min(last, steps.size()); ++k) {
    done += steps[k].own + steps[k].room;
    sum += steps[k].own.in(joule)*steps[k].own_cost + steps[k].room.in(joule)*steps[k].unit_cost;
    dearest = std::max({dearest, std::abs(steps[k].unit_cost), std::abs(steps[k].own_cost)});
    elapsed += steps[k].length;
  }
  return sum + max(Energy{}, work - done).in(joule)*kMissingTimes * dearest +
         (delay * elapsed).in(euro);
}

}  // namespace

double least_cost(std::span<const PlanStep> steps, Energy work, DelayPrice delay, std::size_t last,
                  std::vector<std::pair<double, double>>& scratch) {
  if (work <= Energy{}) return 0.0;
  // `scratch` keeps (cost, joules) of all steps so far sorted by cost: what an end with step k
  // takes is its cheapest prefix.
  scratch.clear();
  const auto offer = [&](double cost, Energy amount) {
    if (amount <= Energy{}) return;
    const std::pair<double, double> entry{cost, amount.in(joule)};
    scratch.insert(std::upper_bound(scratch.begin(), scratch.end(), entry), entry);
  };
  double best = kInfinity;
  Energy all;
  Time elapsed;
  bool negative = false;
  for (std::size_t k = 0; k < std::min(last, steps.size()); ++k) {
    const PlanStep& step = steps[k];
    elapsed += step.length;
    offer(step.own_cost, step.own);
    offer(step.unit_cost, step.room);
    all += step.own + step.room;
    negative = negative || step.own_cost < 0.0 || step.unit_cost < 0.0;
    const double waited = (delay * elapsed).in(euro);
    if (waited >= best && !negative) break;  // later ends only add delay
    if (all < (1.0 - 1e-9) * work) continue;
    double cost = waited, missing = work.in(joule);
    for (const auto& [price, joules] : scratch) {
      const double taken = std::min(missing, joules);
      cost += taken * price;
      missing -= taken;
      if (missing <= 0.0) break;
    }
    best = std::min(best, cost);
  }
  return best;
}

PowerAction best_action(std::span<const std::vector<PlanStep>> scenarios,
                        std::span<const double> weights, Energy work, DelayPrice delay,
                        std::size_t last, bool may_pause,
                        std::vector<std::pair<double, double>>& scratch) {
  CARNOT_CHECK(!scenarios.empty() && scenarios.size() == weights.size(), "a weight a scenario");
  PowerAction best = PowerAction::Own;
  double least = kInfinity;
  // On ties the earlier: own power alone, then with the grid, then nothing.
  for (const PowerAction action : {PowerAction::Own, PowerAction::OwnAndGrid, PowerAction::Pause}) {
    if (action == PowerAction::Pause && !may_pause) continue;
    double cost = 0.0;
    for (std::size_t s = 0; s < scenarios.size(); ++s) {
      const std::vector<PlanStep>& steps = scenarios[s];
      const PlanStep& now = steps.front();
      const Energy own = action == PowerAction::Pause ? Energy{} : min(now.own, work);
      const Energy bought =
          action == PowerAction::OwnAndGrid ? min(now.room, work - own) : Energy{};
      const Energy left = work - own - bought;
      // The present step's time is spent as far as there is work in it.
      const Energy most = now.own + now.room;
      const double share = left > Energy{} || most <= Energy{} ? 1.0 : (own + bought) / most;
      cost += weights[s] * (own.in(joule)*now.own_cost + bought.in(joule)*now.unit_cost +
                            share * (delay * now.length).in(euro) +
                            recourse(std::span(steps).subspan(1), left, delay,
                                     last > 0 ? last - 1 : 0, scratch));
    }
    if (!std::isfinite(least) || cost < least - 1e-9 * std::abs(least)) {
      least = cost;
      best = action;
    }
  }
  return best;
}

}  // namespace carnot::control
