// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What `carnot data look` shows of a file. Pure functions, thread-safe.

#include <string>

#include "carnot/trace/readers/look.hpp"

namespace carnot::report {

/// Lines for a terminal of `width` columns, with a course of each column of numbers.
std::string look_text(const LookedAtSeries& look, int width, bool colour);
/// `carnot.series/1` (docs/formats/trace-csv.md).
std::string look_json(const LookedAtSeries& look, const std::string& command_line);

}  // namespace carnot::report
