// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// CO2 of a dispatch, on average and at the margin. Averages say whose power a bus draws; the
/// margin says what one more MWh there changes, which is another unit's business.
/// docs/grid-model.md has the equations.
///
/// All CO2 is that of fuel burnt at the stack, modelled from heat rates; kg per MWh = g per kWh.
/// Thread-safe: pure functions of their arguments.

#include <cstddef>
#include <span>
#include <vector>

#include "carnot/base/limits.hpp"
#include "carnot/grid/dispatch/optimal_power_flow.hpp"
#include "carnot/grid/network/network.hpp"

namespace carnot::grid {

/// The same grid whose units pay `price_per_t` for each tonne of CO2.
Grid with_carbon_price(const Grid& grid, double price_per_t);

/// What units cost and emit along the convex hull that the dispatch works with, so that both are
/// straight lines between the same points. `cost` is without the carbon price.
class SupplyCurves {
 public:
  SupplyCurves(const Grid& grid, double carbon_price_per_t);

  struct Rate {
    double cost_per_h = 0.0, co2_kg_per_h = 0.0;
  };
  Rate at(std::size_t generator, double output_mw) const;
  Rate total(std::span<const double> output_mw) const;
  std::vector<double> co2_kg_per_h(std::span<const double> output_mw) const;
  /// CO2 of the next MWh of each unit, at its maximum of the last one.
  std::vector<double> co2_slope(std::span<const double> output_mw) const;

  /// A unit in steps of rising cost. The first begins at 0 and continues below, the last above.
  struct Step {
    double from_mw = 0.0, to_mw = 0.0;
    double cost_per_mwh = 0.0, co2_kg_per_mwh = 0.0;
  };
  /// \returns one step from 0 to `kInfinity` for a cost that is a straight line
  /// \throws InputError for a cost with a square term
  std::vector<Step> steps(std::size_t generator) const;

 private:
  std::vector<GeneratorCost> costs_;  ///< points are those of the hull
};

/// CO2 over generation by area, kg/MWh, of each bus's area; 0 where an area generates nothing.
std::vector<double> area_average_co2(const Grid& grid, std::span<const double> output_mw,
                                     std::span<const double> co2_kg_per_h);

/// Of the power that reaches each bus, kg/MWh, if power mixes there in proportion (J. Bialek, IEE
/// Proc. Gener. Transm. Distrib. 143(4), 1996): outflows and demand carry the mean of generation
/// and inflows; negative demand is generation without CO2. 0 where nothing arrives.
///
/// \param demand_mw  one a bus, without shunts
/// \param flow_mw    one a branch; without phase shifters they never run in a circle
std::vector<double> bus_average_co2(const Grid& grid, std::span<const double> demand_mw,
                                    std::span<const double> output_mw,
                                    std::span<const double> co2_kg_per_h,
                                    std::span<const double> flow_mw);

/// The margin by dispatching again: (CO2 with `more_mw` more demand at the bus - CO2 without) /
/// `more_mw`, kg/MWh; NaN if either has no dispatch. `more_mw` may be negative.
/// \param flow  of `with_carbon_price(grid, ...)`, as `curves`
double redispatched_co2(OptimalPowerFlow& flow, const SupplyCurves& curves, const GridState& state,
                        std::size_t bus, double more_mw);

}  // namespace carnot::grid
