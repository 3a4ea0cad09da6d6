// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What IT power costs in a site-slot while batteries and the power that demand charges are paid
/// for stand still: straight steps from zero up.

#include <vector>

#include "plan/problem/site_model.hpp"
#include "plan/search/goal_rows.hpp"

namespace carnot::plan {

struct SupplyStep {
  double width = 0;  ///< kW of IT
  double price = 0;  ///< of each of them for a slot
};

/// Steps of every cell, [site x slots + slot], up to the most that the site can do.
/// \param flows  [site]; empty: no charging, and demand charges are not counted
std::vector<std::vector<SupplyStep>> supply_steps(const SiteModel& model,
                                                  const PricedWeights& weights,
                                                  const std::vector<SiteFlows>& flows);

}  // namespace carnot::plan
