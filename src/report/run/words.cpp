// SPDX-License-Identifier: Apache-2.0
#include "report/run/words.hpp"

#include <cmath>
#include <set>

#include <fmt/format.h>

#include "carnot/base/limits.hpp"

#include "report/draw/svg.hpp"

namespace carnot::report {

namespace {

struct Step {
  const char* name;
  double size;
};

template <std::size_t N>
Unit fitting(double largest, const Step (&steps)[N]) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < N; ++i) {
    if (std::isfinite(largest) && std::abs(largest) >= steps[i].size) best = i;
  }
  return {steps[best].name, 1.0 / steps[best].size};
}

std::string with_unit(double value, const Unit& unit, int digits) {
  if (!std::isfinite(value)) return "n/a";
  return figure_text(value * unit.factor, digits) + " " + unit.name;
}

std::string bare_percent(double share, int digits = 2) {
  if (!std::isfinite(share)) return "n/a";
  // Two digits, but "99.7 %" rather than "100 %" where it is not all.
  if (share > 0.995 && share < 1 - 1e-9)
    return fmt::format("{:.1f} %", std::min(99.9, 100 * share));
  return figure_text(100 * share, share >= 0.995 ? 3 : digits) + " %";
}

}  // namespace

Unit energy_unit(double largest_j) {
  constexpr Step kSteps[] = {
      {"J", 1}, {"Wh", 3.6e3}, {"kWh", 3.6e6}, {"MWh", 3.6e9}, {"GWh", 3.6e12}};
  return fitting(largest_j, kSteps);
}

Unit power_unit(double largest_w) {
  constexpr Step kSteps[] = {{"W", 1}, {"kW", 1e3}, {"MW", 1e6}, {"GW", 1e9}};
  return fitting(largest_w, kSteps);
}

Unit carbon_unit(double largest_g) {
  constexpr Step kSteps[] = {{"g", 1}, {"kg", 1e3}, {"t", 1e6}};
  return fitting(largest_g, kSteps);
}

Unit time_unit(double largest_s) {
  constexpr Step kSteps[] = {{"s", 1}, {"min", 120}, {"h", 7200}};
  Unit unit = fitting(largest_s, kSteps);
  if (unit.name == "min") return {"min", 1.0 / 60};
  if (unit.name == "h") {
    return largest_s >= 14 * 86400.0 ? Unit{"d", 1.0 / 86400} : Unit{"h", 1.0 / 3600};
  }
  return unit;
}

std::string energy_text(double joules, int digits) {
  if (joules == 0) return "0 Wh";
  return with_unit(joules, energy_unit(joules), digits);
}
std::string carbon_text(double grams, int digits) {
  return with_unit(grams, carbon_unit(grams), digits);
}
std::string time_text(double seconds, int digits) {
  return with_unit(seconds, time_unit(seconds), digits);
}

std::string money_text(double euros) {
  if (!std::isfinite(euros)) return "n/a";
  const double size = std::abs(euros);
  if (size >= 1e6) return figure_text(euros, 4) + " EUR";
  if (size >= 99.995) return figure_text(std::round(euros), 1) + " EUR";
  if (size >= 0.01) return fmt::format("{:.2f} EUR", euros);
  return figure_text(euros, 2) + " EUR";
}

std::string quality_text(const std::string& metric, double value) {
  if (!std::isfinite(value)) return "n/a";
  if (std::abs(value) > 1e6) return figure_text(value);
  return metric == "accuracy" ? fmt::format("{:.1f} %", 100 * value) : fmt::format("{:.3f}", value);
}

double quality_half_width(const LaneResult& lane) {
  const bool vacuous =
      lane.quality_metric == "accuracy" && lane.quality_low <= 0 && lane.quality_high >= 1;
  return vacuous ? kNaN : (lane.quality_high - lane.quality_low) / 2;
}

