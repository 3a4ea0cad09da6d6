// SPDX-License-Identifier: Apache-2.0
#include "report/assess/figures.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "report/draw/svg.hpp"
#include "report/draw/text_columns.hpp"
#include "report/explain/words.hpp"

namespace carnot::report {

std::string assess_activity_figure(const assess::Assessment& a) {
  constexpr std::size_t kMost = 10;
  constexpr double kWidth = 760, kLeft = 260, kRight = 660, kRow = 30, kTop = 10;
  struct Row {
    std::string name;
    Estimate<Carbon> grams;
  };
  std::vector<Row> rows;
  for (std::size_t i = 0; i < a.graph.activities.size(); ++i)
    rows.push_back({printable(a.graph.activities[i].what) +
                        (a.graph.activities[i].region.empty()
                             ? ""
                             : ", " + printable(a.graph.activities[i].region)),
                    a.footprint.parts[i].operational + a.footprint.parts[i].embodied});
  std::stable_sort(rows.begin(), rows.end(),
                   [](const Row& x, const Row& y) { return x.grams.value() > y.grams.value(); });
  if (rows.size() > kMost) rows.resize(kMost);
  double high = 0;
  for (const Row& row : rows) high = std::max(high, row.grams.high().in(gram));
  const svg::Scale scale = svg::linear(0, high, kLeft, kRight);
  svg::Drawing drawing(kWidth, kTop + kRow * static_cast<double>(rows.size()) + 6,
                       "Carbon by activity",
                       rows.empty() ? "no activity" : "greatest: " + rows.front().name);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double y = kTop + kRow * static_cast<double>(i);
    const double grams = rows[i].grams.value().in(gram);
    const double low = std::max(0.0, rows[i].grams.low().in(gram));
    drawing.text(kLeft - 8, y + 16, cut(rows[i].name, 38), "label end");
    drawing.rect(kLeft, y + 4, std::max(0.5, scale.clipped(grams) - kLeft), 16, "f1",
                 fmt::format("{}: {}", rows[i].name, mass_text(grams)));
    const double x1 = scale.clipped(low), x2 = scale.clipped(rows[i].grams.high().in(gram));
    drawing.line(x1, y + 12, x2, y + 12, "axis");
    drawing.line(x1, y + 8, x1, y + 16, "axis");
    drawing.line(x2, y + 8, x2, y + 16, "axis");
    drawing.text(x2 + 6, y + 16, mass_text(grams), "value");
  }
  return drawing.finish();
}

std::string assess_front_figure(const assess::ActionPlan& plan) {
  constexpr double kWidth = 760, kHeight = 300, kLeft = 70, kRight = 730, kTop = 20, kBottom = 250;
  double cost = 1, saved = 1;
  for (const assess::Portfolio& p : plan.front) {
    cost = std::max(cost, p.cost);
    saved = std::max(saved, p.saved / 1e6);
  }
  svg::Axes axes;
  axes.x = svg::linear(0, svg::rounded_up(cost / 1000), kLeft, kRight);
  axes.y = svg::linear(0, svg::rounded_up(saved), kBottom, kTop);
  axes.x_title = "once, thousand EUR";
  axes.y_title = "saved, t a year";
  svg::Drawing drawing(
      kWidth, kHeight, "Cost and saving of sets of actions",
      fmt::format("{} sets, up to {} a year", plan.front.size(), mass_text(saved * 1e6)));
  svg::axes(drawing, axes);
  std::vector<double> x, y;
  for (const assess::Portfolio& p : plan.front) {
    x.push_back(axes.x.at(p.cost / 1000));
    y.push_back(axes.y.at(std::max(0.0, p.saved / 1e6)));
  }
  drawing.path(svg::polyline(x, y), "s1");
  for (std::size_t i = 0; i < x.size() && i < 200; ++i) {
    const bool chosen = plan.front[i].set == plan.best.set;
    drawing.circle(
        x[i], y[i], chosen ? 6 : 2.5, chosen ? "f2" : "f1",
        fmt::format("{:.0f} EUR, {} a year", plan.front[i].cost, mass_text(plan.front[i].saved)));
  }
  return drawing.finish();
}

}  // namespace carnot::report
