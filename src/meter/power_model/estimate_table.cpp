// SPDX-License-Identifier: Apache-2.0
// Tables of hosts in, tables with power out.
#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/input/cells.hpp"
#include "carnot/base/text.hpp"
#include "carnot/meter/power_model/power_model.hpp"

#include "meter/power_model/power_facts.hpp"

namespace carnot::meter {

namespace {

/// One column: a fact, the vendor, the utilisation or a label.
struct Column {
  std::string name;
  const FactRange* fact = nullptr;
};

class Table {
 public:
  explicit Table(const std::string& file) : place_{file, 0} {}

  std::string run(std::string_view text) {
    text = without_byte_order_mark(text);
    while (!text.empty()) {
      const auto line = trimmed(cut_cell(text, '\n'));
      ++place_.line;
      if (line.empty()) continue;
      auto cells = quoted_cells(line);
      for (auto& cell : cells) cell = trimmed(cell);
      if (columns_.empty())
        header(cells);
      else
        row(cells);
    }
    if (columns_.empty()) add("header", "columns such as tdp_w,chips,utilisation");
    problems_.throw_if_any();
    return std::move(out_);
  }

 private:
  void add(std::string_view field, std::string_view allowed) {
    problems_.add(place_, field, allowed);
  }

  void header(const std::vector<std::string>& names) {
    std::vector<std::string> known{"vendor", "utilisation", "host", "name", "id"};
    for (const auto& range : fact_ranges()) {
      if (range.name != "vcpus") known.push_back(range.name);
    }
    for (const auto& name : names) {
      Column column{name};
      for (const auto& range : fact_ranges()) {
        if (range.name == name) column.fact = &range;
      }
      if (std::find(known.begin(), known.end(), name) == known.end()) {
        const auto near = nearest(name.substr(0, 64), known);
        add(name.empty() ? "header" : name.substr(0, 64),
            "one of " + fmt::format("{}", fmt::join(known, ", ")) +
                (near.empty() ? "" : "; did you mean `" + near + "`?"));
      }
      for (const auto& other : columns_) {
        if (other.name == name) add(name.substr(0, 64), "each column once");
      }
      columns_.push_back(column);
      out_ += quoted_where_needed(name) + ',';
    }
    problems_.throw_if_any();  // without columns no cell can be judged
    out_ += "power_w,low_w,high_w\n";
  }

  std::optional<double> number(const Column& column, const std::string& cell, double low,
                               double high, const std::string& allowed) {
    try {
      const double value = parse_number(cell);
      if (value >= low && value <= high) return value;
    } catch (const InputError&) {
      // said below
    }
    add(column.name, allowed + " or empty, found `" + cell.substr(0, 40) + "`");
    return {};
  }

  void row(const std::vector<std::string>& cells) {
    if (cells.size() != columns_.size()) {
      add("row", fmt::format("{} cells, found {}", columns_.size(), cells.size()));
      return;
    }
    HostFacts facts;
    std::optional<double> utilisation;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const auto& column = columns_[i];
      out_ += quoted_where_needed(cells[i]) + ',';
      if (cells[i].empty()) continue;
      if (column.fact != nullptr) {
        facts.*column.fact->field =
            number(column, cells[i], column.fact->low, column.fact->high, describe(*column.fact));
      } else if (column.name == "utilisation") {
        utilisation = number(column, cells[i], 0, 1, "0 ... 1");
      } else if (column.name == "vendor") {
        facts.vendor = cells[i];
      }
    }
    const auto power = estimate_wall_power(facts, utilisation);
    out_ += fmt::format("{:.6g},{:.6g},{:.6g}\n", power.value().in(watt), power.low().in(watt),
                        power.high().in(watt));
  }

  Place place_;
  Problems problems_;
  std::vector<Column> columns_;
  std::string out_;
};

}  // namespace

std::string estimate_csv(const std::string& text, const std::string& file_name) {
  return Table(file_name).run(text);
}

}  // namespace carnot::meter
