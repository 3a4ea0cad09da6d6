// SPDX-License-Identifier: Apache-2.0
#include "plan/supply/supply.hpp"

#include <algorithm>

#include "carnot/base/limits.hpp"

namespace carnot::plan {

namespace {

/// Facility power by source, cheapest first; powers and prices at the facility.
std::vector<SupplyPiece> sources(const SiteModel& model, const SiteWeights& w, std::size_t s,
                                 std::size_t t, const std::vector<double>& paid) {
  const PlanSite& site = model.problem().sites[s];
  std::vector<SupplyPiece> out;
  // Own power that would be sold costs what it would have brought.
  const double export_price = w.money * model.export_price(s, t);
  const double sold = export_price > 0 ? std::min(site.free_kw[t], model.export_limit(s, t)) : 0.0;
  out.push_back({site.free_kw[t] - sold, w.own});
  out.push_back({sold, w.own + export_price});
  // Grid power: dearer above each level that a demand charge is paid for.
  std::vector<std::pair<double, double>> levels;
  for (std::size_t d = 0; d < paid.size(); ++d) {
    const DemandCharge& charge = model.terms(s).demand_charges[d];
    const auto slot = static_cast<std::int32_t>(t);
    if (slot >= charge.from && slot < charge.to)
      levels.emplace_back(paid[d], w.money * charge.eur_per_kw);
  }
  std::sort(levels.begin(), levels.end());
  levels.emplace_back(kInfinity, 0.0);
  double from = 0, price = w.money * model.problem().grid_cost(s, t) +
                           w.carbon * site.carbon_g_per_kwh[t] + w.grid;
  for (const auto& [level, more] : levels) {
    const double to = std::min(level, site.grid_limit_kw[t]);
    if (to > from) out.push_back({to - from, price});
    from = std::max(from, to);
    price += more / model.h();  // a charge is for the kW, whatever the length of a slot
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const SupplyPiece& a, const SupplyPiece& b) { return a.price < b.price; });
  return out;
}

}  // namespace

std::vector<Supply> supplies(const Problem& problem) {
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

std::vector<Supply> supplies(const SiteModel& model, const PricedWeights& weights,
                             const std::vector<SiteFlows>& flows) {
  std::vector<Supply> out;
  for (std::size_t s = 0; s < model.sites(); ++s) {
    const SiteTerms& terms = model.terms(s);
    std::vector<double> paid;  // greatest grid power, by demand charge
    if (!flows.empty())
      for (const DemandCharge& charge : terms.demand_charges)
        paid.push_back(*std::max_element(flows[s].grid_kw.begin() + charge.from,
                                         flows[s].grid_kw.begin() + charge.to));
    for (std::size_t t = 0; t < model.slots(); ++t) {
      const SiteWeights& w = weights.sites(t);
      std::vector<SupplyPiece> left = sources(model, w, s, t, paid);
      const double it_price = w.money * model.it_cost(s) + w.carbon * terms.it_g_per_kwh;
      // Power at the facility that is drawn before any job is (or given, by the battery).
      double first = terms.idle_kw;
      if (!flows.empty() && !flows[s].charge_kw.empty())
        first += flows[s].charge_kw[t] - flows[s].discharge_kw[t];
      if (first < 0) left.insert(left.begin(), {-first, 0.0});
      for (SupplyPiece& source : left) {
        const double used = std::clamp(first, 0.0, source.power);
        source.power -= used;
        first -= used;
      }
      Supply& cell = out.emplace_back();
      std::size_t source = 0;
      for (std::size_t piece = 0; piece < model.pieces(s); ++piece) {
        const double slope = model.slope(s, t, piece);
        double rest = model.width(s, t, piece);
        while (rest > 0 && source < left.size()) {
          const double power = std::min(rest, left[source].power / slope);
          if (power > 0) cell.pieces.push_back({power, slope * left[source].price + it_price});
          rest -= power;
          left[source].power -= power * slope;
          if (rest > 0) ++source;
        }
      }
      if (cell.pieces.empty()) cell.pieces.push_back({0.0, 0.0});  // no room at all
      for (const SupplyPiece& piece : cell.pieces) cell.most += piece.power;
      cell.first = cell.pieces.front().power;
      cell.first_price = cell.pieces.front().price;
      cell.second_price = cell.pieces.back().price;
    }
  }
  return out;
}

}  // namespace carnot::plan
