// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a branch may carry: its power limit and its angle limits as one interval of flows.

#include <algorithm>

#include "carnot/base/limits.hpp"
#include "carnot/grid/network/network.hpp"

namespace carnot::grid {

struct FlowLimits {
  double lower_mw = -kInfinity, upper_mw = kInfinity;
};

inline FlowLimits flow_limits(const GridBranch& branch, const BranchLine& line) {
  if (line.joins) return {-branch.limit_mw, branch.limit_mw};
  const auto [least, most] =
      std::minmax({line.mw_per_rad * branch.angle_min_rad, line.mw_per_rad * branch.angle_max_rad});
  return {std::max(least - line.shift_mw, -branch.limit_mw),
          std::min(most - line.shift_mw, branch.limit_mw)};
}

}  // namespace carnot::grid
