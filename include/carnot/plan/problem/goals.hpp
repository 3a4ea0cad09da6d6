// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a plan has to keep to beside its sites, and what comes first. Values; thread-safe to read.

#include <string_view>
#include <vector>

#include "carnot/base/limits.hpp"

namespace carnot::plan {

/// What can be made small.
enum class Measure {
  Cost,     ///< EUR: the objective of the problem, carbon price included
  Late,     ///< EUR: what lateness costs (JobTerms::late_eur_per_slot)
  Dropped,  ///< EUR: values of jobs not done
  Quality,  ///< EUR: quality costs of the modes taken
  Carbon,   ///< g: of grid energy and embodied
  Energy,   ///< kWh: own and grid energy drawn, losses of batteries included
};
/// "cost", "late", ...
std::string_view to_text(Measure measure) noexcept;

struct PlanGoals {
  double carbon_cap_g = kInfinity;       ///< of grid energy and embodied
  double energy_budget_kwh = kInfinity;  ///< own and grid energy drawn
  double quality_cap_eur = kInfinity;    ///< sum of the quality costs of the modes taken
  /// Own energy drawn >= own_share x (own + grid energy drawn), over all sites; [0, 1]. What
  /// charges a battery counts when it is drawn.
  double own_share = 0;
  bool own_share_each_slot = false;  ///< else over all slots together
  /// Made small one after the other, each held at what was reached; Cost is last, named or not.
  std::vector<Measure> order;

  bool any() const noexcept {
    return carbon_cap_g < kInfinity || energy_budget_kwh < kInfinity ||
           quality_cap_eur < kInfinity || own_share > 0 || !order.empty();
  }
};

/// A measure that came before Cost.
struct HeldGoal {
  Measure measure = Measure::Cost;
  double value = 0;  ///< reached
  double bound = 0;  ///< proven when it was made small: it cannot be less
  /// The plan may have so much of it: rounding, and no more.
  double limit() const noexcept {
    const double size = value < 0 ? -value : value;
    return value + 1e-7 * (size > 1 ? size : 1);
  }
};

/// Multipliers of goals, all at least 0: EUR per unit of the row.
struct GoalMultipliers {
  double carbon = 0, energy = 0, quality = 0;
  std::vector<double> own_share;  ///< one, or one a slot; empty: 0
  std::vector<double> held;       ///< [held goal]
};

}  // namespace carnot::plan
