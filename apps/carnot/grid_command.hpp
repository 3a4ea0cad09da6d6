// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Subcommands of `carnot grid` that have a file of their own, and what they share.

#include <cstddef>
#include <string>
#include <vector>

#include "carnot/grid/study/shift.hpp"

#include "command.hpp"

namespace carnot::app {

void add_grid_farm(CLI::App& grid, const Common& common, Action& action);
void add_grid_place(CLI::App& grid, const Common& common, Action& action);
void add_grid_stranded(CLI::App& grid, const Common& common, Action& action);

/// Signals by name; none: `otherwise`. \throws UsageError
std::vector<grid::ShiftSignal> shift_signals(const std::vector<std::string>& names,
                                             std::vector<grid::ShiftSignal> otherwise);

/// Options of computing sites and their work.
void add_computing(CLI::App& command, std::vector<std::string>& sites, grid::ShiftOptions& options);
/// \param words  BUS or BUS:MW; empty: the default \throws InputError, UsageError
std::vector<grid::ComputingSite> computing_sites(const grid::Grid& grid,
                                                 const std::vector<std::string>& words);
/// Index of the bus with a number. \throws InputError naming the option
std::size_t bus_of(const grid::Grid& grid, const std::string& id, const std::string& option);

}  // namespace carnot::app
