// SPDX-License-Identifier: Apache-2.0
#include "report/draw/table.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include <fmt/format.h>

#include "report/draw/text_columns.hpp"

namespace carnot::report {

namespace {

constexpr std::size_t kMarker = 2;  // before each row

std::size_t table_width(const std::vector<Column>& table, std::size_t gap) {
  std::size_t width = kMarker;
  for (const Column& column : table) width += column.width() + gap;
  return table.empty() ? width : width - gap;
}

void fit(std::vector<Column>& table, std::size_t width) {
  while (table_width(table, 1) > width && table.size() > 2) {
    table.erase(std::min_element(table.begin(), table.end(), [](const Column& a, const Column& b) {
      return a.worth < b.worth;
    }));
  }
  const std::size_t used = table_width(table, 1);
  if (used <= width) return;
  Column& first = table.front();
  const std::size_t excess = used - width, now = first.width();
  const std::size_t room = now > excess + 4 ? now - excess : 4;
  for (std::string& cell : first.cells) cell = cut(cell, room);
  first.name = cut(first.name, room);
}

}  // namespace

std::size_t Column::width() const {
  std::size_t w = std::max(columns(name), columns(unit));
  for (const std::string& cell : cells) w = std::max(w, columns(cell));
  return w;
}

std::vector<std::string> aligned_numbers(const std::vector<double>& values, double factor,
                                         int digits) {
  double largest = 0;
  for (const double v : values) {
    if (std::isfinite(v)) largest = std::max(largest, std::abs(v * factor));
  }
  // A quarter: the largest is often far above the rest, which should keep three digits too.
  const int whole = largest > 0 ? static_cast<int>(std::floor(std::log10(largest / 4))) + 1 : 1;
  const int decimals = std::clamp(digits - std::max(1, whole), 0, 2);
  std::vector<std::string> out;
  for (const double v : values) {
    std::string text = std::isfinite(v) ? fmt::format("{:.{}f}", v * factor, decimals) : "n/a";
    if (text.find_first_not_of("-0.") == std::string::npos && text[0] == '-') text.erase(0, 1);
    out.push_back(std::move(text));
  }
  return out;
}

double largest_of(const std::vector<double>& values) {
  double out = 0;
  for (const double v : values) {
    if (std::isfinite(v)) out = std::max(out, std::abs(v));
  }
  return out;
}

std::vector<std::string> table_lines(std::vector<Column>& table, std::size_t width,
                                     const std::vector<std::string>& markers) {
  fit(table, width);
  const std::size_t gap = table_width(table, 2) <= width ? 2 : 1;
  const auto line = [&](const std::string& marker,
                        const std::function<std::string(const Column&)>& cell) {
    std::string text = marker;
    for (const Column& column : table) {
      if (text.size() > marker.size()) text.append(gap, ' ');
      text += column.left ? padded_right(cell(column), column.width())
                          : padded_left(cell(column), column.width());
    }
    while (!text.empty() && text.back() == ' ') text.pop_back();
    return text;
  };
  std::vector<std::string> lines = {line("  ", [](const Column& c) { return c.name; }),
                                    line("  ", [](const Column& c) { return c.unit; })};
  for (std::size_t i = 0; i < markers.size(); ++i)
    lines.push_back(line(markers[i], [i](const Column& c) { return c.cells[i]; }));
  return lines;
}

}  // namespace carnot::report
