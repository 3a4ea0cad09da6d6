// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The `emissions.csv` of CodeCarbon, read in our terms and written from a measurement. Columns are
/// found by name (versions 0 to 3 differ). Rows of one `run_id` are its totals so far (`flush`, a
/// second `stop`): the last of them is the run. A row that cannot be read is left out and said;
/// energy is in kWh there, joules here. Such a file states no
/// interval and no sensor, so every figure is `Origin::Modelled` without a range, and what in it
/// cannot be is flagged, never mended. Pure; values thread-safe to read.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/base/quantity.hpp"
#include "carnot/report/measure/measurement.hpp"

namespace carnot::report {

/// One run; NaN where the file has no number.
struct EmissionsRun {
  std::size_t line = 0;  ///< of its last row
  std::size_t rows = 1;  ///< of the file that are its totals so far
  std::string timestamp, project, run_id, country, region, tracking_mode, version;
  double duration_s = 0;
  Energy energy, cpu, gpu, ram;  ///< energy: `energy_consumed`, facility overhead included
  Power cpu_power, gpu_power, ram_power;
  Carbon carbon;
  double pue = 1;
  std::vector<std::string> flags;  ///< what in the row contradicts itself or physics, in words
};

struct EmissionsFile {
  std::string name;
  std::vector<EmissionsRun> runs;
  Energy energy;  ///< of all rows that have one
  Carbon carbon;
  double duration_s = 0;
  std::vector<std::string> left_out;  ///< rows that cannot be read: `file:line: column: why`
};

/// True if the first line names the columns of such a file.
bool is_emissions_csv(std::string_view text) noexcept;
/// \param name  of the file, for messages
/// \throws InputError `file:line: column: what is allowed`, all problems at once, where no row can
///         be read; another separator than a comma is named
EmissionsFile parse_emissions_csv(std::string_view text, const std::string& name);

std::string emissions_json(const EmissionsFile& file,
                           std::string_view command);  ///< carnot.emissions/1
std::string emissions_terminal(const EmissionsFile& file, int width, bool colour);

/// A measurement as one row under CodeCarbon 3.3's columns. Of a job the parts (cpu, gpu, ram) are
/// divided as the machine's were.
std::string codecarbon_csv(const measure::Measurement& measurement);

}  // namespace carnot::report
