// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Reading of the JSON texts a journal carries: one place that turns the library's exceptions into
/// InputError with words of ours. Private to the .cpp that read JSON.

#include <cmath>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"

namespace carnot::report {

using Json = nlohmann::ordered_json;

/// \throws InputError `what: not a JSON object (...)`
inline Json parse_object(const std::string& text, const std::string& what) {
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded() || !json.is_object()) {
    throw InputError(what + ": a JSON object is needed");
  }
  return json;
}

/// Number at `key`; NaN where it is missing or null. \throws InputError for another type
inline double number_at(const Json& object, const char* key, const std::string& what) {
  const auto it = object.is_object() ? object.find(key) : object.end();
  if (!object.is_object() || it == object.end() || it->is_null()) {
    return kNaN;
  }
  if (!it->is_number()) throw InputError(fmt::format("{}: {}: a number is needed", what, key));
  return it->get<double>();
}

/// Text at `key`, empty where it is missing or null. \throws InputError for another type
inline std::string text_at(const Json& object, const char* key, const std::string& what) {
  const auto it = object.is_object() ? object.find(key) : object.end();
  if (!object.is_object() || it == object.end() || it->is_null()) return {};
  if (!it->is_string()) throw InputError(fmt::format("{}: {}: a text is needed", what, key));
  return it->get<std::string>();
}

/// Object or array at `key`, empty where it is missing or null. \throws InputError for another type
inline Json part_at(const Json& object, const char* key, const std::string& what, bool array) {
  const auto it = object.is_object() ? object.find(key) : object.end();
  if (!object.is_object() || it == object.end() || it->is_null()) {
    return array ? Json::array() : Json::object();
  }
  if (array ? !it->is_array() : !it->is_object()) {
    throw InputError(
        fmt::format("{}: {}: {} is needed", what, key, array ? "a list" : "an object"));
  }
  return *it;
}

/// Not finite numbers have no JSON form.
inline Json number_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(); }

}  // namespace carnot::report
