// SPDX-License-Identifier: Apache-2.0
#include "report/draw/bar_figure.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "report/draw/svg.hpp"
#include "report/draw/text_columns.hpp"

namespace carnot::report {

std::string bar_name(const std::string& name, bool bold) {
  return cut(printable(name), bold ? 12 : 14);
}

std::string bar_figure(const std::string& title, const std::vector<Bar>& rows, double bound) {
  constexpr double kWidth = 460, kLeft = 112, kRight = 384, kRow = 25, kTop = 34;
  const double foot = kTop + kRow * static_cast<double>(rows.size());
  double low = 0, high = 0;
  std::string words;
  for (const Bar& row : rows) {
    low = std::min(low, row.value);
    high = std::max(high, row.value);
    words += fmt::format("{} {}; ", row.name, figure_text(row.value, 3));
  }
  if (std::isfinite(bound)) {
    low = std::min(low, bound);
    high = std::max(high, bound);
    words += fmt::format("bound {}; ", figure_text(bound, 3));
  }
  const svg::Scale x = svg::linear(low, high > low ? high : low + 1, kLeft, kRight);
  svg::Drawing d(kWidth, foot + 24, title, words);
  d.text(0, 16, title, "title");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double y = kTop + kRow * static_cast<double>(i);
    d.text(kLeft - 8, y + 15, bar_name(rows[i].name, rows[i].ours),
           rows[i].ours ? "end bold" : "end label");
    const double from = x.at(std::min(0.0, rows[i].value)), to = x.at(std::max(0.0, rows[i].value));
    d.rect(from, y + 3, to - from, kRow - 8, rows[i].ours ? "f1" : "fquiet",
           fmt::format("{}: {}", rows[i].name, figure_text(rows[i].value, 3)), 1.5);
    d.text(to + 6, y + 15, figure_text(rows[i].value, 3), rows[i].ours ? "bold" : "tick");
  }
  d.line(x.at(0), kTop - 2, x.at(0), foot, "axis");
  if (std::isfinite(bound)) {
    d.line(x.at(bound), kTop - 4, x.at(bound), foot + 6, "bound");
    const bool right = x.at(bound) > (kLeft + kRight) / 2;
    d.text(x.at(bound) + (right ? -4 : 4), foot + 18, "bound " + figure_text(bound, 3),
           right ? "tick end" : "tick");
  }
  return d.finish();
}

}  // namespace carnot::report
