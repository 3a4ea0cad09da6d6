// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a new wind farm is worth, for people and for programs: the document carnot.grid-farm/1 of
/// docs/formats/grid.md. Pure functions; thread-safe.

#include <string>

#include "carnot/base/instant.hpp"
#include "carnot/grid/network/network.hpp"
#include "carnot/grid/study/farm.hpp"

namespace carnot::report {

struct GridFarmReport {
  std::string command, started;
  grid::Grid grid;
  Instant begin;  ///< of the first hour
  grid::ShiftOptions options;
  grid::FarmCosts costs;
  grid::FarmStudy study;
  double seconds = 0.0;
};

std::string grid_farm_json(const GridFarmReport& report);
std::string grid_farm_terminal(const GridFarmReport& report);

}  // namespace carnot::report
