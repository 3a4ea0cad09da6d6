// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <functional>

#include <fmt/format.h>

#include "carnot/report/run/result.hpp"

#include "report/draw/table.hpp"
#include "report/draw/text_columns.hpp"
#include "report/run/facts.hpp"
#include "report/run/most_quality.hpp"
#include "report/run/words.hpp"

namespace carnot::report {

namespace {

std::string short_outcome(const std::string& outcome) {
  if (outcome == "target-reached") return "reached";
  if (outcome == "deadline-missed") return "missed";
  if (outcome == "infeasible") return "infeas.";
  if (outcome == "diverged") return "diverged";
  return "cut off";
}

std::string quality_cell(const LaneResult& lane) {
  if (!std::isfinite(lane.quality)) return "n/a";
  const double factor = metric_factor(lane.quality_metric);
  const int decimals = factor == 100 ? 1 : 3;
  std::string text = fmt::format("{:.{}f}", lane.quality * factor, decimals);
  const double half = quality_half_width(lane) * factor;
  if (std::isfinite(half)) text += fmt::format("±{:.{}f}", half, decimals);
  return text;
}

/// The table's columns, with `lanes` in their order.
std::vector<Column> build(const RunResult& result) {
  const auto gather = [&](const std::function<double(const LaneResult&)>& of) {
    std::vector<double> values;
    for (const LaneResult& lane : result.lanes) values.push_back(of(lane));
    return values;
  };
  const auto energy = gather([](const auto& l) { return l.energy.value().in(joule); });
  const auto grid = gather([](const auto& l) { return l.grid_energy.in(joule); });
  const auto carbon = gather([](const auto& l) { return l.carbon.value().in(gram); });
  const auto cost = gather([](const auto& l) { return l.cost.value().in(euro); });
  const auto time = gather([](const auto& l) { return l.duration.in(second); });
  const auto curtailed = gather([](const auto& l) { return l.curtailed.in(joule); });
  const auto exported = gather([](const auto& l) { return l.exported.in(joule); });
  const auto low = gather([](const auto& l) { return l.energy.low().in(joule); });
  const auto high = gather([](const auto& l) { return l.energy.high().in(joule); });

  std::string metric;
  std::vector<std::string> policies, outcomes, qualities, own, regrets, landauer;
  for (const LaneResult& lane : result.lanes) {
    if (metric.empty()) metric = lane.quality_metric;
    policies.push_back(printable(lane.policy));
    outcomes.push_back(short_outcome(lane.outcome));
    qualities.push_back(quality_cell(lane));
    const double share = own_share(lane);
    own.push_back(std::isfinite(share) ? fmt::format("{:.0f}", 100 * share) : "n/a");
    regrets.push_back(regret_text(lane, result.bound));
    landauer.push_back(std::isfinite(lane.times_above_landauer)
                           ? fmt::format("{:.1e}", lane.times_above_landauer)
                           : "n/a");
  }
  const Unit e = energy_unit(largest_of(energy)), c = carbon_unit(largest_of(carbon)),
             t = time_unit(largest_of(time)),
             side = energy_unit(std::max(largest_of(curtailed), largest_of(exported)));
  std::vector<std::string> interval = aligned_numbers(low, e.factor);
  const std::vector<std::string> upper = aligned_numbers(high, e.factor);
  for (std::size_t i = 0; i < interval.size(); ++i) interval[i] += ".." + upper[i];
  const std::string quality_name = metric == "accuracy" ? "accuracy" : printable(metric);
  return {
      {"policy", "", 100, policies, true},
      {"outcome", "", 70, outcomes, true},
      {quality_name.empty() ? "quality" : quality_name, metric == "accuracy" ? "%" : "", 85,
       qualities},
      {"energy", e.name, 90, aligned_numbers(energy, e.factor)},
      {"90 %", e.name, 20, interval},
      {"own", "%", 50, own},
      {"grid", e.name, 95, aligned_numbers(grid, e.factor)},
      {"carbon", c.name, 40, aligned_numbers(carbon, c.factor)},
      {"cost", "EUR", 99, aligned_numbers(cost, 1, 4)},
      {"time", t.name, 80, aligned_numbers(time, t.factor)},
      {"regret", "%", 60, regrets},
      {"curtailed", side.name, 30, aligned_numbers(curtailed, side.factor)},
      {"exported", side.name, 25, aligned_numbers(exported, side.factor)},
      {"x k_BT ln2", "per bit", 15, landauer},
  };
}

}  // namespace

std::string to_terminal(const RunResult& result, int width, bool colour) {
  const std::size_t room = static_cast<std::size_t>(std::max(width, 40));
  const Facts facts = read_facts(result.facts_json);
  const auto strong = [&](const std::string& text) {
    return colour ? "\x1b[1m" + text + "\x1b[0m" : text;
  };
  const auto soft = [&](const std::string& text) {
    return colour ? "\x1b[2m" + text + "\x1b[0m" : text;
  };
  std::string out;
  const std::string title = fmt::format("{}, seed {}, carnot {}", printable(result.scenario),
                                        result.seed, printable(result.carnot_version));
  out += strong(cut(title, room)) + "\n\n";
  if (facts.most_quality && !result.lanes.empty()) {
    out += quality_terminal(result, facts, room);
  } else if (!result.lanes.empty()) {
    std::vector<Column> table = build(result);
    std::vector<std::string> markers;
    for (const LaneResult& lane : result.lanes)
      markers.push_back(lane.policy == result.best         ? "> "
                        : lane.policy == result.best_fixed ? "+ "
                                                           : "  ");
    const std::vector<std::string> lines = table_lines(table, room, markers);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const bool best = i >= 2 && result.lanes[i - 2].policy == result.best;
      out += (i < 2 ? soft(lines[i]) : best ? strong(lines[i]) : lines[i]) + "\n";
    }
    std::string key;
    if (!result.best.empty()) key += "> least cost";
    if (!result.best_fixed.empty() && result.best_fixed != result.best) {
      key += std::string(key.empty() ? "" : ", ") + "+ best fixed precision in hindsight";
    }
    const bool with_regret =
        std::any_of(table.begin(), table.end(), [](const Column& c) { return c.name == "regret"; });
    if (!result.bound.policy.empty() && with_regret) {
      key += std::string(key.empty() ? "" : ", ") + "regret: cost above the bound";
    }
    for (const std::string& text : wrapped(key, room)) out += soft(text) + "\n";
    out += "\n";
  }
  for (const std::string& sentence : answer(result, facts)) {
    for (const std::string& text : wrapped(printable(sentence), room)) out += text + "\n";
  }
  out += "\n";
  for (const std::string& text : wrapped(printable(provenance(result)), room)) {
    out += soft(text) + "\n";
  }
  if (!facts.scaling_text.empty()) {
    for (const std::string& text : wrapped(printable(facts.scaling_text), room)) {
      out += soft(text) + "\n";
    }
  }
  return out;
}

}  // namespace carnot::report
