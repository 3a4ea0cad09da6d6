// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/limits.hpp"
#include "carnot/report/learn/report.hpp"

#include "report/draw/html.hpp"
#include "report/draw/svg.hpp"
#include "report/learn/words.hpp"

namespace carnot::report {

namespace {

constexpr double kWidth = 720, kHeight = 340, kLeft = 76, kRight = 700, kTop = 58, kBottom = 290;
constexpr std::size_t kSeries = 8;

std::string series(std::size_t i) { return fmt::format("s{}", i % kSeries + 1); }

/// Least and greatest of what was offered, finite or not.
struct Range {
  double low = kInfinity;
  double high = -kInfinity;
  void take(double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool empty() const noexcept { return low > high; }
};

/// Texts of learn_words for paper: with the micro sign that terminals are spared.
std::string on_paper(std::string text) {
  for (std::size_t at = text.find(" uJ"); at != std::string::npos; at = text.find(" uJ", at))
    text.replace(at, 3, " \u00b5J");
  return text;
}

/// From zero, unless all values lie far from it.
svg::Scale linear_for(const Range& range, double from, double to) {
  const double room = 0.1 * (range.high - range.low);
  return svg::linear(range.low > 0.5 * range.high ? range.low - room : 0.0, range.high, from, to);
}

/// Logarithmic where the data spread over decades enough for its ticks to help.
svg::Scale scale_for(const Range& range, double from, double to) {
  constexpr double kWide = 12.0;
  return range.low > 0.0 && range.high > kWide * range.low
             ? svg::logarithmic(range.low, range.high, from, to)
             : linear_for(range, from, to);
}

/// Runs of one precision share a colour.
std::vector<std::string> precisions(const experiment::ExperimentResult& result) {
  std::vector<std::string> out;
  for (const auto& p : result.points)
    if (std::find(out.begin(), out.end(), p.precision) == out.end()) out.push_back(p.precision);
  return out;
}

std::size_t index_of(const std::vector<std::string>& names, const std::string& name) {
  return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
}

void precision_legend(svg::Drawing& drawing, const std::vector<std::string>& names) {
  std::vector<std::pair<std::string, std::string>> entries;
  for (std::size_t i = 0; i < std::min(names.size(), kSeries); ++i)
    entries.emplace_back(fmt::format("f{}", i + 1), precision_text(names[i]));
  svg::legend(drawing, kLeft, 16, entries);
}

std::string quality_figure(const experiment::ExperimentResult& result) {
  Range energy, quality;
  for (const auto& p : result.points)
    for (const auto& c : p.curve)
      if (c.energy > Energy{} && std::isfinite(c.quality)) {
        energy.take(c.energy.in(joule));
        quality.take(c.quality);
      }
  if (energy.empty()) return {};
  quality.take(result.target);
  const bool accuracy = result.points.front().quality.metric == "accuracy";
  const double factor = accuracy ? 100.0 : 1.0;
  // R2 of the first looks may be far below 0; the axis keeps what can be told apart.
  const double low = std::max(quality.low, accuracy ? 0.0 : -0.2) * factor;
  svg::Drawing drawing(kWidth, kHeight, "Quality against energy",
                       "Held-out quality as joules are spent, one line a run");
  svg::Axes axes;
  axes.x = scale_for(energy, kLeft, kRight);
  axes.y = svg::linear(low, quality.high * factor, kBottom, kTop);
  axes.x_title = "energy, J (modelled, chip)";
  axes.y_title = accuracy ? "accuracy, %" : "R2";
  svg::axes(drawing, axes);
  const auto names = precisions(result);
  const auto runs = run_names(result);
  for (std::size_t i = 0; i < result.points.size(); ++i) {
    const experiment::ExperimentPoint& p = result.points[i];
    std::vector<double> x, y;
    for (const auto& c : p.curve) {
      if (!(c.energy > Energy{}) || !std::isfinite(c.quality)) continue;
      x.push_back(axes.x.clipped(c.energy.in(joule)));
      y.push_back(axes.y.clipped(c.quality * factor));
    }
    if (x.empty()) continue;
    const std::string style = series(index_of(names, p.precision));
    drawing.path(svg::polyline(x, y), style, runs[i]);
    drawing.circle(x.back(), y.back(), 4, style, runs[i] + ": " + quality_range(p));
  }
  if (std::isfinite(result.target)) {
    const double y = axes.y.clipped(result.target * factor);
    drawing.line(kLeft, y, kRight, y, "rule dash");
    drawing.text(kRight, y - 5, "target", "tick end");
  }
  precision_legend(drawing, names);
  return html::figure(drawing.finish(),
                      "Held-out quality as joules are spent. Further left is cheaper, higher is "
                      "better; a dot marks where a run stopped.",
                      true);
}

std::string structure_figure(const experiment::ExperimentResult& result) {
  Range model, data;
  for (const auto& s : result.structure) {
    model.take(s.model_bits);
    data.take(std::max(s.data_bits, 1.0));
  }
  if (model.empty()) return {};
  svg::Drawing drawing(kWidth, kHeight, "Structure function",
                       "Bits of labels left against bits of model, with the hull and k*");
  svg::Axes axes;
  axes.x = scale_for(model, kLeft, kRight);
  axes.y = scale_for(data, kBottom, kTop);
  axes.x_title = "model K, bit";
  axes.y_title = "labels given the model, bit";
  svg::axes(drawing, axes);
  std::vector<experiment::StructurePoint> hull;
  for (const auto& s : result.structure)
    if (s.on_hull) hull.push_back(s);
  std::sort(hull.begin(), hull.end(),
            [](const auto& a, const auto& b) { return a.model_bits < b.model_bits; });
  std::vector<double> x, y;
  for (const auto& s : hull) {
    x.push_back(axes.x.clipped(s.model_bits));
    y.push_back(axes.y.clipped(std::max(s.data_bits, 1.0)));
  }
  drawing.path(svg::polyline(x, y), "bound", "lower convex hull");
  const auto names = precisions(result);
  const auto runs = run_names(result);
  for (const auto& s : result.structure)
    drawing.circle(axes.x.clipped(s.model_bits), axes.y.clipped(std::max(s.data_bits, 1.0)),
                   s.on_hull ? 4 : 2.5, series(index_of(names, result.points[s.point].precision)),
                   fmt::format("{}, coded at {} bits a coefficient: {} + {}", runs[s.point],
                               s.width, bits_text(s.model_bits), bits_text(s.data_bits)));
  const auto& star = result.structure[result.k_star_structure];
  const double at = axes.x.clipped(star.model_bits);
  drawing.line(at, kTop, at, kBottom, "rule dash");
  drawing.text(at + 5, kTop + 12, "k*", "value");
  precision_legend(drawing, names);
  return html::figure(drawing.finish(),
                      "The structure function: every trained model coded at several widths. "
                      "No run came below the dotted line; left of k* the model is too small to say "
                      "what the labels have in common, right of it it spells out noise.",
                      true);
}

std::string cycle_figure(const experiment::ExperimentResult& result) {
  Range bits, temperature;
  for (const auto& p : result.points)
    for (const auto& c : p.cycle.curve) {
      bits.take(c.remaining_bits);
      if (c.temperature > Temperature{}) temperature.take(c.temperature.in(kelvin));
    }
  if (temperature.empty()) return {};
  svg::Drawing drawing(kWidth, kHeight, "Learning cycle",
                       "Effective temperature against the bits of labels that are left");
  svg::Axes axes;
  axes.x = linear_for(bits, kLeft, kRight);
  axes.y = scale_for(temperature, kBottom, kTop);
  axes.x_title = "labels still to be told S, bit";
  axes.y_title = "effective temperature, K";
  svg::axes(drawing, axes);
  const auto names = precisions(result);
  const auto runs = run_names(result);
  for (std::size_t i = 0; i < result.points.size(); ++i) {
    const experiment::ExperimentPoint& p = result.points[i];
    std::vector<double> x, y;
    for (const auto& c : p.cycle.curve) {
      if (!(c.temperature > Temperature{})) continue;
      x.push_back(axes.x.clipped(c.remaining_bits));
      y.push_back(axes.y.clipped(c.temperature.in(kelvin)));
    }
    if (!x.empty())
      drawing.path(svg::polyline(x, y), series(index_of(names, p.precision)), runs[i]);
  }
  precision_legend(drawing, names);
  return html::figure(drawing.finish(),
                      "The learn leg of the cycle, from right to left: k_B ln 2 times the area "
                      "under a line is the energy of training. The last bits cost the most.",
                      true);
}

std::string runs_table(const experiment::ExperimentResult& result) {
  const bool regression = result.task == "regression";
  const double percent = regression ? 1.0 : 100.0;
  const int digits = regression ? 3 : 1;
  const auto names = run_names(result);
  const bool all_ended = std::all_of(result.points.begin(), result.points.end(),
                                     [](const auto& p) { return p.stopped == "schedule ended"; });
  std::vector<html::Row> rows;
  for (std::size_t i = 0; i < result.points.size(); ++i) {
    const auto& p = result.points[i];
    rows.push_back(
        {{names[i], fmt::format("{:.{}f}", percent * p.quality.value, digits),
          fmt::format("{:.{}f} to {:.{}f}", percent * p.quality_low, digits,
                      percent * p.quality_high, digits),
          on_paper(joules_text(p.energy.value().in(joule))), bits_text(p.lengths.model),
          bits_text(p.lengths.data), bits_text(p.lengths.prequential),
          bits_text(p.lengths.learned_net), fmt::format("{:.3g}", 1e-6 * p.bits_per_joule)},
         i == result.best ? "best" : ""});
    if (!all_ended) rows.back().cells.push_back(p.stopped);
  }
  std::vector<html::Column> columns{{"run", false},  {regression ? "R2" : "accuracy, %"},
                                    {"90 %"},        {"energy"},
                                    {"model"},       {"labels"},
                                    {"prequential"}, {"net learned"},
                                    {"Mbit/J"}};
  if (!all_ended) columns.push_back({"stopped", false});
  return html::table("Runs: held-out quality, modelled energy of the chip, code lengths", columns,
                     rows);
}

std::string legs_table(const experiment::ExperimentPoint& p) {
  std::vector<html::Row> rows;
  for (const auto& leg : p.cycle.legs)
    rows.push_back({{leg.leg, bits_text(leg.entropy_bits_from), bits_text(leg.entropy_bits_to),
                     on_paper(joules_text(leg.energy.in(joule))),
                     fmt::format("{:.3g} K", leg.temperature.in(kelvin))},
                    ""});
  return html::table(
      fmt::format("Learning cycle of the best run; efficiency {:.2e}", p.cycle.efficiency),
      {{"leg", false}, {"bits from"}, {"to"}, {"energy"}, {"temperature"}}, rows);
}

std::string costs_table(const experiment::ExperimentResult& result) {
  std::vector<html::Row> rows;
  for (const auto& row : result.table)
    rows.push_back(
        {{row.key, joules_text(row.energy.in(joule)),
          fmt::format("{} to {}", joules_text(row.low.in(joule)), joules_text(row.high.in(joule))),
          row.source},
         ""});
  return html::table("Energy of an operation or byte",
                     {{"what", false}, {"energy"}, {"90 %"}, {"source", false}}, rows);
}

}  // namespace

std::string to_html(const experiment::ExperimentResult& result) {
  std::string body = html::heading(1, "What was learned, and for how many joules");
  if (!result.points.empty()) {
    const experiment::ExperimentPoint& best = result.points[result.best];
    body += html::paragraph(on_paper(finding(result)), "answer");
    body += html::paragraph(k_star_sentence(result));
    body += html::paragraph(
        on_paper(fmt::format(
            "Energy of that run, 90 %: {} to {}; {} multiply-accumulates, {} coefficients.",
            joules_text(best.energy.low().in(joule)), joules_text(best.energy.high().in(joule)),
            figure_text(static_cast<double>(best.counters.macs())), best.parameters)),
        "soft");
    body += quality_figure(result) + structure_figure(result) + cycle_figure(result);
    body += runs_table(result) + legs_table(result.points[result.best]);
  }
  body += html::heading(2, "Where the figures come from");
  body +=
      html::paragraph(result.data_source + (result.shuffled ? "; training labels shuffled" : ""));
  body += html::paragraph(result.measured_note);
  body += html::details("Energy table", costs_table(result));
  body += html::paragraph(fmt::format("carnot {}, seed {}, {}", result.carnot_version, result.seed,
                                      result.command.empty() ? "library call" : result.command));
  return html::page("carnot learn", body);
}

}  // namespace carnot::report
