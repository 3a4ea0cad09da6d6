// SPDX-License-Identifier: Apache-2.0
#include "table.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/input/cells.hpp"
#include "carnot/base/text.hpp"

namespace carnot::python {

namespace {

template <class T>
Column column_of(std::string name, Column::Kind kind, std::vector<T> values) {
  const auto owner = std::make_shared<const std::vector<T>>(std::move(values));
  Column c;
  c.name = std::move(name);
  c.kind = kind;
  c.rows = static_cast<std::int64_t>(owner->size());
  c.data = owner->data();
  c.owner = owner;
  return c;
}

/// Of all cells, by `read`, which throws InputError where a cell is none; empty where one is not.
template <class T, class Read>
bool all_of(const std::vector<std::string>& cells, std::vector<T>& out, Read read) {
  out.clear();
  out.reserve(cells.size());
  try {
    for (const std::string& cell : cells) out.push_back(read(cell));
  } catch (const InputError&) {
    return false;
  }
  return true;
}

}  // namespace

Column number_column(std::string name, std::vector<double> values) {
  return column_of(std::move(name), Column::Kind::Number, std::move(values));
}

Column integer_column(std::string name, std::vector<std::int64_t> values) {
  return column_of(std::move(name), Column::Kind::Integer, std::move(values));
}

Column time_column(std::string name, std::vector<std::int64_t> unix_nanoseconds) {
  return column_of(std::move(name), Column::Kind::Time, std::move(unix_nanoseconds));
}

Column text_column(std::string name, const std::vector<std::string>& values) {
  struct Text {
    std::vector<std::int64_t> offsets{0};
    std::string bytes;
  };
  auto text = std::make_shared<Text>();
  for (const std::string& value : values) {
    text->bytes += value;
    text->offsets.push_back(static_cast<std::int64_t>(text->bytes.size()));
  }
  Column c;
  c.name = std::move(name);
  c.kind = Column::Kind::Text;
  c.rows = static_cast<std::int64_t>(values.size());
  c.data = text->bytes.data();
  c.offsets = text->offsets.data();
  c.owner = text;
  return c;
}

Table table_of_csv(std::string_view text) {
  std::vector<std::string> names;
  std::vector<std::vector<std::string>> columns;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    ++number;
    const std::vector<std::string_view> cells = plain_cells(line);
    if (names.empty()) {
      names.assign(cells.begin(), cells.end());
      columns.resize(names.size());
      continue;
    }
    if (cells.size() != names.size())
      throw InputError(describe({"table", number}, "row", fmt::format("{} cells", names.size())));
    for (std::size_t c = 0; c < cells.size(); ++c) columns[c].emplace_back(cells[c]);
  }
  Table out;
  for (std::size_t c = 0; c < names.size(); ++c) {
    std::vector<std::int64_t> whole;
    std::vector<double> numbers;
    if (all_of(columns[c], whole,
               [](const std::string& s) { return std::int64_t{parse_integer(s)}; }))
      out.columns.push_back(integer_column(names[c], std::move(whole)));
    else if (all_of(columns[c], numbers, [](const std::string& s) { return parse_number(s); }))
      out.columns.push_back(number_column(names[c], std::move(numbers)));
    else
      out.columns.push_back(text_column(names[c], columns[c]));
  }
  return out;
}

}  // namespace carnot::python
