// SPDX-License-Identifier: Apache-2.0
#include "carnot/base/input/csv_table.hpp"

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/input/cells.hpp"
#include "carnot/base/input/input_file.hpp"
#include "carnot/base/text.hpp"

namespace carnot::inline base {

CsvTable CsvTable::read(const std::filesystem::path& path) {
  CsvTable table;
  table.name_ = path.string();
  const std::string bytes = read_input(path);
  std::string_view rest = bytes;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    std::string_view line = cut_cell(rest, '\n');
    if (number == 1) line = without_byte_order_mark(line);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    std::vector<std::string> cells = quoted_cells(line);
    if (table.header_.empty()) {
      table.header_ = std::move(cells);
      continue;
    }
    if (cells.size() != table.header_.size())
      throw InputError(describe(
          {table.name_, number}, "",
          fmt::format("{} cells as in the header, found {}", table.header_.size(), cells.size())));
    table.rows_.push_back(std::move(cells));
    table.lines_.push_back(number);
  }
  for (std::size_t k = 0; k < table.header_.size(); ++k) table.columns_[table.header_[k]] = k;
  return table;
}

std::size_t CsvTable::column(const std::string& name) const {
  const auto there = columns_.find(name);
  if (there == columns_.end())
    throw InputError(describe({name_, 1}, name, "a column of this name"));
  return there->second;
}

const std::string& CsvTable::text(std::size_t row, const std::string& name) const {
  return rows_[row][column(name)];
}

double CsvTable::number(std::size_t row, std::size_t column) const {
  try {
    return parse_number(rows_[row][column]);
  } catch (const InputError& error) {
    refuse(row, header_[column], error.what());
  }
}

void CsvTable::refuse(std::size_t row, const std::string& column, std::string_view allowed) const {
  throw InputError(describe({name_, lines_[row]}, column, allowed));
}

}  // namespace carnot::inline base
