// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Computing on a grid for people and for programs: the document carnot.grid-place/1 of
/// docs/formats/grid.md. Pure functions; thread-safe.

#include <cstddef>
#include <optional>
#include <string>

#include "carnot/base/instant.hpp"
#include "carnot/grid/network/network.hpp"
#include "carnot/grid/study/shift.hpp"

namespace carnot::report {

struct GridPlaceReport {
  std::string command, started;
  grid::Grid grid;
  Instant begin;  ///< of the first hour
  grid::ShiftStudy study;
  std::optional<std::size_t> week;  ///< shown hour by hour; empty: `telling_week`
  double seconds = 0.0;
};

/// The whole week in which shifting by average carbon adds most CO2 to no shift; 0 without the two.
std::size_t telling_week(const grid::ShiftStudy& study);

std::string grid_place_json(const GridPlaceReport& report);
std::string grid_place_terminal(const GridPlaceReport& report);
/// A row for each variant and hour.
std::string grid_place_csv(const GridPlaceReport& report);

}  // namespace carnot::report
