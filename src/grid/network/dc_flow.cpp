// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

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

/// B theta = injection + shifts, with reference buses left out of both sides.
std::vector<double> angles_of(const Grid& grid, std::span<const double> injection_mw,
                              const std::vector<BranchLine>& lines) {
  std::vector<Eigen::Index> unknown(grid.buses.size(), -1);
  Eigen::Index unknowns = 0;
  for (std::size_t b = 0; b < grid.buses.size(); ++b)
    if (!grid.buses[b].reference) unknown[b] = unknowns++;
  std::vector<double> angle(grid.buses.size(), 0.0);
  if (unknowns == 0) return angle;

  std::vector<Eigen::Triplet<double>> entries;
  Eigen::VectorXd right(unknowns);
  for (std::size_t b = 0; b < grid.buses.size(); ++b)
    if (unknown[b] >= 0) right[unknown[b]] = injection_mw[b];
  for (std::size_t l = 0; l < grid.branches.size(); ++l) {
    const Eigen::Index from = unknown[grid.branches[l].from], to = unknown[grid.branches[l].to];
    const double b = lines[l].mw_per_rad;
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
  Eigen::SparseMatrix<double> matrix(unknowns, unknowns);
  matrix.setFromTriplets(entries.begin(), entries.end());
  // Not Cholesky: series capacitors make the matrix indefinite.
  Eigen::SparseLU<Eigen::SparseMatrix<double>> factors(matrix);
  if (factors.info() != Eigen::Success)
    throw InputError(
        "branch: reactances whose inverses do not cancel; these make the flow undefined");
  const Eigen::VectorXd solution = factors.solve(right);
  for (std::size_t b = 0; b < grid.buses.size(); ++b)
    if (unknown[b] >= 0) angle[b] = solution[unknown[b]];
  return angle;
}

}  // namespace

DcFlow dc_flow(const Grid& grid, std::span<const double> injection_mw, BranchModel model) {
  CARNOT_CHECK(injection_mw.size() == grid.buses.size(), "one injection a bus");
  std::vector<BranchLine> lines;
  for (const GridBranch& branch : grid.branches)
    lines.push_back(branch_line(branch, grid.base_mva, model));
  DcFlow flow;
  flow.angle_rad = angles_of(grid, injection_mw, lines);
  for (std::size_t l = 0; l < grid.branches.size(); ++l) {
    const GridBranch& branch = grid.branches[l];
    flow.flow_mw.push_back(lines[l].mw_per_rad *
                               (flow.angle_rad[branch.from] - flow.angle_rad[branch.to]) -
                           lines[l].shift_mw);
  }
  flow.reference_mw = outflow(grid, flow.flow_mw);
  for (std::size_t b = 0; b < grid.buses.size(); ++b)
    flow.reference_mw[b] = grid.buses[b].reference ? flow.reference_mw[b] - injection_mw[b] : 0.0;
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
