// SPDX-License-Identifier: Apache-2.0
#include "model/footprint/table.hpp"

#include <algorithm>
#include <cctype>

#include "carnot/base/error.hpp"
#include "carnot/base/input/cells.hpp"

namespace carnot::model {

void TableReader::read(std::string_view text,
                       const std::function<void(const std::vector<std::string_view>&)>& row) {
  bool header_seen = false;
  while (!text.empty()) {
    auto line = cut_cell(text, '\n');
    ++line_;
    if (by_hand_ && line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || (by_hand_ && line.front() == '#')) continue;
    if (header_seen) {
      row(plain_cells(line));
    } else {
      header_seen = true;
      if (line != header_) add("header", header_);
    }
  }
  if (!header_seen) add("header", header_);
  problems_.throw_if_any();
}

std::vector<Row> rows_of(std::string_view table, std::size_t columns, std::string_view name) {
  std::vector<Row> rows;
  std::size_t number = 0;
  while (!table.empty()) {
    const auto line = cut_cell(table, '\n');
    if (++number == 1 || line.empty()) continue;
    const auto cells = plain_cells(line);
    Row row(cells.begin(), cells.end());
    if (row.size() != columns) {
      throw InputError(
          describe({std::string(name), number}, "row", std::to_string(columns) + " cells"));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string folded(std::string_view text) {
  std::string out(trimmed(text));
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

void unknown(std::string_view what, std::string_view word,
             const std::vector<std::string>& candidates, std::string_view allowed) {
  const auto near = nearest(word.substr(0, 64), candidates);
  throw InputError(
      std::string(what) + ": `" + std::string(word.substr(0, 64)) + "` is not known" +
      (near.empty() ? "; allowed: " + std::string(allowed) : "; did you mean `" + near + "`?"));
}

}  // namespace carnot::model
