// SPDX-License-Identifier: Apache-2.0
#include "site/scenario_source.hpp"

#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "carnot/base/input/toml.hpp"

namespace carnot::site {

namespace {

class Flattener {
 public:
  Flattener(const std::string& text, const std::string& file, ScenarioTables& tables,
            Problems& problems)
      : text_(text), file_(file), tables_(tables), problems_(problems) {}

  FlatScenario read() {
    flatten(parse_toml(text_, file_, problems_), "");
    return std::move(flat_);
  }

 private:
  Place at(std::size_t line) const { return {file_, line}; }

  void flatten(const TomlValue& table, const std::string& section) {
    for (const auto& [key, node] : table.fields) {
      const std::string path = joined(section, key);
      const Place place = at(node.key_line);
      // A quoted key may hold dots; it is no path for that.
      const bool is_section = key.find('.') == std::string::npos && tables_.find(path) != nullptr;
      if (node.kind == TomlValue::Kind::Table) {
        if (is_section) {
          flat_.sections[path] = place;
          flatten(node, path);
        } else if (tables_.record(section, key) != nullptr) {
          problems_.add(place, path, "a value, not a table");
        } else if (section.starts_with("signals.")) {
          problems_.add(place, path, "a number or text, not a table");
        } else {
          unknown_section(place, section, key);
        }
        continue;
      }
      if (is_section && tables_.record(section, key) == nullptr) {
        problems_.add(place, path,
                      node.kind == TomlValue::Kind::List
                          ? fmt::format("allowed once, as [{}]", path)
                          : fmt::format("a section, [{}]", path));
        continue;
      }
      flat_.assignments.push_back(leaf(section, key, node, place));
    }
  }

  void unknown_section(const Place& place, const std::string& section, const std::string& key) {
    std::vector<std::string> known;
    for (const auto& s : tables_.sections())
      if (!s.name.empty() && !s.name.starts_with("signals.")) known.push_back(s.name);
    const std::string path = joined(section, key);
    const std::string near = nearest(path, known);
    problems_.add(place, path,
                  near.empty()
                      ? fmt::format("unknown section; known are {}", fmt::join(known, ", "))
                      : fmt::format("unknown section; did you mean [{}]?", near));
  }

  Assignment leaf(const std::string& section, const std::string& key, const TomlValue& node,
                  const Place& place) {
    Assignment a{section, key, node.text, Written::Text, place};
    switch (node.kind) {
      case TomlValue::Kind::Text:
        break;
      case TomlValue::Kind::Number:
        a.written = node.is_real ? Written::Real : Written::Integer;
        break;
      case TomlValue::Kind::Boolean:
        a.text = node.text == "yes" ? "true" : "false";
        a.written = Written::Boolean;
        break;
      case TomlValue::Kind::Date:
        a.written = Written::Date;
        break;
      default:
        // The only list there is: policy names.
        a.written = Written::Array;
        if (section.empty() && key == "policies") a = policy_list(std::move(a), node);
    }
    return a;
  }

  Assignment policy_list(Assignment a, const TomlValue& list) {
    a.written = Written::Text;
    for (const TomlValue& item : list.items) {
      if (item.kind != TomlValue::Kind::Text || item.text.find(',') != std::string::npos) {
        problems_.add(at(item.line), "policies",
                      "an array of policy names in quotes, such as [\"grid-f32\", \"adaptive\"]");
        return a;
      }
      if (!a.text.empty()) a.text += ',';
      a.text += item.text;
    }
    if (a.text.empty()) a.text = "all";
    return a;
  }

  const std::string& text_;
  const std::string& file_;
  ScenarioTables& tables_;
  Problems& problems_;
  FlatScenario flat_;
};

}  // namespace

std::string_view describe(Written written) {
  switch (written) {
    case Written::Text:
      return "text in quotes";
    case Written::Integer:
      return "a whole number";
    case Written::Real:
      return "a decimal number";
    case Written::Boolean:
      return "a boolean";
    case Written::Date:
      return "a date or time";
    case Written::Array:
      return "an array";
    case Written::Override:
      break;
  }
  return "text";
}

std::string joined(std::string_view section, std::string_view key) {
  return section.empty() ? std::string(key) : fmt::format("{}.{}", section, key);
}

FlatScenario flatten(const std::string& text, const std::string& file, ScenarioTables& tables,
                     Problems& problems) {
  return Flattener(text, file, tables, problems).read();
}

}  // namespace carnot::site
