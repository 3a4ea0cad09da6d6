// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A run that asked for the most quality (objective.maximise = "quality"), in words, table and
/// figure: what is certified stands where cost does elsewhere. Pure functions.

#include <string>
#include <vector>

#include "carnot/report/run/result.hpp"

#include "report/run/facts.hpp"
#include "report/run/figures.hpp"

namespace carnot::report {

/// Whether a rival knew the wind that came.
bool in_hindsight(const LaneResult& lane);
/// Of most certified quality among those that ended; nullptr: none.
const LaneResult* most_certified(const RunResult& result, bool hindsight,
                                 const std::string& prefix = "");

/// What a row says beside the others; NaN where it does not.
struct QualityRow {
  double passes = 0, mean_bits = 0, phase = 0;
  std::string bits;  ///< share of the steps by mode, such as "int4 70 %, int8 30 %"
};
QualityRow quality_row(const LaneResult& lane, const Facts& facts);

std::vector<std::string> quality_answer(const RunResult& result, const Facts& facts);
std::string quality_terminal(const RunResult& result, const Facts& facts, std::size_t width);
std::string quality_table(const RunResult& result, const Facts& facts);
/// Held-out quality against the own energy used so far, each point in the colour of its mode.
std::string bits_figure(const RunResult& result, const Facts& facts);

}  // namespace carnot::report
