// SPDX-License-Identifier: Apache-2.0
#include "carnot/grid/study/shift.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"

#include "grid/study/shift_work.hpp"

namespace carnot::grid {

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
  return curtailed > 0.0 ? 1.0 - variant.totals(first, count).curtailed_mwh / curtailed : kNaN;
}

double ShiftStudy::programme_gap() const {
  const ShiftVariant* joint = find(ShiftSignal::JointCost);
  if (joint == nullptr) return kNaN;
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
  ShiftWork work(hours, options, progress);
  for (const ShiftSignal signal : signals) {
    if (work.stopped()) break;
    study.variants.push_back(work.run(signal, study.variants));
  }
  return study;
}

}  // namespace carnot::grid
