// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <functional>

#include <fmt/format.h>

#include "report/draw/html.hpp"
#include "report/draw/svg.hpp"
#include "report/measure/measurement_words.hpp"
#include "report/measure/series_words.hpp"

namespace carnot::report {

namespace {

constexpr double kWidth = 720, kHeight = 300, kLeft = 76, kRight = 700, kTop = 24, kBottom = 250;

/// One figure: a quantity of the rows against what varied.
struct Panel {
  std::string title, axis, caption;
  std::function<double(const SeriesRow&)> value, low, high;  ///< low, high may be empty
};

/// Where a row stands: its number, or its place in the list where values are words.
double position(const SeriesSummary& s, std::size_t i) {
  const bool numbers = std::all_of(s.rows.begin(), s.rows.end(),
                                   [](const SeriesRow& r) { return std::isfinite(r.x); });
  return numbers ? s.rows[i].x : static_cast<double>(i);
}

svg::Axes axes_of(const SeriesSummary& s, const Panel& panel) {
  double low = INFINITY, high = -INFINITY, top = 0;
  for (std::size_t i = 0; i < s.rows.size(); ++i) {
    low = std::min(low, position(s, i));
    high = std::max(high, position(s, i));
    const double most = panel.high ? panel.high(s.rows[i]) : panel.value(s.rows[i]);
    if (std::isfinite(most)) top = std::max(top, most);
  }
  svg::Axes axes;
  constexpr double kDecades = 12;  // from here on a logarithmic axis reads better
  const bool logarithmic = s.kind != SeriesKind::Load && low > 0 && high > kDecades * low;
  if (s.kind == SeriesKind::Load) low = 0, high = 1;
  axes.x = logarithmic ? svg::logarithmic(low, high, kLeft, kRight)
                       : svg::linear(low, high, kLeft, kRight);
  axes.y = svg::linear(0, svg::rounded_up(top > 0 ? top : 1), kBottom, kTop);
  axes.x_title = s.kind == SeriesKind::Load ? "busy share of the machine" : s.name;
  axes.y_title = panel.axis;
  if (s.kind != SeriesKind::Load && s.rows.size() <= 12)
    for (std::size_t i = 0; i < s.rows.size(); ++i)
      axes.x_marks.emplace_back(position(s, i), s.rows[i].value);
  return axes;
}

std::string figure(const SeriesSummary& s, const Panel& panel) {
  svg::Drawing drawing(kWidth, kHeight, panel.title, panel.caption);
  const svg::Axes axes = axes_of(s, panel);
  svg::axes(drawing, axes);
  if (s.line && s.kind == SeriesKind::Load) {
    const double from = axes.y.clipped(s.line->static_power.in(watt));
    drawing.line(kLeft, from, kRight, axes.y.clipped(s.line->at_full_load.in(watt)), "rule dash");
    drawing.text(kLeft + 8, from - 8,
                 fmt::format("{} idle", watts_in_words(s.line->static_power.in(watt))), "tick");
  }
  std::vector<double> x, y;
  for (std::size_t i = 0; i < s.rows.size(); ++i) {
    const SeriesRow& row = s.rows[i];
    x.push_back(axes.x.clipped(position(s, i)));
    y.push_back(axes.y.clipped(panel.value(row)));
    if (panel.low)
      drawing.line(x.back(), axes.y.clipped(panel.low(row)), x.back(),
                   axes.y.clipped(panel.high(row)), "quiet");
  }
  if (s.kind != SeriesKind::Load) drawing.path(svg::polyline(x, y), "s1");
  for (std::size_t i = 0; i < x.size(); ++i)
    drawing.circle(x[i], y[i], 4, "s1",
                   fmt::format("{} {}: {:.4g}", s.name, s.rows[i].value, panel.value(s.rows[i])));
  return html::figure(drawing.finish(), panel.caption, true);
}

std::vector<Panel> panels(const SeriesSummary& s) {
  const Panel energy{"Energy of the job",
                     "energy, J",
                     "Energy of one run; bars show where it lies nine times in ten.",
                     [](const SeriesRow& r) { return r.energy.value().in(joule); },
                     [](const SeriesRow& r) { return r.energy.low().in(joule); },
                     [](const SeriesRow& r) { return r.energy.high().in(joule); }};
  const Panel time{"Time",
                   "time, s",
                   "Wall-clock time of one run.",
                   [](const SeriesRow& r) { return r.duration.in(second); },
                   {},
                   {}};
  switch (s.kind) {
    case SeriesKind::Load:
      return {{"Power against load", "machine power, W",
               "Power of the whole machine against its load; the dashed line is the fit, where it "
               "meets the left edge the power that is spent on nothing.",
               [](const SeriesRow& r) { return r.machine_power.value().in(watt); },
               [](const SeriesRow& r) { return r.machine_power.low().in(watt); },
               [](const SeriesRow& r) { return r.machine_power.high().in(watt); }}};
    case SeriesKind::Batch:
      return {energy,
              {"Memory",
               "peak memory, MB",
               "Largest memory of any process of the run.",
               [](const SeriesRow& r) { return 1e-6 * static_cast<double>(r.peak_rss_b); },
               {},
               {}},
              time};
    case SeriesKind::ClockRate:
      return {{"Energy x time",
               "energy x time, J s",
               "The product that neither crawling nor racing makes small.",
               [](const SeriesRow& r) { return r.energy_time_js; },
               {},
               {}},
              energy,
              time};
    case SeriesKind::Other:
      break;
  }
  return {energy, time};
}

std::string table(const SeriesSummary& s) {
  std::vector<html::Row> rows;
  for (std::size_t i = 0; i < s.rows.size(); ++i) {
    const SeriesRow& r = s.rows[i];
    rows.push_back({{r.value, fmt::format("{}", r.rounds), fmt::format("{}", r.failed),
                     seconds_in_words(r.duration.in(second)), seconds_in_words(r.cpu.in(second)),
                     bytes_in_words(static_cast<double>(r.peak_rss_b)), interval_in_words(r.energy),
                     fmt::format("{} to {}", joules_in_words(r.least_energy.in(joule)),
                                 joules_in_words(r.greatest_energy.in(joule))),
                     watts_in_words(r.machine_power.value().in(watt)),
                     fmt::format("{:.0f} %", 100 * r.busy_share)},
                    s.kind != SeriesKind::Load && s.least_energy == i ? "best" : ""});
  }
  return html::table("Means over the rounds",
                     {{s.name, false},
                      {"rounds"},
                      {"failed"},
                      {"time"},
                      {"CPU"},
                      {"peak memory"},
                      {"job energy"},
                      {"between rounds"},
                      {"machine power"},
                      {"busy"}},
                     rows);
}

}  // namespace

std::string series_html(const SeriesSummary& s) {
  std::string body = html::heading(1, fmt::format("Energy against {}", s.name));
  const std::vector<std::string> findings = series_findings(s);
  for (std::size_t i = 0; i < findings.size(); ++i)
    body += html::paragraph(findings[i], i == 0 ? "answer" : "");
  if (!s.rows.empty()) {
    for (const Panel& panel : panels(s)) body += figure(s, panel);
    body += html::figure(table(s), "", true);
  }
  for (const auto& [why, remedy] : s.notes)
    body += html::paragraph(remedy.empty() ? why : fmt::format("{}: {}", why, remedy), "note");
  body += html::paragraph(fmt::format("{}, carnot {}, {}", s.command, s.carnot_version, s.started),
                          "note");
  return html::page(fmt::format("Energy against {}", s.name), body);
}

}  // namespace carnot::report
