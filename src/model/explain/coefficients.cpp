// SPDX-License-Identifier: Apache-2.0
#include "carnot/model/explain/coefficients.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <set>

#include "carnot/base/error.hpp"
#include "carnot/base/input/cells.hpp"

#include "model/footprint/table.hpp"

namespace carnot::model {

namespace {

constexpr std::string_view kHeader = "id,value,low,high,unit,grade,year,source,licence";
constexpr std::array<std::string_view, 6> kGrades = {"metered",   "counter",  "TDP",
                                                     "datasheet", "estimate", "derived"};

class Reader {
 public:
  explicit Reader(const std::string& file) : table_(file, kHeader, true) {}

  std::vector<EnergyCoefficient> read(std::string_view csv) {
    table_.read(csv, [&](const std::vector<std::string_view>& cells) { row(cells); });
    return std::move(rows_);
  }

 private:
  double number(std::string_view field, std::string_view text) {
    double value = 0;
    if (read_whole(text, value) && value > 0 && value < 1e15) return value;
    table_.add(field, "a number > 0, found `" + std::string(text.substr(0, 40)) + "`");
    return 1;
  }

  void row(const std::vector<std::string_view>& cells) {
    if (cells.size() != 9) {
      table_.add("row", "9 cells, found " + std::to_string(cells.size()));
      return;
    }
    EnergyCoefficient c;
    c.id = cells[0];
    c.value = number("value", cells[1]);
    if (cells[2].empty() != cells[3].empty()) table_.add("low", "both bounds, or none");
    c.low = cells[2].empty() ? c.value : number("low", cells[2]);
    c.high = cells[3].empty() ? c.value : number("high", cells[3]);
    if (!(c.low <= c.value && c.value <= c.high)) table_.add("value", "low <= value <= high");
    c.unit = cells[4];
    const auto grade = std::find(kGrades.begin(), kGrades.end(), cells[5]);
    if (grade == kGrades.end())
      table_.add("grade", "metered, counter, TDP, datasheet, estimate or derived");
    else
      c.grade = static_cast<Grade>(grade - kGrades.begin());
    c.year = static_cast<int>(number("year", cells[6]));
    if (c.year < 1950 || c.year > 2100) table_.add("year", "from 1950 to 2100");
    c.source = cells[7];
    c.licence = cells[8];
    for (const auto& [field, text] :
         {std::pair{"id", &c.id}, std::pair{"unit", &c.unit}, std::pair{"source", &c.source},
          std::pair{"licence", &c.licence}})
      if (text->empty()) table_.add(field, "not empty");
    if (!ids_.insert(c.id).second) table_.add("id", "one row each, twice: " + c.id);
    rows_.push_back(std::move(c));
  }

