// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The hand check of documents against their schemas that always runs, for tests.

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace carnot::report {

/// The parts of JSON Schema that the schemas in docs/formats use, plainly: the hand check that
/// always runs.
class SchemaCheck {
 public:
  explicit SchemaCheck(const nlohmann::ordered_json& root) : root_(root) {}

  std::vector<std::string> problems;

  void check(const nlohmann::ordered_json& schema, const nlohmann::ordered_json& value,
             const std::string& at) {
    if (schema.contains("$ref")) {
      const std::string name = schema["$ref"].get<std::string>();
      check(root_.at(nlohmann::ordered_json::json_pointer(name.substr(1))), value, at);
      return;
    }
    if (schema.contains("type") && !of_type(schema["type"], value)) {
      problems.push_back(at + ": type " + value.type_name());
      return;
    }
    if (schema.contains("const") && value != schema["const"]) problems.push_back(at + ": const");
    if (schema.contains("enum") &&
        std::find(schema["enum"].begin(), schema["enum"].end(), value) == schema["enum"].end()) {
      problems.push_back(at + ": enum");
    }
    if (schema.contains("minimum") && value.is_number() &&
        value.get<double>() < schema["minimum"].get<double>()) {
      problems.push_back(at + ": minimum");
    }
    if (value.is_object()) {
      for (const nlohmann::ordered_json& key :
           schema.value("required", nlohmann::ordered_json::array())) {
        if (!value.contains(key.get<std::string>())) {
          problems.push_back(at + ": missing " + key.get<std::string>());
        }
      }
      const nlohmann::ordered_json properties =
          schema.value("properties", nlohmann::ordered_json::object());
      for (const auto& [key, part] : value.items()) {
        if (properties.contains(key)) {
          check(properties[key], part, at + "/" + key);
        } else if (schema.contains("additionalProperties") &&
                   schema["additionalProperties"].is_object()) {
          check(schema["additionalProperties"], part, at + "/" + key);
        }
      }
    }
    if (value.is_array() && schema.contains("items")) {
      for (const nlohmann::ordered_json& part : value) check(schema["items"], part, at + "/[]");
    }
  }

 private:
  static bool of_type(const nlohmann::ordered_json& type, const nlohmann::ordered_json& value) {
    if (type.is_array()) {
      return std::any_of(type.begin(), type.end(),
                         [&](const nlohmann::ordered_json& t) { return of_type(t, value); });
    }
    const auto name = type.get<std::string>();
    return (name == "object" && value.is_object()) || (name == "array" && value.is_array()) ||
           (name == "string" && value.is_string()) || (name == "number" && value.is_number()) ||
           (name == "integer" && value.is_number_integer()) ||
           (name == "boolean" && value.is_boolean()) || (name == "null" && value.is_null());
  }
  const nlohmann::ordered_json& root_;
};

/// What of `document` breaks the schema in the file `schema`.
inline std::vector<std::string> schema_problems(const std::string& schema_file,
                                                const std::string& document) {
  std::ifstream file(schema_file);
  const nlohmann::ordered_json schema = nlohmann::ordered_json::parse(file);
  SchemaCheck check(schema);
  check.check(schema, nlohmann::ordered_json::parse(document), "");
  return check.problems;
}

}  // namespace carnot::report
