// SPDX-License-Identifier: Apache-2.0
#include "report/run/most_quality.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/limits.hpp"

#include "report/draw/html.hpp"
#include "report/draw/json_reading.hpp"
#include "report/draw/svg.hpp"
#include "report/draw/table.hpp"
#include "report/draw/text_columns.hpp"
#include "report/run/words.hpp"

namespace carnot::report {

namespace {

std::string certified_text(const LaneResult& lane) {
  return quality_text(lane.quality_metric, lane.quality_low);
}

/// "0.8 points", "0.012".
std::string difference_text(const std::string& metric, double difference) {
  return metric_factor(metric) == 100 ? fmt::format("{:+.2f} points", 100 * difference)
                                      : fmt::format("{:+.4f}", difference);
}

std::string budget_words(const Facts& facts) {
  return facts.purchases_j > 0
             ? fmt::format("own power and {} bought at most", energy_text(facts.purchases_j))
             : std::string("own power alone");
}

}  // namespace

bool in_hindsight(const LaneResult& lane) { return lane.policy.starts_with("hindsight:"); }

const LaneResult* most_certified(const RunResult& result, bool hindsight,
                                 const std::string& prefix) {
  const LaneResult* most = nullptr;
  for (const LaneResult& lane : result.lanes) {
    if (in_hindsight(lane) != hindsight || !lane.policy.starts_with(prefix)) continue;
    if (!lane.finished || lane.outcome == "diverged" || !std::isfinite(lane.quality_low)) continue;
    if (most == nullptr || lane.quality_low > most->quality_low) most = &lane;
  }
  return most;
}

QualityRow quality_row(const LaneResult& lane, const Facts& facts) {
  QualityRow row{kNaN, kNaN, kNaN, ""};
  if (lane.row_json.empty()) return row;
  const std::string what = "lane " + lane.policy;
  const Json json = parse_object(lane.row_json, what);
  const Json more = part_at(json, "most_quality", what, false);
  row.mean_bits = number_at(more, "mean_bits", what);
  row.phase = number_at(more, "schedule_phase", what);
  const double steps = number_at(json, "steps", what);
  row.passes = steps / facts.steps_per_pass;
  const Json by_mode = part_at(more, "mode_steps", what, false);
  for (const auto& [mode, count] : by_mode.items()) {
    if (!count.is_number() || !(steps > 0)) continue;
    row.bits += fmt::format("{}{} {:.0f} %", row.bits.empty() ? "" : ", ", mode,
                            100 * count.get<double>() / steps);
  }
  return row;
}

std::vector<std::string> quality_answer(const RunResult& result, const Facts& facts) {
  std::vector<std::string> out;
  if (!result.complete)
    out.push_back("This run was interrupted: comparisons are of what is there.");
  const LaneResult* best = result.best.empty() ? nullptr : result.lane(result.best);
  if (best == nullptr) {
    out.push_back(
        "Nothing was learned by the deadline that a look at held-out rows could certify.");
    return out;
  }
  out.push_back(fmt::format("{} is certified at {} or more (measured {}), with {}: {}.",
                            best->policy, certified_text(*best),
                            quality_text(best->quality_metric, best->quality), budget_words(facts),
                            quality_row(*best, facts).bits));
  const LaneResult *ours = result.lane("adaptive"), *once = result.lane("plan-once");
  const LaneResult* fixed = result.best_fixed.empty() ? nullptr : result.lane(result.best_fixed);
  const LaneResult* hindsight = most_certified(result, true);
  const auto known = [](const LaneResult* lane) {
    return lane != nullptr && lane->finished && std::isfinite(lane->quality_low);
  };
  if (!known(ours)) return out;
  const auto against = [&](const LaneResult& other, const std::string& words) {
    out.push_back(
        fmt::format("adaptive against {}{}: {}.", other.policy, words,
                    difference_text(ours->quality_metric, ours->quality_low - other.quality_low)));
  };
  if (known(once)) against(*once, ", the same plan never changed");
  if (known(fixed))
    against(*fixed, ", the best fixed format fitted to the forecast, known afterwards");
  if (hindsight != nullptr) {
    against(*hindsight, ", the best in hindsight");
    if (known(once) && hindsight->quality_low > once->quality_low)
      out.push_back(
          fmt::format("Of what hindsight gains over the plan made once, adaptive has {:.0f} %.",
                      100 * (ours->quality_low - once->quality_low) /
                          (hindsight->quality_low - once->quality_low)));
  }
  return out;
}

std::string quality_terminal(const RunResult& result, const Facts& facts, std::size_t width) {
  std::vector<std::string> policies, least, measured, bits, passes, phase, mean;
  std::vector<double> own, grid, unused;
  std::string metric;
  for (const LaneResult& lane : result.lanes) {
    const QualityRow row = quality_row(lane, facts);
    const auto number = [](double value, int decimals) {
      return std::isfinite(value) ? fmt::format("{:.{}f}", value, decimals) : std::string("n/a");
    };
    if (metric.empty()) metric = lane.quality_metric;
    const double factor = metric_factor(lane.quality_metric);
    const int decimals = factor == 100 ? 1 : 3;
    policies.push_back(printable(lane.policy));
    least.push_back(number(lane.quality_low * factor, decimals));
    measured.push_back(number(lane.quality * factor, decimals));
    passes.push_back(number(row.passes, 1));
    mean.push_back(number(row.mean_bits, 1));
    phase.push_back(number(100 * row.phase, 0));
    bits.push_back(row.bits);
    own.push_back(lane.own_energy.in(joule));
    grid.push_back(lane.grid_energy.in(joule));
    unused.push_back(lane.curtailed.in(joule));
  }
  const Unit e = energy_unit(std::max(largest_of(own), largest_of(grid))),
             u = energy_unit(largest_of(unused));
  const std::string unit = metric == "accuracy" ? "%" : "";
  std::vector<Column> table{{"policy", "", 100, policies, true},
                            {"certified", unit, 99, least},
                            {"measured", unit, 90, measured},
                            {"passes", "", 80, passes},
                            {"bits", "mean", 85, mean},
                            {"own", e.name, 95, aligned_numbers(own, e.factor)},
                            {"grid", e.name, 70, aligned_numbers(grid, e.factor)},
                            {"cooled", "%", 60, phase},
                            {"steps in", "", 50, bits, true},
                            {"curtailed", u.name, 20, aligned_numbers(unused, u.factor)}};
  const LaneResult* hindsight = most_certified(result, true);
  std::vector<std::string> markers;
  for (const LaneResult& lane : result.lanes)
    markers.push_back(lane.policy == result.best ? "> " : &lane == hindsight ? "* " : "  ");
  std::string out;
  for (const std::string& line : table_lines(table, width, markers)) out += line + "\n";
  for (const std::string& line : wrapped(
           "> most certified quality, * the best that knew the wind; cooled: share of the rate's "
           "schedule that was done",
           width))
    out += line + "\n";
  return out + "\n";
}

std::string quality_table(const RunResult& result, const Facts& facts) {
  std::vector<html::Row> rows;
  const LaneResult* hindsight = most_certified(result, true);
  for (const LaneResult& lane : result.lanes) {
    const QualityRow row = quality_row(lane, facts);
    std::string name = lane.policy;
    if (lane.policy == result.best) name += " (best)";
    if (&lane == hindsight) name += " (best in hindsight)";
    rows.push_back(
        {{name, certified_text(lane), interval_text(lane), figure_text(row.passes, 3), row.bits,
          energy_text(lane.own_energy.in(joule)), energy_text(lane.grid_energy.in(joule)),
          std::isfinite(row.phase) ? fmt::format("{:.0f} %", 100 * row.phase) : "n/a"},
         lane.policy == result.best ? "best"
         : in_hindsight(lane)       ? "bound"
                                    : ""});
  }
  return html::table(
      "Every policy met the same weather and data. Certified: at least that, by held-out rows at "
      "the run's confidence. Cooled: how much of the rate's schedule was done when the deadline "
      "came.",
      {{"policy", false},
       {"certified"},
       {"measured"},
       {"passes"},
       {"steps in", false},
       {"own energy"},
       {"grid"},
       {"cooled"}},
      rows);
}

std::string bits_figure(const RunResult& result, const Facts& facts) {
  constexpr double kWidth = 960, kHeight = 420, kLeft = 62, kRight = 944, kTop = 62, kBottom = 368;
  double most_j = 0, low = kInfinity, high = -kInfinity;
  std::string metric;
  for (std::size_t i = 0; i < result.lanes.size(); ++i) {
    most_j = std::max(most_j, result.lanes[i].own_energy.in(joule));
    if (metric.empty()) metric = result.lanes[i].quality_metric;
    for (const auto& [at, value] : result.series[i].quality) {
      low = std::min(low, value);
      high = std::max(high, value);
    }
  }
  if (!(most_j > 0) || !(high > low)) return {};
  const Unit unit = energy_unit(most_j);
  const double factor = metric_factor(metric), margin = 0.05 * (high - low);
  const svg::Scale x = svg::linear(0, most_j * unit.factor * 1.02, kLeft, kRight);
  const svg::Scale y =
      svg::linear((low - margin) * factor, (high + margin) * factor, kBottom, kTop);
  svg::Drawing d(kWidth, kHeight, "Quality over own energy, by bits",
                 "Points of adaptive's training, each in the colour of the bits it was in; where "
                 "the others ended.");
  svg::axes(d, {x,
                y,
                "own energy used so far, " + unit.name,
                "held-out " + metric_words(metric),
                8,
                4,
                true,
                {}});
  std::vector<std::pair<std::string, std::string>> key;
  for (std::size_t i = 0; i < result.lanes.size(); ++i) {
    const LaneResult& lane = result.lanes[i];
    const LaneSeries& s = result.series[i];
    const bool ours = lane.policy == "adaptive";
    std::vector<double> px, py;
    std::vector<std::string> modes;
    double spent = 0;
    std::size_t slot = 0;
    std::string mode;
    for (const auto& point : s.quality) {
      while (slot < s.start.size() && s.start[slot] < point.first) {
        spent += (s.own_used_w[slot] + s.discharged_w[slot]) * s.length_s[slot];
        if (!s.mode[slot].empty()) mode = s.mode[slot];
        ++slot;
      }
      px.push_back(x.clipped(spent * unit.factor));
      py.push_back(y.clipped(point.second * factor));
      modes.push_back(mode);
    }
    if (px.empty()) continue;
    if (!ours) {
      d.circle(px.back(), py.back(), 3.5, in_hindsight(lane) ? "f2" : "fquiet",
               fmt::format("{}: {} with {}", lane.policy, quality_text(metric, lane.quality),
                           energy_text(lane.own_energy.in(joule))));
      continue;
    }
    d.path(svg::polyline(px, py), "quiet", lane.policy);
    for (std::size_t k = 0; k < px.size(); ++k) {
      const std::string style = mode_style(facts, modes[k]);
      d.circle(px[k], py[k], k + 1 == px.size() ? 7.0 : 5.0, style, "adaptive in " + modes[k]);
      const std::pair<std::string, std::string> entry{style, "adaptive in " + modes[k]};
      if (std::find(key.begin(), key.end(), entry) == key.end()) key.push_back(entry);
    }
  }
  key.emplace_back("f2", "ends of those that knew the wind");
  key.emplace_back("fquiet", "ends of the others");
  svg::legend(d, kLeft, 18, key);
  return d.finish();
}

}  // namespace carnot::report
