// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What an organisation can do, what it saves a year, and how sure that is. Effects are ranges of
/// data/assess_actions.csv (assumed, stated as such); grids, PUE and embodied carbon are the
/// footprint's own. Savings of several actions are computed on the whole set (portfolio.hpp).
///
/// The chance that an action saves at all is the part of 4,096 draws, effects and grids together
/// (counter-based, so the same each time), in which the year's grams go down; making of new
/// machines is counted against it.
///
/// Costs: what it takes once, and what is spent less a year. A tonne's price is given only where
/// the action costs money and saves grams; else it would rank backwards.
///
/// Pure, thread-safe.

#include <optional>
#include <string>
#include <vector>

#include "carnot/assess/actions/portfolio.hpp"
#include "carnot/assess/activity/activity.hpp"
#include "carnot/assess/footprint/footprint.hpp"

namespace carnot::assess {

struct ActionOptions {
  std::optional<double> budget_eur;  ///< for once; empty: no limit
  std::uint64_t seed = 1;
};

struct Action {
  std::string id, title, chapter;             ///< chapter: "hardware", "models", "policy"
  std::string what;                           ///< in words, such as the region to go to
  double saved_g = 0, low_g = 0, high_g = 0;  ///< a year, done alone, 90 %
  double saved_kwh = 0;                       ///< a year, done alone, at the facility
  double share_g = 0;                         ///< Shapley's, of all done together
  double probability = 0;                     ///< that it saves grams at all
  double one_off_eur = 0, yearly_eur = 0;     ///< yearly: spent more (negative: less)
  std::optional<double> eur_per_t;            ///< only where it costs and saves
  std::optional<double> payback_years;        ///< of grams made by new machines
};

struct ActionPlan {
  std::vector<Action> actions;                            ///< greatest share first
  double period_h = 0;                                    ///< what was assessed
  double yearly = 1;                                      ///< a year over it
  double base_g = 0;                                      ///< a year without any
  double joint_g = 0, joint_low_g = 0, joint_high_g = 0;  ///< all together
  double sum_g = 0;              ///< of the actions alone: what must not be added
  std::vector<Portfolio> front;  ///< bits in the order of `actions`
  Portfolio best;                ///< within the budget
  std::optional<double> budget_eur;
  std::vector<std::string> remarks;
};

ActionPlan plan_actions(const std::vector<Activity>& activities, const Footprint& footprint,
                        std::uint32_t first, std::uint32_t last, const ActionOptions& options,
                        const FootprintOptions& where);

}  // namespace carnot::assess
