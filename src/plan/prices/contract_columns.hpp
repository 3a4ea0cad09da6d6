// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Prices that prove the linear-programming bound itself, for few contract jobs: Dantzig-Wolfe
/// whose master shares jobs out over their columns within the supply of each site-slot.

#include <functional>
#include <vector>

#include "carnot/base/limits.hpp"
#include "carnot/base/stop.hpp"
#include "carnot/plan/problem/plan.hpp"

#include "plan/prices/dantzig_wolfe.hpp"
#include "plan/supply/supply.hpp"

namespace carnot::plan {

/// \param start  prices to begin with, as Plan::price; so are those of the answer
/// \param close  relative distance of bound and master at which to stop
/// \param go_on  asked each round from the second on; false: stop with what there is
/// \param stop   likewise, at any time: asked inside CLP and between jobs
/// \throws DeviceError if CLP is not built in
DantzigWolfe contract_columns(const Problem& problem, const std::vector<Supply>& supply,
                              const std::vector<double>& start, double close,
                              const std::function<bool(const DantzigWolfe&)>& go_on = {},
                              const StopToken& stop = {});

struct PackedPrices {
  std::vector<double> price;          ///< as Plan::price
  std::vector<PackingPrice> packing;  ///< as Plan::packing
  double bound = -kInfinity;          ///< what they prove
};

/// Prices that prove more than linear programming: packing rows (plan/problem/plan.hpp) that its
/// optimum breaks are written down, and the columns priced again, until none is broken, the plan in
/// hand is met or little is gained. Power that is paid for (a price below 0) is drawn by jobs
/// alone. \param objective_eur  of the plan in hand \param close          relative distance from it
/// at which to stop \param go_on          told the bound in each round; false: stop with what there
/// is
PackedPrices packed_columns(const Problem& problem, const std::vector<Supply>& supply,
                            const std::vector<double>& start, double objective_eur, double close,
                            const std::function<bool(double)>& go_on = {},
                            const StopToken& stop = {});

}  // namespace carnot::plan
