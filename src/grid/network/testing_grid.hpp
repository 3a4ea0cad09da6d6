// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Grids for tests: a triangle whose optimum is worked out by hand, and random ones.

#include <cstdint>
#include <random>

#include "carnot/base/limits.hpp"
#include "carnot/grid/network/network.hpp"

namespace carnot::grid::testing {

/// Three buses, three equal lines, 150 MW at bus 3, 10/MWh at bus 1 and 30/MWh at bus 2. Unlimited,
/// 100 of 150 MW would flow from 1 to 3.
inline Grid triangle(double limit_1_to_3_mw) {
  Grid grid;
  grid.name = "triangle";
  grid.buses = {{.id = 1, .reference = true}, {.id = 2}, {.id = 3, .demand_mw = 150.0}};
  grid.branches = {{.from = 0, .to = 2, .reactance_pu = 0.1, .limit_mw = limit_1_to_3_mw},
                   {.from = 0, .to = 1, .reactance_pu = 0.1},
                   {.from = 1, .to = 2, .reactance_pu = 0.1}};
  grid.generators = {{.name = "cheap", .bus = 0, .maximum_mw = 500.0, .cost = {.c1_per_mwh = 10.0}},
                     {.name = "dear", .bus = 1, .maximum_mw = 500.0, .cost = {.c1_per_mwh = 30.0}}};
  return grid;
}

/// Connected, with enough generation for the demand if the wires let it through.
inline Grid random_grid(std::uint64_t seed) {
  std::mt19937_64 engine(seed);
  const auto real = [&engine](double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(engine);
  };
  const auto index = [&engine](std::size_t below) {
    return std::uniform_int_distribution<std::size_t>(0, below - 1)(engine);
  };
  Grid grid;
  grid.name = "random";
  const std::size_t buses = 2 + index(9);
  const std::size_t reference = index(buses);
  double demand = 0.0;
  for (std::size_t b = 0; b < buses; ++b) {
    grid.buses.push_back({.id = static_cast<std::int64_t>(10 * b + 7),
                          .demand_mw = real(-10.0, 90.0),
                          .shunt_mw = index(3) == 0 ? real(0.0, 3.0) : 0.0,
                          .reference = b == reference});
    demand += grid.buses.back().demand_mw + grid.buses.back().shunt_mw;
  }
  const auto join = [&](std::size_t from, std::size_t to) {
    const double reactance = real(0.01, 0.3);
    grid.branches.push_back({.from = from,
                             .to = to,
                             .resistance_pu = reactance * real(0.0, 0.3),
                             .reactance_pu = reactance,
                             .tap = real(0.9, 1.1),
                             .shift_rad = index(3) == 0 ? real(-0.1, 0.1) : 0.0,
                             .limit_mw = index(4) == 0 ? kInfinity : real(60.0, 300.0),
                             .angle_min_rad = -0.5,
                             .angle_max_rad = 0.5});
  };
  for (std::size_t b = 1; b < buses; ++b) join(index(b), b);
  for (std::size_t extra = index(buses + 1); extra > 0; --extra) {
    const std::size_t from = index(buses);
    join(from, (from + 1 + index(buses - 1)) % buses);
  }
  const std::size_t generators = buses + 1;
  for (std::size_t g = 0; g < generators; ++g) {
    grid.generators.push_back({.bus = g < buses ? g : index(buses),
                               .maximum_mw = 20.0 + 2.0 * std::max(0.0, demand) * real(0.2, 1.0),
                               .setpoint_mw = real(0.0, 50.0),
                               .cost = {.c0_per_h = real(0.0, 100.0),
                                        .c1_per_mwh = real(0.0, 60.0),
                                        .c2_per_mw2h = index(2) == 0 ? real(0.001, 0.2) : 0.0},
                               .weather_driven = index(5) == 0});
    if (grid.generators.back().weather_driven) grid.generators.back().cost = {};
  }
  return grid;
}

}  // namespace carnot::grid::testing
