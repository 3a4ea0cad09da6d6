// SPDX-License-Identifier: Apache-2.0
#include "site/scenario_source.hpp"

#include <cmath>
#include <sstream>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "carnot/base/text.hpp"

#include "site/toml.hpp"

namespace carnot::site {

namespace {

class Flattener {
 public:
  Flattener(const std::string& text, const std::string& file, ScenarioTables& tables,
            Problems& problems)
      : text_(text), file_(file), tables_(tables), problems_(problems) {}

  FlatScenario read() {
    toml::table root;
    try {
      root = toml::parse(text_, file_);
    } catch (const toml::parse_error& error) {
      problems_.add(at(error.source().begin.line), "",
                    fmt::format("not TOML: {}", error.description()));
    } catch (const TomlAssertion&) {
      problems_.add(at(line_of_assertion()), "", "not TOML: malformed key");
    }
    flatten(root, "");
    return std::move(flat_);
  }

 private:
  Place at(std::size_t line) const { return {file_, line}; }

  // An assertion does not say where; the first line whose end brings it does. Slow and rare.
  std::size_t line_of_assertion() {
    constexpr std::size_t kMost = 200;  // lines tried
    std::size_t line = 1;
    for (std::size_t end = text_.find('\n'); end != std::string::npos && line <= kMost;
         end = text_.find('\n', end + 1), ++line) {
      try {
        (void)toml::parse(std::string_view(text_).substr(0, end));
      } catch (const toml::parse_error&) {
      } catch (const TomlAssertion&) {
        return line;
      }
    }
    return line <= kMost ? line : 0;
  }

  void flatten(const toml::table& table, const std::string& section) {
    for (const auto& [toml_key, node] : table) {
      const std::string key(toml_key.str());
      const std::string path = joined(section, key);
      // A key's own place: a table's node stands where its header does.
      const Place place = at(toml_key.source().begin.line);
      // A quoted key may hold dots; it is no path for that.
      const bool is_section = key.find('.') == std::string::npos && tables_.find(path) != nullptr;
      if (const toml::table* inner = node.as_table()) {
        if (is_section) {
          flat_.sections[path] = place;
          flatten(*inner, path);
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
                      node.is_array() ? fmt::format("allowed once, as [{}]", path)
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

  Assignment leaf(const std::string& section, const std::string& key, const toml::node& node,
                  const Place& place) {
    Assignment a{section, key, "", Written::Text, place};
    if (const auto* text = node.as_string()) {
      a.text = text->get();
    } else if (const auto* integer = node.as_integer()) {
      a.text = fmt::format("{}", integer->get());
      a.written = Written::Integer;
    } else if (const auto* real = node.as_floating_point()) {
      const double value = real->get();
      a.text = std::isfinite(value) ? shortest(value) : fmt::format("{}", value);
      a.written = Written::Real;
    } else if (const auto* boolean = node.as_boolean()) {
      a.text = boolean->get() ? "true" : "false";
      a.written = Written::Boolean;
    } else if (const toml::array* array = node.as_array()) {
      // The only list there is: policy names.
      a.written = Written::Array;
      if (section.empty() && key == "policies") a = policy_list(std::move(a), *array);
    } else {
      a.written = Written::Date;
      std::ostringstream out;
      node.visit([&out](const auto& value) {
        if constexpr (!toml::is_table<decltype(value)> && !toml::is_array<decltype(value)>)
          out << value.get();
      });
      a.text = out.str();
    }
    return a;
  }

  Assignment policy_list(Assignment a, const toml::array& array) {
    a.written = Written::Text;
    for (const toml::node& item : array) {
      const auto* text = item.as_string();
      if (text == nullptr || text->get().find(',') != std::string::npos) {
        problems_.add(at(item.source().begin.line), "policies",
                      "an array of policy names in quotes, such as [\"grid-f32\", \"adaptive\"]");
        return a;
      }
      if (!a.text.empty()) a.text += ',';
      a.text += text->get();
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
