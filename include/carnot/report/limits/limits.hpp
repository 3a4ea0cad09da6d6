// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What physics asks at least and what is taken today, for people and for programs: Landauer's
/// bound at its temperature, maps of states, voltages, technologies, training runs. carnot.limits/1
/// (docs/formats/limits.md). Pure functions; thread-safe.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "carnot/base/quantity.hpp"
#include "carnot/model/circuit/generalised_landauer.hpp"

namespace carnot::report {

struct LimitsReport {
  std::string command;
  Temperature temperature = 300 * kelvin;
  double bits = 1;
  /// Of --map; empty: every named map at fair inputs.
  std::optional<model::StateMap> map;
  std::vector<double> input, design;         ///< empty: uniform; the input
  std::optional<Information> before, after;  ///< code lengths: Kolmogorov work
};

/// \throws InputError as model::map_cost()
std::string limits_terminal(const LimitsReport& report, std::size_t width, bool colour);
std::string limits_json(const LimitsReport& report);

}  // namespace carnot::report
