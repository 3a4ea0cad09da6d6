// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Power flows and optimal power flows for people and for programs: the document carnot.grid/1 of
/// docs/formats/grid.md. Pure functions; thread-safe.

#include <string>
#include <vector>

#include "carnot/grid/dispatch/optimal_power_flow.hpp"
#include "carnot/grid/network/network.hpp"
#include "carnot/grid/study/year.hpp"

namespace carnot::report {

enum class GridAnalysis { Flow, OptimalFlow };

struct GridReport {
  GridAnalysis analysis = GridAnalysis::OptimalFlow;
  std::string command, started;  ///< as typed; UTC, ISO 8601
  std::string time;              ///< of a grid with time series: the hour, else empty
  grid::Grid grid;
  grid::GridState state;
  grid::OpfResult result;
  std::vector<double> marginal_co2_kg_per_mwh;  ///< one a bus; empty: not known
  grid::OpfOptions options;                     ///< of a flow: its branch model
  double seconds = 0.0;                         ///< of solving
};

/// A power flow in the form of a result: the reference generators' outputs adjusted, `congested`
/// those above their limit, prices empty. Its cost is that of the outputs.
grid::OpfResult result_of(const grid::Grid& grid, const grid::DcFlow& flow);

std::string grid_json(const GridReport& report);
std::string grid_terminal(const GridReport& report);

struct GridYearReport {
  std::string command, started;
  Instant begin;  ///< of the first hour
  grid::GridYear year;
  std::vector<std::string> notes{};  ///< what was left out
  double seconds = 0.0;
};

/// The document carnot.grid-year/1.
std::string grid_year_json(const GridYearReport& report);
std::string grid_year_terminal(const GridYearReport& report);
/// A row for each hour.
std::string grid_year_csv(const GridYearReport& report);

}  // namespace carnot::report
