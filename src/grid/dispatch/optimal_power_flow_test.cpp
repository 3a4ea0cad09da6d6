// SPDX-License-Identifier: Apache-2.0
#include "carnot/grid/dispatch/optimal_power_flow.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <random>
#include <utility>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/solve/linear_program.hpp"

#include "grid/network/testing_grid.hpp"

#ifdef CARNOT_HAVE_CLP

namespace carnot::grid {
namespace {

using carnot::grid::testing::random_grid;
using carnot::grid::testing::triangle;

TEST(Opf, TriangleByHand) {
  const OpfResult r = dc_opf(triangle(80.0));
  ASSERT_EQ(r.status, OpfStatus::Optimal) << r.why;
  // f13 = 2/3 P1 + 1/3 P2 = 80 and P1 + P2 = 150.
  EXPECT_NEAR(r.output_mw[0], 90.0, 1e-6);
  EXPECT_NEAR(r.output_mw[1], 60.0, 1e-6);
  EXPECT_NEAR(r.cost_per_h, 2700.0, 1e-6);
  EXPECT_NEAR(r.bound_per_h, 2700.0, 1e-4);
  EXPECT_NEAR(r.price_per_mwh[0], 10.0, 1e-6);
  EXPECT_NEAR(r.price_per_mwh[1], 30.0, 1e-6);
  EXPECT_NEAR(r.price_per_mwh[2], 50.0, 1e-6);  // one MW less of the cheap, two more of the dear
  EXPECT_NEAR(r.congestion_price[0], 60.0, 1e-6);
  EXPECT_EQ(r.congested, std::vector<std::size_t>{0});
  EXPECT_NEAR(r.flow_mw[0], 80.0, 1e-6);
}

TEST(Opf, WithoutCongestionOnePriceEverywhere) {
  const OpfResult r = dc_opf(triangle(120.0));
  EXPECT_NEAR(r.cost_per_h, 1500.0, 1e-6);
  EXPECT_TRUE(r.congested.empty());
  for (const double price : r.price_per_mwh) EXPECT_NEAR(price, 10.0, 1e-6);
}

TEST(Opf, AngleLimitsBindLikePowerLimits) {
  Grid grid = triangle(kInfinity);
  grid.branches[0].angle_max_rad = 0.08;  // 80 MW over 0.1 per unit
  const OpfResult r = dc_opf(grid);
  EXPECT_NEAR(r.cost_per_h, 2700.0, 1e-6);
  EXPECT_EQ(r.congested, std::vector<std::size_t>{0});
}

TEST(Opf, MeritOrderOnOneBus) {
  Grid grid;
  grid.buses = {{.id = 1, .demand_mw = 100.0, .reference = true}};
  const double prices[] = {40.0, 5.0, 20.0, 60.0};
  for (const double price : prices)
    grid.generators.push_back({.maximum_mw = 45.0, .cost = {.c1_per_mwh = price}});
  const OpfResult r = dc_opf(grid);
  EXPECT_NEAR(r.output_mw[1], 45.0, 1e-7);
  EXPECT_NEAR(r.output_mw[2], 45.0, 1e-7);
  EXPECT_NEAR(r.output_mw[0], 10.0, 1e-7);
  EXPECT_NEAR(r.output_mw[3], 0.0, 1e-7);
  EXPECT_NEAR(r.price_per_mwh[0], 40.0, 1e-7);
}

TEST(Opf, QuadraticCostsShareByEqualMargins) {
  Grid grid;
  grid.buses = {{.id = 1, .demand_mw = 90.0, .reference = true}};
  grid.generators = {{.maximum_mw = 100.0, .cost = {.c1_per_mwh = 10.0, .c2_per_mw2h = 0.1}},
                     {.maximum_mw = 100.0, .cost = {.c1_per_mwh = 10.0, .c2_per_mw2h = 0.2}}};
  const OpfResult r = dc_opf(grid);
  EXPECT_NEAR(r.cost_per_h, 900.0 + 0.1 * 3600.0 + 0.2 * 900.0, 2e-4);
  EXPECT_NEAR(r.output_mw[0], 60.0, 0.1);
  EXPECT_LE(r.bound_per_h, r.cost_per_h + 1e-9);
  EXPECT_GE(r.bound_per_h, r.cost_per_h * (1.0 - 1.1e-7));
}

TEST(Opf, CurvesAndTheirHulls) {
  Grid grid;
  grid.buses = {{.id = 1, .demand_mw = 15.0, .reference = true}};
  GeneratorCost curve;
  curve.points = {{0.0, 0.0}, {10.0, 20.0}, {20.0, 60.0}};
  grid.generators = {{.maximum_mw = 20.0, .cost = curve},
                     {.maximum_mw = 20.0, .cost = {.c1_per_mwh = 3.0}}};
  OpfResult r = dc_opf(grid);
  EXPECT_NEAR(r.cost_per_h, 35.0, 1e-6);
  EXPECT_EQ(r.hulls, 0u);
  grid.generators[0].cost.points = {{0.0, 0.0}, {10.0, 50.0}, {20.0, 50.0}};
  r = dc_opf(grid);
  EXPECT_EQ(r.hulls, 1u);
  EXPECT_NEAR(r.bound_per_h, 37.5, 1e-4);  // 15 MW at the hull's 2.5
  EXPECT_NEAR(r.cost_per_h, 50.0, 1e-6);   // what 15 MW really cost
}

TEST(Opf, CurtailmentIsWhatIsAvailableAndNotTaken) {
  Grid grid = triangle(80.0);
  grid.generators[0].cost = {};
  grid.generators[0].weather_driven = true;
  GridState state = state_of(grid);
  state.maximum_mw[0] = 120.0;
  const OpfResult r = OptimalPowerFlow(grid, {}).solve(state);
  EXPECT_NEAR(r.available_mw, 120.0, 1e-9);
  EXPECT_NEAR(r.curtailed_mw, 30.0, 1e-6);
}

TEST(Opf, InfeasibleIsAnOutcomeAndSheddingMendsIt) {
  Grid grid = triangle(80.0);
  for (GridGenerator& generator : grid.generators) generator.maximum_mw = 60.0;
  EXPECT_EQ(dc_opf(grid).status, OpfStatus::Infeasible);
  const OpfResult r = dc_opf(grid, {.shed_price_per_mwh = 1000.0});
  ASSERT_EQ(r.status, OpfStatus::Optimal) << r.why;
  EXPECT_NEAR(r.shed_mw[2], 30.0, 1e-6);
  EXPECT_NEAR(r.cost_per_h, 60.0 * 10.0 + 60.0 * 30.0 + 30.0 * 1000.0, 1e-4);
  EXPECT_NEAR(r.price_per_mwh[2], 1000.0, 1e-6);
  for (GridGenerator& generator : grid.generators)
    generator.minimum_mw = generator.maximum_mw = 90.0;
  EXPECT_EQ(dc_opf(grid).status, OpfStatus::Infeasible);  // too much is as bad
}

TEST(Opf, DirectCurrentLinesCarryOnlyWhereAsked) {
  Grid grid = triangle(80.0);
  grid.dc_lines = {
      {.from = 0, .to = 2, .minimum_mw = -50.0, .maximum_mw = 50.0, .loss_share = 0.1}};
  EXPECT_NEAR(dc_opf(grid).cost_per_h, 2700.0, 1e-6);
  const OpfResult r = dc_opf(grid, {.dc_links = true});
  ASSERT_EQ(r.status, OpfStatus::Optimal) << r.why;
  EXPECT_LT(r.cost_per_h, 2000.0);
  EXPECT_GT(r.dc_flow_mw[0], 0.0);
  EXPECT_NEAR(r.losses_mw, 0.1 * r.dc_flow_mw[0], 1e-9);
  EXPECT_NEAR(r.generation_mw - r.demand_mw - r.losses_mw, 0.0, 1e-6);
}

TEST(Opf, LossesOfOneLineByHand) {
  Grid grid;
  grid.buses = {{.id = 1, .reference = true}, {.id = 2, .demand_mw = 100.0}};
  grid.branches = {{.from = 0, .to = 1, .resistance_pu = 0.05, .reactance_pu = 0.1}};
  grid.generators = {{.maximum_mw = 500.0, .cost = {.c1_per_mwh = 10.0}}};
  const OpfResult r = dc_opf(grid, {.losses = true});
  ASSERT_EQ(r.status, OpfStatus::Optimal) << r.why;
  // Flow f at the middle: f - l / 2 = 100 and l = 0.05 f^2 / 100.
  const double f = (1.0 - std::sqrt(1.0 - 0.1)) / 0.0005;
  EXPECT_NEAR(r.flow_mw[0], f, 1e-4);
  EXPECT_NEAR(r.losses_mw, 0.0005 * f * f, 1e-4);
  EXPECT_NEAR(r.price_per_mwh[1] / r.price_per_mwh[0], (1 + 0.0005 * f) / (1 - 0.0005 * f), 1e-3);
}

/// Buses that a branch without reactance joins made one, which needs no such branch.
Grid merged(const Grid& grid) {
  std::vector<std::size_t> into(grid.buses.size());
  std::iota(into.begin(), into.end(), std::size_t{0});
  for (bool changed = true; changed;) {
    changed = false;
    for (const GridBranch& branch : grid.branches) {
      const std::size_t least = std::min(into[branch.from], into[branch.to]);
      if (branch.reactance_pu != 0.0 || into[branch.from] == into[branch.to]) continue;
      into[branch.from] = into[branch.to] = least;
      changed = true;
    }
  }
  Grid out = grid;
  for (std::size_t b = 0; b < into.size(); ++b) {
    if (into[b] == b) continue;
    out.buses[into[b]].demand_mw += std::exchange(out.buses[b].demand_mw, 0.0);
    out.buses[into[b]].shunt_mw += std::exchange(out.buses[b].shunt_mw, 0.0);
  }
  std::erase_if(out.branches, [](const GridBranch& branch) { return branch.reactance_pu == 0.0; });
  for (GridBranch& branch : out.branches)
    branch.from = into[branch.from], branch.to = into[branch.to];
  for (GridGenerator& generator : out.generators) generator.bus = into[generator.bus];
  for (GridDcLine& line : out.dc_lines) line.from = into[line.from], line.to = into[line.to];
  return out;
}

/// The same written otherwise: flows are unknowns of their own, costs are mixes of the points of
/// their curve, no bus is a reference and angles are in radians.
solve::ProgramAnswer plainly(const Grid& grid) {
  solve::LinearProgram program;
  std::vector<int> angle;
  std::vector<std::vector<solve::Term>> into(grid.buses.size());
  for (std::size_t b = 0; b < grid.buses.size(); ++b)
    angle.push_back(program.add_column(-1e4, 1e4, 0.0));
  const auto priced = [&](const GeneratorCost& cost, double low, double high) {
    if (cost.points.empty()) return program.add_column(low, high, cost.c1_per_mwh);
    const int power = program.add_column(low, high, 0.0);
    std::vector<solve::Term> mix{{power, -1.0}}, shares;
    for (const GeneratorCost::Point& point : cost.points) {
      const int share = program.add_column(0.0, 1.0, point.cost_per_h);
      mix.push_back({share, point.output_mw});
      shares.push_back({share, 1.0});
    }
    program.add_row(0.0, 0.0, mix);
    program.add_row(1.0, 1.0, shares);
    return power;
  };
  for (const GridGenerator& g : grid.generators)
    into[g.bus].push_back({priced(g.cost, g.minimum_mw, g.maximum_mw), 1.0});
  for (const GridDcLine& line : grid.dc_lines) {
    const int flow = priced(line.cost, line.minimum_mw, line.maximum_mw);
    into[line.from].push_back({flow, -1.0});
    into[line.to].push_back({flow, 1.0 - line.loss_share});
  }
  for (const GridBranch& b : grid.branches) {
    const int flow = program.add_column(-b.limit_mw, b.limit_mw, 0.0);
    into[b.from].push_back({flow, -1.0});
    into[b.to].push_back({flow, 1.0});
    const double per_mw = b.reactance_pu * b.tap / grid.base_mva;
    program.add_row(-b.shift_rad, -b.shift_rad,
                    std::array{solve::Term{flow, per_mw}, solve::Term{angle[b.from], -1.0},
                               solve::Term{angle[b.to], 1.0}});
    program.add_row(b.angle_min_rad, b.angle_max_rad,
                    std::array{solve::Term{angle[b.from], 1.0}, solve::Term{angle[b.to], -1.0}});
  }
  for (std::size_t b = 0; b < grid.buses.size(); ++b) {
    double drawn = grid.buses[b].demand_mw + grid.buses[b].shunt_mw;
    for (const GridDcLine& line : grid.dc_lines)
      if (line.to == b) drawn += line.loss_mw;
    program.add_row(drawn, drawn, into[b]);
  }
  return program.solve();
}

/// Grids as equivalents and outages leave them: islands, no reference or several, negative
/// resistance, no reactance, angle limits that contradict, priced direct-current lines.
Grid odd_grid(std::uint64_t seed) {
  Grid grid = random_grid(seed);
  std::mt19937_64 engine(seed + 1);
  const auto real = [&engine](double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(engine);
  };
  const auto often = [&](double share) { return real(0.0, 1.0) < share; };
  for (GridBus& bus : grid.buses) bus.reference = often(0.15);
  if (often(0.5)) std::erase_if(grid.branches, [&](const GridBranch&) { return often(0.2); });
  for (GridBranch& branch : grid.branches) {
    if (often(0.3)) branch.resistance_pu = -0.4 * branch.reactance_pu;
    if (often(0.15)) {
      branch.reactance_pu = branch.shift_rad = 0.0;
      branch.limit_mw = branch.angle_max_rad = kInfinity;
      branch.angle_min_rad = -kInfinity;
    }
    if (often(0.02)) branch.angle_min_rad = 0.3;
  }
  for (GridGenerator& generator : grid.generators) {
    generator.cost.c0_per_h = generator.cost.c2_per_mw2h = 0.0;
    if (!often(0.3)) continue;
    const double half = 0.5 * generator.maximum_mw;
    generator.cost.points = {
        {0.0, 5.0}, {half, 5.0 + 10.0 * half}, {2.0 * half, 5.0 + 45.0 * half}};
  }
  for (int k = 0; k < 2 && often(0.5); ++k) {
    const std::size_t from = engine() % grid.buses.size();
    GridDcLine line{.from = from, .to = (from + 1) % grid.buses.size()};
    line.maximum_mw = real(5.0, 60.0);
    line.minimum_mw = often(0.5) ? -10.0 : 0.0;
    line.loss_mw = often(0.5) ? 0.5 : 0.0;
    line.loss_share = often(0.5) ? 0.03 : 0.0;
    line.cost.c1_per_mwh = often(0.5) ? real(-3.0, 20.0) : 0.0;
    grid.dc_lines.push_back(line);
  }
  return grid;
}

TEST(Opf, OddGridsCostWhatAPlainProgrammeSays) {
  std::size_t optimal = 0, infeasible = 0, joined = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const Grid grid = odd_grid(seed);
    const OpfResult r = dc_opf(grid, {.branch_model = BranchModel::TapAndShift, .dc_links = true});
    const solve::ProgramAnswer plain = plainly(merged(grid));
    ASSERT_NE(r.status, OpfStatus::Unsolved) << seed << ": " << r.why;
    ASSERT_NE(plain.status, solve::ProgramStatus::Failed) << seed;
    ASSERT_EQ(r.status == OpfStatus::Optimal, plain.status == solve::ProgramStatus::Optimal)
        << seed;
    if (r.status == OpfStatus::Infeasible) {
      ++infeasible;
      continue;
    }
    ++optimal;
    joined += merged(grid).branches.size() < grid.branches.size();
    ASSERT_NEAR(r.cost_per_h, plain.objective, 1e-6 * std::max(1.0, std::abs(r.cost_per_h)))
        << seed;
    // What the wires carry at that dispatch, by the power flow.
    std::vector<double> injection;
    for (const GridBus& bus : grid.buses) injection.push_back(-bus.demand_mw - bus.shunt_mw);
    for (std::size_t g = 0; g < grid.generators.size(); ++g)
      injection[grid.generators[g].bus] += r.output_mw[g];
    for (std::size_t d = 0; d < grid.dc_lines.size(); ++d) {
      const GridDcLine& line = grid.dc_lines[d];
      injection[line.from] -= r.dc_flow_mw[d];
      injection[line.to] += r.dc_flow_mw[d] * (1.0 - line.loss_share) - line.loss_mw;
    }
    const DcFlow flow = dc_flow(grid, injection, BranchModel::TapAndShift);
    for (std::size_t l = 0; l < grid.branches.size(); ++l) {
      if (grid.branches[l].reactance_pu == 0.0) continue;
      ASSERT_NEAR(flow.flow_mw[l], r.flow_mw[l], 1e-5) << seed;
    }
    for (const double mw : flow.reference_mw) ASSERT_NEAR(mw, 0.0, 1e-5) << seed;
  }
  EXPECT_GT(optimal, 80u);
  EXPECT_GT(infeasible, 40u);
  EXPECT_GT(joined, 30u);
}

TEST(Opf, LimitsThatContradictAreInfeasible) {
  Grid grid = triangle(80.0);
  grid.branches[0].angle_min_rad = 0.2;  // 200 MW over 0.1 per unit, of which 80 may flow
  const OpfResult r = dc_opf(grid);
  EXPECT_EQ(r.status, OpfStatus::Infeasible);
  EXPECT_EQ(r.why, "branch 1 from bus 1 to 3: no flow keeps all its limits");
}

TEST(Opf, RangesWithoutEnd) {
  Grid grid = triangle(80.0);
  grid.generators[0].cost.c2_per_mw2h = 0.01;
  const double bounded = dc_opf(grid).cost_per_h;
  for (GridGenerator& generator : grid.generators) generator.maximum_mw = kInfinity;
  EXPECT_NEAR(dc_opf(grid).cost_per_h, bounded, 1e-6 * bounded);
}

TEST(Opf, SaysWhatItLeavesOut) {
  Grid grid = triangle(80.0);
  EXPECT_TRUE(left_out(grid, {}).empty());
  grid.branches[0].tap = 0.98;
  grid.branches[1].shift_rad = 0.1;
  grid.dc_lines = {{.from = 0, .to = 2, .maximum_mw = 5.0}};
  EXPECT_EQ(left_out(grid, {}).size(), 2u);
  EXPECT_TRUE(left_out(grid, {.branch_model = BranchModel::TapAndShift, .dc_links = true}).empty());
  grid.cost_fault = "c.m: gencost: costs";
  EXPECT_THROW(dc_opf(grid), InputError);
}

TEST(Opf, RefusesStatesThatDoNotFit) {
  OptimalPowerFlow flow(triangle(80.0), {});
  GridState state = state_of(triangle(80.0));
  state.minimum_mw[0] = 501.0;
  EXPECT_THROW(flow.solve(state), InputError);
  state.minimum_mw.pop_back();
  EXPECT_THROW(flow.solve(state), InputError);
}

/// Stationarity and complementary slackness, from the result's own numbers alone.
void expect_kkt(const Grid& grid, const OpfResult& r) {
  for (std::size_t g = 0; g < grid.generators.size(); ++g) {
    const GridGenerator& generator = grid.generators[g];
    const double p = r.output_mw[g];
    const double margin = generator.cost.c1_per_mwh + 2.0 * generator.cost.c2_per_mw2h * p;
    // Tangents meet the curve to 1e-7 of the cost, hence slopes to about its root.
    const double tolerance = generator.cost.c2_per_mw2h > 0.0 ? 0.3 : 1e-5;
    if (p > generator.minimum_mw + 1e-5)
      RC_ASSERT(margin <= r.price_per_mwh[generator.bus] + tolerance);
    if (p < generator.maximum_mw - 1e-5)
      RC_ASSERT(margin >= r.price_per_mwh[generator.bus] - tolerance);
  }
  std::vector<double> slope(grid.buses.size(), 0.0);
  double greatest = 1.0;
  for (std::size_t l = 0; l < grid.branches.size(); ++l) {
    const GridBranch& branch = grid.branches[l];
    const double k = branch_line(branch, grid.base_mva, BranchModel::TapAndShift).mw_per_rad;
    // Whichever limit binds, its price pushes along the angle difference that it stops.
    const double angle = r.angle_rad[branch.from] - r.angle_rad[branch.to];
    const bool upper = std::abs(r.flow_mw[l] - branch.limit_mw) < 1e-4 ||
                       std::abs(angle - branch.angle_max_rad) < 1e-6;
    const bool lower = std::abs(r.flow_mw[l] + branch.limit_mw) < 1e-4 ||
                       std::abs(angle - branch.angle_min_rad) < 1e-6;
    if (r.congestion_price[l] > 1e-6) RC_ASSERT(upper || lower);
    const double push = r.congestion_price[l] * (upper ? 1.0 : -1.0);
    const double s = k * (r.price_per_mwh[branch.from] - r.price_per_mwh[branch.to] + push);
    slope[branch.from] += s;
    slope[branch.to] -= s;
    greatest = std::max(greatest, k * 100.0);
  }
  for (std::size_t b = 0; b < grid.buses.size(); ++b)
    if (!grid.buses[b].reference) RC_ASSERT(std::abs(slope[b]) < 1e-6 * greatest);
}

RC_GTEST_PROP(Opf, RandomGridsSatisfyTheConditionsOfOptimality, ()) {
  const Grid grid = random_grid(*rc::gen::arbitrary<std::uint64_t>());
  const OpfResult r = dc_opf(grid, {.branch_model = BranchModel::TapAndShift});
  RC_ASSERT(r.status != OpfStatus::Unsolved);
  RC_PRE(r.status == OpfStatus::Optimal);
  RC_ASSERT(std::abs(r.generation_mw - r.demand_mw) < 1e-6);
  for (std::size_t l = 0; l < grid.branches.size(); ++l)
    RC_ASSERT(std::abs(r.flow_mw[l]) <= grid.branches[l].limit_mw + 1e-6);
  RC_ASSERT(r.bound_per_h <= r.cost_per_h + 1e-6 * std::abs(r.cost_per_h));
  RC_ASSERT(r.cost_per_h - r.bound_per_h <= 1e-6 * std::max(1.0, std::abs(r.cost_per_h)));
  expect_kkt(grid, r);
  // The dispatch is one that the wires carry: an independent power flow agrees.
  std::vector<double> injection;
  for (const GridBus& bus : grid.buses) injection.push_back(-bus.demand_mw - bus.shunt_mw);
  for (std::size_t g = 0; g < grid.generators.size(); ++g)
    injection[grid.generators[g].bus] += r.output_mw[g];
  const DcFlow flow = dc_flow(grid, injection, BranchModel::TapAndShift);
  for (std::size_t l = 0; l < grid.branches.size(); ++l)
    RC_ASSERT(std::abs(flow.flow_mw[l] - r.flow_mw[l]) < 1e-5);
}

RC_GTEST_PROP(Opf, LossesCloseTheBalance, ()) {
  const Grid grid = random_grid(*rc::gen::arbitrary<std::uint64_t>());
  const OpfResult r = dc_opf(grid, {.losses = true});
  RC_ASSERT(r.status != OpfStatus::Unsolved);
  RC_PRE(r.status == OpfStatus::Optimal);
  RC_ASSERT(std::abs(r.generation_mw - r.demand_mw - r.losses_mw) < 1e-6);
  double physical = 0.0;
  for (std::size_t l = 0; l < grid.branches.size(); ++l)
    physical += grid.branches[l].resistance_pu * r.flow_mw[l] * r.flow_mw[l] / grid.base_mva;
  RC_ASSERT(std::abs(r.losses_mw - r.excess_loss_mw - physical) < 1e-3);
}

RC_GTEST_PROP(Opf, NumberingBusesAnewChangesNothing, ()) {
  const Grid grid = random_grid(*rc::gen::arbitrary<std::uint64_t>());
  Grid turned = grid;
  const std::size_t n = grid.buses.size();
  const auto moved = [n](std::size_t b) { return n - 1 - b; };
  std::reverse(turned.buses.begin(), turned.buses.end());
  for (GridBranch& branch : turned.branches)
    branch = [&](GridBranch b) {
      b.from = moved(b.from);
      b.to = moved(b.to);
      return b;
    }(branch);
  for (GridGenerator& generator : turned.generators) generator.bus = moved(generator.bus);
  std::reverse(turned.generators.begin(), turned.generators.end());
  const OpfResult a = dc_opf(grid), b = dc_opf(turned);
  RC_ASSERT(a.status == b.status);
  RC_ASSERT(std::abs(a.cost_per_h - b.cost_per_h) <= 3e-7 * std::max(1.0, std::abs(a.cost_per_h)));
}

RC_GTEST_PROP(Opf, ASecondHourFromTheFirstIsTheSameAsAlone, ()) {
  const Grid grid = random_grid(*rc::gen::arbitrary<std::uint64_t>());
  OptimalPowerFlow flow(grid, {});
  GridState other = state_of(grid);
  for (double& demand : other.demand_mw) demand *= 0.5;
  flow.solve(other);
  const OpfResult warm = flow.solve(state_of(grid)), cold = dc_opf(grid);
  RC_ASSERT(warm.status == cold.status);
  RC_ASSERT(std::abs(warm.cost_per_h - cold.cost_per_h) <=
            3e-7 * std::max(1.0, std::abs(cold.cost_per_h)));
}

TEST(LinearProgram, OptimumPricesAndGrowth) {
  solve::LinearProgram program;  // minimise -x - 2y within x + y <= 4, x + 3y <= 6
  const int x = program.add_column(0.0, kInfinity, -1.0);
  const int y = program.add_column(0.0, kInfinity, -2.0);
  const int first =
      program.add_row(-kInfinity, 4.0, std::array{solve::Term{x, 1.0}, solve::Term{y, 1.0}});
  // Terms of one column are summed.
  program.add_row(-kInfinity, 6.0,
                  std::array{solve::Term{y, 1.0}, solve::Term{x, 1.0}, solve::Term{y, 2.0}});
  solve::ProgramAnswer answer = program.solve();
  ASSERT_EQ(answer.status, solve::ProgramStatus::Optimal);
  EXPECT_NEAR(answer.objective, -5.0, 1e-9);
  EXPECT_NEAR(answer.bound, -5.0, 1e-9);
  EXPECT_NEAR(program.value(x), 3.0, 1e-9);
  EXPECT_NEAR(program.price(first), -0.5, 1e-9);
  program.add_row(-kInfinity, 2.0, std::array{solve::Term{x, 1.0}});
  answer = program.solve();
  EXPECT_NEAR(answer.objective, -2.0 - 8.0 / 3.0, 1e-9);
  program.set_row(first, -kInfinity, 1.0);
  answer = program.solve();
  EXPECT_NEAR(answer.objective, -2.0, 1e-9);
}

TEST(LinearProgram, SlackRowsGoAndTheRestStays) {
  solve::LinearProgram program;  // maximise x + y within x <= 3 and rows
  const int x = program.add_column(0.0, 3.0, -1.0), y = program.add_column(0.0, kInfinity, -1.0);
  const int first =
      program.add_row(-kInfinity, 9.0, std::array{solve::Term{x, 1.0}, solve::Term{y, 1.0}});
  program.add_row(-kInfinity, 100.0,
                  std::array{solve::Term{x, 2.0}, solve::Term{y, 1.0}});                   // slack
  program.add_row(-kInfinity, 8.0, std::array{solve::Term{x, 1.0}, solve::Term{y, 2.0}});  // binds
  program.add_row(-kInfinity, 50.0, std::array{solve::Term{y, 1.0}});                      // slack
  EXPECT_NEAR(program.solve().objective, -5.5, 1e-9);
  program.drop_slack_rows(1);
  EXPECT_EQ(program.rows(), 2u);
  solve::ProgramAnswer answer = program.solve();
  ASSERT_EQ(answer.status, solve::ProgramStatus::Optimal);
  EXPECT_NEAR(answer.objective, -5.5, 1e-9);
  EXPECT_NEAR(answer.bound, -5.5, 1e-9);
  EXPECT_NEAR(program.price(1), -0.5, 1e-9);  // what was the third row
  program.set_row(first, -kInfinity, 4.0);
  const int later = program.add_row(-kInfinity, 0.5, std::array{solve::Term{y, 1.0}});
  answer = program.solve();
  EXPECT_NEAR(answer.objective, -3.5, 1e-9);
  EXPECT_NEAR(program.price(later), -1.0, 1e-9);
  program.drop_slack_rows(0);
  EXPECT_EQ(program.rows(), 1u);
  EXPECT_NEAR(program.solve().objective, -3.5, 1e-9);
}

TEST(LinearProgram, InfeasibilityComesWithAProof) {
  solve::LinearProgram program;
  const int x = program.add_column(0.0, 1.0, 1.0), y = program.add_column(0.0, 1.0, 1.0);
  program.add_row(3.0, kInfinity, std::array{solve::Term{x, 1.0}, solve::Term{y, 1.0}});
  const solve::ProgramAnswer answer = program.solve();
  EXPECT_EQ(answer.status, solve::ProgramStatus::Infeasible);
  EXPECT_GT(answer.bound, 1e-7);
}

TEST(LinearProgram, UnboundedIsNoOptimum) {
  solve::LinearProgram program;
  const int x = program.add_column(-kInfinity, kInfinity, 1.0);
  program.add_row(-kInfinity, 3.0, std::array{solve::Term{x, 1.0}});
  EXPECT_EQ(program.solve().status, solve::ProgramStatus::Failed);
}

}  // namespace
}  // namespace carnot::grid

#else

TEST(Opf, SaysThatTheSolverIsMissing) {
  EXPECT_THROW(carnot::grid::dc_opf(carnot::grid::testing::triangle(80.0)), carnot::DeviceError);
}

#endif
