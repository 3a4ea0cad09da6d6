// SPDX-License-Identifier: Apache-2.0
#include "carnot/grid/study/shift.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <random>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/solve/linear_program.hpp"

#include "base/testing_files.hpp"
#include "grid/network/testing_grid.hpp"
#include "grid/study/shift_descent.hpp"
#include "grid/study/testing_hours.hpp"

#ifdef CARNOT_HAVE_CLP

namespace carnot::grid {
namespace {

const std::vector<ShiftSignal> kAll{kShiftSignals.begin(), kShiftSignals.end()};

TEST(GridPlacing, WaitsForWindBehindAThinLineByHand) {
  const GridHours hours = windy(30.0, {100.0, 0.0}, {50.0, 50.0});
  const ShiftOptions options = two_hours_at(0, 60.0);
  const ShiftStudy study = study_shift(hours, options, kAll, {});
  const auto total = [&](ShiftSignal signal) { return study.find(signal)->totals(); };
  // Alone: 30 MW of wind get out in the first hour, 70 are lost; coal gives 20, then 50.
  EXPECT_NEAR(total(ShiftSignal::NoComputing).curtailed_mwh, 70.0, 1e-6);
  EXPECT_NEAR(total(ShiftSignal::NoComputing).cost, 70.0 * 20.0, 1e-6);
  // Evenly: 30 MW more of wind, then 30 MW more of coal through the line.
  EXPECT_NEAR(total(ShiftSignal::NoShift).curtailed_mwh, 40.0, 1e-6);
  EXPECT_NEAR(total(ShiftSignal::NoShift).cost, 100.0 * 20.0, 1e-6);
  EXPECT_NEAR(total(ShiftSignal::NoShift).co2_t, 100.0, 1e-9);
  EXPECT_NEAR(total(ShiftSignal::NoShift).own_used_mwh, 30.0, 1e-6);
  EXPECT_NEAR(study.find(ShiftSignal::NoShift)->hours[0].sites[0].exported_mw(), 30.0, 1e-6);
  // All 60 MWh in the windy hour.
  for (const ShiftSignal signal : {ShiftSignal::Price, ShiftSignal::MarginalCarbon,
                                   ShiftSignal::JointCost, ShiftSignal::JointCarbon}) {
    EXPECT_NEAR(study.find(signal)->hours[0].sites[0].load_mw, 60.0, 1e-6) << name(signal);
    EXPECT_NEAR(total(signal).cost, 70.0 * 20.0, 1e-6) << name(signal);
    EXPECT_NEAR(total(signal).curtailed_mwh, 10.0, 1e-6) << name(signal);
    EXPECT_NEAR(study.absorbed_share(*study.find(signal), 0, 2), 6.0 / 7.0, 1e-9);
  }
}

// By day coal runs full and gas follows; at night coal follows, beside much wind: the average is
// low where the margin is high.
TEST(GridPlacing, TheAverageMisleadsWhereCoalFollowsByHand) {
  const GridHours hours = windy(kInfinity, {150.0, 0.0}, {200.0, 150.0});
  const ShiftOptions options = two_hours_at(1, 40.0);
  const ShiftStudy study = study_shift(hours, options, kAll, {});
  const auto load = [&](ShiftSignal signal, std::size_t at) {
    return study.find(signal)->hours[at].sites[0].load_mw;
  };
  // Hour 0: 70 coal of 220, 318 kg/MWh and the next MWh is coal's. Hour 1: 100 coal, 70 gas, 753
  // kg/MWh and the next is gas's.
  const SiteHour seen = study.find(ShiftSignal::NoShift)->hours[0].sites[0];
  EXPECT_NEAR(seen.average_co2_kg_per_mwh, 70.0 * 1000.0 / 220.0, 1e-6);
  EXPECT_NEAR(seen.marginal_co2_kg_per_mwh, 1000.0, 1e-6);
  EXPECT_NEAR(load(ShiftSignal::AverageCarbon, 0), 40.0, 1e-9);
  EXPECT_NEAR(load(ShiftSignal::MarginalCarbon, 1), 40.0, 1e-9);
  const double even = study.find(ShiftSignal::NoShift)->totals().co2_t;
  EXPECT_NEAR(study.find(ShiftSignal::AverageCarbon)->totals().co2_t - even, 20.0 * 0.6, 1e-9);
  EXPECT_NEAR(study.find(ShiftSignal::MarginalCarbon)->totals().co2_t - even, -20.0 * 0.6, 1e-9);
  // The joint plans: least cost takes coal (20 for 50 a MWh); at 100 a tonne gas is worth its CO2.
  EXPECT_NEAR(load(ShiftSignal::JointCost, 0), 40.0, 1e-6);
  EXPECT_NEAR(load(ShiftSignal::JointCarbon, 1), 40.0, 1e-6);
  ShiftOptions cheap = options;
  cheap.carbon_price_per_t = 40.0;  // 30 saved against 24: coal again
  EXPECT_NEAR(
      study_shift(hours, cheap, kAll, {}).find(ShiftSignal::JointCarbon)->hours[0].sites[0].load_mw,
      40.0, 1e-6);
}

TEST(GridPlacing, TheDescentLeavesABadStart) {
  const GridHours hours = windy(kInfinity, {150.0, 0.0}, {200.0, 150.0});
  ShiftOptions options;  // as above: gas follows in hour 1, and 100 a tonne is worth waiting for
  options.sites = {{1, 40.0}};
  Redispatch grid(hours, options);
  const WindowWork work{{{40.0, 40.0}}, {0.0}, 40.0};
  const PlacedWindow bad = answered(grid, {{40.0, 0.0}}, 0, {0.0});
  const PlacedWindow good = descend(grid, bad, work, options, 0, {0.0});
  EXPECT_NEAR(good.placed_mw[0][1], 40.0, 1e-6);
  // 40 MWh of gas for as much coal: 30 $ and -0.6 t each.
  EXPECT_NEAR(objective_of(good, options) - objective_of(bad, options), 40.0 * (30.0 - 60.0), 1e-6);
  EXPECT_NEAR(good.hours[1].sites[0].load_mw, 40.0, 1e-6);
}

TEST(GridPlacing, OwnPowerIsThatOfTheSitesBus) {
  GridHours hours = windy(kInfinity, {30.0}, {200.0});
  hours.grid.generators.push_back(
      {.name = "sun", .bus = 1, .maximum_mw = 70.0, .weather_driven = true});
  hours.states[0].minimum_mw.push_back(0.0);
  hours.states[0].maximum_mw.push_back(70.0);
  ShiftOptions options;
  options.sites = {{0, 40.0}, {1, 100.0}};
  options.utilisation = 0.5;
  const ShiftStudy study = study_shift(hours, options, {ShiftSignal::NoShift}, {});
  const ShiftHour& hour = study.variants[0].hours[0];
  EXPECT_NEAR(hour.available_mw, 100.0, 1e-9);
  EXPECT_NEAR(hour.sites[0].available_mw, 30.0, 1e-9);
  EXPECT_NEAR(hour.sites[0].own_used_mw(), 20.0, 1e-9);
  EXPECT_NEAR(hour.sites[0].exported_mw(), 10.0, 1e-6);
  EXPECT_NEAR(hour.sites[1].own_used_mw(), 50.0, 1e-9);
  EXPECT_NEAR(study.variants[0].totals().own_used_mwh, 70.0, 1e-9);
}

double least_cost_by_trying_all(const GridHours& hours, const ShiftOptions& options, int step_mw) {
  OptimalPowerFlow flow(hours.grid, {.shed_price_per_mwh = options.shed_price_per_mwh});
  const std::size_t slots = hours.states.size(), sites = options.sites.size();
  // cost[t][a][b]: of an hour with a and b steps of load.
  const auto steps = [&](std::size_t s) {
    return static_cast<int>(options.sites[s].capacity_mw) / step_mw;
  };
  std::vector<std::vector<double>> cost(slots);
  const int width = steps(1) + 1, states = (steps(0) + 1) * width;
  for (std::size_t t = 0; t < slots; ++t)
    for (int state = 0; state < states; ++state) {
      GridState loaded = hours.states[t];
      loaded.demand_mw[options.sites[0].bus] += state / width * step_mw;
      loaded.demand_mw[options.sites[1].bus] += state % width * step_mw;
      cost[t].push_back(flow.solve(loaded).cost_per_h);
    }
  double work = 0.0, own[2] = {0.0, 0.0};
  for (std::size_t s = 0; s < sites; ++s) {
    const double all = options.sites[s].capacity_mw * options.utilisation * 3.0;
    work += all;
    own[s] = all * options.deferrable;
  }
  double least = kInfinity;
  for (int i = 0; i < states; ++i)
    for (int j = 0; j < states; ++j)
      for (int k = 0; k < states; ++k) {
        const int first = (i / width + j / width + k / width) * step_mw;
        const int second = (i % width + j % width + k % width) * step_mw;
        if (std::abs(first + second - work) > 1e-6 || first < own[0] - 1e-6 ||
            second < own[1] - 1e-6)
          continue;
        least = std::min(least, cost[0][static_cast<std::size_t>(i)] +
                                    cost[1][static_cast<std::size_t>(j)] +
                                    cost[2][static_cast<std::size_t>(k)]);
      }
  return least;
}

// Two buses, three hours, all numbers multiples of ten: flows over one line between whole numbers
// have a best plan in whole numbers.
RC_GTEST_PROP(GridPlacing, JointCostIsTheBestOfAllPlans, ()) {
  const auto tens = [](int below) { return 10.0 * *rc::gen::inRange(0, below); };
  const GridHours hours =
      windy(tens(6), {tens(16), tens(16), tens(16)}, {tens(15), tens(15), tens(15)});
  ShiftOptions options;
  options.sites = {{0, 40.0}, {1, 20.0}};
  options.utilisation = 0.5;
  options.deferrable = *rc::gen::element(0.0, 1.0);
  options.movable = 1.0 - options.deferrable;
  options.window_h = 3;
  const ShiftStudy study = study_shift(hours, options, {ShiftSignal::JointCost}, {});
  const ShiftTotals joint = study.find(ShiftSignal::JointCost)->totals();
  RC_ASSERT(joint.unsolved == 0u);
  const double cost = joint.objective(options, 0.0);
  const double least = least_cost_by_trying_all(hours, options, 10);
  RC_ASSERT(std::abs(cost - least) < 1e-6 * std::max(1.0, least));
  RC_ASSERT(study.programme_gap() < 1e-9);
}

/// A day of a random grid whose demand, wind and outages vary.
GridHours random_day(std::uint64_t seed, std::size_t count) {
  GridHours hours;
  hours.grid = carnot::grid::testing::random_grid(seed);
  std::mt19937_64 engine(seed + 1);
  std::uniform_real_distribution<double> factor(0.3, 1.1), co2(0.0, 1000.0);
  for (GridGenerator& generator : hours.grid.generators) {
    generator.cost.c2_per_mw2h = 0.0;
    generator.cost.co2_kg_per_mwh = generator.weather_driven ? 0.0 : co2(engine);
  }
  for (std::size_t t = 0; t < count; ++t) {
    hours.states.push_back(state_of(hours.grid));
    for (double& mw : hours.states.back().demand_mw) mw *= factor(engine);
    for (double& mw : hours.states.back().maximum_mw) mw *= factor(engine);
  }
  return hours;
}

RC_GTEST_PROP(GridPlacing, EveryVariantDoesTheWorkAndKeepsTheBalance, ()) {
  const GridHours hours = random_day(*rc::gen::arbitrary<std::uint64_t>(), 10);
  ShiftOptions options;
  options.sites = {{0, 40.0}, {hours.grid.buses.size() - 1, 25.0}};
  options.utilisation = 0.1 * *rc::gen::inRange(1, 10);
  options.deferrable = 0.1 * *rc::gen::inRange(0, 6);
  options.movable = 0.1 * *rc::gen::inRange(0, 5);
  options.window_h = 4;  // the last window is shorter
  options.units_pay_per_t = *rc::gen::element(0.0, 40.0);
  options.carbon_price_per_t = *rc::gen::element(0.0, 40.0, 100.0);
  const ShiftStudy study = study_shift(hours, options, kAll, {});
  RC_ASSERT(study.variants.size() == kShiftSignals.size());
  const double rigid = options.utilisation * (1.0 - options.deferrable - options.movable);
  for (const ShiftVariant& variant : study.variants) {
    RC_ASSERT(variant.hours.size() == 10u);
    const ShiftTotals all = variant.totals();
    RC_PRE(all.unsolved == 0u);
    RC_ASSERT(all.overload_mw < 1e-6);
    RC_ASSERT(all.residual_mw < 1e-4);
    if (variant.signal == ShiftSignal::NoComputing) continue;
    double moved = 0.0;
    for (std::size_t first = 0; first < 10; first += 4) {
      double done = 0.0, asked = 0.0;
      for (std::size_t s = 0; s < 2; ++s) {
        const double capacity = options.sites[s].capacity_mw;
        double here = 0.0;
        const std::size_t end = std::min<std::size_t>(first + 4, 10);
        for (std::size_t t = first; t < end; ++t) {
          const double load = variant.hours[t].sites[s].load_mw;
          RC_ASSERT(load >= capacity * rigid - 1e-6 && load <= capacity + 1e-6);
          here += load;
        }
        const double work = capacity * options.utilisation * static_cast<double>(end - first);
        RC_ASSERT(here >= work * (1.0 - options.movable) - 1e-6);
        done += here;
        asked += work;
        moved += std::max(0.0, here - work);
      }
      RC_ASSERT(std::abs(done - asked) < 1e-6);
    }
    RC_ASSERT(std::abs(moved - all.moved_mwh) < 1e-6);
    RC_ASSERT(variant.signal != ShiftSignal::NoShift || moved < 1e-9);
  }
  const auto objective = [&](ShiftSignal signal, double price) {
    return study.find(signal)->totals().objective(options, price);
  };
  for (const ShiftSignal other : {ShiftSignal::NoShift, ShiftSignal::AverageCarbon,
                                  ShiftSignal::Price, ShiftSignal::MarginalCarbon}) {
    const double slack = 1e-6 * std::max(1.0, std::abs(objective(other, 100.0)));
    RC_ASSERT(objective(ShiftSignal::JointCost, options.units_pay_per_t) <=
              objective(other, options.units_pay_per_t) + slack);
    RC_ASSERT(objective(ShiftSignal::JointCarbon, options.carbon_price_per_t) <=
              objective(other, options.carbon_price_per_t) + slack);
  }
  RC_ASSERT(study.programme_gap() < 1e-6);
}

RC_GTEST_PROP(GridPlacing, BySignalIsTheProgrammesOptimum, ()) {
  const auto sites = *rc::gen::inRange<std::size_t>(1, 4);
  const auto hours = *rc::gen::inRange<std::size_t>(1, 6);
  SiteTable signal;
  WindowWork work;
  double room = 0.0;
  for (std::size_t s = 0; s < sites; ++s) {
    signal.emplace_back();
    work.room_mw.emplace_back();
    for (std::size_t t = 0; t < hours; ++t) {
      signal.back().push_back(*rc::gen::inRange(-20, 20));
      work.room_mw.back().push_back(*rc::gen::inRange(0, 10));
    }
    const double here = std::accumulate(work.room_mw[s].begin(), work.room_mw[s].end(), 0.0);
    work.own_mwh.push_back(here * 0.01 * *rc::gen::inRange(0, 101));
    work.total_mwh += work.own_mwh.back();
    room += here;
  }
  work.total_mwh += (room - work.total_mwh) * 0.01 * *rc::gen::inRange(0, 101);
  solve::LinearProgram program;
  std::vector<solve::Term> all;
  for (std::size_t s = 0; s < sites; ++s) {
    std::vector<solve::Term> own;
    for (std::size_t t = 0; t < hours; ++t)
      own.push_back({program.add_column(0.0, work.room_mw[s][t], signal[s][t]), 1.0});
    program.add_row(work.own_mwh[s], kInfinity, own);
    all.insert(all.end(), own.begin(), own.end());
  }
  program.add_row(work.total_mwh, work.total_mwh, all);
  const solve::ProgramAnswer best = program.solve();
  RC_ASSERT(best.status == solve::ProgramStatus::Optimal);
  const SiteTable placed = place_by_signal(signal, work);
  double cost = 0.0, sum = 0.0;
  for (std::size_t s = 0; s < sites; ++s) {
    double own = 0.0;
    for (std::size_t t = 0; t < hours; ++t) {
      RC_ASSERT(placed[s][t] >= 0.0 && placed[s][t] <= work.room_mw[s][t] + 1e-9);
      cost += signal[s][t] * placed[s][t];
      own += placed[s][t];
    }
    RC_ASSERT(own >= work.own_mwh[s] - 1e-6);
    sum += own;
  }
  RC_ASSERT(std::abs(sum - work.total_mwh) < 1e-6);
  RC_ASSERT(std::abs(cost - best.objective) < 1e-5);
}

TEST(GridPlacing, TiesGoToEarlierHours) {
  const SiteTable placed =
      place_by_signal({{1.0, 1.0 + 1e-12, 1.0}}, {{{2.0, 2.0, 2.0}}, {0.0}, 3.0});
  EXPECT_EQ(placed, (SiteTable{{2.0, 1.0, 0.0}}));
}

TEST(GridPlacing, HoursWithoutADispatchAreCountedNotInvented) {
  GridHours hours = windy(30.0, {100.0, 50.0}, {50.0, 50.0});
  hours.states[1].minimum_mw[2] = 900.0;  // more than anyone draws
  ShiftOptions options;
  options.sites = {{0, 60.0}};
  options.window_h = 2;
  const ShiftStudy study = study_shift(hours, options, kAll, {});
  for (const ShiftVariant& variant : study.variants) {
    EXPECT_GE(variant.totals().unsolved, 1u) << name(variant.signal);
    EXPECT_EQ(variant.hours[1].status == OpfStatus::Optimal, false) << name(variant.signal);
  }
}

TEST(GridPlacing, RefusesWhatCannotBe) {
  const GridHours hours = windy(30.0, {100.0}, {50.0});
  ShiftOptions options;
  EXPECT_THROW(study_shift(hours, options, kAll, {}), InputError);  // no sites
  EXPECT_NO_THROW(study_shift(hours, options, {ShiftSignal::NoComputing}, {}));
  const auto refused = [&](ShiftOptions wrong) {
    if (wrong.sites.empty()) wrong.sites = {{0, 10.0}};
    EXPECT_THROW(study_shift(hours, wrong, kAll, {}), InputError);
  };
  refused({.sites = {{2, 10.0}}});
  refused({.sites = {{0, 10.0}, {0, 10.0}}});
  refused({.sites = {{0, -1.0}}});
  refused({.utilisation = 1.1});
  refused({.deferrable = 0.5, .movable = 0.6});
  refused({.window_h = 0});
  refused({.carbon_price_per_t = kInfinity});
  refused({.shed_price_per_mwh = kInfinity});
  GridHours islands = hours;
  islands.grid.branches.clear();
  islands.grid.buses[1].reference = true;
  options.sites = {{0, 10.0}};
  EXPECT_THROW(study_shift(islands, options, {ShiftSignal::JointCost}, {}), InputError);
}

TEST(GridPlacing, StopsWhenAsked) {
  const GridHours hours = windy(30.0, {100.0, 0.0, 10.0}, {50.0, 50.0, 50.0});
  ShiftOptions options;
  options.sites = {{0, 60.0}};
  options.window_h = 1;
  const ShiftStudy study =
      study_shift(hours, options, kAll, [](ShiftSignal signal, std::size_t done) {
        return signal != ShiftSignal::AverageCarbon || done < 2;
      });
  EXPECT_EQ(study.variants.back().signal, ShiftSignal::AverageCarbon);
  EXPECT_EQ(study.variants.back().hours.size(), 2u);
}

TEST(GridPlacing, AWeekOfRtsInWhichTheAverageMisleads) {
  CARNOT_NEED_SHARED_DATA(path, "rts-gmlc");
  const RtsGmlc rts = RtsGmlc::read(path);
  const GridHours hours = hours_of(rts, rts.hour_at(Instant::parse("2020-04-29T00:00Z")), 168);
  ShiftOptions options;
  for (std::size_t b = 0; b < hours.grid.buses.size(); ++b)
    for (const std::int64_t bus : {122, 303, 313, 317})
      if (hours.grid.buses[b].id == bus) options.sites.push_back({b, 250.0});
  const ShiftStudy study = study_shift(hours, options, kAll, {});
  const auto co2_t = [&](ShiftSignal signal) { return study.find(signal)->totals().co2_t; };
  EXPECT_GT(co2_t(ShiftSignal::AverageCarbon), co2_t(ShiftSignal::NoShift));
  EXPECT_LT(co2_t(ShiftSignal::JointCarbon), co2_t(ShiftSignal::NoShift));
  EXPECT_LT(study.programme_gap(), 1e-9);
  for (const ShiftVariant& variant : study.variants) {
    EXPECT_EQ(variant.totals().unsolved, 0u);
    EXPECT_LT(variant.totals().overload_mw, 1e-6);
  }
  EXPECT_THROW(hours_of(rts, 8784, 0), InputError);
  EXPECT_THROW(hours_of(rts, 8700, 85), InputError);
  EXPECT_EQ(hours_of(rts, 8780, 0).states.size(), 4u);
}

}  // namespace
}  // namespace carnot::grid

#endif