  TableReader table_;
  std::vector<EnergyCoefficient> rows_;
  std::set<std::string> ids_;
};

const Chip& old_process() { return ChipCatalogue::embedded().chip("asic-45nm"); }
const Chip& new_process() { return ChipCatalogue::embedded().chip("asic-7nm"); }

/// pJ of a circuit at a process, along the line through both tables.
double circuit(std::string_view property, double nm) {
  const ChipValue* at45 = old_process().find(property);
  const ChipValue* at7 = new_process().find(property);
  CARNOT_CHECK(at45 != nullptr && at7 != nullptr, "a circuit of both tables");
  const double power = std::log(at45->value / at7->value) / std::log(45.0 / 7.0);
  return at7->value * std::pow(nm / 7.0, power);
}

double significand(std::string_view format) {
  if (format == "fp32") return 24;
  if (format == "tf32" || format == "fp16") return 11;
  if (format == "bf16") return 8;
  if (format == "fp8") return 4;
  if (format == "fp4") return 2;
  return 0;
}

}  // namespace

CoefficientTable CoefficientTable::parse(std::string_view csv, const std::string& file) {
  CoefficientTable table;
  table.rows_ = Reader(file).read(csv);
  return table;
}

const CoefficientTable& CoefficientTable::embedded() {
  static const CoefficientTable table =
      parse(kEnergyCoefficientsTable, "data/energy_coefficients.csv");
  return table;
}

const EnergyCoefficient* CoefficientTable::find(std::string_view id) const noexcept {
  const auto there = std::find_if(rows_.begin(), rows_.end(),
                                  [id](const EnergyCoefficient& c) { return c.id == id; });
  return there == rows_.end() ? nullptr : &*there;
}

const EnergyCoefficient& CoefficientTable::at(std::string_view id) const {
  if (const EnergyCoefficient* found = find(id)) return *found;
  std::vector<std::string> known;
  for (const EnergyCoefficient& c : rows_) known.push_back(c.id);
  unknown("energy coefficient", id, known, "an id of the table");
}

CircuitFloor circuit_floor(const Chip& chip, std::string_view format) {
  const ChipValue* process = chip.find("process");
  const double nm = std::clamp(process != nullptr ? process->value : 7.0, 1.0, 90.0);
  const CoefficientTable& table = CoefficientTable::embedded();
  CircuitFloor out;
  const double accumulator = table.at("circuit.accumulator_bits").value;
  double mac = 0, operand = 0;
  if (format == "int8" || format == "int4") {
    operand = format == "int8" ? 8 : 4;
    mac = circuit("op.int8_multiply", nm) * operand * operand / 64 + circuit("op.int32_add", nm);
    out.mac_constant = "op.int8_multiply";
  } else if (const double bits = significand(format); bits > 0) {
    operand = format == "fp32"   ? 32
              : format == "tf32" ? 19
              : format == "fp8"  ? 8
              : format == "fp4"  ? 4
                                 : 16;
    const double multiply = circuit("op.fp16_multiply", nm) * bits * bits / (11.0 * 11.0);
    // Published where it is, derived elsewhere.
    mac = format == "fp32"
              ? circuit("op.fp32_multiply", nm) + circuit("op.fp32_add", nm)
              : multiply + circuit("op.int32_add", nm) + circuit("op.fp32_add", nm) / 4;
    out.mac_constant = format == "fp32" ? "op.fp32_multiply" : "op.fp16_multiply";
  } else {
    unknown("format", format, {"bf16", "fp16", "fp32", "tf32", "fp8", "fp4", "int8", "int4"},
            "bf16, fp16, fp32, tf32, fp8, fp4, int8 or int4");
  }
  out.mac = mac * picojoule;
  out.mac_constant = "asic-45nm..asic-7nm:" + out.mac_constant;
  out.mac_bits = accumulator + 2 * operand;
  out.other = 0.5 * (circuit("op.fp32_add", nm) + circuit("op.fp32_multiply", nm)) * picojoule;
  out.special = table.at("circuit.special_macs").value *
                (circuit("op.fp32_add", nm) + circuit("op.fp32_multiply", nm)) * picojoule;
  const ChipValue* bandwidth = chip.find("bandwidth");
  const ChipValue* memory = chip.find("memory");
  const double rate = bandwidth != nullptr ? bandwidth->value : 0;
  // Stacked memories are told by their rate; a processor's by having none on board.
  out.memory_constant = memory == nullptr                           ? "memory.ddr"
                        : rate >= 3000                              ? "memory.hbm3"
                        : rate >= 1200 || (rate >= 550 && nm >= 12) ? "memory.hbm2"
                        : rate >= 250                               ? "memory.gddr6"
                                                                    : "memory.ddr";
  const auto per_byte = [&](std::string_view id) { return table.at(id).low * 8 * picojoule; };
  out.memory_byte = per_byte(out.memory_constant);
  out.chip_byte = (2 * circuit("byte.sram_8kb", nm) + circuit("byte.sram_1mb", nm)) * picojoule;
  out.board_link_byte = per_byte("link.board");
  out.network_byte = per_byte("link.network");
  return out;
}

std::vector<Finding> lint_coefficients(const std::vector<EnergyCoefficient>& rows) {
  std::vector<Finding> out;
  const double least_pj = (landauer_bound(300 * kelvin) * bit).in(picojoule);
  // Generations of one thing, older first: the newer takes no more than thrice, no less than a
  // seventh.
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kGenerations = {
      {{"memory.hbm2", "memory.hbm3"},
       {"memory.ddr", "memory.hbm2"},
       {"link.pcie3", "link.pcie5"},
       {"wire.40nm", "wire.10nm"}}};
  const auto find = [&](std::string_view id) {
    return std::find_if(rows.begin(), rows.end(), [&](const auto& row) { return row.id == id; });
  };
  for (const EnergyCoefficient& c : rows) {
    if (c.unit == "pJ/bit" && c.low < least_pj)
      out.push_back({c.id, "low", "below k_B T ln 2 a bit at 300 K"});
    if (c.id.starts_with("pue.") && !(c.low >= 1 && c.high <= 3))
      out.push_back({c.id, "range", "a PUE lies from 1 to 3"});
    if (c.high > 100 * c.low) out.push_back({c.id, "range", "wider than a factor of 100"});
  }
  for (const auto& [older, newer] : kGenerations) {
    const auto a = find(older), b = find(newer);
    if (a == rows.end() || b == rows.end()) continue;
    const double ratio = b->value / a->value;
    if (ratio > 3 || ratio < 0.15)
      out.push_back({b->id, "value", "over " + a->id + ": a unit of bits or of bytes?"});
  }
  return out;
}

}  // namespace carnot::model
