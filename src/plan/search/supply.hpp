// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a site-slot's IT power costs: convex, in straight pieces from zero up. A problem has two of
/// them in each cell; the mean over scenarios may have more.

#include <algorithm>
#include <vector>

#include "carnot/plan/problem/problem.hpp"

namespace carnot::plan {

/// `power` kW more at `price`.
struct SupplyPiece {
  double power = 0, price = 0;
};

/// cost(L) = h (first_price min(L, first) + second_price max(0, L - first)), 0 <= L <= most.
/// Prices are EUR per kWh of IT energy, first_price <= second_price; powers kW of IT.
struct Supply {
  double first = 0, most = 0;
  double first_price = 0, second_price = 0;
  /// Where there are more than two, all of them, ascending in price and `most` in sum; then `first`
  /// is the power of the cheapest, and second_price the price of the dearest.
  std::vector<SupplyPiece> pieces;

  /// visit(power, price) for each piece.
  template <class Visit>
  void each(Visit&& visit) const {
    if (pieces.empty()) {
      visit(first, first_price);
      visit(most - first, second_price);
    }
    for (const SupplyPiece& x : pieces) visit(x.power, x.price);
  }
  /// EUR per hour at IT power L.
  double cost(double load) const {
    double cost = 0;
    each([&](double power, double price) {
      cost += price * std::min(load, power);
      load -= std::min(load, power);
    });
    return cost;
  }
  /// min over L of cost(L) - price x L, EUR per hour.
  double surplus(double price) const {
    double sum = 0;
    each([&](double power, double at) { sum += std::min(0.0, (at - price) * power); });
    return sum;
  }
  /// The power that is cheaper than a price, and that is no dearer: what would be supplied at it.
  struct Range {
    double low = 0, high = 0;
  };
  Range range(double price) const {
    Range out;
    each([&](double power, double at) {
      if (at < price) out.low += power;
      if (at <= price) out.high += power;
    });
    return out;
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
