// SPDX-License-Identifier: Apache-2.0
#include "carnot/model/circuit/technologies.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "carnot/base/error.hpp"
#include "carnot/base/input/cells.hpp"
#include "carnot/model/facility/heat.hpp"

#include "model/footprint/table.hpp"

namespace carnot::model {

namespace {

constexpr std::array<Grade, 6> kGrades = {Grade::Metered,   Grade::Counter,  Grade::Tdp,
                                          Grade::DataSheet, Grade::Estimate, Grade::Derived};
constexpr std::array<std::string_view, 5> kTechnologyKinds = {
    "memory", "reversible", "superconducting", "neuromorphic", "analog"};

using Cells = std::vector<std::string_view>;

/// What both tables have: numbers, grades, years, ids.
class Fields {
 public:
  explicit Fields(TableReader& table) : table_(table) {}

  double number(std::string_view field, std::string_view text) {
    double value = 0;
    if (read_whole(text, value) && value > 0 && value < 1e40) return value;
    table_.add(field, "a number > 0, found `" + std::string(text.substr(0, 40)) + "`");
    return 1;
  }
  Grade grade(std::string_view text) {
    for (const Grade g : kGrades)
      if (text == name(g)) return g;
    table_.add("grade", "metered, counter, TDP, datasheet, estimate or derived");
    return Grade::Estimate;
  }
  int year(std::string_view text) {
    const double value = number("year", text);
    if (!(value >= 1950 && value <= 2100)) table_.add("year", "from 1950 to 2100");
    return static_cast<int>(value);
  }
  std::string text(std::string_view field, std::string_view cell) {
    if (cell.empty()) table_.add(field, "not empty");
    return std::string(cell);
  }
  std::string id(std::string_view cell) {
    std::string out = text("id", cell);
    if (!ids_.insert(out).second) table_.add("id", "one row each, twice: " + out);
    return out;
  }
  bool has(const Cells& cells, std::size_t n) {
    if (cells.size() == n) return true;
    table_.add("row", std::to_string(n) + " cells, found " + std::to_string(cells.size()));
    return false;
  }
  void ordered(double low, double value, double high, const char* field) {
    if (!(low <= value && value <= high)) table_.add(field, "low <= value <= high");
  }

 private:
  TableReader& table_;
  std::set<std::string> ids_;
};

}  // namespace

std::vector<Technology> parse_technologies(std::string_view csv, const std::string& file) {
  TableReader table(file,
                    "id,kind,name,value_j,low_j,high_j,per,temperature_k,cooler,cooler_low,"
                    "cooler_high,grade,year,source,licence",
                    true);
  Fields fields(table);
  std::vector<Technology> out;
  table.read(csv, [&](const Cells& c) {
    if (!fields.has(c, 15)) return;
    Technology t;
    t.id = fields.id(c[0]);
    t.kind = fields.text("kind", c[1]);
    if (std::find(kTechnologyKinds.begin(), kTechnologyKinds.end(), t.kind) ==
        kTechnologyKinds.end())
      table.add("kind", "memory, reversible, superconducting, neuromorphic or analog");
    t.name = fields.text("name", c[2]);
    t.value = fields.number("value_j", c[3]);
    t.low = fields.number("low_j", c[4]);
    t.high = fields.number("high_j", c[5]);
    fields.ordered(t.low, t.value, t.high, "value_j");
    t.per = fields.text("per", c[6]);
    t.temperature = fields.number("temperature_k", c[7]) * kelvin;
    t.cooler_efficiency = fields.number("cooler", c[8]);
    t.cooler_low = fields.number("cooler_low", c[9]);
    t.cooler_high = fields.number("cooler_high", c[10]);
    fields.ordered(t.cooler_low, t.cooler_efficiency, t.cooler_high, "cooler");
    if (t.cooler_high > 1) table.add("cooler_high", "a share of Carnot, at most 1");
    t.grade = fields.grade(c[11]);
    t.year = fields.year(c[12]);
    t.source = fields.text("source", c[13]);
    t.licence = fields.text("licence", c[14]);
    out.push_back(std::move(t));
  });
  return out;
}

std::vector<PublishedTraining> parse_training_runs(std::string_view csv, const std::string& file) {
  TableReader table(file, "id,name,parameters,tokens,energy_mwh,grade,year,source,licence", true);
  Fields fields(table);
  std::vector<PublishedTraining> out;
  table.read(csv, [&](const Cells& c) {
    if (!fields.has(c, 9)) return;
    PublishedTraining r;
    r.id = fields.id(c[0]);
    r.name = fields.text("name", c[1]);
    r.parameters = fields.number("parameters", c[2]);
    r.tokens = fields.number("tokens", c[3]);
    r.energy = fields.number("energy_mwh", c[4]) * megawatt_hour;
    r.grade = fields.grade(c[5]);
    r.year = fields.year(c[6]);
    r.source = fields.text("source", c[7]);
    r.licence = fields.text("licence", c[8]);
    out.push_back(std::move(r));
  });
  return out;
}

const std::vector<Technology>& technologies() {
  static const std::vector<Technology> rows =
      parse_technologies(kTechnologiesTable, "data/technologies.csv");
  return rows;
}

const std::vector<PublishedTraining>& training_runs() {
  static const std::vector<PublishedTraining> rows =
      parse_training_runs(kTrainingRunsTable, "data/training_runs.csv");
  return rows;
}

Energy Technology::wall(Temperature room) const {
  return value * (1 + cooling_overhead(temperature, room, cooler_efficiency)) * joule;
}
Energy Technology::wall_low(Temperature room) const {
  return low * (1 + cooling_overhead(temperature, room, cooler_high)) * joule;
}
Energy Technology::wall_high(Temperature room) const {
  return high * (1 + cooling_overhead(temperature, room, cooler_low)) * joule;
}

double cryogenic_break_even(Temperature cold, Temperature room, double cooler_efficiency) {
  return 1 / (1 + cooling_overhead(cold, room, cooler_efficiency));
}

}  // namespace carnot::model
