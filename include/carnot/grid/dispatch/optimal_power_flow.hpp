// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// DC optimal power flow: the cheapest dispatch that the wires can carry. A linear programme over
/// bus angles and generator outputs:
///
///     minimise   sum of cost_g(P_g) + shed price * shed
///     balance    at each bus: generation - shunt - demand + shed = flows out
///     limits     P_min <= P_g <= P_max, |f_l| <= limit_l, angle_min <= theta_from - theta_to
///                <= angle_max; one angle of each island is zero
///
/// Prices are the balances' duals: what one more MW of demand at that bus would cost an hour.
///
/// Convex costs that are no straight lines enter as tangents, c >= c(P0) + c'(P0) (P - P0): first a
/// few along the range, then one more at each solution. The programme's optimum is then a lower
/// bound and the true cost of its dispatch an upper one; rounds go on until they meet within
/// `relative_gap`. Losses, where asked for, enter the same way: the loss of a branch, half of it
/// drawn at either end, is at least each tangent of r f^2. That is exact where prices are positive;
/// where they are not, throwing energy away pays, and `excess_loss_mw` says how much was.
///
/// Nothing the solver says is taken on trust: primal and dual feasibility and the gap between the
/// two objectives are computed here from the programme itself, and an answer that fails is
/// `Unsolved`. Not thread-safe; independent objects are independent.
///
/// Needs the CLP library at build time; without it the constructor throws DeviceError.

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "carnot/base/limits.hpp"
#include "carnot/base/stop.hpp"
#include "carnot/grid/network/network.hpp"

namespace carnot::grid {

struct OpfOptions {
  BranchModel branch_model = BranchModel::ResistanceKept;
  bool losses = false;
  bool dc_links = false;  ///< direct-current lines are dispatched; else they carry nothing
  double shed_price_per_mwh = kInfinity;  ///< finite: demand may go unserved at this price
  double relative_gap = 1e-7;             ///< of curved costs and losses
  StopToken stop{};                       ///< asked inside the solver too
};

enum class OpfStatus {
  Optimal,
  Infeasible,  ///< no dispatch satisfies the limits
  Unsolved,    ///< the solver's answer did not pass the checks: `why`
};

struct OpfResult {
  OpfStatus status = OpfStatus::Unsolved;
  std::string why;                       ///< in words, unless Optimal
  double cost_per_h = 0.0;               ///< true cost of the dispatch, shedding included
  double bound_per_h = 0.0;              ///< no dispatch is cheaper
  std::vector<double> output_mw;         ///< one a generator
  std::vector<double> dc_flow_mw;        ///< one a direct-current line, at its from end
  std::vector<double> flow_mw, loss_mw;  ///< one a branch
  std::vector<double> angle_rad;         ///< one a bus
  std::vector<double> shed_mw;           ///< one a bus
  std::vector<double> price_per_mwh;     ///< one a bus
  std::vector<double> congestion_price;  ///< one a branch: |saving per MW of more limit|, money/MWh
  std::vector<std::size_t> congested;    ///< branches at their limit, by power or by angle
  double generation_mw = 0.0, demand_mw = 0.0;  ///< totals; demand with shunts, before shedding
  double losses_mw = 0.0;                       ///< of branches and direct-current lines
  double excess_loss_mw = 0.0;                  ///< part of them that r f^2 does not explain
  double curtailed_mw = 0.0;                    ///< available from wind and sun, and not taken
  double available_mw = 0.0;                    ///< from wind and sun
  double residual_mw = 0.0;                     ///< greatest violation of a balance or a limit
  int rounds = 0;                               ///< programmes solved
  std::size_t hulls = 0;  ///< generators whose cost is not convex: its convex hull was used
};

/// One grid, many hours: each solve starts from the one before.
class OptimalPowerFlow {
 public:
  /// \throws DeviceError without CLP; InputError for a cost whose square term is negative and where
  /// `grid.cost_fault` says that costs are missing
  OptimalPowerFlow(const Grid& grid, OpfOptions options);
  ~OptimalPowerFlow();
  OptimalPowerFlow(OptimalPowerFlow&&) noexcept;
  OptimalPowerFlow& operator=(OptimalPowerFlow&&) noexcept;

  /// \throws InputError unless `state` has one number a bus and a generator, minima <= maxima;
  /// Stopped
  OpfResult solve(const GridState& state);

  /// One a bus: what `sum of weight_g P_g` gains, an hour, per MW more demand there, from the basis
  /// of the last solve: exact as long as the same units and lines stay at their limits. With the
  /// CO2 of each unit's next MWh this is the marginal emission of the grid, without solving again.
  /// \param weight_per_mwh  one a generator \pre the last solve was Optimal
  std::vector<double> sensitivity(std::span<const double> weight_per_mwh) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// What a grid has and these options leave out, in words; empty if nothing.
std::vector<std::string> left_out(const Grid& grid, const OpfOptions& options);

/// One solve of the grid as it stands.
OpfResult dc_opf(const Grid& grid, const OpfOptions& options = {});

}  // namespace carnot::grid
