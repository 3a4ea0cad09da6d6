// SPDX-License-Identifier: Apache-2.0
#include "report/draw/stacked_panel.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "report/run/words.hpp"

namespace carnot::report {

namespace {

constexpr std::size_t kColumns = 336;

std::vector<double> scaled(std::vector<double> values, const svg::Scale& y, double factor) {
  for (double& v : values) v = y.clipped(v * factor);
  return values;
}

}  // namespace

PlanAxis plan_axis(double slots, double slot_s, double left) {
  PlanAxis out;
  const double seconds = slots * slot_s;
  out.slot = svg::linear(0, slots, left, PlanAxis::kRight);
  const Unit unit = time_unit(seconds);
  const double whole = seconds * unit.factor, per_slot = slot_s * unit.factor;
  std::vector<double> marks;
  if (unit.name == "h" && whole >= 48)  // hours read best by days
    for (double at = 0; at <= whole * (1 + 1e-9); at += 24) marks.push_back(at);
  else
    marks = svg::ticks(svg::linear(0, whole, 0, 1), 8);
  const double step = marks.size() > 1 ? marks[1] - marks[0] : whole;
  for (const double at : marks) out.marks.emplace_back(at / per_slot, svg::tick_text(at, step));
  out.title = "time, " + unit.name;
  return out;
}

void PlanAxis::draw(svg::Drawing& drawing, double foot) const {
  for (const auto& [at, words] : marks) {
    drawing.line(slot.at(at), foot, slot.at(at), foot + 4, "axis");
    drawing.text(slot.at(at), foot + 18, words, "tick middle");
  }
  drawing.text((slot.from + slot.to) / 2, foot + 38, title, "label middle");
}

Stretches::Stretches(std::size_t slots)
    : slots_(slots), each_(std::max<std::size_t>(1, (slots + kColumns - 1) / kColumns)) {}

std::vector<double> Stretches::means(const std::vector<double>& values) const {
  std::vector<double> out;
  for (std::size_t i = 0; i < slots_; i += each_) {
    const std::size_t n = std::min(each_, slots_ - i);
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(i);
    out.push_back(std::accumulate(at, at + static_cast<std::ptrdiff_t>(n), 0.0) /
                  static_cast<double>(n));
  }
  return out;
}

std::vector<double> Stretches::edges(const svg::Scale& slot) const {
  std::vector<double> out;
  for (std::size_t i = 0; i < slots_; i += each_) out.push_back(slot.at(static_cast<double>(i)));
  out.push_back(slot.at(static_cast<double>(slots_)));
  return out;
}

double StackedPanels::areas(double top, double height, const std::string& title,
                            std::vector<PanelSeries> layers,
                            const std::vector<PanelSeries>& lines) {
  double most = 0;
  for (std::size_t i = 0; i < layers.size(); ++i)
    for (std::size_t k = 0; k < layers[i].values.size(); ++k) {
      if (i > 0) layers[i].values[k] += layers[i - 1].values[k];
      most = std::max(most, layers[i].values[k]);
    }
  for (const PanelSeries& line : lines)
    for (const double v : line.values) most = std::max(most, v);
  const Unit unit = power_unit(most * 1e3);
  const double factor = 1e3 * unit.factor;
  const svg::Scale y = svg::linear(0, svg::rounded_up(most * factor, 3), top + height, top);
  frame(y, fmt::format("{}, {}", title, unit.name));
  // From the highest down, each covers what is below it.
  for (std::size_t i = layers.size(); i-- > 0;)
    d_.path(svg::steps_area(edges_, scaled(layers[i].values, y, factor), y.from), layers[i].style,
            layers[i].name);
  draw_lines(lines, y, factor);
  d_.line(PlanAxis::kLeft, top + height, PlanAxis::kRight, top + height, "axis");
  key(top, layers, lines);
  return top + height;
}

double StackedPanels::lines(double top, double height, const std::string& title,
                            const std::vector<PanelSeries>& lines) {
  double low = 0, high = 0;
  for (const PanelSeries& line : lines)
    for (const double v : line.values) {
      low = std::min(low, v);
      high = std::max(high, v);
    }
  const svg::Scale y = svg::linear(low < 0 ? -svg::rounded_up(-low, 3) : 0.0,
                                   svg::rounded_up(high, 3), top + height, top);
  frame(y, title);
  d_.line(PlanAxis::kLeft, y.at(0), PlanAxis::kRight, y.at(0), "axis");
  draw_lines(lines, y, 1);
  if (lines.size() > 1) key(top, {}, lines);
  return top + height;
}

void StackedPanels::draw_lines(const std::vector<PanelSeries>& lines, const svg::Scale& y,
                               double factor) {
  for (const PanelSeries& line : lines)
    d_.path(svg::steps_line(edges_, scaled(line.values, y, factor)), line.style, line.name);
}

void StackedPanels::frame(const svg::Scale& y, const std::string& title) {
  const std::vector<double> levels = svg::ticks(y, 3);
  const double step = levels.size() > 1 ? levels[1] - levels[0] : y.high - y.low;
  for (const double level : levels) {
    d_.line(PlanAxis::kLeft, y.at(level), PlanAxis::kRight, y.at(level), "gridline");
    d_.text(PlanAxis::kLeft - 8, y.at(level) + 4, svg::tick_text(level, step), "tick end");
  }
  d_.text(PlanAxis::kLeft, y.to - 10, title, "label");
}

/// Names at the right of the panel's title.
void StackedPanels::key(double top, const std::vector<PanelSeries>& layers,
                        const std::vector<PanelSeries>& lines) {
  const auto letters = [](const PanelSeries& s) {
    return 7.3 * static_cast<double>(s.name.size());
  };
  std::vector<std::pair<std::string, std::string>> names;
  double width = 0;
  for (const PanelSeries& layer : layers) {
    names.emplace_back(layer.style, layer.name);
    width += 32 + letters(layer);
  }
  for (const PanelSeries& line : lines) width += 42 + letters(line);
  double x = PlanAxis::kRight - width;
  x += svg::legend(d_, x, top - 10, names);
  for (const PanelSeries& line : lines) {
    d_.line(x, top - 14, x + 20, top - 14, line.style);
    d_.text(x + 26, top - 10, line.name, "tick");
    x += 42 + letters(line);
  }
}

}  // namespace carnot::report
