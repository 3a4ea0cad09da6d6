// SPDX-License-Identifier: Apache-2.0
#include "carnot/plan/grid_shift.hpp"

#include <algorithm>
#include <cmath>
#include <memory>

#include <fmt/format.h>

#include "carnot/base/error.hpp"

#include "plan/grid_descent.hpp"
#include "plan/grid_joint.hpp"
#include "plan/grid_redispatch.hpp"

namespace carnot::plan {

namespace {

void check(const GridHours& hours, const ShiftOptions& options) {
  Problems problems;
  const auto refuse = [&problems](std::string_view field, std::string_view allowed) {
    problems.add({"computing", 0}, field, allowed);
  };
  const auto share = [](double value) { return value >= 0.0 && value <= 1.0; };
  if (hours.states.empty()) refuse("hours", "at least one");
  for (std::size_t s = 0; s < options.sites.size(); ++s) {
    const std::string field = fmt::format("site {}", s + 1);
    if (options.sites[s].bus >= hours.grid.buses.size()) refuse(field, "a bus of the grid");
    for (std::size_t other = 0; other < s; ++other)
      if (options.sites[other].bus == options.sites[s].bus) refuse(field, "a bus for each site");
    if (!(options.sites[s].capacity_mw > 0.0) || !std::isfinite(options.sites[s].capacity_mw))
      refuse(field, "a capacity above 0 MW");
  }
  if (!share(options.utilisation)) refuse("utilisation", "from 0 to 1");
  if (!share(options.deferrable) || !share(options.movable) ||
      options.deferrable + options.movable > 1.0 + 1e-12)
    refuse("deferrable and movable", "shares from 0 to 1, together at most 1");
  if (options.window_h < 1) refuse("window", "at least 1 hour");
  if (!std::isfinite(options.carbon_price_per_t) || !std::isfinite(options.units_pay_per_t))
    refuse("carbon price", "a finite number");
  if (!(options.shed_price_per_mwh > 0.0) || !std::isfinite(options.shed_price_per_mwh))
    refuse("shed price", "a finite number above 0");
  problems.throw_if_any();
}

/// A window of hours and what must be done in it.
struct Window {
  std::size_t first = 0, count = 0;
  WindowWork work;
  std::vector<double> rigid_mw;  ///< one a site
};

class Study {
 public:
  Study(const GridHours& hours, const ShiftOptions& options, const ShiftProgress& progress)
      : hours_(hours), options_(options), progress_(progress), grid_(hours, options) {
    for (std::size_t first = 0; first < hours.states.size(); first += options.window_h)
      windows_.push_back(window_at(first));
  }

  ShiftVariant run(ShiftSignal signal, const std::vector<ShiftVariant>& before);
  bool stopped() const { return stopped_; }

 private:
  Window window_at(std::size_t first) const;
  SiteTable even(const Window& window) const;
  SiteTable by_signal(const Window& window, ShiftSignal signal, const ShiftVariant& seen) const;
  /// \returns empty without an optimum
  JointAnswer jointly(const Window& window, double carbon_price_per_t);
  PlacedWindow least_carbon(const Window& window, const std::vector<ShiftVariant>& before);
  PlacedWindow place(const Window& window, ShiftVariant& variant,
                     const std::vector<ShiftVariant>& before);
  double moved_mwh(const Window& window, const SiteTable& placed_mw) const;

