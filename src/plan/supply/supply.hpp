// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a site-slot's IT power costs: convex, in straight pieces from zero up. A site of the
/// contract has two of them in each slot; one with terms, or the mean over scenarios, may have
/// more. The certificate splits own and grid power anew and by itself.

#include <algorithm>
#include <vector>

#include "carnot/plan/problem/problem.hpp"

#include "plan/problem/site_model.hpp"
#include "plan/supply/goal_rows.hpp"

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

/// Supplies of all site-slots, [site x slots + slot], of sites of the contract. There are always
/// two pieces, of no power where there is no own power or no grid.
std::vector<Supply> supplies(const Problem& problem);

/// The same for sites with terms, while their batteries and the power that demand charges are paid
/// for stand still, all in pieces: own power before what it would bring when sold, the grid dearer
/// above each paid peak, facility power steeper above each knee. The base load is drawn first, by
/// whoever asks.
/// \param weights  of what is made small; prices are then in its units per kWh
/// \param flows    [site]; empty: no charging, and demand charges are not counted
std::vector<Supply> supplies(const SiteModel& model, const PricedWeights& weights,
                             const std::vector<SiteFlows>& flows);

}  // namespace carnot::plan
