// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/sum.hpp"
#include "carnot/base/version.hpp"
#include "carnot/report/learn/search.hpp"

#include "report/draw/json_figure.hpp"
#include "report/learn/counts.hpp"
#include "report/learn/view_parts.hpp"
#include "report/learn/words.hpp"

namespace carnot::report {

namespace {

using experiment::SearchLane;
using experiment::SearchResult;
using experiment::SearchTrial;

constexpr double kClose = 0.01;  // of the least loss of all: what counts as nearly as good

double level(const SearchResult& r) {
  const SearchTrial* best = r.hindsight();
  return best == nullptr ? kNaN : best->loss + kClose * std::abs(best->loss);
}

const SearchTrial* best_of(const SearchLane& lane) {
  return lane.best ? &lane.trials[*lane.best] : nullptr;
}

std::string joules_or_never(double joules) {
  return std::isfinite(joules) ? joules_text(joules) : "never";
}

/// Joules an example, examples a trial, trials: their product is what the lane spent.
struct Factors {
  double per_example = 0.0, per_trial = 0.0, trials = 0.0;
};
Factors factors(const SearchLane& lane) {
  Factors f;
  f.trials = static_cast<double>(lane.trials.size());
  const auto examples = static_cast<double>(lane.examples());
  if (!(examples > 0.0)) return f;
  f.per_trial = examples / f.trials;
  f.per_example = lane.spent.in(joule) / examples;
  return f;
}

std::string product(const SearchLane& lane) {
  const Factors f = factors(lane);
  return fmt::format("{} an example x {} examples a trial x {:.0f} trials = {}",
                     joules_text(f.per_example), figure_text(f.per_trial), f.trials,
                     joules_text(lane.spent.in(joule)));
}

ViewTable lanes_table(const SearchResult& r) {
  ViewTable table({{"method", "", 100, true},
                   {"trials", "", 80},
                   {"spent", "", 95},
                   {"to its best", "", 90},
                   {"to within 1 %", "", 92},
                   {"loss", "", 97},
                   {"held out", "", 96},
                   {"ended", "", 40, true}});
  for (const SearchLane& lane : r.lanes) {
    const SearchTrial* best = best_of(lane);
    table.row(
        {lane.method, fmt::format("{}", lane.trials.size()), joules_text(lane.spent.in(joule)),
         best != nullptr ? joules_text(lane.to_best.in(joule)) : "n/a",
         joules_or_never(lane.joules_to(level(r))),
         best != nullptr ? fmt::format("{:.4f}", best->loss) : "n/a",
         best != nullptr ? quality_text(best->held_out, r.metric) : "n/a", lane.stopped},
        best != nullptr && best == r.hindsight());
  }
  return table;
}

ViewTable trials_table(const SearchResult& r, const SearchLane& lane) {
  ViewTable table({{"knobs", "", 100, true},
                   {"why", "", 50, true},
                   {"rows", "", 70},
                   {"loss", "", 90},
                   {"held out", "", 60},
                   {"energy", "", 85}});
  for (std::size_t i = 0; i < lane.trials.size(); ++i) {
    const SearchTrial& t = lane.trials[i];
    table.row({r.space.text(t.values), t.stopped.empty() ? t.why : t.why + ", " + t.stopped,
               fmt::format("{:.1f} %", 100.0 * t.share),
               std::isfinite(t.loss) ? fmt::format("{:.4f}", t.loss) : "n/a",
               quality_text(t.held_out, r.metric), joules_text(t.energy.value().in(joule))},
              lane.best && i == *lane.best);
  }
  return table;
}

std::string finding(const SearchResult& r) {
  const SearchLane& own = r.lanes.front();
  const SearchTrial* best = best_of(own);
  if (best == nullptr)
    return fmt::format("{} found nothing of use in {} trials.", own.method, own.trials.size());
  std::string out =
      fmt::format("{} found {} after {} of {}: {} on held-out rows.", own.method,
                  r.space.text(best->values), joules_text(own.to_best.in(joule)),
                  joules_text(own.spent.in(joule)), quality_text(best->held_out, r.metric));
  const SearchTrial* hindsight = r.hindsight();
  out += fmt::format(" In hindsight training {} alone takes {}: the search took {:.1f} times that.",
                     hindsight == best ? "it" : "the best of all methods",
                     joules_text(hindsight->energy.value().in(joule)),
                     own.spent / hindsight->energy.value());
  for (const SearchLane& lane : r.lanes) {
    if (&lane == &own) continue;
    const SearchTrial* other = best_of(lane);
    out += other == nullptr ? fmt::format(" {} found nothing in {}.", lane.method,
                                          joules_text(lane.spent.in(joule)))
                            : fmt::format(" {}: {} with {}.", lane.method,
                                          quality_text(other->held_out, r.metric),
                                          joules_text(lane.spent.in(joule)));
  }
  return out;
}

Json trial_json(const SearchResult& r, const SearchTrial& t) {
  Json knobs = Json::object();
  for (std::size_t i = 0; i < t.values.size(); ++i) knobs[r.space.knobs[i].name] = t.values[i];
  return {
      {"knobs", std::move(knobs)},
      {"share", t.share},
      {"why", t.why},
      {"loss", number_or_null(t.loss)},
      {"validation_quality", t.validation.trials > 0 ? number_or_null(t.validation.value) : Json()},
      {"held_out_quality", number_or_null(t.held_out)},
      {"energy_j", json_figure(t.energy)},
      {"examples", t.examples},
      {"model_bits", number_or_null(t.model_bits)},
      {"data_bits", number_or_null(t.data_bits)},
      {"stopped", t.stopped},
      {"operations", operations_json(t.counters)},
      {"bytes_moved", bytes_moved_json(t.counters)}};
}

Json lane_json(const SearchResult& r, const SearchLane& lane) {
  Json trials = Json::array();
  for (const SearchTrial& t : lane.trials) trials.push_back(trial_json(r, t));
  const Factors f = factors(lane);
  return {{"method", lane.method},
          {"trials", std::move(trials)},
          {"best", lane.best ? Json(*lane.best) : Json()},
          {"spent_j", lane.spent.in(joule)},
          {"to_best_j", lane.best ? Json(lane.to_best.in(joule)) : Json()},
          {"to_within_1_percent_j", number_or_null(lane.joules_to(level(r)))},
          {"joules_an_example", f.per_example},
          {"examples_a_trial", f.per_trial},
          {"stopped", lane.stopped}};
}

/// Least loss so far against the joules spent, a step for each method.
std::string figure(const SearchResult& r) {
  struct Line {
    std::vector<double> joules, loss;
  };
  std::vector<Line> lines;
  std::vector<double> every;
  double low = kInfinity, high = -kInfinity;
  for (const SearchLane& lane : r.lanes) {
    Line line;
    Sum<Energy> spent;
    double least = kInfinity;
    for (const SearchTrial& t : lane.trials) {
      spent += t.energy.value();
      if (t.share < 1.0 || !(t.loss < least)) continue;
      least = t.loss;
      line.joules.push_back(spent.value().in(joule));
      line.loss.push_back(least);
      low = std::min(low, least);
      high = std::max(high, least);
    }
    if (!line.joules.empty()) {
      line.joules.push_back(lane.spent.in(joule));
      line.loss.push_back(least);
    }
    every.insert(every.end(), line.joules.begin(), line.joules.end());
    lines.push_back(std::move(line));
  }
  if (every.empty()) return {};
  svg::Drawing drawing(kViewWidth, kViewHeight, "Least loss against joules spent",
                       "A falling step for each method of search");
  svg::Axes axes;
  axes.x = wide_scale(every, kViewLeft, kViewRight);
  axes.y = svg::linear(low - 0.02 * (high - low), high, kViewBottom, kViewTop);
  axes.x_title = "joules of the search so far, J (modelled, chip)";
  axes.y_title = r.metric == "accuracy" ? "least loss, bit a label" : "least loss, 1 - R2";
  svg::axes(drawing, axes);
  std::vector<std::pair<std::string, std::string>> names;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string style = fmt::format("s{}", i + 1);
    std::vector<double> x, y;
    for (std::size_t k = 0; k < lines[i].joules.size(); ++k) {
      if (k > 0) {  // flat until the next joule that lowered it
        x.push_back(axes.x.clipped(lines[i].joules[k]));
        y.push_back(axes.y.clipped(lines[i].loss[k - 1]));
      }
      x.push_back(axes.x.clipped(lines[i].joules[k]));
      y.push_back(axes.y.clipped(lines[i].loss[k]));
    }
    drawing.path(svg::polyline(x, y), style);
    if (!x.empty())
      drawing.circle(x[x.size() - (x.size() > 2 ? 2 : 1)], y.back(), 3, style,
                     fmt::format("{}: {:.4f}", r.lanes[i].method, lines[i].loss.back()));
    names.emplace_back(style, r.lanes[i].method);
  }
  if (const SearchTrial* best = r.hindsight()) {
    const double x = axes.x.clipped(best->energy.value().in(joule));
    drawing.line(x, kViewTop, x, kViewBottom, "bound dash");
    names.emplace_back("bound", "hindsight: the best alone");
  }
  svg::legend(drawing, kViewLeft + 200, 16, names);
  return drawing.finish();
}

}  // namespace

