// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a measurement's facts (JSON of MeasurementBegin) say. Pure functions.

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace carnot::report {

/// Reason and remedy of each note. \throws InputError for facts of another form
std::vector<std::pair<std::string, std::string>> recorded_notes(const std::string& facts_json);

/// Why each domain is counted or not, by id; only those that say.
std::map<std::string, std::string> recorded_reasons(const std::string& facts_json);

}  // namespace carnot::report
