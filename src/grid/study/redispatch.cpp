// SPDX-License-Identifier: Apache-2.0
#include "grid/study/redispatch.hpp"

#include <algorithm>
#include <cmath>

namespace carnot::grid {

Redispatch::Redispatch(const GridHours& hours, const ShiftOptions& options)
    : hours_(hours),
      options_(options),
      curves_(hours.grid, options.units_pay_per_t),
      flow_(with_carbon_price(hours.grid, options.units_pay_per_t),
            {.shed_price_per_mwh = options.shed_price_per_mwh, .stop = options.stop}),
      factors_(transfer_factors(hours.grid, BranchModel::ResistanceKept)) {}

ShiftHour Redispatch::hour(std::size_t at, const std::vector<double>& load_mw) {
  options_.stop.throw_if_requested();
  ShiftHour hour;
  GridState state = hours_.states[at];
  for (std::size_t s = 0; s < load_mw.size(); ++s) {
    if (!std::isfinite(load_mw[s])) return hour;
    state.demand_mw[options_.sites[s].bus] += load_mw[s];
  }
  const OpfResult result = flow_.solve(state);
  hour.status = result.status;
  if (result.status != OpfStatus::Optimal) return hour;
  const SupplyCurves::Rate rate = curves_.total(result.output_mw);
  hour.cost_per_h = rate.cost_per_h;
  hour.co2_kg_per_h = rate.co2_kg_per_h;
  hour.demand_mw = result.demand_mw;
  hour.available_mw = result.available_mw;
  hour.curtailed_mw = result.curtailed_mw;
  hour.residual_mw = result.residual_mw;
  hour.congested = result.congested.size();
  add_wires(hour, state, result);
  add_sites(hour, at, load_mw, result);
  return hour;
}

/// Flows from the injections alone, by transfer factors: not what the optimum says of itself.
void Redispatch::add_wires(ShiftHour& hour, const GridState& state, const OpfResult& result) const {
  const Grid& grid = hours_.grid;
  std::vector<double> injection(grid.buses.size());
  for (std::size_t b = 0; b < injection.size(); ++b) {
    hour.shed_mw += result.shed_mw[b];
    injection[b] = result.shed_mw[b] - state.demand_mw[b] - grid.buses[b].shunt_mw;
  }
  for (std::size_t g = 0; g < grid.generators.size(); ++g)
    injection[grid.generators[g].bus] += result.output_mw[g];
  for (std::size_t l = 0; l < grid.branches.size(); ++l) {
    const GridBranch& branch = grid.branches[l];
    double flow = 0.0;
    for (std::size_t b = 0; b < injection.size(); ++b) flow += factors_[l][b] * injection[b];
    hour.overload_mw = std::max(hour.overload_mw, std::abs(flow) - branch.limit_mw);
    hour.loss_mw += branch.resistance_pu * flow * flow / grid.base_mva;
    hour.flow_mw.push_back(static_cast<float>(flow));
  }
}

void Redispatch::add_sites(ShiftHour& hour, std::size_t at, const std::vector<double>& load_mw,
                           const OpfResult& result) const {
  const Grid& grid = hours_.grid;
  const std::vector<double> average =
      area_average_co2(grid, result.output_mw, curves_.co2_kg_per_h(result.output_mw));
  const std::vector<double> marginal = flow_.sensitivity(curves_.co2_slope(result.output_mw));
  for (std::size_t s = 0; s < options_.sites.size(); ++s) {
    const std::size_t bus = options_.sites[s].bus;
    SiteHour site;
    if (!load_mw.empty()) site.load_mw = load_mw[s];
    for (std::size_t g = 0; g < grid.generators.size(); ++g) {
      if (grid.generators[g].bus != bus || !grid.generators[g].weather_driven) continue;
      const double available = hours_.states[at].maximum_mw[g];
      site.available_mw += available;
      site.curtailed_mw += std::max(0.0, available - result.output_mw[g]);
    }
    site.price_per_mwh = result.price_per_mwh[bus];
    site.average_co2_kg_per_mwh = average[bus];
    site.marginal_co2_kg_per_mwh = marginal[bus];
    hour.sites.push_back(site);
  }
}

}  // namespace carnot::grid
