// SPDX-License-Identifier: Apache-2.0
#include "report/draw/text_table.hpp"

#include <algorithm>
#include <utility>

namespace carnot::report {

std::string strong(const std::string& text, bool colour) {
  return colour ? "\x1b[1m" + text + "\x1b[0m" : text;
}

std::string soft(const std::string& text, bool colour) {
  return colour ? "\x1b[2m" + text + "\x1b[0m" : text;
}

std::string text_table(std::vector<Column> table, const std::vector<std::string>& markers,
                       std::size_t room, bool colour) {
  const std::vector<std::string> lines = table_lines(table, room, markers);
  std::string out;
  for (std::size_t i = 0; i < lines.size(); ++i)
    out += (i < 2                    ? soft(lines[i], colour)
            : markers[i - 2] == "> " ? strong(lines[i], colour)
                                     : lines[i]) +
           "\n";
  return out;
}

std::string plain_table(std::vector<Column> table, const std::vector<std::string>& markers,
                        std::size_t room, bool colour) {
  const bool units =
      std::any_of(table.begin(), table.end(), [](const Column& c) { return !c.unit.empty(); });
  const std::string text = text_table(std::move(table), markers, room, colour);
  if (units) return text;
  const std::size_t head = text.find('\n');
  const std::size_t line = text.find('\n', head + 1);
  return text.substr(0, head + 1) + text.substr(line + 1);
}

RowTable::RowTable(std::vector<std::string> heads, std::vector<std::size_t> left) {
  for (std::size_t i = 0; i < heads.size(); ++i)
    columns_.push_back({std::move(heads[i]),
                        "",
                        static_cast<int>(heads.size() - i),
                        {},
                        std::find(left.begin(), left.end(), i) != left.end()});
}

void RowTable::row(std::vector<std::string> cells, bool marked) {
  for (std::size_t i = 0; i < columns_.size(); ++i)
    columns_[i].cells.push_back(i < cells.size() ? std::move(cells[i]) : "");
  markers_.emplace_back(marked ? "> " : "  ");
}

std::string RowTable::text(std::size_t room, bool colour) const {
  return plain_table(columns_, markers_, room, colour);
}

}  // namespace carnot::report
