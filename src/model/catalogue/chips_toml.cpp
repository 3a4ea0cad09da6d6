// SPDX-License-Identifier: Apache-2.0
#include <cctype>
#include <map>
#include <optional>

#include "carnot/base/error.hpp"
#include "carnot/model/catalogue/chips.hpp"

#include "model/footprint/table.hpp"

namespace carnot::model {

namespace {

constexpr std::string_view kHeader = "chip,property,value,low,high,unit,grade,year,source,licence";

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())))
    text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())))
    text.remove_suffix(1);
  return text;
}

/// Without a comment that stands outside of a string.
std::string_view without_comment(std::string_view line) {
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') quoted = !quoted;
    if (line[i] == '#' && !quoted) return line.substr(0, i);
  }
  return line;
}

/// The text between quotes; nothing if it is no string.
std::optional<std::string> string_of(std::string_view value) {
  if (value.size() < 2 || value.front() != '"' || value.back() != '"') return std::nullopt;
  value = value.substr(1, value.size() - 2);
  if (value.find_first_of("\"\\") != std::string_view::npos) return std::nullopt;
  return std::string(value);
}

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

class TomlRows {
 public:
  explicit TomlRows(std::string file) : file_(std::move(file)) {}

  /// A line of CSV for each of the TOML, so that messages can name it.
  std::string read(std::string_view text) {
    std::string csv(kHeader);
    std::size_t line = 0;
    while (!text.empty()) {
      ++line;
      const std::size_t end = std::min(text.find('\n'), text.size());
      csv += "\n" + row(trimmed(without_comment(text.substr(0, end))), line);
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    problems_.throw_if_any();
    return csv + "\n";
  }

 private:
  void add(std::size_t line, std::string_view field, std::string_view allowed) {
    problems_.add(Place{file_, line}, field, allowed);
  }

  std::string row(std::string_view text, std::size_t line) {
    if (text.empty()) return "";
    if (text.front() == '[') {
      if (text.back() != ']' || text.size() < 3) {
        add(line, "table", "[id of a chip]");
        return "";
      }
      chip_ = trimmed(text.substr(1, text.size() - 2));
      if (chip_.starts_with("chip.")) chip_.erase(0, 5);
      if (chip_.find(',') != std::string::npos) add(line, "table", "an id without commas");
      facts_.clear();
      return "";
    }
    const std::size_t at = text.find('=');
    if (at == std::string_view::npos) {
      add(line, "line", "key = value, [id] or a comment");
      return "";
    }
    if (chip_.empty()) {
      add(line, "table", "[id of a chip] before its values");
      return "";
    }
    std::string key(trimmed(text.substr(0, at)));
    if (const auto bare = string_of(key)) key = *bare;
    const std::string_view value = trimmed(text.substr(at + 1));
    const auto words = string_of(value);
    if (key == "source" || key == "licence" || key == "grade" || key == "year") {
      const std::string fact = words ? *words : std::string(value);
      if (fact.empty() || fact.find(',') != std::string::npos)
        add(line, key, "text without commas");
      else
        facts_[key] = fact;
      return "";
    }
    if (words) return made(key, *words, "", "", "");
    if (value.starts_with('[') && value.ends_with(']')) {
      const std::vector<std::string_view> cells = cells_of(value.substr(1, value.size() - 2));
      if (cells.size() != 3) {
        add(line, key, "[value, low, high]");
        return "";
      }
      return made(key, trimmed(cells[0]), trimmed(cells[1]), trimmed(cells[2]), unit_of(key));
    }
    return made(key, value, "", "", unit_of(key));
  }

  std::string made(std::string_view key, std::string_view value, std::string_view low,
                   std::string_view high, std::string_view unit) {
    const auto fact = [this](const char* name, const char* otherwise) {
      const auto found = facts_.find(name);
      return found == facts_.end() ? std::string(otherwise) : found->second;
    };
    std::string row = chip_;
    for (const std::string_view cell : {key, value, low, high, unit})
      row += "," + std::string(cell);
    return row + "," + fact("grade", "estimate") + "," + fact("year", "2026") + "," +
           fact("source", "own") + "," + fact("licence", "own");
  }

  std::string file_, chip_;
  std::map<std::string, std::string> facts_;
  Problems problems_;
};

/// The table's header is a line that the TOML does not have.
std::string with_lines_of_toml(const std::string& message, const std::string& file) {
  std::string out;
  std::size_t from = 0;
  while (from <= message.size()) {
    const std::size_t end = std::min(message.find('\n', from), message.size());
    std::string line = message.substr(from, end - from);
    if (line.starts_with(file + ":")) {
      const std::size_t begin = file.size() + 1;
      const std::size_t stop = line.find(':', begin);
      const std::string number = line.substr(begin, stop - begin);
      if (!number.empty() && number.size() < 10 &&
          number.find_first_not_of("0123456789") == std::string::npos)
        line.replace(begin, stop - begin, std::to_string(std::stoul(number) - 1));
    }
    out += (out.empty() ? "" : "\n") + line;
    from = end + 1;
  }
  return out;
}

}  // namespace

ChipCatalogue ChipCatalogue::parse_toml(std::string_view toml, const std::string& file) {
  const std::string csv = TomlRows(file).read(toml);
  try {
    return parse(csv, file);
  } catch (const InputError& error) {
    throw InputError(with_lines_of_toml(error.what(), file));
  }
}

}  // namespace carnot::model
