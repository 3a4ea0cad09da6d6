// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/input/cells.hpp"
#include "carnot/base/input/toml.hpp"
#include "carnot/model/catalogue/chips.hpp"

namespace carnot::model {

namespace {

constexpr std::string_view kHeader = "chip,property,value,low,high,unit,grade,year,source,licence";

std::string_view unit_of(std::string_view property) {
  static const std::map<std::string_view, std::string_view> units = {
      {"fp64", "TFLOP/s"}, {"fp32", "TFLOP/s"}, {"tf32", "TFLOP/s"},   {"bf16", "TFLOP/s"},
      {"fp16", "TFLOP/s"}, {"fp8", "TFLOP/s"},  {"fp4", "TFLOP/s"},    {"int8", "TOP/s"},
      {"int4", "TOP/s"},   {"memory", "GB"},    {"bandwidth", "GB/s"}, {"l2", "MB"},
      {"link", "GB/s"},    {"tdp", "W"},        {"idle", "W"},         {"active_floor", "W"},
      {"process", "nm"},   {"die", "mm2"},      {"released", "year"},  {"units", "1"},
      {"clock", "GHz"}};
  if (property.starts_with("op.") || property.starts_with("byte.")) return "pJ";
  const auto found = units.find(property);
  return found == units.end() ? std::string_view() : found->second;
}

/// A line of CSV for each value, and the line of TOML that it came from.
class TomlRows {
 public:
  explicit TomlRows(const std::string& file) : file_(file) {}

  /// `lines_of[i]` is the line of the TOML that row i made.
  std::string read(const std::string& toml, std::vector<std::size_t>& lines_of) {
    chips(carnot::parse_toml(toml, file_), "");
    problems_.throw_if_any();
    std::string csv(kHeader);
    for (const auto& [line, row] : rows_) {
      csv += "\n" + row;
      lines_of.push_back(line);
    }
    return csv + "\n";
  }

 private:
  void add(std::size_t line, std::string_view field, std::string_view allowed) {
    problems_.add(Place{file_, line}, field, allowed);
  }

  /// A table of tables is a part of ids: `[chip.mine]`, `[epyc.9.mine]`.
  void chips(const TomlValue& table, const std::string& prefix) {
    for (const auto& [key, value] : table.fields) {
      if (value.kind != TomlValue::Kind::Table) {
        if (prefix.empty()) add(value.key_line, key, "[id of a chip] before its values");
        continue;
      }
      const std::string id = prefix.empty() && key == "chip" ? "" : prefix + key;
      const auto is_table = [](const auto& field) {
        return field.second.kind == TomlValue::Kind::Table;
      };
      const bool has_tables = std::any_of(value.fields.begin(), value.fields.end(), is_table);
      if (has_tables) chips(value, id.empty() ? "" : id + ".");
      if (!std::all_of(value.fields.begin(), value.fields.end(), is_table)) {
        if (id.empty())
          add(value.key_line, "chip", "[chip.ID]");
        else if (id.find(',') != std::string::npos)
          add(value.key_line, "table", "an id without commas");
        else
          values(id, value);
      }
    }
  }

  /// In the order of the file: source, year, grade and licence hold for what stands below them.
  void values(const std::string& chip, const TomlValue& table) {
    std::vector<std::pair<std::string, TomlValue>> fields = table.fields;
    std::stable_sort(fields.begin(), fields.end(), [](const auto& a, const auto& b) {
      return a.second.key_line < b.second.key_line;
    });
    std::map<std::string, std::string> facts = {
        {"grade", "estimate"}, {"year", "2026"}, {"source", "own"}, {"licence", "own"}};
    for (const auto& [key, value] : fields) {
      if (value.kind == TomlValue::Kind::Table) continue;
      std::array<std::string, 3> cells;
      if (value.is_scalar()) {
        cells[0] = value.text;
      } else if (value.kind == TomlValue::Kind::List && value.items.size() == 3) {
        for (std::size_t i = 0; i < 3; ++i) cells[i] = value.items[i].text;
      } else {
        add(value.key_line, key, "a value, or [value, low, high]");
        continue;
      }
      const bool plain = std::all_of(cells.begin(), cells.end(), [](const std::string& cell) {
        return cell.find_first_of(",\n\r") == std::string::npos;
      });
      if (!plain || key.find(',') != std::string::npos) {
        add(value.key_line, key, "text of one line without commas");
      } else if (const auto fact = facts.find(key); fact != facts.end()) {
        if (cells[0].empty()) add(value.key_line, key, "some text");
        fact->second = cells[0];
      } else {
        const bool words = value.kind == TomlValue::Kind::Text;
        rows_.emplace_back(
            value.key_line,
            fmt::format("{},{},{},{},{},{},{},{},{},{}", chip, key, cells[0], cells[1], cells[2],
                        words ? "" : unit_of(key), facts.at("grade"), facts.at("year"),
                        facts.at("source"), facts.at("licence")));
      }
    }
  }

  const std::string& file_;
  std::vector<std::pair<std::size_t, std::string>> rows_;
  Problems problems_;
};

/// Lines of messages are those of the rows: row i stands in line i + 2.
std::string with_lines_of_toml(std::string_view message, const std::string& file,
                               const std::vector<std::size_t>& lines_of) {
  std::string out;
  while (!message.empty()) {
    std::string_view rest = cut_cell(message, '\n');
    if (!out.empty()) out += '\n';
    if (rest.starts_with(file + ":")) {
      std::string_view behind = rest.substr(file.size() + 1);
      std::size_t row = 0;
      if (read_whole(cut_cell(behind, ':'), row) && row >= 2 && row - 2 < lines_of.size()) {
        out += fmt::format("{}:{}:{}", file, lines_of[row - 2], behind);
        continue;
      }
    }
    out += rest;
  }
  return out;
}

}  // namespace

ChipCatalogue ChipCatalogue::parse_toml(std::string_view toml, const std::string& file) {
  std::vector<std::size_t> lines_of;
  const std::string csv = TomlRows(file).read(std::string(toml), lines_of);
  try {
    return parse(csv, file);
  } catch (const InputError& error) {
    throw InputError(with_lines_of_toml(error.what(), file, lines_of));
  }
}

}  // namespace carnot::model
