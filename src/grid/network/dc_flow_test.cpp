// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numeric>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/grid/network/network.hpp"

#include "grid/network/testing_grid.hpp"

namespace carnot::grid {
namespace {

/// Gaussian elimination with pivoting on the full matrix; row of a reference bus: angle = 0.
std::vector<double> dense_angles(const Grid& grid, const std::vector<double>& injection,
                                 BranchModel model) {
  const std::size_t n = grid.buses.size();
  std::vector<std::vector<double>> a(n, std::vector<double>(n + 1, 0.0));
  for (std::size_t b = 0; b < n; ++b) a[b][n] = injection[b];
  for (const GridBranch& branch : grid.branches) {
    const BranchLine line = branch_line(branch, grid.base_mva, model);
    a[branch.from][branch.from] += line.mw_per_rad;
    a[branch.from][branch.to] -= line.mw_per_rad;
    a[branch.from][n] += line.shift_mw;
    a[branch.to][branch.to] += line.mw_per_rad;
    a[branch.to][branch.from] -= line.mw_per_rad;
    a[branch.to][n] -= line.shift_mw;
  }
  for (std::size_t b = 0; b < n; ++b) {
    if (!grid.buses[b].reference) continue;
    std::fill(a[b].begin(), a[b].end(), 0.0);
    a[b][b] = 1.0;
  }
  for (std::size_t k = 0; k < n; ++k) {
    std::size_t pivot = k;
    for (std::size_t i = k; i < n; ++i)
      if (std::abs(a[i][k]) > std::abs(a[pivot][k])) pivot = i;
    std::swap(a[k], a[pivot]);
    for (std::size_t i = 0; i < n; ++i) {
      if (i == k) continue;
      const double factor = a[i][k] / a[k][k];
      for (std::size_t j = k; j <= n; ++j) a[i][j] -= factor * a[k][j];
    }
  }
  std::vector<double> angle(n);
  for (std::size_t k = 0; k < n; ++k) angle[k] = a[k][n] / a[k][k];
  return angle;
}

TEST(DcFlow, TriangleByHand) {
  Grid grid = testing::triangle(kInfinity);
  grid.generators[0].setpoint_mw = 90.0;
  grid.generators[1].setpoint_mw = 60.0;
  const DcFlow flow = dc_flow(grid, BranchModel::TapAndShift);
  EXPECT_NEAR(flow.flow_mw[0], 80.0, 1e-9);  // 2/3 of 90 and 1/3 of 60
  EXPECT_NEAR(flow.flow_mw[1], 10.0, 1e-9);
  EXPECT_NEAR(flow.flow_mw[2], 70.0, 1e-9);
  EXPECT_NEAR(flow.reference_mw[0], 0.0, 1e-9);
}

TEST(DcFlow, ReferenceTakesUpTheImbalance) {
  const Grid grid = testing::triangle(kInfinity);  // setpoints of zero
  const DcFlow flow = dc_flow(grid, BranchModel::TapAndShift);
  EXPECT_NEAR(flow.reference_mw[0], 150.0, 1e-9);
  EXPECT_NEAR(flow.flow_mw[0], 100.0, 1e-9);
}

TEST(DcFlow, PhaseShifterDrivesAFlowRoundTheLoop) {
  Grid grid = testing::triangle(kInfinity);
  grid.buses[2].demand_mw = 0.0;
  grid.branches[0].shift_rad = 0.03;
  const DcFlow flow = dc_flow(grid, BranchModel::TapAndShift);
  EXPECT_NEAR(flow.flow_mw[0], -10.0, 1e-9);  // 0.03 rad over three reactances of 0.1
  EXPECT_NEAR(flow.flow_mw[1], 10.0, 1e-9);
  EXPECT_NEAR(dc_flow(grid, BranchModel::ResistanceKept).flow_mw[0], 0.0, 1e-9);
}

TEST(DcFlow, BranchModelsDifferAsStated) {
  const GridBranch branch{.from = 0,
                          .to = 1,
                          .resistance_pu = 0.03,
                          .reactance_pu = 0.04,
                          .tap = 1.25,
                          .shift_rad = 0.1};
  const BranchLine kept = branch_line(branch, 100.0, BranchModel::ResistanceKept);
  EXPECT_DOUBLE_EQ(kept.mw_per_rad, 1600.0);  // 100 * 0.04 / 0.0025
  EXPECT_EQ(kept.shift_mw, 0.0);
  const BranchLine tap = branch_line(branch, 100.0, BranchModel::TapAndShift);
  EXPECT_DOUBLE_EQ(tap.mw_per_rad, 2000.0);
  EXPECT_DOUBLE_EQ(tap.shift_mw, 200.0);
}

TEST(DcFlow, SingularWiresAreRefused) {
  Grid grid = testing::triangle(kInfinity);
  grid.branches = {{.from = 0, .to = 1, .reactance_pu = 0.1},
                   {.from = 1, .to = 2, .reactance_pu = 0.1},
                   {.from = 1, .to = 2, .reactance_pu = -0.1}};
  EXPECT_THROW(dc_flow(grid, BranchModel::TapAndShift), InputError);
}

RC_GTEST_PROP(DcFlow, EqualsTheDenseSolveAndBalances, ()) {
  const Grid grid = testing::random_grid(*rc::gen::arbitrary<std::uint64_t>());
  const auto model = *rc::gen::element(BranchModel::ResistanceKept, BranchModel::TapAndShift);
  std::vector<double> injection;
  for (const GridBus& bus : grid.buses) injection.push_back(-bus.demand_mw - bus.shunt_mw);
  for (const GridGenerator& generator : grid.generators)
    injection[generator.bus] += generator.setpoint_mw;
  const DcFlow flow = dc_flow(grid, model);
  const std::vector<double> angle = dense_angles(grid, injection, model);
  std::vector<double> left = injection;
  for (std::size_t l = 0; l < grid.branches.size(); ++l) {
    left[grid.branches[l].from] -= flow.flow_mw[l];
    left[grid.branches[l].to] += flow.flow_mw[l];
  }
  const double imbalance = std::accumulate(injection.begin(), injection.end(), 0.0);
  for (std::size_t b = 0; b < grid.buses.size(); ++b) {
    RC_ASSERT(std::abs(flow.angle_rad[b] - angle[b]) < 1e-9 * (1.0 + std::abs(angle[b])));
    RC_ASSERT(std::abs(left[b] + flow.reference_mw[b]) < 1e-6);
    if (grid.buses[b].reference) RC_ASSERT(std::abs(flow.reference_mw[b] + imbalance) < 1e-6);
  }
}

TEST(GeneratorCost, HullOfAConvexCurveIsTheCurve) {
  GeneratorCost cost;
  cost.points = {{0.0, 5.0}, {10.0, 25.0}, {20.0, 65.0}};
  EXPECT_FALSE(cost.hull_differs());
  ASSERT_EQ(cost.hull().size(), 2u);
  EXPECT_DOUBLE_EQ(cost.hull()[1].slope_per_mwh, 4.0);
  EXPECT_DOUBLE_EQ(cost.per_h(15.0), 45.0);
  EXPECT_DOUBLE_EQ(cost.per_h(25.0), 85.0);  // the last line goes on
}

TEST(GeneratorCost, HullLeavesOutWhatStandsAboveIt) {
  GeneratorCost cost;
  cost.points = {{0.0, 0.0}, {10.0, 50.0}, {20.0, 60.0}};
  EXPECT_TRUE(cost.hull_differs());
  ASSERT_EQ(cost.hull().size(), 1u);
  EXPECT_DOUBLE_EQ(cost.hull()[0].slope_per_mwh, 3.0);
  EXPECT_DOUBLE_EQ(cost.per_h(10.0), 50.0);
}

RC_GTEST_PROP(TransferFactors, SayWhatAnInjectionAdds, ()) {
  const Grid grid = carnot::grid::testing::random_grid(*rc::gen::arbitrary<std::uint64_t>());
  const std::vector<std::vector<double>> factors = transfer_factors(grid, BranchModel::TapAndShift);
  std::vector<double> injection(grid.buses.size(), 5.0), more = injection;
  const auto bus = *rc::gen::inRange<std::size_t>(0, grid.buses.size());
  more[bus] += 17.0;
  const DcFlow before = dc_flow(grid, injection, BranchModel::TapAndShift);
  const DcFlow after = dc_flow(grid, more, BranchModel::TapAndShift);
  for (std::size_t l = 0; l < grid.branches.size(); ++l)
    RC_ASSERT(std::abs(after.flow_mw[l] - before.flow_mw[l] - 17.0 * factors[l][bus]) < 1e-6);
}

}  // namespace
}  // namespace carnot::grid
