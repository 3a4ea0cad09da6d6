// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What less carbon and better quality cost: plans of one problem at several carbon prices p and
/// weights w of quality, each minimising
///
///     cost + p carbon + w quality,
///
/// cost being all that a plan pays, dropped values included, but for these two. Each point is, at
/// its own weighting, the best of all plans found at any, so carbon never rises with its price and
/// no point is beaten in all three. Its bound is proven for its weighting: every plan there is,
/// those of other points included, costs at least that much in these weights. Only points that
/// a weighting makes best can be found: those in a dent of the front are not.

#include <cstddef>
#include <string>
#include <vector>

#include "carnot/plan/search/planner.hpp"

namespace carnot::plan {

struct ParetoPoint {
  double carbon_price_eur_per_t = 0, quality_weight = 1;
  Plan plan;                 ///< of `weighted` at these; its objective and bound are theirs
  PlanTotals totals;         ///< likewise
  double cost_eur = 0;       ///< without carbon and quality
  double carbon_g = 0;       ///< of grid energy and embodied
  double quality_eur = 0;    ///< as the problem has it
  double objective_eur = 0;  ///< at the problem's own carbon price and weight 1
};

struct ParetoOptions {
  int carbon_prices = 8;          ///< at least 2: 0, then geometric up to the last; those tried in
                                  ///< search of the last come on top
  double last_eur_per_t = 0;      ///< above 0; 0: where carbon stops falling
  std::vector<double> qualities;  ///< weights, above 0; empty: 1, and if jobs have a choice of
                                  ///< quality 1/4 and 4 besides
  /// Of each plan, its time limit too; share_done in progress is of all. A warm start is not looked
  /// at: prices of one weighting prove little at another.
  PlannerOptions planner;
};

struct ParetoFront {
  std::vector<ParetoPoint> points;  ///< by quality weight, then by carbon price
  std::size_t plans = 0;            ///< that were made, in search of the last price too
  std::size_t left_out = 0;         ///< weightings whose plan another point equals or beats
  /// As in ExtendedPlan; then there are no points, for the limits are the same at every weighting.
  std::vector<std::string> broken;
  bool proven = false;
  bool stopped = false;  ///< before all weightings were tried; then each point has its own plan
};

/// The problem with another carbon price and quality costs (and their cap) times `quality_weight`.
Problem weighted(const Problem& problem, double carbon_price_eur_per_t, double quality_weight);

/// Without `last_eur_per_t` the last price is the first of 100, 400, ... 409600 at which carbon is
/// within 1 % (of that at price 0) of where it ends, which is at the last of them that drops no
/// jobs beyond those dropped at price 0.
/// Where goals are ordered each point keeps its own plan, and its bound is that of plans that keep
/// what came before cost.
/// Stops early if `planner.progress` or `planner.stop` says so, with the points there are: those
/// whose plans were done, or the one of a first plan that was not; none if there is none.
/// \throws InputError for options not allowed; DeviceError for extended problems without CLP
ParetoFront pareto_front(const Problem& problem, const ParetoOptions& options = {});

}  // namespace carnot::plan
