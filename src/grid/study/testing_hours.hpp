// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Hours of a grid small enough to be worked out by hand.

#include <vector>

#include <gtest/gtest.h>

#include "carnot/grid/study/shift.hpp"

namespace carnot::grid {

/// Wind at bus 1 behind a line to bus 2, where demand, coal and gas are.
inline GridHours windy(double line_mw, const std::vector<double>& wind_mw,
                       const std::vector<double>& demand_mw) {
  GridHours hours;
  hours.grid.name = "windy";
  hours.grid.buses = {{.id = 1, .reference = true}, {.id = 2}};
  hours.grid.branches = {{.from = 0, .to = 1, .reactance_pu = 0.1, .limit_mw = line_mw}};
  hours.grid.generators = {{.name = "wind", .bus = 0, .maximum_mw = 1000.0, .weather_driven = true},
                           {.name = "coal",
                            .bus = 1,
                            .maximum_mw = 100.0,
                            .cost = {.c1_per_mwh = 20.0, .co2_kg_per_mwh = 1000.0}},
                           {.name = "gas",
                            .bus = 1,
                            .maximum_mw = 1000.0,
                            .cost = {.c1_per_mwh = 50.0, .co2_kg_per_mwh = 400.0}}};
  for (std::size_t t = 0; t < wind_mw.size(); ++t) {
    hours.states.push_back(state_of(hours.grid));
    hours.states.back().maximum_mw[0] = wind_mw[t];
    hours.states.back().demand_mw[1] = demand_mw[t];
  }
  return hours;
}

/// Computing at one bus that runs half of the time and may put off all it does, inside two hours.
inline ShiftOptions two_hours_at(std::size_t bus, double size_mw) {
  ShiftOptions options;
  options.sites = {{bus, size_mw}};
  options.utilisation = 0.5;
  options.deferrable = 1.0;
  options.movable = 0.0;
  options.window_h = 2;
  return options;
}

}  // namespace carnot::grid
