// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include <Eigen/SparseCore>
#include <Eigen/SparseLU>

#include "carnot/base/error.hpp"
#include "carnot/grid/network/network.hpp"

namespace carnot::grid {

namespace {

/// Net injection at each bus once the angles are what they are.
std::vector<double> outflow(const Grid& grid, const std::vector<double>& flow_mw) {
  std::vector<double> out(grid.buses.size(), 0.0);
  for (std::size_t l = 0; l < grid.branches.size(); ++l) {
    out[grid.branches[l].from] += flow_mw[l];
    out[grid.branches[l].to] -= flow_mw[l];
  }
  return out;
}

/// Branches without reactance that close no ring of such: their flows are unknowns.
std::vector<std::size_t> joining(const Grid& grid, const std::vector<BranchLine>& lines) {
  std::vector<std::size_t> root(grid.buses.size()), kept;
  std::iota(root.begin(), root.end(), std::size_t{0});
  const auto find = [&root](std::size_t bus) {
    while (root[bus] != bus) bus = root[bus] = root[root[bus]];
    return bus;
  };
  for (std::size_t l = 0; l < lines.size(); ++l) {
    if (!lines[l].joins) continue;
    const std::size_t from = find(grid.branches[l].from), to = find(grid.branches[l].to);
    if (from == to) continue;
    root[from] = to;
    kept.push_back(l);
  }
  return kept;
}

struct Solution {
  std::vector<double> angle_rad;
  std::vector<double> joined_mw;  ///< one a branch: the flow of those without reactance
};

/// B theta = injection + shifts, with reference buses left out of both sides; a branch without
/// reactance adds its flow as an unknown and the difference of its angles as an equation.
Solution solve(const Grid& grid, std::span<const double> injection_mw,
               const std::vector<BranchLine>& lines) {
  const std::vector<bool> reference = reference_buses(grid);
  const std::vector<std::size_t> joined = joining(grid, lines);
  std::vector<Eigen::Index> unknown(grid.buses.size(), -1);
  Eigen::Index unknowns = 0;
  for (std::size_t b = 0; b < grid.buses.size(); ++b)
    if (!reference[b]) unknown[b] = unknowns++;
  Solution solved{std::vector<double>(grid.buses.size(), 0.0),
                  std::vector<double>(grid.branches.size(), 0.0)};
  if (unknowns == 0) return solved;

  std::vector<Eigen::Triplet<double>> entries;
  Eigen::VectorXd right(unknowns + static_cast<Eigen::Index>(joined.size()));
  for (std::size_t b = 0; b < grid.buses.size(); ++b)
    if (unknown[b] >= 0) right[unknown[b]] = injection_mw[b];
  for (std::size_t l = 0; l < grid.branches.size(); ++l) {
    const Eigen::Index from = unknown[grid.branches[l].from], to = unknown[grid.branches[l].to];
    const double b = lines[l].mw_per_rad;
    if (lines[l].joins) continue;
    if (from >= 0) {
      entries.emplace_back(from, from, b);
      right[from] += lines[l].shift_mw;
    }
    if (to >= 0) {
      entries.emplace_back(to, to, b);
      right[to] -= lines[l].shift_mw;
    }
    if (from >= 0 && to >= 0) {
      entries.emplace_back(from, to, -b);
      entries.emplace_back(to, from, -b);
    }
  }
  // Both sides of an angle's equation times this, so that they weigh like the balances, in MW.
  const double weight = 10.0 * grid.base_mva;
  for (std::size_t k = 0; k < joined.size(); ++k) {
    const GridBranch& branch = grid.branches[joined[k]];
    const Eigen::Index row = unknowns + static_cast<Eigen::Index>(k);
    for (const auto& [bus, sign] : {std::pair(branch.from, 1.0), std::pair(branch.to, -1.0)}) {
      if (unknown[bus] < 0) continue;
      entries.emplace_back(unknown[bus], row, sign * weight);
      entries.emplace_back(row, unknown[bus], sign * weight);
    }
    right[row] = weight * lines[joined[k]].shift_rad;
  }
  Eigen::SparseMatrix<double> matrix(right.size(), right.size());
  matrix.setFromTriplets(entries.begin(), entries.end());
  // Not Cholesky: series capacitors make the matrix indefinite.
  Eigen::SparseLU<Eigen::SparseMatrix<double>> factors(matrix);
  if (factors.info() != Eigen::Success)
    throw InputError(
        "branch: reactances whose inverses do not cancel; these make the flow undefined");
  const Eigen::VectorXd solution = factors.solve(right);
  for (std::size_t b = 0; b < grid.buses.size(); ++b)
    if (unknown[b] >= 0) solved.angle_rad[b] = solution[unknown[b]];
  for (std::size_t k = 0; k < joined.size(); ++k)
    solved.joined_mw[joined[k]] = weight * solution[unknowns + static_cast<Eigen::Index>(k)];
  return solved;
}

}  // namespace

DcFlow dc_flow(const Grid& grid, std::span<const double> injection_mw, BranchModel model) {
  CARNOT_CHECK(injection_mw.size() == grid.buses.size(), "one injection a bus");
  std::vector<BranchLine> lines;
  for (const GridBranch& branch : grid.branches)
    lines.push_back(branch_line(branch, grid.base_mva, model));
  DcFlow flow;
  Solution solved = solve(grid, injection_mw, lines);
  flow.angle_rad = std::move(solved.angle_rad);
  for (std::size_t l = 0; l < grid.branches.size(); ++l) {
    const GridBranch& branch = grid.branches[l];
    flow.flow_mw.push_back(solved.joined_mw[l] +
                           lines[l].mw_per_rad *
                               (flow.angle_rad[branch.from] - flow.angle_rad[branch.to]) -
                           lines[l].shift_mw);
  }
  flow.reference_mw = outflow(grid, flow.flow_mw);
  const std::vector<bool> reference = reference_buses(grid);
  for (std::size_t b = 0; b < grid.buses.size(); ++b)
    flow.reference_mw[b] = reference[b] ? flow.reference_mw[b] - injection_mw[b] : 0.0;
  return flow;
}

DcFlow dc_flow(const Grid& grid, BranchModel model) {
  std::vector<double> injection(grid.buses.size());
  for (std::size_t b = 0; b < grid.buses.size(); ++b)
    injection[b] = -grid.buses[b].demand_mw - grid.buses[b].shunt_mw;
  for (const GridGenerator& generator : grid.generators)
    injection[generator.bus] += generator.setpoint_mw;
  for (const GridDcLine& line : grid.dc_lines) {
    injection[line.from] -= line.setpoint_mw;
    injection[line.to] += line.setpoint_mw * (1.0 - line.loss_share) - line.loss_mw;
  }
  return dc_flow(grid, injection, model);
}

std::vector<std::vector<double>> transfer_factors(const Grid& grid, BranchModel model) {
  std::vector<std::vector<double>> factors(grid.branches.size());
  std::vector<double> injection(grid.buses.size(), 0.0);
  const std::vector<double> still = dc_flow(grid, injection, model).flow_mw;  // of phase shifters
  for (double& at_bus : injection) {
    at_bus = 1.0;
    const std::vector<double> flow = dc_flow(grid, injection, model).flow_mw;
    at_bus = 0.0;
    for (std::size_t l = 0; l < flow.size(); ++l) factors[l].push_back(flow[l] - still[l]);
  }
  return factors;
}

}  // namespace carnot::grid
