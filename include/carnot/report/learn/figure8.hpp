// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What an experiment of error against bits says: carnot.figure8/1 for programs, a table for
/// terminals, a page for people. Pure functions of the result; the same bytes for the same result.

#include <string>

#include "carnot/experiment/figure8.hpp"

namespace carnot::report {

/// carnot.figure8/1, see docs/formats/learn.md.
std::string figure8_json(const experiment::Figure8Result& result);

/// Ratios on the grid, bits needed and predicted; at most `width` columns; colour only if `colour`.
std::string figure8_terminal(const experiment::Figure8Result& result, int width, bool colour);

/// One self-contained page: ratio against bits, a line an input, for both quantisers.
std::string figure8_html(const experiment::Figure8Result& result);

}  // namespace carnot::report
