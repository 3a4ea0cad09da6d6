// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <tuple>

#include "carnot/base/error.hpp"
#include "carnot/grid/study/shift.hpp"

namespace carnot::grid {

namespace {

struct Cell {
  double signal = 0.0;
  std::size_t hour = 0, site = 0;
};

/// Rounded, so that noise of the solver decides no tie.
double rounded(double signal) { return std::round(signal * 1e6) / 1e6; }

/// Fills the cells of lowest signal first. \returns what did not fit
double fill(std::vector<Cell> cells, double mwh, const SiteTable& room_mw, SiteTable& placed) {
  std::sort(cells.begin(), cells.end(), [](const Cell& a, const Cell& b) {
    return std::tie(a.signal, a.hour, a.site) < std::tie(b.signal, b.hour, b.site);
  });
  for (const Cell& cell : cells) {
    double& power = placed[cell.site][cell.hour];
    const double more = std::clamp(mwh, 0.0, room_mw[cell.site][cell.hour] - power);
    power += more;
    mwh -= more;
  }
  return mwh;
}

}  // namespace

// Each site fills its cheapest hours first, so its cost is convex in what it does: its own work,
// then the sum at the least margins, is optimal.
SiteTable place_by_signal(const SiteTable& signal, const WindowWork& work) {
  SiteTable placed;
  std::vector<Cell> all;
  double left = work.total_mwh;
  for (const std::vector<double>& hours : signal) placed.emplace_back(hours.size(), 0.0);
  for (std::size_t s = 0; s < signal.size(); ++s) {
    std::vector<Cell> cells;
    for (std::size_t t = 0; t < signal[s].size(); ++t)
      cells.push_back({rounded(signal[s][t]), t, s});
    left -= work.own_mwh[s] - fill(cells, work.own_mwh[s], work.room_mw, placed);
    all.insert(all.end(), cells.begin(), cells.end());
  }
  left = fill(std::move(all), left, work.room_mw, placed);
  CARNOT_CHECK(left <= 1e-6 * std::max(1.0, work.total_mwh), "room for the work");
  return placed;
}

}  // namespace carnot::grid
