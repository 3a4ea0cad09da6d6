// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a site-slot's IT power costs: convex, at most two straight pieces from zero up.

#include <algorithm>
#include <vector>

#include "carnot/plan/problem.hpp"

namespace carnot::plan {

/// cost(L) = h (first_price min(L, first) + second_price max(0, L - first)), 0 <= L <= most.
/// Prices are EUR per kWh of IT energy, first_price <= second_price; powers kW of IT.
struct Supply {
  double first = 0, most = 0;
  double first_price = 0, second_price = 0;

  /// EUR per hour at IT power L.
  double cost(double load) const noexcept {
    const double low = std::min(load, first);
    return first_price * low + second_price * (load - low);
  }
  /// min over L of cost(L) - price x L, EUR per hour.
  double surplus(double price) const noexcept {
    return std::min(0.0, (first_price - price) * first) +
           std::min(0.0, (second_price - price) * (most - first));
  }
};

/// Supplies of all site-slots, [site x slots + slot].
inline std::vector<Supply> supplies(const Problem& problem) {
  std::vector<Supply> out;
  const auto slots = static_cast<std::size_t>(problem.slots);
  out.reserve(problem.sites.size() * slots);
  for (std::size_t s = 0; s < problem.sites.size(); ++s)
    for (std::size_t t = 0; t < slots; ++t) {
      const PlanSite& site = problem.sites[s];
      const double pue = site.pue[t], c = problem.grid_cost(s, t);
      const double own = site.free_kw[t] / pue, grid = site.grid_limit_kw[t] / pue;
      Supply x;
      x.most = std::min(site.capacity_kw[t], own + grid);
      // Whichever is cheaper first: own power costs nothing, grid power c.
      x.first = std::min(c >= 0 ? own : grid, x.most);
      x.first_price = c >= 0 ? 0.0 : c * pue;
      x.second_price = c >= 0 ? c * pue : 0.0;
      out.push_back(x);
    }
  return out;
}

}  // namespace carnot::plan
