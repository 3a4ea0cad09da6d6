// SPDX-License-Identifier: Apache-2.0
#include "carnot/grid/network/network.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"

namespace carnot::grid {

namespace {

double slope(const GeneratorCost::Point& a, const GeneratorCost::Point& b) {
  return (b.cost_per_h - a.cost_per_h) / (b.output_mw - a.output_mw);
}

}  // namespace

double GeneratorCost::per_h(double output_mw) const noexcept {
  if (points.empty()) return c0_per_h + (c1_per_mwh + c2_per_mw2h * output_mw) * output_mw;
  std::size_t k = 1;
  while (k + 1 < points.size() && output_mw > points[k].output_mw) ++k;
  const Point& a = points[k - 1];
  return a.cost_per_h + slope(a, points[k]) * (output_mw - a.output_mw);
}

std::vector<GeneratorCost::Point> GeneratorCost::hull_points() const {
  std::vector<Point> kept;
  for (const Point& point : points) {
    while (kept.size() >= 2 &&
           slope(kept[kept.size() - 2], kept.back()) >= slope(kept.back(), point))
      kept.pop_back();
    kept.push_back(point);
  }
  return kept;
}

std::vector<GeneratorCost::Line> GeneratorCost::hull() const {
  const std::vector<Point> kept = hull_points();
  std::vector<Line> lines;
  for (std::size_t k = 1; k < kept.size(); ++k) {
    const double s = slope(kept[k - 1], kept[k]);
    lines.push_back({kept[k].cost_per_h - s * kept[k].output_mw, s});
  }
  return lines;
}

bool GeneratorCost::hull_differs() const {
  const std::vector<Line> lines = hull();
  return std::any_of(points.begin(), points.end(), [&](const Point& point) {
    double most = -kInfinity;
    for (const Line& line : lines)
      most = std::max(most, line.intercept_per_h + line.slope_per_mwh * point.output_mw);
    return point.cost_per_h - most > 1e-9 * std::max(1.0, std::abs(point.cost_per_h));
  });
}

BranchLine branch_line(const GridBranch& branch, double base_mva, BranchModel model) noexcept {
  const double r = branch.resistance_pu, x = branch.reactance_pu;
  if (x == 0.0)
    return {.joins = true,
            .shift_rad = model == BranchModel::ResistanceKept ? 0.0 : branch.shift_rad};
  if (model == BranchModel::ResistanceKept) return {base_mva * x / (r * r + x * x)};
  const double mw_per_rad = base_mva / (x * branch.tap);
  return {mw_per_rad, mw_per_rad * branch.shift_rad, false, branch.shift_rad};
}

GridState state_of(const Grid& grid) {
  GridState state;
  for (const GridBus& bus : grid.buses) state.demand_mw.push_back(bus.demand_mw);
  for (const GridGenerator& generator : grid.generators) {
    state.minimum_mw.push_back(generator.minimum_mw);
    state.maximum_mw.push_back(generator.maximum_mw);
  }
  return state;
}

namespace {

/// For each bus the least index of a bus that branches join it to.
std::vector<std::size_t> islands_of(const Grid& grid) {
  std::vector<std::size_t> root(grid.buses.size());
  std::iota(root.begin(), root.end(), std::size_t{0});
  const auto find = [&root](std::size_t bus) {
    while (root[bus] != bus) bus = root[bus] = root[root[bus]];
    return bus;
  };
  for (const GridBranch& branch : grid.branches) {
    const auto [low, high] = std::minmax({find(branch.from), find(branch.to)});
    root[high] = low;
  }
  for (std::size_t bus = 0; bus < root.size(); ++bus) root[bus] = find(bus);
  return root;
}

}  // namespace

std::vector<bool> reference_buses(const Grid& grid) {
  const std::size_t buses = grid.buses.size();
  const std::vector<std::size_t> islands = islands_of(grid);
  std::vector<bool> generates(buses, false), chosen(buses, false);
  for (const GridGenerator& generator : grid.generators) generates[generator.bus] = true;
  // Of an island: its best bus so far.
  std::vector<std::size_t> best(buses);
  std::iota(best.begin(), best.end(), std::size_t{0});
  const auto rank = [&](std::size_t b) {
    return grid.buses[b].reference ? 2 : generates[b] ? 1 : 0;
  };
  for (std::size_t b = 0; b < buses; ++b)
    if (rank(b) > rank(best[islands[b]])) best[islands[b]] = b;
  for (std::size_t b = 0; b < buses; ++b)
    if (islands[b] == b) chosen[best[b]] = true;
  return chosen;
}

void validate(const Grid& grid, const std::string& name) {
  validate(grid, {.buses = {name}, .branches = {name}, .dc_lines = {name}, .generators = {name}});
}

void validate(const Grid& grid, const GridPlaces& places) {
  Problems problems;
  const auto finite = [](std::initializer_list<double> values) {
    return std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
  };
  const auto ordered = [](double low, double high) { return low <= high; };  // false for NaN
  if (!(grid.base_mva > 0.0) || !std::isfinite(grid.base_mva))
    problems.add({places.buses.file, 0}, "baseMVA", "a number above 0");
  if (grid.buses.empty()) problems.add({places.buses.file, 0}, "bus", "at least one bus");
  const std::size_t buses = grid.buses.size();
  for (std::size_t b = 0; b < buses; ++b)
    if (!finite({grid.buses[b].demand_mw, grid.buses[b].shunt_mw}))
      problems.add(places.buses.at(b), fmt::format("bus {}", grid.buses[b].id),
                   "demand and shunt: finite numbers");
  const auto ends = [&](std::size_t from, std::size_t to, std::string_view what,
                        const Place& place) {
    if (from < buses && to < buses && from != to) return true;
    problems.add(place, what, "two different buses of the grid at its ends");
    return false;
  };
  for (std::size_t l = 0; l < grid.branches.size(); ++l) {
    const GridBranch& b = grid.branches[l];
    const Place place = places.branches.at(l);
    if (!ends(b.from, b.to, fmt::format("branch {}", l + 1), place)) continue;
    const std::string field = fmt::format("branch {} from bus {} to {}", l + 1,
                                          grid.buses[b.from].id, grid.buses[b.to].id);
    if (!finite({b.resistance_pu, b.reactance_pu, b.shift_rad}))
      problems.add(place, field, "resistance, reactance and shift: finite numbers");
    if (!(b.tap > 0.0) || !finite({b.tap})) problems.add(place, field, "a tap ratio above 0");
    if (!(b.limit_mw >= 0.0)) problems.add(place, field, "a limit of at least 0 MW");
    if (std::isnan(b.angle_min_rad) || std::isnan(b.angle_max_rad))
      problems.add(place, field, "angle limits that are numbers");
  }
  for (std::size_t d = 0; d < grid.dc_lines.size(); ++d) {
    const GridDcLine& line = grid.dc_lines[d];
    const std::string field = fmt::format("dcline {}", d + 1);
    const Place place = places.dc_lines.at(d);
    if (!ends(line.from, line.to, field, place)) continue;
    if (!finite(
            {line.minimum_mw, line.maximum_mw, line.setpoint_mw, line.loss_mw, line.loss_share}) ||
        !ordered(line.minimum_mw, line.maximum_mw))
      problems.add(place, field, "finite powers and losses, minimum at most maximum");
  }
  for (std::size_t g = 0; g < grid.generators.size(); ++g) {
    const GridGenerator& generator = grid.generators[g];
    const Place place = places.generators.at(g);
    const std::string field = fmt::format("generator {} {}", g + 1, generator.name);
    if (generator.bus >= buses) problems.add(place, field, "a bus of the grid");
    if (std::isnan(generator.minimum_mw) || std::isnan(generator.maximum_mw) ||
        !finite({generator.setpoint_mw}))
      problems.add(place, field, "limits that are numbers, a finite setpoint");
  }
  problems.throw_if_any();
}

}  // namespace carnot::grid
