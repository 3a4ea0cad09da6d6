// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a measurement's facts (JSON of MeasurementBegin) say. Pure functions.

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "carnot/meter/attribution/attribution.hpp"

namespace carnot::measure {

/// Reason and remedy of each note. \throws InputError for facts of another form
std::vector<std::pair<std::string, std::string>> recorded_notes(const std::string& facts_json);

/// Why each domain is counted or not, by id; only those that say.
std::map<std::string, std::string> recorded_reasons(const std::string& facts_json);

/// Power at rest that was known from the beginning, if it was. \throws InputError likewise
std::optional<meter::StaticPower> recorded_static_power(const std::string& facts_json,
                                                        const char* key = "static_power_w");

}  // namespace carnot::measure
