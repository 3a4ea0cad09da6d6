// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The optimal power flow of RTS-GMLC hour by hour, each from where the last one ended. Hours do
/// not see each other: no ramps, no storage, no commitment.

#include <cstddef>
#include <functional>
#include <vector>

#include "carnot/grid/dispatch/optimal_power_flow.hpp"
#include "carnot/grid/network/rts_gmlc.hpp"

namespace carnot::grid {

/// What an hour comes to; powers are means over it. All but `status` zero unless Optimal.
struct GridHour {
  OpfStatus status = OpfStatus::Unsolved;
  double cost_per_h = 0.0;
  double demand_mw = 0.0, generation_mw = 0.0, losses_mw = 0.0, shed_mw = 0.0;
  double excess_loss_mw = 0.0;                    ///< as in OpfResult
  double available_mw = 0.0, curtailed_mw = 0.0;  ///< wind and sun
  std::size_t congested = 0;                      ///< branches at their limit
  double lowest_price_per_mwh = 0.0, highest_price_per_mwh = 0.0;
  double residual_mw = 0.0;
};

struct GridYear {
  std::vector<GridHour> hours;
  std::size_t unsolved = 0, congested_hours = 0, curtailed_hours = 0;
  double cost = 0.0;  ///< in the file's money
  double demand_mwh = 0.0, losses_mwh = 0.0, shed_mwh = 0.0;
  double excess_loss_mwh = 0.0;
  double available_mwh = 0.0, curtailed_mwh = 0.0;
  double residual_mw = 0.0;  ///< greatest

  double curtailed_share() const noexcept {
    return available_mwh > 0.0 ? curtailed_mwh / available_mwh : 0.0;
  }
};

/// Ends early, with the hours that are done, where `progress` or the options' token says so.
/// \param progress  called after each hour with how many are done; false stops there. May be empty
/// \throws InputError for more hours than there are; DeviceError without CLP
GridYear solve_hours(const RtsGmlc& rts, const OpfOptions& options, std::size_t hours,
                     const std::function<bool(std::size_t)>& progress);

}  // namespace carnot::grid