std::string interval_text(const LaneResult& lane) {
  const double half = quality_half_width(lane);
  if (!std::isfinite(half) || !std::isfinite(lane.quality)) {
    return quality_text(lane.quality_metric, lane.quality);
  }
  if (lane.quality_metric == "accuracy") {
    return fmt::format("{:.1f} ± {:.1f} %", 100 * lane.quality, 100 * half);
  }
  return fmt::format("{:.3f} ± {:.3f}", lane.quality, half);
}

std::string metric_words(const std::string& metric) {
  if (metric == "accuracy") return "accuracy, %";
  if (metric == "r2") return "R²";
  return metric.empty() ? "quality" : metric;
}

double metric_factor(const std::string& metric) { return metric == "accuracy" ? 100.0 : 1.0; }

double own_share(const LaneResult& lane) {
  const double all = lane.energy.value().in(joule);
  if (!(all > 0)) return kNaN;
  return lane.own_energy.in(joule) / all;
}

double regret(const LaneResult& lane, const Bound& bound) {
  if (bound.policy.empty() || !(bound.cost_eur > 0)) {
    return kNaN;
  }
  return lane.cost.value().in(euro) / bound.cost_eur - 1;
}

std::string regret_text(const LaneResult& lane, const Bound& bound) {
  const double above = regret(lane, bound);
  if (lane.outcome != "target-reached" || !std::isfinite(above)) return "-";
  if (lane.policy == bound.policy && std::abs(above) <= 1e-9) return "bound";
  if (std::abs(above) >= 9.995) return fmt::format("{}x", figure_text(above + 1, 2));
  const double percent = std::abs(above) < 0.0005 ? 0.0 : 100 * above;
  return fmt::format("{:+.{}f}", percent, std::abs(percent) < 9.95 ? 1 : 0);
}

const LaneResult* best_rival(const RunResult& result) {
  const LaneResult* rival = nullptr;
  for (const LaneResult& lane : result.lanes) {
    if (lane.outcome != "target-reached" || lane.policy == "oracle" || lane.policy == result.best) {
      continue;
    }
    if (rival == nullptr || lane.cost.value() < rival->cost.value()) rival = &lane;
  }
  return rival;
}

std::string change_text(double a, double b) {
  if (!(b > 0) || !std::isfinite(a)) return "n/a";
  const double percent = 100 * (a / b - 1);
  if (std::abs(percent) >= 1000) return fmt::format("{}x", figure_text(a / b, 2));
  return fmt::format("{:+.{}f} %", std::abs(percent) < 0.05 ? 0.0 : percent,
                     std::abs(percent) < 9.95 ? 1 : 0);
}

