// SPDX-License-Identifier: Apache-2.0
#include "grid/study/shift_descent.hpp"

#include <algorithm>

#include "carnot/base/limits.hpp"

namespace carnot::grid {

namespace {

constexpr double kLeastStep = 1.0 / 64;  ///< of the room of an hour
constexpr int kMostTries = 40;
constexpr double kGain = 1e-9;  ///< relative, below which nothing is gained

std::vector<double> load_at(const SiteTable& placed_mw, const std::vector<double>& rigid_mw,
                            std::size_t t) {
  std::vector<double> load;
  for (std::size_t s = 0; s < placed_mw.size(); ++s) load.push_back(rigid_mw[s] + placed_mw[s][t]);
  return load;
}

/// Placed at least margins, no cell moving by more than a share of its room.
SiteTable moved(const PlacedWindow& from, const WindowWork& work, const ShiftOptions& options,
                double share) {
  WindowWork change = work;
  SiteTable margin = from.placed_mw, least = from.placed_mw;
  for (std::size_t s = 0; s < margin.size(); ++s)
    for (std::size_t t = 0; t < margin[s].size(); ++t) {
      const SiteHour& site = from.hours[t].sites[s];
      margin[s][t] = site.price_per_mwh + (options.carbon_price_per_t - options.units_pay_per_t) /
                                              1000.0 * site.marginal_co2_kg_per_mwh;
      const double room = work.room_mw[s][t], placed = from.placed_mw[s][t];
      least[s][t] = std::max(0.0, placed - share * room);
      change.room_mw[s][t] = std::min(room, placed + share * room) - least[s][t];
      change.own_mwh[s] -= least[s][t];
      change.total_mwh -= least[s][t];
    }
  for (double& own : change.own_mwh) own = std::max(0.0, own);
  SiteTable placed = place_by_signal(margin, change);
  for (std::size_t s = 0; s < placed.size(); ++s)
    for (std::size_t t = 0; t < placed[s].size(); ++t) placed[s][t] += least[s][t];
  return placed;
}

}  // namespace

double objective_of(const PlacedWindow& window, const ShiftOptions& options) {
  double sum = 0.0;
  for (const ShiftHour& hour : window.hours) {
    if (hour.status != OpfStatus::Optimal) return kInfinity;
    sum += hour.cost_per_h + options.carbon_price_per_t / 1000.0 * hour.co2_kg_per_h +
           options.shed_price_per_mwh * hour.shed_mw;
  }
  return sum;
}

PlacedWindow answered(Redispatch& grid, SiteTable placed_mw, std::size_t first,
                      const std::vector<double>& rigid_mw) {
  PlacedWindow window{std::move(placed_mw), {}};
  const std::size_t count = window.placed_mw.empty() ? 0 : window.placed_mw.front().size();
  for (std::size_t t = 0; t < count; ++t)
    window.hours.push_back(grid.hour(first + t, load_at(window.placed_mw, rigid_mw, t)));
  return window;
}

PlacedWindow descend(Redispatch& grid, PlacedWindow start, const WindowWork& work,
                     const ShiftOptions& options, std::size_t first,
                     const std::vector<double>& rigid_mw) {
  double best = objective_of(start, options);
  double share = 0.5;
  for (int tries = 0; tries < kMostTries && share >= kLeastStep && best < kInfinity; ++tries) {
    PlacedWindow next{moved(start, work, options, share), start.hours};
    for (std::size_t t = 0; t < next.hours.size(); ++t)
      if (const std::vector<double> load = load_at(next.placed_mw, rigid_mw, t);
          load != load_at(start.placed_mw, rigid_mw, t))
        next.hours[t] = grid.hour(first + t, load);
    const double objective = objective_of(next, options);
    if (objective < best - kGain * std::abs(best)) {
      start = std::move(next);
      best = objective;
    } else {
      share /= 2.0;
    }
  }
  return start;
}

}  // namespace carnot::grid