std::string search_json(const SearchResult& r) {
  Json lanes = Json::array(), knobs = Json::array();
  for (const SearchLane& lane : r.lanes) lanes.push_back(lane_json(r, lane));
  for (const learn::SearchKnob& k : r.space.knobs) {
    const bool listed = k.scale == learn::SearchKnob::Scale::Choice;
    knobs.push_back({{"name", k.name},
                     {"scale", listed                                        ? "choices"
                               : k.scale == learn::SearchKnob::Scale::Linear ? "linear"
                                                                             : "log"},
                     {"low", listed ? Json() : Json(k.low)},
                     {"high", listed ? Json() : Json(k.high)},
                     {"choices", k.choices}});
  }
  const SearchTrial* best = r.hindsight();
  const Json out{{"schema", "carnot.search/1"},
                 {"carnot", std::string(kVersion)},
                 {"command", r.command},
                 {"learner", r.learner},
                 {"metric", r.metric},
                 {"seed", r.seed},
                 {"origin", "modelled"},
                 {"data",
                  {{"source", r.data_source},
                   {"train_rows", r.train_rows},
                   {"validation_rows", r.validation_rows},
                   {"test_rows", r.test_rows},
                   {"columns", r.columns}}},
                 {"knobs", std::move(knobs)},
                 {"lanes", std::move(lanes)},
                 {"hindsight_j", best != nullptr ? json_figure(best->energy) : Json()},
                 {"resumed_trials", r.resumed},
                 {"interrupted", r.stopped}};
  return out.dump(2) + "\n";
}