namespace {

/// "half the ...", "14 % of its grid energy (1.2 against 8.6 MWh)".
std::string grid_words(const LaneResult& lane, const LaneResult& other) {
  const double mine = lane.grid_energy.in(joule), theirs = other.grid_energy.in(joule);
  if (!(theirs > 0)) {
    return mine > 0 ? fmt::format("{} of grid energy where {} buys none", energy_text(mine),
                                  other.policy)
                    : "no grid energy, like it";
  }
  if (!(mine > 0)) return fmt::format("none of its {} of grid energy", energy_text(theirs));
  if (mine > 3 * theirs) {
    return fmt::format("{}x its grid energy ({} against {})", figure_text(mine / theirs, 2),
                       energy_text(mine), energy_text(theirs));
  }
  return fmt::format("{} of its grid energy ({} against {})", bare_percent(mine / theirs),
                     energy_text(mine), energy_text(theirs));
}

std::string cost_words(const LaneResult& lane, const LaneResult& other) {
  const double mine = lane.cost.value().in(euro), theirs = other.cost.value().in(euro);
  if (mine == theirs) return "the same cost";
  std::string words = fmt::format("{} {}", money_text(std::abs(theirs - mine)),
                                  mine < theirs ? "less cost" : "more cost");
  if (theirs > 0) words += fmt::format(" ({})", change_text(mine, theirs));
  return words;
}

std::string against(const LaneResult& lane, const LaneResult& other) {
  const double theirs = other.energy.value().in(joule);
  const std::string energy =
      theirs > 0 ? fmt::format("{:.2f}x its energy", lane.energy.value().in(joule) / theirs)
                 : std::string("as much energy");
  return fmt::format("{}, {} and {}", grid_words(lane, other), energy, cost_words(lane, other));
}

std::string first_sentence(const RunResult& result, const LaneResult& best, const Facts& facts) {
  const std::string floor =
      std::isfinite(facts.minimum_quality) && facts.minimum_quality > 0
          ? fmt::format(" (floor {})", quality_text(best.quality_metric, facts.minimum_quality))
          : "";
  const double share = own_share(best);
  const std::string own =
      std::isfinite(share) ? fmt::format(", {} of it own power", bare_percent(share)) : "";
  std::size_t reached = 0, rivals = 0;
  for (const LaneResult& lane : result.lanes) {
    if (lane.policy == "oracle") continue;
    ++rivals;
    reached += lane.outcome == "target-reached" ? 1U : 0U;
  }
  const std::string of = rivals > 1 ? fmt::format(
                                          ": the least cost of {} policies, {} of which "
                                          "reached the target",
                                          rivals, reached)
                                    : "";
  return fmt::format(
      "{} trained to {}{} in {} with {}{}, for {}{}.", best.policy,
      quality_text(best.quality_metric, best.quality), floor, time_text(best.duration.in(second)),
      energy_text(best.energy.value().in(joule)), own, money_text(best.cost.value().in(euro)), of);
}

std::string bound_sentence(const RunResult& result, const LaneResult& best) {
  if (result.bound.policy.empty() || !std::isfinite(result.bound.cost_eur)) {
    return "No bound was computed, so how much more could be saved is not known.";
  }
  const double mine = best.cost.value().in(euro), bound = result.bound.cost_eur;
  const std::string grid =
      std::isfinite(result.bound.grid_energy_j)
          ? (result.bound.grid_energy_j > 0
                 ? fmt::format(" with {} of grid energy", energy_text(result.bound.grid_energy_j))
                 : std::string(" without grid energy"))
          : "";
  std::string gap = "that is what it cost";
  if (mine > bound) {
    gap = fmt::format("{} is {} above it", best.policy,
                      bound > 0 ? bare_percent(mine / bound - 1) : money_text(mine - bound));
  } else if (mine < bound) {
    gap = fmt::format("{} is {} below it, so this bound is not tight", best.policy,
                      money_text(bound - mine));
  }
  const double proven = result.bound.proven_cost_eur;
  const std::string proof =
      std::isfinite(proven)
          ? fmt::format(" Proven: with its precision schedule nothing costs less than {}.",
                        money_text(proven))
          : "";
  return fmt::format("The bound is {}: with perfect foresight the same objective costs {}{}; {}.{}",
                     result.bound.policy, money_text(bound), grid, gap, proof);
}

/// The cheapest schedule of precisions that was set beforehand and reached, known afterwards, and
/// what adaptive costs against it. Empty without a switch among the policies.
std::string static_sentence(const RunResult& result) {
  const LaneResult* least = nullptr;
  bool switched = false;
  for (const LaneResult& lane : result.lanes) {
    const bool beforehand = lane.policy.starts_with("switch:");
    switched = switched || beforehand;
    if (!beforehand && !lane.policy.starts_with("fixed:")) continue;
    if (lane.outcome != "target-reached") continue;
    if (least == nullptr || lane.cost.value() < least->cost.value()) least = &lane;
  }
  const LaneResult* adaptive = result.lane("adaptive");
  if (!switched || least == nullptr || adaptive == nullptr ||
      adaptive->outcome != "target-reached" || least->cost.value() <= Money{})
    return {};
  return fmt::format(
      "The best schedule set beforehand, in hindsight, is {}; adaptive costs {:.2f} of it.",
      least->policy, adaptive->cost.value() / least->cost.value());
}

}  // namespace

