// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a wind farm beyond the grid's limits is worth, with and without computing beside it: the
/// grid is dispatched with farms of several sizes and its lines as they are. The farm's own part of
/// what is curtailed is not defined where several farms share a line; so energies and money are
/// differences of the whole grid, with the farm and without. docs/grid-model.md has the
/// definitions.
///
/// Not thread-safe. Needs the CLP library at build time; without it functions throw DeviceError.

#include <cstddef>
#include <functional>
#include <vector>

#include "carnot/grid/study/shift.hpp"

namespace carnot::grid {

struct FarmPlan {
  std::size_t bus = 0;    ///< index
  std::size_t shape = 0;  ///< the farm has the hours of this generator, scaled by installed power
  std::vector<double> sizes_mw;  ///< each above 0
};

/// What the farm costs. All assumed.
struct FarmCosts {
  double capital_per_kw = 1500.0;
  double upkeep_per_kw_year = 40.0;
  double lifetime_years = 25.0;
  double interest = 0.07;  ///< real, a year; 0 or more

  /// Money a MW must bring each year. \throws InputError for numbers that are not allowed
  double per_mw_year() const;
};

struct FarmCase {
  ShiftSignal signal = ShiftSignal::NoComputing;
  double size_mw = 0.0;
  double available_mwh = 0.0;  ///< of the farm
  double delivered_mwh = 0.0;  ///< more wind and sun taken by the grid than without it
  double curtailed_mwh = 0.0;  ///< the rest
  double cost_saved = 0.0;     ///< of all units and of what units pay for CO2, shedding included
  double co2_saved_t = 0.0;    ///< by the grid
  std::size_t unsolved = 0;    ///< hours without a dispatch, with the farm or without

  double curtailed_share() const noexcept {
    return available_mwh > 0.0 ? curtailed_mwh / available_mwh : 0.0;
  }
};

struct FarmStudy {
  FarmPlan plan;
  std::size_t hours = 0;
  std::vector<FarmCase> cases;  ///< for each size, each signal in the order of `kShiftSignals`

  /// Money saved per MW and year of 8,760 hours.
  double value_per_mw_year(const FarmCase& one) const noexcept;
  double value_per_mwh(const FarmCase& one) const noexcept;  ///< saved per MWh delivered; 0 of none
  /// What a delivered MWh must bring. Infinite if none is.
  double levelised_per_mwh(const FarmCase& one, const FarmCosts& costs) const;
};

/// The same hours with the farm as one more generator.
/// \throws InputError unless bus and shape are there, the shape is of wind or sun, size above 0
GridHours with_farm(const GridHours& hours, std::size_t bus, std::size_t shape, double size_mw);

/// Ends early, with the sizes that are done, where `progress` or the options' token says so.
/// \param progress  called with how many of `1 + sizes` grids are done; false stops there. May be
///                  empty
/// \throws InputError as `study_shift` and `with_farm`
FarmStudy study_farm(const GridHours& hours, const ShiftOptions& options, const FarmPlan& plan,
                     const std::vector<ShiftSignal>& signals,
                     const std::function<bool(std::size_t)>& progress);

}  // namespace carnot::grid
