// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Whose joules exact counts are priced with: `--chip`, `--energy-table`.

#include <string>

#include <CLI/CLI.hpp>

namespace carnot::app {

/// The strings outlive the command.
inline void add_energy_options(CLI::App& command, std::string& chip, std::string& energy_table) {
  command.add_option("--chip", chip,
                     "The chip of the catalogue whose operations are priced, such as h200-sxm "
                     "(default: asic-45nm)");
  command.add_option("--energy-table", energy_table,
                     "CSV of joules per operation instead; docs/formats/energy-table.md");
}

}  // namespace carnot::app