std::vector<std::string> answer(const RunResult& result, const Facts& facts) {
  std::vector<std::string> out;
  if (!result.complete) {
    std::size_t finished = 0;
    for (const LaneResult& lane : result.lanes) finished += lane.finished ? 1U : 0U;
    out.push_back(fmt::format(
        "This run was interrupted: {} of the {} policies begun came to their end, so every "
        "comparison is of what is there.",
        finished, result.lanes.size()));
  }
  const LaneResult* best = result.best.empty() ? nullptr : result.lane(result.best);
  if (result.lanes.empty()) {
    out.push_back("No policy has run.");
    return out;
  }
  if (best == nullptr) {
    const LaneResult* nearest = nullptr;
    for (const LaneResult& lane : result.lanes) {
      if (lane.policy == "oracle" || !std::isfinite(lane.quality)) continue;
      if (nearest == nullptr || lane.quality > nearest->quality) nearest = &lane;
    }
    out.push_back(nearest == nullptr
                      ? std::string("No policy reached the target.")
                      : fmt::format("No policy reached the target; {} came nearest with {}.",
                                    nearest->policy,
                                    quality_text(nearest->quality_metric, nearest->quality)));
    return out;
  }
  out.push_back(first_sentence(result, *best, facts));
  const LaneResult* rival = best_rival(result);
  if (rival != nullptr) {
    out.push_back(
        fmt::format("Against its best rival, {}: {}.", rival->policy, against(*best, *rival)));
  }
  const LaneResult* fixed = result.best_fixed.empty() ? nullptr : result.lane(result.best_fixed);
  if (fixed != nullptr && fixed != best && fixed != rival) {
    out.push_back(fmt::format("Against {}, the best fixed precision in hindsight: {}.",
                              fixed->policy, against(*best, *fixed)));
  } else if (fixed != nullptr && fixed == rival) {
    out.back().insert(out.back().find(':', out.back().find(fixed->policy) + fixed->policy.size()),
                      " (also the best fixed precision in hindsight)");
  }
  if (const std::string line = static_sentence(result); !line.empty()) out.push_back(line);
  const LaneResult* grid = result.lane("grid-f32");
  if (grid != nullptr && grid->finished && grid != best && grid != rival && grid != fixed) {
    out.push_back(fmt::format("Against never waiting, grid-f32: {}.", against(*best, *grid)));
  }
  const LaneResult* adaptive = result.lane("adaptive");
  if (adaptive != nullptr && adaptive != best && adaptive->finished) {
    out.push_back(
        adaptive->outcome == "target-reached"
            ? fmt::format("adaptive was not the cheapest here: {} is {} above {}.",
                          money_text(adaptive->cost.value().in(euro)),
                          money_text((adaptive->cost.value() - best->cost.value()).in(euro)),
                          best->policy)
            : std::string("adaptive did not reach the target here."));
  }
  out.push_back(bound_sentence(result, *best));
  return out;
}

std::string provenance(const RunResult& result) {
  const LaneResult* shown = result.best.empty() ? nullptr : result.lane(result.best);
  for (const LaneResult& lane : result.lanes) {
    if (shown == nullptr && lane.finished) shown = &lane;
  }
  if (shown == nullptr) {
    return "Energies are sums of the ledger's slots at the facility's boundary; intervals are "
           "known once a policy has ended.";
  }
  const auto& energy = shown->energy;
  std::string interval = "no interval stated";
  const double value = energy.value().in(joule);
  if (value > 0 && (energy.high() > energy.low())) {
    interval =
        fmt::format("90 % interval of {}: {} to {}", shown->policy,
                    energy_text(energy.low().in(joule)), energy_text(energy.high().in(joule)));
  }
  std::string sources;
  for (const std::string& source : energy.sources()) {
    sources += (sources.empty() ? "; from " : ", ") + source;
  }
  return fmt::format(
      "Energy is {}, {} boundary, {}{}. Carbon is {}, cost {}. All sums are of the ledger's slots.",
      name(energy.origin()), name(energy.boundary()), interval, sources,
      name(shown->carbon.origin()), name(shown->cost.origin()));
}

}  // namespace carnot::report
