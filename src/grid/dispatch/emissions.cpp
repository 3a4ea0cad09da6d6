// SPDX-License-Identifier: Apache-2.0
#include "carnot/grid/dispatch/emissions.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"

namespace carnot::grid {

namespace {

constexpr double kKgPerTonne = 1000.0;

/// Index of the straight line that holds `output_mw`: between points k and k + 1.
std::size_t line_at(const GeneratorCost& cost, double output_mw) {
  std::size_t k = 0;
  while (k + 2 < cost.points.size() && output_mw >= cost.points[k + 1].output_mw) ++k;
  return k;
}

double co2_slope_of(const GeneratorCost& cost, double output_mw) {
  if (cost.points.empty()) return cost.co2_kg_per_mwh;
  const std::size_t k = line_at(cost, output_mw);
  const GeneratorCost::Point &a = cost.points[k], &b = cost.points[k + 1];
  return (b.co2_kg_per_h - a.co2_kg_per_h) / (b.output_mw - a.output_mw);
}

}  // namespace

Grid with_carbon_price(const Grid& grid, double price_per_t) {
  const double per_kg = price_per_t / kKgPerTonne;
  Grid priced = grid;
  for (GridGenerator& generator : priced.generators) {
    generator.cost.c1_per_mwh += per_kg * generator.cost.co2_kg_per_mwh;
    for (GeneratorCost::Point& point : generator.cost.points)
      point.cost_per_h += per_kg * point.co2_kg_per_h;
  }
  return priced;
}

SupplyCurves::SupplyCurves(const Grid& grid, double carbon_price_per_t) {
  const Grid priced = with_carbon_price(grid, carbon_price_per_t);
  for (std::size_t g = 0; g < grid.generators.size(); ++g) {
    GeneratorCost cost = grid.generators[g].cost;
    cost.points = priced.generators[g].cost.hull_points();
    for (GeneratorCost::Point& point : cost.points)
      point.cost_per_h -= carbon_price_per_t / kKgPerTonne * point.co2_kg_per_h;
    costs_.push_back(std::move(cost));
  }
}

SupplyCurves::Rate SupplyCurves::at(std::size_t generator, double output_mw) const {
  const GeneratorCost& cost = costs_[generator];
  if (cost.points.empty()) return {cost.per_h(output_mw), cost.co2_kg_per_mwh * output_mw};
  const GeneratorCost::Point& a = cost.points[line_at(cost, output_mw)];
  return {cost.per_h(output_mw),
          a.co2_kg_per_h + co2_slope_of(cost, output_mw) * (output_mw - a.output_mw)};
}

SupplyCurves::Rate SupplyCurves::total(std::span<const double> output_mw) const {
  Rate total;
  for (std::size_t g = 0; g < costs_.size(); ++g) {
    const Rate one = at(g, output_mw[g]);
    total.cost_per_h += one.cost_per_h;
    total.co2_kg_per_h += one.co2_kg_per_h;
  }
  return total;
}

std::vector<double> SupplyCurves::co2_kg_per_h(std::span<const double> output_mw) const {
  std::vector<double> co2;
  for (std::size_t g = 0; g < costs_.size(); ++g) co2.push_back(at(g, output_mw[g]).co2_kg_per_h);
  return co2;
}

std::vector<double> SupplyCurves::co2_slope(std::span<const double> output_mw) const {
  std::vector<double> slopes;
  for (std::size_t g = 0; g < costs_.size(); ++g)
    slopes.push_back(co2_slope_of(costs_[g], output_mw[g]));
  return slopes;
}

std::vector<SupplyCurves::Step> SupplyCurves::steps(std::size_t generator) const {
  const GeneratorCost& cost = costs_[generator];
  if (cost.points.empty()) {
    if (cost.c2_per_mw2h != 0.0)
      throw InputError(fmt::format(
          "generator {}: cost: straight lines, where hours are planned together", generator + 1));
    return {{0.0, kInfinity, cost.c1_per_mwh, cost.co2_kg_per_mwh}};
  }
  std::vector<Step> steps;
  for (std::size_t k = 1; k < cost.points.size(); ++k) {
    const GeneratorCost::Point &a = cost.points[k - 1], &b = cost.points[k];
    const double width = b.output_mw - a.output_mw;
    steps.push_back({k == 1 ? 0.0 : a.output_mw, b.output_mw, (b.cost_per_h - a.cost_per_h) / width,
                     (b.co2_kg_per_h - a.co2_kg_per_h) / width});
  }
  return steps;
}

std::vector<double> area_average_co2(const Grid& grid, std::span<const double> output_mw,
                                     std::span<const double> co2_kg_per_h) {
  struct Sum {
    double mw = 0.0, kg_per_h = 0.0;
  };
  std::map<int, Sum> areas;
  for (std::size_t g = 0; g < grid.generators.size(); ++g) {
    Sum& sum = areas[grid.buses[grid.generators[g].bus].area];
    sum.mw += output_mw[g];
    sum.kg_per_h += co2_kg_per_h[g];
  }
  std::vector<double> average;
  for (const GridBus& bus : grid.buses) {
    const Sum& sum = areas[bus.area];
    average.push_back(sum.mw > 0.0 ? sum.kg_per_h / sum.mw : 0.0);
  }
  return average;
}

std::vector<double> bus_average_co2(const Grid& grid, std::span<const double> demand_mw,
                                    std::span<const double> output_mw,
                                    std::span<const double> co2_kg_per_h,
                                    std::span<const double> flow_mw) {
  constexpr double kStill = 1e-9;  // MW: below it a branch carries nothing
  const std::size_t buses = grid.buses.size();
  std::vector<double> arrived(buses, 0.0), carried(buses, 0.0);
  for (std::size_t b = 0; b < buses; ++b)
    arrived[b] = std::max(0.0, -demand_mw[b] - grid.buses[b].shunt_mw);
  for (std::size_t g = 0; g < grid.generators.size(); ++g) {
    arrived[grid.generators[g].bus] += output_mw[g];
    carried[grid.generators[g].bus] += co2_kg_per_h[g];
  }
  std::vector<std::vector<std::size_t>> leaving(buses);
  std::vector<std::size_t> awaited(buses, 0);  // inflows whose mix is not known yet
  for (std::size_t l = 0; l < grid.branches.size(); ++l) {
    if (std::abs(flow_mw[l]) <= kStill) continue;
    const bool forward = flow_mw[l] > 0.0;
    leaving[forward ? grid.branches[l].from : grid.branches[l].to].push_back(l);
    ++awaited[forward ? grid.branches[l].to : grid.branches[l].from];
  }
  std::vector<std::size_t> ready;
  for (std::size_t b = 0; b < buses; ++b)
    if (awaited[b] == 0) ready.push_back(b);
  std::vector<double> average(buses, 0.0);
  while (!ready.empty()) {
    const std::size_t b = ready.back();
    ready.pop_back();
    average[b] = arrived[b] > kStill ? carried[b] / arrived[b] : 0.0;
    for (const std::size_t l : leaving[b]) {
      const std::size_t next =
          grid.branches[l].from == b ? grid.branches[l].to : grid.branches[l].from;
      arrived[next] += std::abs(flow_mw[l]);
      carried[next] += std::abs(flow_mw[l]) * average[b];
      if (--awaited[next] == 0) ready.push_back(next);
    }
  }
  return average;
}

double redispatched_co2(OptimalPowerFlow& flow, const SupplyCurves& curves, const GridState& state,
                        std::size_t bus, double more_mw) {
  const OpfResult without = flow.solve(state);
  GridState more = state;
  more.demand_mw[bus] += more_mw;
  const OpfResult with = flow.solve(more);
  if (without.status != OpfStatus::Optimal || with.status != OpfStatus::Optimal) return kNaN;
  return (curves.total(with.output_mw).co2_kg_per_h -
          curves.total(without.output_mw).co2_kg_per_h) /
         more_mw;
}

}  // namespace carnot::grid
