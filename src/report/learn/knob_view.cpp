// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/version.hpp"
#include "carnot/report/learn/knob.hpp"

#include "report/draw/json_figure.hpp"
#include "report/learn/view_parts.hpp"
#include "report/learn/words.hpp"

namespace carnot::report {

namespace {

using experiment::KnobPoint;
using experiment::KnobResult;

ViewTable knob_table(const KnobResult& r) {
  ViewTable table({{r.knob, "", 100, true},
                   {"quality", "", 99},
                   {"from", "", 60},
                   {"to", "", 59},
                   {"training", "", 95},
                   {"a prediction", "", 80},
                   {"inputs", "", 50},
                   {"coefficients", "", 49}});
  for (const KnobPoint& p : r.points)
    table.row({p.setting, quality_text(p.quality, r.metric), quality_text(p.quality_low, r.metric),
               quality_text(p.quality_high, r.metric), joules_text(p.training.in(joule)),
               joules_text(p.prediction.in(joule)), fmt::format("{}", p.inputs),
               fmt::format("{:.0f}", p.parameters)},
              p.in_front);
  return table;
}

std::string knob_finding(const KnobResult& r) {
  const auto better = [](const KnobPoint& a, const KnobPoint& b) { return a.quality < b.quality; };
  const KnobPoint& best = *std::max_element(r.points.begin(), r.points.end(), better);
  const double close = r.metric == "accuracy" ? 0.005 : 0.01;
  const KnobPoint* cheap = &best;
  for (const KnobPoint& p : r.points)
    if (p.quality >= best.quality - close && p.training < cheap->training) cheap = &p;
  std::string out =
      fmt::format("Best: {} with {} for {}.", best.setting, quality_text(best.quality, r.metric),
                  joules_text(best.training.in(joule)));
  if (cheap != &best)
    out += fmt::format(" Within {}: {} with {} for {:.1f} % of its energy.",
                       r.metric == "accuracy" ? "half a point" : "0.01", cheap->setting,
                       quality_text(cheap->quality, r.metric),
                       100.0 * cheap->training.in(joule) / best.training.in(joule));
  return out + (r.seeds > 1 ? fmt::format(" Means of {} seeds.", r.seeds) : "");
}

}  // namespace

std::string knob_json(const KnobResult& r) {
  Json points = Json::array();
  for (const KnobPoint& p : r.points)
    points.push_back({{"setting", p.setting},
                      {"quality", number_or_null(p.quality)},
                      {"quality_low", number_or_null(p.quality_low)},
                      {"quality_high", number_or_null(p.quality_high)},
                      {"training_j", p.training.in(joule)},
                      {"prediction_j", p.prediction.in(joule)},
                      {"modelled_s", p.time.in(second)},
                      {"inputs", p.inputs},
                      {"parameters", p.parameters},
                      {"in_front", p.in_front}});
  const Json out{{"schema", "carnot.knob/1"},
                 {"carnot", std::string(kVersion)},
                 {"command", r.command},
                 {"knob", r.knob},
                 {"learner", r.learner},
                 {"metric", r.metric},
                 {"seeds", r.seeds},
                 {"origin", "modelled"},
                 {"data", {{"source", r.data_source}, {"rows", r.rows}}},
                 {"points", std::move(points)}};
  return out.dump(2) + "\n";
}

std::string knob_terminal(const KnobResult& r, int width, bool colour) {
  return lines_of(fmt::format("{} of {} on {}", r.knob, r.learner, printable(r.data_source)),
                  width) +
         "\n" + knob_table(r).terminal(static_cast<std::size_t>(std::max(width, 40)), colour) +
         "\n" + lines_of(knob_finding(r), width) +
         lines_of("Energies are modelled, chip: exact counts times a published table.", width);
}

std::string knob_html(const KnobResult& r) {
  std::vector<double> joules;
  double low = kInfinity, high = -kInfinity;
  for (const KnobPoint& p : r.points) {
    joules.push_back(p.training.in(joule));
    low = std::min(low, std::min(p.quality_low, p.quality));
    high = std::max(high, std::max(p.quality_high, p.quality));
  }
  svg::Drawing drawing(kViewWidth, kViewHeight, "Energy and quality of a knob",
                       "Quality against the energy of training, a circle a setting");
  svg::Axes axes;
  axes.x = wide_scale(joules, kViewLeft, kViewRight);
  axes.y = svg::linear(std::max(low, -0.2), high, kViewBottom, kViewTop);
  axes.x_title = "energy of training, J (modelled, chip)";
  axes.y_title = r.metric == "accuracy" ? "accuracy" : "R2";
  svg::axes(drawing, axes);
  for (const KnobPoint& p : r.points) {
    const double x = axes.x.clipped(p.training.in(joule)), y = axes.y.clipped(p.quality);
    drawing.line(x, axes.y.clipped(p.quality_low), x, axes.y.clipped(p.quality_high), "s1");
    drawing.circle(x, y, p.in_front ? 5 : 3, "s1",
                   fmt::format("{}: {}, {}", p.setting, quality_text(p.quality, r.metric),
                               joules_text(p.training.in(joule))));
  }
  return html::page(
      "carnot learn tradeoff --knob",
      html::heading(1, "What the knob " + r.knob + " trades") +
          html::paragraph(knob_finding(r), "answer") +
          html::figure(drawing.finish(),
                       "Left is cheaper, up is better; bars hold 90 %; small circles are beaten in "
                       "both.",
                       true) +
          knob_table(r).html("Settings") + made_how(r.data_source, r.command));
}

}  // namespace carnot::report
