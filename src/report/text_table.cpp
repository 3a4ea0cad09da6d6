// SPDX-License-Identifier: Apache-2.0
#include "report/text_table.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include <fmt/format.h>

#include "report/columns.hpp"

namespace carnot::report {

namespace {

constexpr std::size_t kMarker = 2;  // "> " before the first column

std::size_t table_width(const std::vector<TextColumn>& table, std::size_t gap) {
  std::size_t width = kMarker;
  for (const TextColumn& column : table) width += column.width() + gap;
  return table.empty() ? width : width - gap;
}

}  // namespace

std::size_t TextColumn::width() const {
  std::size_t w = std::max(columns(name), columns(unit));
  for (const std::string& cell : cells) w = std::max(w, columns(cell));
  return w;
}

std::vector<std::string> aligned_numbers(const std::vector<double>& values, double factor,
                                         int digits) {
  const double largest = largest_of(values) * std::abs(factor);
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

std::vector<TextColumn> fitted(std::vector<TextColumn> table, std::size_t room) {
  while (table_width(table, 1) > room && table.size() > 2) {
    table.erase(std::min_element(
        table.begin(), table.end(),
        [](const TextColumn& a, const TextColumn& b) { return a.worth < b.worth; }));
  }
  const std::size_t used = table_width(table, 1);
  if (used <= room) return table;
  TextColumn& first = table.front();
  const std::size_t excess = used - room, now = first.width();
  const std::size_t left = now > excess + 4 ? now - excess : 4;
  for (std::string& cell : first.cells) cell = cut(cell, left);
  first.name = cut(first.name, left);
  return table;
}

std::string text_table(const std::vector<TextColumn>& table,
                       const std::vector<std::string>& markers, std::size_t room, bool colour) {
  const std::size_t gap = table_width(table, 2) <= room ? 2 : 1;
  const auto line = [&](const std::string& marker,
                        const std::function<std::string(const TextColumn&)>& cell) {
    std::string text = marker;
    for (const TextColumn& column : table) {
      if (text.size() > marker.size()) text.append(gap, ' ');
      text += column.left ? padded_right(cell(column), column.width())
                          : padded_left(cell(column), column.width());
    }
    while (!text.empty() && text.back() == ' ') text.pop_back();
    return text;
  };
  std::string out = soft(line("  ", [](const TextColumn& c) { return c.name; }), colour) + "\n" +
                    soft(line("  ", [](const TextColumn& c) { return c.unit; }), colour) + "\n";
  for (std::size_t i = 0; i < markers.size(); ++i) {
    const std::string text = line(markers[i], [i](const TextColumn& c) { return c.cells[i]; });
    out += (markers[i] == "> " ? strong(text, colour) : text) + "\n";
  }
  return out;
}

std::string strong(const std::string& text, bool colour) {
  return colour ? "\x1b[1m" + text + "\x1b[0m" : text;
}

std::string soft(const std::string& text, bool colour) {
  return colour ? "\x1b[2m" + text + "\x1b[0m" : text;
}

}  // namespace carnot::report
