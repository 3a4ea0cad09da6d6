// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A measurement (carnot/measure/attribution/measurement.hpp), shown. Pure, thread-safe.

#include <string>

#include "carnot/measure/attribution/measurement.hpp"

namespace carnot::report {

/// carnot.measure/1. \param series  with `series`, one value an interval
std::string measurement_json(const measure::Measurement& measurement, bool series = false);
std::string measurement_html(const measure::Measurement& measurement);  ///< one page
std::string measurement_terminal(const measure::Measurement& measurement, int width, bool colour);
std::string measurement_csv(const measure::Measurement& measurement);  ///< one row an interval

}  // namespace carnot::report
