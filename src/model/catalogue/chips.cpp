// SPDX-License-Identifier: Apache-2.0
#include "carnot/model/catalogue/chips.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <set>
#include <tuple>
#include <utility>

#include "carnot/base/error.hpp"
#include "carnot/base/input/cells.hpp"
#include "carnot/base/input/input_file.hpp"

#include "model/footprint/table.hpp"

namespace carnot::model {

namespace {

constexpr std::string_view kHeader = "chip,property,value,low,high,unit,grade,year,source,licence";
constexpr std::array<std::string_view, 6> kGrades = {"metered",   "counter",  "TDP",
                                                     "datasheet", "estimate", "derived"};

const std::vector<std::pair<std::string, std::string>>& units() {
  static const std::vector<std::pair<std::string, std::string>> table = {
      {"fp64", "TFLOP/s"}, {"fp32", "TFLOP/s"}, {"tf32", "TFLOP/s"},   {"bf16", "TFLOP/s"},
      {"fp16", "TFLOP/s"}, {"fp8", "TFLOP/s"},  {"fp4", "TFLOP/s"},    {"int8", "TOP/s"},
      {"int4", "TOP/s"},   {"memory", "GB"},    {"bandwidth", "GB/s"}, {"l2", "MB"},
      {"link", "GB/s"},    {"tdp", "W"},        {"idle", "W"},         {"active_floor", "W"},
      {"process", "nm"},   {"die", "mm2"},      {"released", "year"},  {"units", "1"},
      {"clock", "GHz"},    {"name", ""},        {"vendor", ""}};
  return table;
}

/// The unit of a property, or nullptr. op.* and byte.* are open ended.
const std::string* unit_of(std::string_view property) {
  static const std::string picojoules = "pJ";
  for (const std::string_view prefix : {"op.", "byte."}) {
    if (property.size() > prefix.size() && property.substr(0, prefix.size()) == prefix) {
      return &picojoules;
    }
  }
  for (const auto& [name, unit] : units()) {
    if (name == property) return &unit;
  }
  return nullptr;
}

std::string quoted(std::string_view text) { return "`" + std::string(text.substr(0, 40)) + "`"; }

class Reader {
 public:
  explicit Reader(std::string file) : table_(std::move(file), kHeader, true) {}

  std::vector<Chip> read(std::string_view text) {
    table_.read(text, [&](const std::vector<std::string_view>& cell) { row(cell); });
    std::vector<Chip> chips;
    for (auto& [id, chip] : chips_) {
      if (chip.name.empty()) chip.name = id;
      chips.push_back(std::move(chip));
    }
    return chips;
  }

 private:
  void add(std::string_view field, std::string_view allowed) { table_.add(field, allowed); }

  double number(std::string_view field, std::string_view text) {
    double value = 0;
    if (!read_whole(text, value) || !(value > 0) || value > 1e15) {
      add(field, "a number > 0, found " + quoted(text));
      return 1;
    }
    return value;
  }

  void row(const std::vector<std::string_view>& cell) {
    if (cell.size() != 10) {
      add("row", "10 cells, found " + std::to_string(cell.size()));
      return;
    }
    const auto [id, property, value, low, high, unit, grade, year, source, licence] = std::tie(
        cell[0], cell[1], cell[2], cell[3], cell[4], cell[5], cell[6], cell[7], cell[8], cell[9]);
    if (!is_id(id)) {
      add("chip", "an id of a-z 0-9 . - such as h100-sxm, found " + quoted(id));
      return;
    }
    const std::string* const expected = unit_of(property);
    if (expected == nullptr) {
      std::vector<std::string> known = {"op.NAME", "byte.NAME"};
      for (const auto& known_unit : units()) known.push_back(known_unit.first);
      const auto near = nearest(property.substr(0, 64), known);
      std::string all;
      for (const auto& one : known) all += (all.empty() ? "" : ", ") + one;
      add("property", near.empty()
                          ? "one of " + all + ", found " + quoted(property)
                          : "unknown " + quoted(property) + "; did you mean `" + near + "`?");
      return;
    }
    if (unit != *expected) {
      add("unit", (expected->empty() ? "nothing" : *expected) + " for " + std::string(property) +
                      ", found " + quoted(unit));
    }
    ChipValue entry;
    const auto found = std::find(kGrades.begin(), kGrades.end(), grade);
    if (found == kGrades.end()) {
      add("grade", "metered, counter, TDP, datasheet, estimate or derived, found " + quoted(grade));
    } else {
      entry.grade = static_cast<Grade>(found - kGrades.begin());
    }
    const double when = number("year", year);
    if (when < 1970 || when > 2100 || when != std::floor(when)) add("year", "1970 to 2100");
    entry.year = when < 1970 || when > 2100 ? 0 : static_cast<int>(when);
    if (source.empty()) add("source", "who published the value");
    if (licence.empty()) add("licence", "the licence of the source, or `facts`");
    entry.source = source;
    entry.licence = licence;
    entry.unit = unit;
    if (!seen_.emplace(id, property).second) {
      add(property, "one row for " + std::string(id));
      return;
    }
    auto& chip = chips_[std::string(id)];
    chip.id = id;
    if (expected->empty()) {
      if (value.empty()) add(property, "some text");
      (property == "name" ? chip.name : chip.vendor) = value;
      return;
    }
    entry.value = entry.low = entry.high = number(property, value);
    if (!low.empty()) entry.low = number("low", low);
    if (!high.empty()) entry.high = number("high", high);
    entry.has_range = !low.empty() || !high.empty();
    if (!(entry.low <= entry.value && entry.value <= entry.high)) {
      add(property, "low <= value <= high");
    }
    chip.values.emplace(property, std::move(entry));
  }

