// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Stranded power for people and for programs: the document carnot.grid-stranded/1 of
/// docs/formats/grid.md. Pure functions; thread-safe.

#include <string>

#include "carnot/grid/study/stranded.hpp"

namespace carnot::report {

struct GridStrandedReport {
  std::string command, started;
  grid::StrandedOptions options;
  grid::StrandedTable table;
};

std::string grid_stranded_json(const GridStrandedReport& report);
std::string grid_stranded_terminal(const GridStrandedReport& report);

}  // namespace carnot::report
