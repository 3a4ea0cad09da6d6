// SPDX-License-Identifier: Apache-2.0
#include "carnot/grid/dispatch/emissions.hpp"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <random>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/grid/network/rts_gmlc.hpp"

#include "base/testing_files.hpp"
#include "grid/network/testing_grid.hpp"

#ifdef CARNOT_HAVE_CLP

namespace carnot::grid {
namespace {

using carnot::grid::testing::random_grid;
using carnot::grid::testing::triangle;

/// Cheap and dirty at bus 1, dear and clean at bus 2.
Grid coal_and_gas(double limit_1_to_3_mw) {
  Grid grid = triangle(limit_1_to_3_mw);
  grid.generators[0].cost.co2_kg_per_mwh = 1000.0;
  grid.generators[1].cost.co2_kg_per_mwh = 400.0;
  return grid;
}

/// A random grid of straight costs whose units emit; no two cost the same.
Grid emitting_grid(std::uint64_t seed) {
  Grid grid = random_grid(seed);
  std::mt19937_64 engine(seed ^ 0x9e3779b97f4a7c15u);
  std::uniform_real_distribution<double> co2(0.0, 1000.0), cost(1.0, 60.0);
  for (GridGenerator& generator : grid.generators) {
    generator.cost.c2_per_mw2h = 0.0;
    if (generator.weather_driven) continue;
    generator.cost.c1_per_mwh = cost(engine);
    generator.cost.co2_kg_per_mwh = co2(engine);
  }
  return grid;
}

TEST(MarginalEmissions, OfACongestedTriangleByHand) {
  const Grid grid = coal_and_gas(80.0);
  OptimalPowerFlow flow(grid, {});
  const OpfResult r = flow.solve(state_of(grid));
  ASSERT_EQ(r.status, OpfStatus::Optimal);
  const SupplyCurves curves(grid, 0.0);
  const std::vector<double> marginal = flow.sensitivity(curves.co2_slope(r.output_mw));
  EXPECT_NEAR(marginal[0], 1000.0, 1e-6);
  EXPECT_NEAR(marginal[1], 400.0, 1e-6);
  // One MW more at bus 3 takes one MW off the coal and puts two on the gas.
  EXPECT_NEAR(marginal[2], -200.0, 1e-6);
  for (std::size_t b = 0; b < 3; ++b)
    for (const double more : {0.5, -0.5})
      EXPECT_NEAR(redispatched_co2(flow, curves, state_of(grid), b, more), marginal[b], 1e-5);
  EXPECT_NEAR(curves.total(r.output_mw).co2_kg_per_h, 90.0 * 1000.0 + 60.0 * 400.0, 1e-3);
}

TEST(MarginalEmissions, PricesAreTheSensitivityOfCost) {
  const Grid grid = coal_and_gas(80.0);
  OptimalPowerFlow flow(grid, {});
  const OpfResult r = flow.solve(state_of(grid));
  const std::vector<double> price = flow.sensitivity(std::vector<double>{10.0, 30.0});
  for (std::size_t b = 0; b < 3; ++b) EXPECT_NEAR(price[b], r.price_per_mwh[b], 1e-9);
}

TEST(MarginalEmissions, WithoutDispatchThereIsNone) {
  Grid grid = coal_and_gas(80.0);
  for (GridGenerator& generator : grid.generators) generator.maximum_mw = 75.0;
  OptimalPowerFlow flow(grid, {});
  EXPECT_TRUE(std::isnan(redispatched_co2(flow, SupplyCurves(grid, 0.0), state_of(grid), 2, 1.0)));
}

// Where more and less give the same, no limit is at stake and the basis holds: both must be what
// the basis says. Where they differ a unit or line is just at its limit, and the basis says one of
// them.
RC_GTEST_PROP(MarginalEmissions, OfTheBasisAreThoseOfDispatchingAgain, ()) {
  const Grid grid = emitting_grid(*rc::gen::arbitrary<std::uint64_t>());
  OptimalPowerFlow flow(grid, {});
  const OpfResult r = flow.solve(state_of(grid));
  RC_PRE(r.status == OpfStatus::Optimal);
  const SupplyCurves curves(grid, 0.0);
  const std::vector<double> marginal = flow.sensitivity(curves.co2_slope(r.output_mw));
  constexpr double kSmall = 1e-3;
  for (std::size_t b = 0; b < grid.buses.size(); ++b) {
    const double more = redispatched_co2(flow, curves, state_of(grid), b, kSmall);
    const double less = redispatched_co2(flow, curves, state_of(grid), b, -kSmall);
    if (std::isnan(more) || std::isnan(less) || std::abs(more - less) > 1e-2) continue;
    RC_ASSERT(std::abs(more - marginal[b]) < 1e-2);
  }
}

TEST(CarbonPrice, TurnsTheOrderOfUnits) {
  // At 50 a tonne coal costs 60 and gas 50.
  const Grid grid = with_carbon_price(coal_and_gas(kInfinity), 50.0);
  const OpfResult r = dc_opf(grid);
  EXPECT_NEAR(r.output_mw[0], 0.0, 1e-6);
  EXPECT_NEAR(r.output_mw[1], 150.0, 1e-6);
  EXPECT_NEAR(r.cost_per_h, 150.0 * 50.0, 1e-3);
  const SupplyCurves::Rate rate = SupplyCurves(coal_and_gas(kInfinity), 50.0).total(r.output_mw);
  EXPECT_NEAR(rate.cost_per_h, 150.0 * 30.0, 1e-6);  // the price is not in it
  EXPECT_NEAR(rate.co2_kg_per_h, 150.0 * 400.0, 1e-6);
}

TEST(SupplyCurves, FollowTheHullThatTheDispatchUses) {
  Grid grid;
  grid.buses = {{.id = 1, .reference = true}};
  GeneratorCost cost;
  cost.points = {{0.0, 0.0, 0.0}, {10.0, 50.0, 9000.0}, {20.0, 50.0, 12000.0}};
  grid.generators = {{.maximum_mw = 20.0, .cost = cost}};
  const SupplyCurves free(grid, 0.0);
  EXPECT_NEAR(free.at(0, 10.0).cost_per_h, 25.0, 1e-12);  // not 50: the hull skips that point
  EXPECT_NEAR(free.at(0, 10.0).co2_kg_per_h, 6000.0, 1e-12);
  ASSERT_EQ(free.steps(0).size(), 1u);
  EXPECT_NEAR(free.steps(0)[0].cost_per_mwh, 2.5, 1e-12);
  EXPECT_NEAR(free.co2_slope(std::vector<double>{3.0})[0], 600.0, 1e-12);

  grid.generators[0].cost.points = {{0.0, 0.0, 0.0}, {10.0, 10.0, 9000.0}, {20.0, 50.0, 12000.0}};
  const SupplyCurves convex(grid, 0.0);
  ASSERT_EQ(convex.steps(0).size(), 2u);
  EXPECT_NEAR(convex.at(0, 15.0).co2_kg_per_h, 10500.0, 1e-12);
  const std::vector<double> at_point{10.0}, at_top{20.0};
  EXPECT_NEAR(convex.co2_slope(at_point)[0], 300.0, 1e-12);  // of the next MWh
  EXPECT_NEAR(convex.co2_slope(at_top)[0], 300.0, 1e-12);    // there is no next
  // 9 t for 10, then 3 t for 40: at 10 a kg the first 10 MW cost the dearer line.
  EXPECT_EQ(SupplyCurves(grid, 10000.0).steps(0).size(), 1u);
  EXPECT_NEAR(SupplyCurves(grid, 10000.0).at(0, 10.0).cost_per_h, 25.0, 1e-9);
}

TEST(SupplyCurves, RefuseSquareCostsWhereStepsAreNeeded) {
  Grid grid = triangle(80.0);
  grid.generators[1].cost.c2_per_mw2h = 0.1;
  const SupplyCurves curves(grid, 0.0);
  EXPECT_EQ(curves.steps(0).size(), 1u);
  EXPECT_THROW(curves.steps(1), InputError);
}

TEST(AverageEmissions, OfAreasAndOfWhatReachesABus) {
  Grid grid = coal_and_gas(80.0);
  grid.buses[2].area = 2;
  const OpfResult r = dc_opf(grid);
  const SupplyCurves curves(grid, 0.0);
  const std::vector<double> co2 = curves.co2_kg_per_h(r.output_mw);
  const std::vector<double> area = area_average_co2(grid, r.output_mw, co2);
  EXPECT_NEAR(area[0], 114000.0 / 150.0, 1e-6);
  EXPECT_EQ(area[1], area[0]);
  EXPECT_EQ(area[2], 0.0);  // nothing is generated there
  // 80 MW reach bus 3 from bus 1, 70 from bus 2, of which 10 came from bus 1.
  const std::vector<double> bus =
      bus_average_co2(grid, state_of(grid).demand_mw, r.output_mw, co2, r.flow_mw);
  EXPECT_NEAR(bus[0], 1000.0, 1e-6);
  EXPECT_NEAR(bus[1], (60.0 * 400.0 + 10.0 * 1000.0) / 70.0, 1e-4);
  EXPECT_NEAR(bus[2], 114000.0 / 150.0, 1e-4);
}

RC_GTEST_PROP(AverageEmissions, WhatIsDrawnCarriesWhatIsEmitted, ()) {
  const Grid grid = emitting_grid(*rc::gen::arbitrary<std::uint64_t>());
  const OpfResult r = dc_opf(grid);
  RC_PRE(r.status == OpfStatus::Optimal);
  const std::vector<double> co2 = SupplyCurves(grid, 0.0).co2_kg_per_h(r.output_mw);
  const std::vector<double> bus =
      bus_average_co2(grid, state_of(grid).demand_mw, r.output_mw, co2, r.flow_mw);
  double drawn = 0.0, emitted = 0.0;
  for (std::size_t b = 0; b < grid.buses.size(); ++b)
    drawn += bus[b] * std::max(0.0, grid.buses[b].demand_mw + grid.buses[b].shunt_mw);
  for (const double kg : co2) emitted += kg;
  RC_ASSERT(std::abs(drawn - emitted) < 1e-6 * std::max(1.0, emitted));
}

TEST(MarginalEmissions, OfRtsHoursAreThoseOfDispatchingAgain) {
  CARNOT_NEED_SHARED_DATA(path, "rts-gmlc");
  const RtsGmlc rts = RtsGmlc::read(path);
  OptimalPowerFlow flow(rts.grid(), {});
  const SupplyCurves curves(rts.grid(), 0.0);
  std::size_t compared = 0, kinks = 0;
  for (std::size_t at = 0; at < rts.hours(); at += 301) {
    const GridState state = rts.state(at);
    const OpfResult r = flow.solve(state);
    ASSERT_EQ(r.status, OpfStatus::Optimal);
    const std::vector<double> marginal = flow.sensitivity(curves.co2_slope(r.output_mw));
    for (std::size_t b = at % 7; b < rts.grid().buses.size(); b += 12) {
      const double more = redispatched_co2(flow, curves, state, b, 0.01);
      const double less = redispatched_co2(flow, curves, state, b, -0.01);
      if (std::abs(more - less) > 0.1) {
        ++kinks;
        continue;
      }
      ++compared;
      EXPECT_NEAR(more, marginal[b], 0.1) << "hour " << at << " bus " << rts.grid().buses[b].id;
    }
  }
  EXPECT_GT(compared, 5 * kinks);
}

}  // namespace
}  // namespace carnot::grid

#endif
