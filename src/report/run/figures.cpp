// SPDX-License-Identifier: Apache-2.0
#include "report/run/figures.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/limits.hpp"

#include "report/draw/bar_figure.hpp"
#include "report/draw/svg.hpp"
#include "report/draw/text_columns.hpp"
#include "report/run/words.hpp"

namespace carnot::report {

namespace {

/// The few lanes a reader compares, each with its series colour: best, rival, fixed, never waiting.
std::vector<std::pair<const LaneResult*, std::string>> marked_lanes(const RunResult& result) {
  std::vector<std::pair<const LaneResult*, std::string>> out;
  const auto add = [&](const LaneResult* lane) {
    if (lane == nullptr) return;
    for (const auto& [known, style] : out) {
      if (known == lane) return;
    }
    out.emplace_back(lane, fmt::format("{}", out.size() + 1));
  };
  if (!result.best.empty()) add(result.lane(result.best));
  add(best_rival(result));
  if (!result.best_fixed.empty()) add(result.lane(result.best_fixed));
  add(result.lane("grid-f32"));
  if (!result.bound.policy.empty()) add(result.lane(result.bound.policy));
  return out;
}

std::string shown_value(double value) {
  const double size = std::abs(value);
  if (!std::isfinite(value)) return "n/a";
  return size != 0 && size < 0.005 ? "0.00" : figure_text(value, 3);
}

}  // namespace

std::string bars_figure(const RunResult& result, const Bars& bars) {
  if (result.lanes.empty()) return {};
  constexpr double kWidth = 460, kLeft = 112, kRight = 392, kRow = 23, kTop = 34;
  const double bottom = kTop + kRow * static_cast<double>(result.lanes.size());
  double low = 0, high = 0;
  for (const LaneResult& lane : result.lanes) {
    const double value = bars.of(lane) * bars.factor;
    if (!std::isfinite(value)) continue;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  const double bound = bars.bound * bars.factor;
  if (std::isfinite(bound)) {
    low = std::min(low, bound);
    high = std::max(high, bound);
  }
  const svg::Scale x = svg::linear(low, high > low ? high : low + 1, kLeft, kRight);
  std::string words;
  for (const LaneResult& lane : result.lanes) {
    words +=
        fmt::format("{} {} {}; ", lane.policy, shown_value(bars.of(lane) * bars.factor), bars.unit);
  }
  svg::Drawing d(kWidth, bottom + 22, bars.title, words);
  d.text(0, 16, fmt::format("{}, {}", bars.title, bars.unit), "title");
  for (std::size_t i = 0; i < result.lanes.size(); ++i) {
    const LaneResult& lane = result.lanes[i];
    const double y = kTop + kRow * static_cast<double>(i), value = bars.of(lane) * bars.factor;
    const bool best = lane.policy == result.best;
    d.text(kLeft - 8, y + 14, bar_name(lane.policy, best), best ? "end bold" : "end label");
    if (!std::isfinite(value)) {
      d.text(kLeft + 6, y + 14, "n/a", "tick");
      continue;
    }
    const double from = x.at(std::min(0.0, value)), to = x.at(std::max(0.0, value));
    const bool reached = lane.outcome == "target-reached";
    d.rect(from, y + 3, to - from, kRow - 7,
           best      ? "f1"
           : reached ? "fquiet"
                     : "fquiet missed",
           fmt::format("{}: {} {}", lane.policy, shown_value(value), bars.unit), 1.5);
    d.text(to + 6, y + 14, shown_value(value) + (reached ? "" : " *"), best ? "bold" : "tick");
  }
  d.line(x.at(0), kTop - 2, x.at(0), bottom, "axis");
  if (std::isfinite(bound)) {
    d.line(x.at(bound), kTop - 4, x.at(bound), bottom + 4, "bound");
    const bool right = x.at(bound) > 0.5 * (kLeft + kRight);
    d.text(x.at(bound) + (right ? -4 : 4), bottom + 16, fmt::format("bound {}", shown_value(bound)),
           right ? "tick end" : "tick");
  }
  return d.finish();
}

std::string quality_figure(const RunResult& result, const Facts& facts, const Stage& stage) {
  constexpr double kWidth = 960, kHeight = 400, kLeft = 62, kRight = 944, kTop = 62, kBottom = 350;
  double most_j = 0;
  std::string metric;
  bool any = false;
  for (std::size_t i = 0; i < result.lanes.size(); ++i) {
    most_j = std::max(most_j, result.lanes[i].energy.value().in(joule));
    if (metric.empty()) metric = result.lanes[i].quality_metric;
    any = any || !result.series[i].quality.empty();
  }
  if (!any || !(most_j > 0)) return {};
  const Unit unit = energy_unit(most_j);
  const double factor = metric_factor(metric);
  const svg::Scale x = svg::linear(0, most_j * unit.factor * 1.02, kLeft, kRight);
  const svg::Scale y =
      svg::linear(stage.quality_low * factor, stage.quality_high * factor, kBottom, kTop);
  svg::Drawing d(kWidth, kHeight, "Quality over energy spent",
                 "One line per policy: held-out quality against the facility's energy so far. "
                 "Higher and further left is better.");
  svg::axes(d, {x,
                y,
                "energy of the facility so far, " + unit.name,
                "held-out " + metric_words(metric),
                8,
                4,
                true,
                {}});
  if (std::isfinite(facts.minimum_quality) && facts.minimum_quality > 0) {
    const double floor = y.clipped(facts.minimum_quality * factor);
    d.line(kLeft, floor, kRight, floor, "rule dash");
    d.text(kRight, floor - 5, "floor " + quality_text(metric, facts.minimum_quality), "tick end");
  }
  const auto marked = marked_lanes(result);
  const auto draw = [&](std::size_t i, const std::string& line, const std::string& dot) {
    const LaneSeries& s = result.series[i];
    std::vector<double> px, py;
    double spent = 0;
    std::size_t slot = 0;
    const std::size_t stride = std::max<std::size_t>(1, s.quality.size() / 200);
    for (std::size_t k = 0; k < s.quality.size(); ++k) {
      const Instant at = s.quality[k].first;  // clang 14 captures no structured bindings
      const double value = s.quality[k].second;
      const auto left = [&] { return (at - s.start[slot]).time().in(second); };
      while (slot < s.start.size() && left() >= s.length_s[slot] * (1 - 1e-9)) {
        spent += s.facility_w[slot] * s.length_s[slot];
        ++slot;
      }
      if ((k % stride != 0 && k + 1 != s.quality.size()) || !std::isfinite(value)) continue;
      const double part = slot < s.start.size() ? s.facility_w[slot] * std::max(0.0, left()) : 0.0;
      px.push_back(x.clipped((spent + part) * unit.factor));
      py.push_back(y.clipped(value * factor));
    }
    if (px.empty()) return;
    d.path(svg::polyline(px, py), line, result.lanes[i].policy);
    d.circle(px.back(), py.back(), dot == "fquiet" ? 2.5 : 4.5, dot,
             fmt::format("{}: {} with {}", result.lanes[i].policy,
                         quality_text(metric, result.lanes[i].quality),
                         energy_text(result.lanes[i].energy.value().in(joule))));
  };
  const auto style_of = [&](const LaneResult& lane) -> std::string {
    for (const auto& [known, style] : marked) {
      if (known == &lane) return style;
    }
    return {};
  };
  for (std::size_t i = 0; i < result.lanes.size(); ++i) {
    if (style_of(result.lanes[i]).empty()) draw(i, "quiet", "fquiet");
  }
  // Marked lanes lie above the quiet ones, the best on top.
  for (auto lane = marked.rbegin(); lane != marked.rend(); ++lane) {
    const auto i = static_cast<std::size_t>(lane->first - result.lanes.data());
    draw(i, "s" + lane->second + (lane->second == "1" ? " strong" : ""), "f" + lane->second);
  }
  std::vector<std::pair<std::string, std::string>> key;
  for (const auto& [lane, style] : marked) key.emplace_back("f" + style, printable(lane->policy));
  if (marked.size() < result.lanes.size()) key.emplace_back("fquiet", "others");
  svg::legend(d, kLeft, 18, key);
  return d.finish();
}

std::string cycle_figure(const LaneResult& lane, const Facts& facts) {
  const LearningCycle& cycle = lane.cycle;
  const auto drawable = [](double bits, double kelvins) {
    return std::isfinite(bits) && std::isfinite(kelvins) && kelvins > 0;
  };
  double most_bits = 0, least_bits = kInfinity;
  double hottest = 0, coldest = kInfinity;
  const auto span = [&](double bits, double kelvins) {
    if (!drawable(bits, kelvins)) return;
    most_bits = std::max(most_bits, bits);
    least_bits = std::min(least_bits, bits);
    hottest = std::max(hottest, kelvins);
    coldest = std::min(coldest, kelvins);
  };
  for (const auto& [bits, kelvins] : cycle.curve) span(bits, kelvins);
  for (const auto& leg : cycle.legs) {
    span(leg.from_bits, leg.temperature.in(kelvin));
    span(leg.to_bits, leg.temperature.in(kelvin));
  }
  if (!(hottest > 0) || !(most_bits > least_bits)) return {};
  const double ambient =
      std::isfinite(facts.temperature_k) && facts.temperature_k > 0 ? facts.temperature_k : coldest;
  coldest = std::min(coldest, ambient);

  constexpr double kWidth = 960, kHeight = 440, kLeft = 62, kRight = 944, kTop = 40, kBottom = 380;
  const double margin = 0.06 * (most_bits - least_bits);
  double per = 1;
  std::string unit = "bits";
  for (const auto& [size, name] :
       {std::pair{1e3, "kbit"}, {1e6, "Mbit"}, {1e9, "Gbit"}, {1e12, "Tbit"}, {1e15, "Pbit"}}) {
    if (most_bits >= 2 * size) {
      per = size;
      unit = name;
    }
  }
  const svg::Scale x = svg::linear(std::max(0.0, least_bits - margin) / per,
                                   (most_bits + margin) / per, kLeft, kRight);
  const svg::Scale y = svg::logarithmic(coldest / 3, hottest * 10, kBottom, kTop);
  svg::Drawing d(kWidth, kHeight, "Learning cycle of " + lane.policy,
                 fmt::format("Remaining bits of the data against effective temperature; efficiency "
                             "{} of the Landauer limit.",
                             figure_text(cycle.efficiency, 3)));
  svg::axes(d, {x, y, "remaining bits, " + unit, "effective temperature, K", 6, 7, true, {}});

  const double base = y.at(ambient);
  const auto at = [&](double bits, double kelvins) {
    return std::pair{x.at(bits / per), y.at(kelvins)};
  };
  std::vector<double> px, py;
  const std::size_t stride = std::max<std::size_t>(1, cycle.curve.size() / 300);
  for (std::size_t i = 0; i < cycle.curve.size(); ++i) {
    const auto& [bits, kelvins] = cycle.curve[i];
    if ((i % stride != 0 && i + 1 != cycle.curve.size()) || !drawable(bits, kelvins)) continue;
    px.push_back(at(bits, kelvins).first);
    py.push_back(at(bits, kelvins).second);
  }
  if (px.size() >= 2) {
    const std::string edge = svg::polyline(px, py);
    d.path(fmt::format("{}L{} {}L{} {}Z", edge, svg::coordinate(px.back()), svg::coordinate(base),
                       svg::coordinate(px.front()), svg::coordinate(base)),
           "shade");
    d.path(edge, "s1 strong", "learning, as it went");
  }
  double last_x = kNaN, last_y = kNaN, first_x = kNaN, first_y = kNaN;
  std::size_t number = 0;  // as in the table of legs, drawn or not
  for (const auto& leg : cycle.legs) {
    ++number;
    const double kelvins = leg.temperature.in(kelvin);
    if (!drawable(leg.from_bits, kelvins) || !std::isfinite(leg.to_bits)) continue;
    const auto [x1, y1] = at(leg.from_bits, kelvins);
    const auto [x2, y2] = at(leg.to_bits, kelvins);
    const std::string style = fmt::format("s{}", 1 + (number - 1) % 8);
    const bool curved = px.size() >= 2 && leg.name.starts_with("learn");
    if (std::isfinite(last_x)) d.line(last_x, last_y, x1, y1, "rule dash");
    d.line(x1, y1, x2, y2, curved ? "rule dash" : style);
    const double middle = (x1 + x2) / 2;
    d.circle(x1, y1, 10, fmt::format("f{}", 1 + (number - 1) % 8), leg.name);
    d.text(x1, y1 + 4.5, fmt::format("{}", number), "middle corner");
    const bool below = y1 > kTop + 0.55 * (kBottom - kTop);
    d.text(std::clamp(middle, kLeft + 110, kRight - 110), y1 + (below ? -14 : -16),
           fmt::format("{}: {} at {} K", printable(leg.name), energy_text(leg.energy.in(joule)),
                       figure_text(kelvins, 3)),
           "middle bold");
    if (!std::isfinite(first_x)) {
      first_x = x1;
      first_y = y1;
    }
    last_x = x2;
    last_y = y2;
  }
  if (std::isfinite(last_x)) d.line(last_x, last_y, first_x, first_y, "rule dash");
  d.line(kLeft, base, kRight, base, "bound");
  d.text(kRight, base - 7, fmt::format("surroundings, {} K", figure_text(ambient, 4)), "tick end");
  return d.finish();
}

std::vector<Rung> ladder(const LaneResult& lane, const Facts& facts) {
  std::vector<Rung> rungs;
  const auto add = [&](const char* name, const std::string& note, double joules) {
    if (std::isfinite(joules) && joules > 0) rungs.push_back({name, note, joules});
  };
  const double spent = lane.energy.value().in(joule);
  add("spent at the facility", "cooling and losses included", spent);
  add("reached the machines", "IT power of the mode at its throttle", lane.it_energy.in(joule));
  add("switched by the work", "without what idles", lane.dynamic_energy.in(joule));
  double table = 0, erased_bits = 0;
  bool complete = !lane.operations.empty();
  for (const auto& [key, count] : lane.operations) {
    if (!(count > 0)) continue;
    const auto fact = std::find_if(facts.energy_table.begin(), facts.energy_table.end(),
                                   [&k = key](const EnergyFact& f) { return f.key == k; });
    if (fact == facts.energy_table.end() || !std::isfinite(fact->energy_pj)) {
      complete = false;
      continue;
    }
    table += count * facts.trainings * fact->energy_pj * 1e-12;
    erased_bits += count * facts.trainings * 32;
  }
  if (complete) add("counted operations", "at the table's energy of each", table);
  if (complete && std::isfinite(facts.temperature_k) && facts.temperature_k > 0) {
    add("the same, each erasing 32 bits", "at k_B T ln 2 a bit",
        erased_bits * landauer_bound(facts.temperature_k * kelvin).base());
  }
  if (std::isfinite(lane.times_above_landauer) && lane.times_above_landauer > 0) {
    add("bits learned, at k_B T ln 2 each",
        fmt::format("{} bits{}", figure_text(lane.bits_learned, 3),
                    std::isfinite(facts.temperature_k)
                        ? fmt::format(" at {} K", figure_text(facts.temperature_k, 4))
                        : ""),
        spent / lane.times_above_landauer);
  }
  // A ladder only goes down; a rung out of order would be read as a gain.
  std::stable_sort(rungs.begin(), rungs.end(),
                   [](const Rung& a, const Rung& b) { return a.joules > b.joules; });
  return rungs;
}

std::string ladder_figure(const std::vector<Rung>& rungs) {
  if (rungs.size() < 2) return {};
  constexpr double kWidth = 960, kLeft = 300, kRight = 830, kTop = 20, kRow = 52;
  const double bottom = kTop + kRow * static_cast<double>(rungs.size());
  const double high = rungs.front().joules, low = rungs.back().joules;
  const svg::Scale x = svg::logarithmic(low / 30, high, kLeft, kRight);
  std::string words;
  for (const Rung& rung : rungs) {
    words += fmt::format("{}: {} J; ", rung.name, figure_text(rung.joules, 3));
  }
  svg::Drawing d(kWidth, bottom + 48, "Ladder from joules spent to the Landauer limit", words);
  for (const double mark : svg::ticks(x, 9)) {
    d.line(x.at(mark), kTop, x.at(mark), bottom, "gridline");
    d.text(x.at(mark), bottom + 18, svg::decade_text(mark), "tick middle");
  }
  d.text((kLeft + kRight) / 2, bottom + 40, "energy, J (logarithmic)", "label middle");
  for (std::size_t i = 0; i < rungs.size(); ++i) {
    const double y = kTop + kRow * static_cast<double>(i);
    const double to = x.at(rungs[i].joules);
    d.text(0, y + 16, rungs[i].name, i + 1 == rungs.size() ? "bold" : "");
    d.text(0, y + 33, rungs[i].note, "tick");
    d.rect(kLeft, y + 6, to - kLeft, 20, i + 1 == rungs.size() ? "f2" : "f1",
           fmt::format("{}: {} J", rungs[i].name, figure_text(rungs[i].joules, 3)), 2);
    const std::string value = rungs[i].joules >= 1000 ? energy_text(rungs[i].joules)
                                                      : figure_text(rungs[i].joules, 3) + " J";
    d.text(to + 8, y + 21, value, "bold");
    if (i + 1 < rungs.size()) {
      d.text(
          kLeft + 8, y + 45,
          fmt::format("{} times the next", figure_text(rungs[i].joules / rungs[i + 1].joules, 3)),
          "tick");
    }
  }
  d.line(kLeft, kTop, kLeft, bottom, "axis");
  return d.finish();
}

}  // namespace carnot::report
