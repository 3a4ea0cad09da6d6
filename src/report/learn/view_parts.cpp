// SPDX-License-Identifier: Apache-2.0
#include "report/learn/view_parts.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/limits.hpp"
#include "carnot/base/version.hpp"

namespace carnot::report {

std::string ViewTable::terminal(std::size_t room, bool colour) const {
  std::vector<Column> table;
  for (std::size_t c = 0; c < heads_.size(); ++c) {
    Column column{heads_[c].name, heads_[c].unit, heads_[c].worth, {}, heads_[c].left};
    for (const std::vector<std::string>& row : rows_) column.cells.push_back(printable(row[c]));
    table.push_back(std::move(column));
  }
  std::vector<std::string> markers;
  for (const bool marked : marked_) markers.emplace_back(marked ? "> " : "  ");
  return text_table(std::move(table), markers, room, colour);
}

std::string ViewTable::html(std::string_view caption) const {
  std::vector<html::Column> columns;
  for (const Head& head : heads_)
    columns.push_back({head.unit.empty() ? head.name : head.name + ", " + head.unit, !head.left});
  std::vector<html::Row> rows;
  for (std::size_t r = 0; r < rows_.size(); ++r)
    rows.push_back({rows_[r], marked_[r] ? "best" : ""});
  return html::table(caption, columns, rows);
}

std::string lines_of(const std::string& text, int width) {
  std::string out;
  for (const std::string& line : wrapped(text, static_cast<std::size_t>(std::max(width, 40))))
    out += line + "\n";
  return out;
}

std::string made_how(const std::string& data_source, const std::string& command) {
  return html::heading(2, "How it was made") +
         html::paragraph(fmt::format("Data: {}. Training is real; joules and times are exact "
                                     "counts times a published table, "
                                     "boundary chip, not measured. carnot {}, {}",
                                     data_source, kVersion,
                                     command.empty() ? "library call" : command));
}

std::string quality_text(double quality, const std::string& metric) {
  if (!std::isfinite(quality)) return "n/a";
  return metric == "accuracy" ? fmt::format("{:.2f} %", 100.0 * quality)
                              : fmt::format("{:.4f}", quality);
}

svg::Scale wide_scale(const std::vector<double>& values, double from, double to) {
  double low = kInfinity, high = 0.0;
  for (const double v : values) {
    if (!(v > 0.0) || !std::isfinite(v)) continue;
    low = std::min(low, v);
    high = std::max(high, v);
  }
  return svg::logarithmic(0.8 * low, 1.25 * high, from, to);
}

}  // namespace carnot::report
