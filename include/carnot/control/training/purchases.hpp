// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// When a job that must be done by a deadline should pause, run on own power, or buy: a two-stage
/// stochastic programme over what the wind may do.
///
/// Ahead lie steps (hours, then longer ones) up to the deadline. In scenario s step k offers own
/// energy and grid energy, each at a cost. If the job ends with step k it takes the cheapest
/// energy of steps 0..k that suffices, and pays for the time:
///
///     V_s(work) = min over k of  delay price x time(k) + cheapest sum of energies up to k
///
/// The present step is decided before the wind is known, all later ones after (recourse):
///
///     cost(a) = cost now(a) + sum_s w_s V_s(work - done by a),    a: pause, own power, own and
///     grid
///
/// Waiting is thus an alternative like any other: what is not bought now can be bought in any later
/// hour, the last ones included. Knowing the wind from the next step on makes V_s a little too
/// hopeful, for all three actions alike. Birge & Louveaux, "Introduction to Stochastic
/// Programming". Pure functions, thread-safe as far as their arguments are not shared.

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "carnot/base/quantity.hpp"

namespace carnot::control {

/// What one step ahead offers; energies are dynamic joules of the job, costs EUR a joule of them.
struct PlanStep {
  Time length;
  Energy own;             ///< that own power covers
  double own_cost = 0.0;  ///< wear, forgone export
  Energy room;            ///< the grid could add
  double unit_cost = 0.0;
};

/// V above, EUR; infinite if the work cannot be done before step `last`. O(steps^2).
/// \param scratch  any; kept by the caller to save allocations
double least_cost(std::span<const PlanStep> steps, Energy work, DelayPrice delay, std::size_t last,
                  std::vector<std::pair<double, double>>& scratch);

enum class PowerAction : std::uint8_t { Pause, Own, OwnAndGrid };

/// \param scenarios  steps of each, the same lengths; the present step first
/// \param weights    of the scenarios, sum 1
/// \param may_pause  without it own power is always used
PowerAction best_action(std::span<const std::vector<PlanStep>> scenarios,
                        std::span<const double> weights, Energy work, DelayPrice delay,
                        std::size_t last, bool may_pause,
                        std::vector<std::pair<double, double>>& scratch);

}  // namespace carnot::control
