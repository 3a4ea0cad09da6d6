// SPDX-License-Identifier: Apache-2.0
// Reads the table of energies and prices counters with it.
#include "learn/knobs/energy_table.hpp"

#include <algorithm>
#include <string>

#include "carnot/base/error.hpp"
#include "carnot/base/input/cells.hpp"
#include "carnot/base/input/input_file.hpp"
#include "carnot/learn/knobs/precision.hpp"
#include "carnot/model/catalogue/chips.hpp"
#include "carnot/model/kernel/operation_costs.hpp"

namespace carnot::learn {

namespace {

constexpr std::string_view kHeader = "key,energy_pj,low_pj,high_pj,per_second,source";
constexpr int kOperations = static_cast<int>(OperationKind::kCount);
constexpr int kLevels = static_cast<int>(MemoryLevel::kCount);

std::string_view key_at(int row) noexcept {
  return row < kOperations ? key(static_cast<OperationKind>(row))
                           : key(static_cast<MemoryLevel>(row - kOperations));
}

std::string_view next_field(std::string_view& line) noexcept {
  return trimmed(cut_cell(line, ','));
}

class Reader {
 public:
  explicit Reader(std::string file) : file_(std::move(file)) {}

  std::vector<CostRow> read(std::string_view text) {
    bool header_seen = false;
    while (!text.empty()) {
      const auto line = trimmed(cut_cell(text, '\n'));
      ++line_;
      if (line.empty() || line.front() == '#') continue;
      if (!header_seen) {
        header_seen = true;
        if (line != kHeader) add("header", std::string(kHeader));
        continue;
      }
      row(line);
    }
    line_ = 0;
    for (int i = 0; i < kOperations + kLevels; ++i) {
      if (!seen_[i]) add(key_at(i), "every key must be there exactly once");
    }
    problems_.throw_if_any();
    return std::move(rows_);
  }

 private:
  void add(std::string_view field, std::string_view allowed) {
    problems_.add(Place{file_, line_}, field, allowed);
  }

  double number(std::string_view field, std::string_view text) {
    double value = 0.0;
    if (!read_whole(text, value) || !(value > 0.0 && value <= 1e30)) {
      add(field, "a number > 0, found `" + std::string(text.substr(0, 40)) + "`");
      return 1.0;
    }
    return value;
  }

  void row(std::string_view line) {
    const auto name = next_field(line);
    int index = 0;
    while (index < kOperations + kLevels && key_at(index) != name) ++index;
    if (index == kOperations + kLevels) {
      std::vector<std::string> known;
      for (int i = 0; i < kOperations + kLevels; ++i) known.emplace_back(key_at(i));
      const auto near = nearest(name.substr(0, 64), known);
      add("key", "a known key, found `" + std::string(name.substr(0, 40)) + "`" +
                     (near.empty() ? "" : "; did you mean `" + near + "`?"));
      return;
    }
    if (seen_[index]) {
      add(name, "every key must be there exactly once");
      return;
    }
    seen_[index] = true;
    CostRow& cost = rows_[static_cast<std::size_t>(index)];
    cost.key = name;
    const double energy = number("energy_pj", next_field(line));
    const double low = number("low_pj", next_field(line));
    const double high = number("high_pj", next_field(line));
    if (!(low <= energy && energy <= high)) add(name, "low_pj <= energy_pj <= high_pj");
    cost.energy = energy * picojoule;
    cost.low = low * picojoule;
    cost.high = high * picojoule;
    cost.per_second = number("per_second", next_field(line));
    cost.source = trimmed(line);
    if (cost.source.empty()) add("source", "who published the figure");
  }

  std::string file_;
  std::size_t line_ = 0;
  Problems problems_;
  std::vector<CostRow> rows_ = std::vector<CostRow>(kOperations + kLevels);
  bool seen_[kOperations + kLevels] = {};
};

}  // namespace

std::vector<CostRow> parse_energy_table(std::string_view text, const std::string& file) {
  return Reader(file).read(text);
}

const EnergyTable& EnergyTable::embedded() {
  static const EnergyTable table = of_chip(model::ChipCatalogue::embedded().chip("asic-45nm"));
  return table;
}

EnergyTable EnergyTable::of_chip(const model::Chip& chip) {
  EnergyTable table;
  table.name_ = chip.id;
  const std::vector<model::OperationCost> costs = model::operation_costs(chip);
  for (int i = 0; i < kOperations + kLevels; ++i) {
    const auto cost =
        std::find_if(costs.begin(), costs.end(),
                     [&](const model::OperationCost& one) { return one.key == key_at(i); });
    CARNOT_CHECK(cost != costs.end(), "a cost of each kind of operation");
    table.rows_.push_back(
        {cost->key, cost->energy, cost->low, cost->high, cost->per_second, cost->source});
  }
  return table;
}

EnergyTable EnergyTable::choose(const std::string& path, const std::string& chip) {
  if (!path.empty() && !chip.empty())
    throw InputError("energies: of a file (" + path + ") or of a chip (" + chip + "), not of both");
  if (!path.empty()) return read(path);
  return chip.empty() ? embedded() : of_chip(model::ChipCatalogue::embedded().chip(chip));
}

EnergyTable EnergyTable::read(const std::string& path) {
  EnergyTable table;
  table.name_ = path;
  table.rows_ = parse_energy_table(read_input(path), path);
  return table;
}

const CostRow& EnergyTable::row(OperationKind kind) const noexcept {
  return rows_[static_cast<std::size_t>(kind)];
}

const CostRow& EnergyTable::row(MemoryLevel level) const noexcept {
  return rows_[static_cast<std::size_t>(kOperations) + static_cast<std::size_t>(level)];
}

Estimate<Energy> EnergyTable::energy(const Counters& counters) const {
  auto total = Estimate<Energy>::exact(Energy{}, Origin::Modelled, Boundary::Chip);
  const auto add = [&total](const CostRow& row, std::uint64_t count) {
    if (count == 0) return;
    const auto n = static_cast<double>(count);
    total = total + Estimate<Energy>(n * row.energy, n * row.low, n * row.high, Origin::Modelled,
                                     Boundary::Chip, "pj:" + row.key, {row.source});
  };
  for (int k = 0; k < kOperations; ++k) {
    const auto kind = static_cast<OperationKind>(k);
    add(row(kind), counters.at(kind));
  }
  for (int l = 0; l < kLevels; ++l) {
    const auto level = static_cast<MemoryLevel>(l);
    add(row(level), counters.at(level));
  }
  return total;
}

Energy EnergyTable::alu_energy(const Counters& counters) const {
  Energy total;
  for (const auto kind : {OperationKind::F32Mac, OperationKind::Bf16Mac, OperationKind::Int8Mac,
                          OperationKind::Int4Mac, OperationKind::Int2Mac}) {
    total += static_cast<double>(counters.at(kind)) * row(kind).energy;
  }
  return total;
}

Time EnergyTable::time(const Counters& counters) const {
  double seconds = 0.0;
  for (int k = 0; k < kOperations; ++k) {
    const auto kind = static_cast<OperationKind>(k);
    seconds += static_cast<double>(counters.at(kind)) / row(kind).per_second;
  }
  for (int l = 0; l < kLevels; ++l) {
    const auto level = static_cast<MemoryLevel>(l);
    seconds += static_cast<double>(counters.at(level)) / row(level).per_second;
  }
  return seconds * second;
}

}  // namespace carnot::learn
