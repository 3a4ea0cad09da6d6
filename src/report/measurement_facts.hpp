// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a measurement's facts (JSON of MeasurementBegin) say. Pure functions.

#include <string>
#include <utility>
#include <vector>

namespace carnot::report {

/// Reason and remedy of each note. \throws InputError for facts of another form
std::vector<std::pair<std::string, std::string>> recorded_notes(const std::string& facts_json);

}  // namespace carnot::report