  const GridHours& hours_;
  const ShiftOptions& options_;
  const ShiftProgress& progress_;
  Redispatch grid_;
  std::vector<Window> windows_;
  std::unique_ptr<JointDispatch> joint_;
  std::size_t joint_hours_ = 0;
  double joint_price_ = 0.0;
  bool stopped_ = false;
};

Window Study::window_at(std::size_t first) const {
  Window window{first, std::min(options_.window_h, hours_.states.size() - first), {}, {}};
  for (const ComputingSite& site : options_.sites) {
    const double mean = site.capacity_mw * options_.utilisation;
    const double work = mean * static_cast<double>(window.count);
    const double shiftable = options_.deferrable + options_.movable;
    window.rigid_mw.push_back(mean * std::max(0.0, 1.0 - shiftable));
    window.work.own_mwh.push_back(work * options_.deferrable);
    window.work.room_mw.emplace_back(window.count, site.capacity_mw - window.rigid_mw.back());
    window.work.total_mwh += work * shiftable;
  }
  return window;
}

SiteTable Study::even(const Window& window) const {
  SiteTable placed;
  for (std::size_t s = 0; s < options_.sites.size(); ++s)
    placed.emplace_back(window.count,
                        options_.sites[s].capacity_mw * options_.utilisation - window.rigid_mw[s]);
  return placed;
}

double signal_of(const SiteHour& hour, ShiftSignal signal) {
  if (signal == ShiftSignal::AverageCarbon) return hour.average_co2_kg_per_mwh;
  if (signal == ShiftSignal::Price) return hour.price_per_mwh;
  return hour.marginal_co2_kg_per_mwh;
}

/// Hours that had no dispatch come last.
SiteTable Study::by_signal(const Window& window, ShiftSignal signal,
                           const ShiftVariant& seen) const {
  SiteTable signals(options_.sites.size());
  for (std::size_t s = 0; s < signals.size(); ++s)
    for (std::size_t t = window.first; t < window.first + window.count; ++t)
      signals[s].push_back(seen.hours[t].status == OpfStatus::Optimal
                               ? signal_of(seen.hours[t].sites[s], signal)
                               : kUnlimited);
  return place_by_signal(signals, window.work);
}

JointAnswer Study::jointly(const Window& window, double carbon_price_per_t) {
  if (joint_ == nullptr || joint_hours_ != window.count || joint_price_ != carbon_price_per_t) {
    joint_hours_ = window.count;
    joint_price_ = carbon_price_per_t;
    joint_ = std::make_unique<JointDispatch>(hours_.grid, options_, joint_price_, joint_hours_);
  }
  std::vector<GridState> states;
  for (std::size_t t = 0; t < window.count; ++t) {
    states.push_back(hours_.states[window.first + t]);
    for (std::size_t s = 0; s < options_.sites.size(); ++s)
      states.back().demand_mw[options_.sites[s].bus] += window.rigid_mw[s];
  }
  return joint_->solve(states, window.work);
}

/// The best of what the variants before and one programme with the carbon price come to, improved.
PlacedWindow Study::least_carbon(const Window& window, const std::vector<ShiftVariant>& before) {
  PlacedWindow best;
  double least = kUnlimited;
  const auto consider = [&](PlacedWindow candidate) {
    double sum = 0.0;
    for (const ShiftHour& hour : candidate.hours)
      sum += objective_of(hour, options_, options_.carbon_price_per_t);
    if (!best.hours.empty() && !(sum < least)) return;
    least = sum;
    best = std::move(candidate);
  };
  for (const ShiftVariant& variant : before) {
    if (variant.signal == ShiftSignal::NoComputing) continue;
    PlacedWindow candidate;
    const auto begin = variant.hours.begin() + static_cast<std::ptrdiff_t>(window.first);
    candidate.hours.assign(begin, begin + static_cast<std::ptrdiff_t>(window.count));
    candidate.placed_mw.resize(options_.sites.size());
    for (const ShiftHour& hour : candidate.hours)
      for (std::size_t s = 0; s < options_.sites.size(); ++s)
        candidate.placed_mw[s].push_back(
            hour.sites.empty() ? kNowhere : hour.sites[s].load_mw - window.rigid_mw[s]);
    consider(std::move(candidate));
  }
  JointAnswer joint = jointly(window, options_.carbon_price_per_t);
  if (joint.why.empty())
    consider(answered(grid_, std::move(joint.placed_mw), window.first, window.rigid_mw));
  return descend(grid_, std::move(best), window.work, options_, window.first, window.rigid_mw);
}

PlacedWindow Study::place(const Window& window, ShiftVariant& variant,
                          const std::vector<ShiftVariant>& before) {
  if (variant.signal == ShiftSignal::JointCarbon) return least_carbon(window, before);
  SiteTable placed;
  if (variant.signal == ShiftSignal::NoShift) {
    placed = even(window);
  } else if (variant.signal == ShiftSignal::JointCost) {
    JointAnswer joint = jointly(window, options_.units_pay_per_t);
    variant.programme_objective += joint.objective;
    placed = std::move(joint.placed_mw);
    if (!joint.why.empty())  // its hours stay without an optimum
      placed.assign(options_.sites.size(), std::vector<double>(window.count, kNowhere));
  } else {
    const auto even_one = std::find_if(before.begin(), before.end(), [](const ShiftVariant& v) {
      return v.signal == ShiftSignal::NoShift;
    });
    placed = by_signal(window, variant.signal, *even_one);
  }
  return answered(grid_, std::move(placed), window.first, window.rigid_mw);
}

/// Done at sites beyond the work that arose there.
double Study::moved_mwh(const Window& window, const SiteTable& placed_mw) const {
  double moved = 0.0;
  for (std::size_t s = 0; s < placed_mw.size(); ++s) {
    double beyond = 0.0;
    for (const double mw : placed_mw[s])
      beyond += mw + window.rigid_mw[s] - options_.sites[s].capacity_mw * options_.utilisation;
    moved += std::max(0.0, beyond);
  }
  return moved;
}

ShiftVariant Study::run(ShiftSignal signal, const std::vector<ShiftVariant>& before) {
  ShiftVariant variant;
  variant.signal = signal;
  variant.window_h = options_.window_h;
  if (signal == ShiftSignal::JointCost) variant.programme_objective = 0.0;
  for (const Window& window : windows_) {
    if (signal == ShiftSignal::NoComputing) {
      for (std::size_t t = 0; t < window.count; ++t)
        variant.hours.push_back(grid_.hour(window.first + t, {}));
    } else {
      PlacedWindow placed = place(window, variant, before);
      variant.moved_mwh.push_back(moved_mwh(window, placed.placed_mw));
      std::move(placed.hours.begin(), placed.hours.end(), std::back_inserter(variant.hours));
    }
    if (progress_ && !progress_(signal, variant.hours.size())) stopped_ = true;
    if (stopped_) break;
  }
  return variant;
}

}  // namespace

GridHours hours_of(const RtsGmlc& rts, std::size_t first, std::size_t count) {
  if (first >= rts.hours() || count > rts.hours() - first)
    throw InputError(
        fmt::format("hours: {} from hour {}, of {} that there are", count, first, rts.hours()));
  GridHours hours{rts.grid(), rts.start(first), {}};
  const std::size_t end = count == 0 ? rts.hours() : first + count;
  for (std::size_t at = first; at < end; ++at) hours.states.push_back(rts.state(at));
  return hours;
}

std::vector<double> weather_mw(const Grid& grid) {
  std::vector<double> installed(grid.buses.size(), 0.0);
  for (const GridGenerator& generator : grid.generators)
    if (generator.weather_driven) installed[generator.bus] += generator.maximum_mw;
  return installed;
}

std::string_view name(ShiftSignal signal) noexcept {
  constexpr std::array<std::string_view, kShiftSignals.size()> kNames{
      "no-computing",    "no-shift",   "average-carbon", "price",
      "marginal-carbon", "joint-cost", "joint-carbon"};
  return kNames[static_cast<std::size_t>(signal)];
}

double SiteHour::own_used_mw() const noexcept {
  return std::min(load_mw, available_mw - curtailed_mw);
}

double SiteHour::exported_mw() const noexcept {
  return available_mw - curtailed_mw - own_used_mw();
}

ShiftTotals ShiftVariant::totals(std::size_t first, std::size_t count) const {
  ShiftTotals sum;
  for (std::size_t at = first; at < std::min(first + count, hours.size()); ++at) {
    const ShiftHour& hour = hours[at];
    ++sum.hours;
    if (at % window_h == 0 && at / window_h < moved_mwh.size())
      sum.moved_mwh += moved_mwh[at / window_h];
    if (hour.status != OpfStatus::Optimal) {
      ++sum.unsolved;
      continue;
    }
    if (hour.congested > 0) ++sum.congested_hours;
    if (hour.curtailed_mw > 0.1) ++sum.curtailed_hours;
    sum.cost += hour.cost_per_h;
    sum.co2_t += hour.co2_kg_per_h / 1000.0;
    sum.demand_mwh += hour.demand_mw;
    sum.available_mwh += hour.available_mw;
    sum.curtailed_mwh += hour.curtailed_mw;
    sum.shed_mwh += hour.shed_mw;
    sum.losses_mwh += hour.loss_mw;
    sum.overload_mw = std::max(sum.overload_mw, hour.overload_mw);
    sum.residual_mw = std::max(sum.residual_mw, hour.residual_mw);
    for (const SiteHour& site : hour.sites) {
      sum.computing_mwh += site.load_mw;
      sum.own_used_mwh += site.own_used_mw();
    }
  }
  return sum;
}

const ShiftVariant* ShiftStudy::find(ShiftSignal signal) const noexcept {
  const auto there = std::find_if(variants.begin(), variants.end(),
                                  [signal](const ShiftVariant& v) { return v.signal == signal; });
  return there == variants.end() ? nullptr : &*there;
}

double ShiftStudy::absorbed_share(const ShiftVariant& variant, std::size_t first,
                                  std::size_t count) const {
  const ShiftVariant* alone = find(ShiftSignal::NoComputing);
  const double curtailed = alone == nullptr ? 0.0 : alone->totals(first, count).curtailed_mwh;
  return curtailed > 0.0 ? 1.0 - variant.totals(first, count).curtailed_mwh / curtailed : kNowhere;
}

double ShiftStudy::programme_gap() const {
  const ShiftVariant* joint = find(ShiftSignal::JointCost);
  if (joint == nullptr) return kNowhere;
  const double alone = joint->totals().objective(options, options.units_pay_per_t);
  return std::abs(alone - joint->programme_objective) / std::max(1.0, std::abs(alone));
}

ShiftStudy study_shift(const GridHours& hours, const ShiftOptions& options,
                       std::vector<ShiftSignal> signals, const ShiftProgress& progress) {
  check(hours, options);
  const auto asked = [&signals](auto holds) {
    return std::any_of(signals.begin(), signals.end(), holds);
  };
  if (asked([](ShiftSignal signal) { return signal > ShiftSignal::NoShift; }))
    signals.push_back(ShiftSignal::NoShift);
  if (asked([](ShiftSignal signal) { return signal == ShiftSignal::JointCarbon; }))
    signals.insert(signals.end(), {ShiftSignal::AverageCarbon, ShiftSignal::Price,
                                   ShiftSignal::MarginalCarbon, ShiftSignal::JointCost});
  std::sort(signals.begin(), signals.end());
  signals.erase(std::unique(signals.begin(), signals.end()), signals.end());
  if (options.sites.empty() && signals.back() != ShiftSignal::NoComputing)
    throw InputError("computing: sites: at least one");
  ShiftStudy study;
  study.options = options;
  Study work(hours, options, progress);
  for (const ShiftSignal signal : signals) {
    if (work.stopped()) break;
    study.variants.push_back(work.run(signal, study.variants));
  }
  return study;
}

}  // namespace carnot::plan