std::string search_terminal(const SearchResult& r, int width, bool colour) {
  return lines_of(fmt::format("search over {} of {} on {}", r.space.knobs.size(), r.learner,
                              printable(r.data_source)),
                  width) +
         "\n" + lanes_table(r).terminal(static_cast<std::size_t>(std::max(width, 40)), colour) +
         "\n" + lines_of(finding(r), width) +
         lines_of(fmt::format("{}: {}.", r.lanes.front().method, product(r.lanes.front())), width) +
         lines_of("Energies are modelled, chip: exact counts times a published table.", width);
}

std::string search_html(const SearchResult& r) {
  std::string products, trials;
  for (const SearchLane& lane : r.lanes) {
    products += html::paragraph(fmt::format("{}: {}.", lane.method, product(lane)));
    trials += html::details(fmt::format("{}: {} trials", lane.method, lane.trials.size()),
                            trials_table(r, lane).html("Trials of " + lane.method));
  }
  const std::string drawn = figure(r);
  return html::page(
      "carnot learn search",
      html::heading(1, "What a search found, and what it took") +
          html::paragraph(finding(r), "answer") +
          (drawn.empty() ? ""
                         : html::figure(drawn,
                                        "Least loss on the rows kept back, of trials on all rows. "
                                        "The dashed line is what training the best configuration "
                                        "alone takes: no search can come before it.",
                                        true)) +
          lanes_table(r).html("Methods under the same joules") + html::heading(2, "E x D x H") +
          html::paragraph(
              "Joules an example, examples a trial, trials (Schwartz and others 2020).") +
          products + html::heading(2, "Trials") + trials + made_how(r.data_source, r.command));
}

}  // namespace carnot::report
