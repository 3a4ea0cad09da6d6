// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// An assessment in words, shared by terminal and page, so that both say the same. Pure functions.

#include <cstddef>
#include <string>
#include <vector>

#include "carnot/report/assess/report.hpp"

namespace carnot::report {

/// "0.55–1.8 x" of the value.
std::string assess_ratio(const EstimateCore& figure);
/// "meter", or "bill 80 %, telemetry 20 %".
std::string assess_evidence(const assess::Activity& activity);
/// What it comes to, a sentence each.
std::vector<std::string> assess_answer(const assess::Assessment& assessment);
/// The joint saving, the portfolio, and what must not be done with both.
std::vector<std::string> assess_plan(const assess::Assessment& assessment);
/// The `most` items of data that narrow most.
std::vector<std::string> assess_data(const assess::Assessment& assessment, std::size_t most);
/// Overlaps, machines not known, files not read, problems in rows, remarks.
std::vector<std::string> assess_doubts(const assess::Assessment& assessment);

}  // namespace carnot::report