  static bool is_id(std::string_view id) {
    return !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    });
  }

  TableReader table_;
  std::map<std::string, Chip> chips_;
  std::set<std::pair<std::string, std::string>> seen_;
};

Estimate<Energy> cost(const Chip& chip, const std::string& property) {
  const ChipValue& v = chip.at(property);
  const double low = v.has_range ? v.low : 0.7 * v.value;
  const double high = v.has_range ? v.high : 1.3 * v.value;
  const bool measured = v.grade == Grade::Metered || v.grade == Grade::Counter;
  return {v.value * picojoule,
          low * picojoule,
          high * picojoule,
          measured ? Origin::Measured
                   : (v.grade == Grade::Derived ? Origin::Modelled : Origin::Published),
          Boundary::Chip,
          "pj:" + chip.id + ":" + property,
          {v.source}};
}

}  // namespace

std::string_view name(Grade grade) noexcept { return kGrades[static_cast<std::size_t>(grade)]; }

const ChipValue* Chip::find(std::string_view property) const noexcept {
  const auto found = values.find(property);
  return found == values.end() ? nullptr : &found->second;
}

const ChipValue& Chip::at(std::string_view property) const {
  if (const auto* value = find(property)) return *value;
  std::vector<std::string> known;
  std::string names;
  for (const auto& entry : values) {
    known.push_back(entry.first);
    names += (names.empty() ? "" : ", ") + entry.first;
  }
  unknown("chip " + id, property, known, names);
}

ChipCatalogue ChipCatalogue::parse(std::string_view csv, const std::string& file) {
  ChipCatalogue catalogue;
  catalogue.chips_ = Reader(file).read(csv);
  return catalogue;
}

ChipCatalogue ChipCatalogue::read(const std::string& path) {
  const std::string text = read_input(path);
  return path.ends_with(".toml") ? parse_toml(text, path) : parse(text, path);
}

const ChipCatalogue& ChipCatalogue::embedded() {
  static const ChipCatalogue catalogue = parse(kChipsTable, "data/chips.csv");
  return catalogue;
}

void ChipCatalogue::add(const ChipCatalogue& other) {
  for (const auto& chip : other.chips_) {
    const auto place = std::lower_bound(chips_.begin(), chips_.end(), chip,
                                        [](const Chip& a, const Chip& b) { return a.id < b.id; });
    if (place == chips_.end() || place->id != chip.id) {
      chips_.insert(place, chip);
      continue;
    }
    if (chip.name != chip.id) place->name = chip.name;
    if (!chip.vendor.empty()) place->vendor = chip.vendor;
    for (const auto& [property, value] : chip.values) place->values[property] = value;
  }
}

const Chip& ChipCatalogue::chip(std::string_view id_or_name) const {
  const auto wanted = folded(id_or_name);
  std::vector<std::string> known;
  std::string names;
  for (const auto& chip : chips_) {
    if (chip.id == wanted || folded(chip.name) == wanted) return chip;
    known.push_back(chip.id);
    names += (names.empty() ? "" : ", ") + chip.id;
  }
  unknown("chip", wanted, known, names);
}

Estimate<Energy> operation_energy(const Chip& chip, std::string_view operation) {
  return cost(chip, "op." + std::string(operation));
}

Estimate<Energy> byte_energy(const Chip& chip, std::string_view level) {
  return cost(chip, "byte." + std::string(level));
}

Estimate<Energy> mac_energy(const Chip& chip, std::string_view format) {
  const std::string word(format);
  const std::string accumulator = word == "int8" ? "int32" : word;
  return operation_energy(chip, word + "_multiply") + operation_energy(chip, accumulator + "_add");
}

}  // namespace carnot::model
