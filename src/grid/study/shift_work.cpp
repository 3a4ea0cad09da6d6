// SPDX-License-Identifier: Apache-2.0
#include "grid/study/shift_work.hpp"

#include <algorithm>
#include <iterator>

#include "carnot/base/limits.hpp"

namespace carnot::grid {

ShiftWork::ShiftWork(const GridHours& hours, const ShiftOptions& options,
                     const ShiftProgress& progress)
    : hours_(hours), options_(options), progress_(progress), grid_(hours, options) {
  for (std::size_t first = 0; first < hours.states.size(); first += options.window_h)
    windows_.push_back(window_at(first));
}

ShiftWindow ShiftWork::window_at(std::size_t first) const {
  ShiftWindow window{first, std::min(options_.window_h, hours_.states.size() - first), {}, {}};
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

SiteTable ShiftWork::even(const ShiftWindow& window) const {
  SiteTable placed;
  for (std::size_t s = 0; s < options_.sites.size(); ++s)
    placed.emplace_back(window.count,
                        options_.sites[s].capacity_mw * options_.utilisation - window.rigid_mw[s]);
  return placed;
}

namespace {

double signal_of(const SiteHour& hour, ShiftSignal signal) {
  if (signal == ShiftSignal::AverageCarbon) return hour.average_co2_kg_per_mwh;
  if (signal == ShiftSignal::Price) return hour.price_per_mwh;
  return hour.marginal_co2_kg_per_mwh;
}

}  // namespace

/// Hours that had no dispatch come last.
SiteTable ShiftWork::by_signal(const ShiftWindow& window, ShiftSignal signal,
                               const ShiftVariant& seen) const {
  SiteTable signals(options_.sites.size());
  for (std::size_t s = 0; s < signals.size(); ++s)
    for (std::size_t t = window.first; t < window.first + window.count; ++t)
      signals[s].push_back(seen.hours[t].status == OpfStatus::Optimal
                               ? signal_of(seen.hours[t].sites[s], signal)
                               : kInfinity);
  return place_by_signal(signals, window.work);
}

JointAnswer ShiftWork::jointly(const ShiftWindow& window, double carbon_price_per_t) {
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
PlacedWindow ShiftWork::least_carbon(const ShiftWindow& window,
                                     const std::vector<ShiftVariant>& before) {
  PlacedWindow best;
  double least = kInfinity;
  const auto consider = [&](PlacedWindow candidate) {
    const double sum = objective_of(candidate, options_);
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
            hour.sites.empty() ? kNaN : hour.sites[s].load_mw - window.rigid_mw[s]);
    consider(std::move(candidate));
  }
  JointAnswer joint = jointly(window, options_.carbon_price_per_t);
  if (joint.why.empty())
    consider(answered(grid_, std::move(joint.placed_mw), window.first, window.rigid_mw));
  return descend(grid_, std::move(best), window.work, options_, window.first, window.rigid_mw);
}

PlacedWindow ShiftWork::place(const ShiftWindow& window, ShiftVariant& variant,
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
      placed.assign(options_.sites.size(), std::vector<double>(window.count, kNaN));
  } else {
    const auto even_one = std::find_if(before.begin(), before.end(), [](const ShiftVariant& v) {
      return v.signal == ShiftSignal::NoShift;
    });
    placed = by_signal(window, variant.signal, *even_one);
  }
  return answered(grid_, std::move(placed), window.first, window.rigid_mw);
}

/// Done at sites beyond the work that arose there.
double ShiftWork::moved_mwh(const ShiftWindow& window, const SiteTable& placed_mw) const {
  double moved = 0.0;
  for (std::size_t s = 0; s < placed_mw.size(); ++s) {
    double beyond = 0.0;
    for (const double mw : placed_mw[s])
      beyond += mw + window.rigid_mw[s] - options_.sites[s].capacity_mw * options_.utilisation;
    moved += std::max(0.0, beyond);
  }
  return moved;
}

/// All hours of the window, or none if it is stopped.
void ShiftWork::add(const ShiftWindow& window, ShiftVariant& variant,
                    const std::vector<ShiftVariant>& before) {
  PlacedWindow placed;
  if (variant.signal == ShiftSignal::NoComputing) {
    for (std::size_t t = 0; t < window.count; ++t)
      placed.hours.push_back(grid_.hour(window.first + t, {}));
  } else {
    placed = place(window, variant, before);
    variant.moved_mwh.push_back(moved_mwh(window, placed.placed_mw));
  }
  std::move(placed.hours.begin(), placed.hours.end(), std::back_inserter(variant.hours));
}

ShiftVariant ShiftWork::run(ShiftSignal signal, const std::vector<ShiftVariant>& before) {
  ShiftVariant variant;
  variant.signal = signal;
  variant.window_h = options_.window_h;
  if (signal == ShiftSignal::JointCost) variant.programme_objective = 0.0;
  for (const ShiftWindow& window : windows_) {
    const double programmes = variant.programme_objective;
    try {
      add(window, variant, before);
    } catch (const Stopped&) {
      variant.programme_objective = programmes;
      stopped_ = true;
      break;
    }
    if (progress_ && !progress_(signal, variant.hours.size())) stopped_ = true;
    if (stopped_) break;
  }
  return variant;
}

}  // namespace carnot::grid
