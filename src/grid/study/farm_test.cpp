// SPDX-License-Identifier: Apache-2.0
#include "carnot/grid/study/farm.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "carnot/base/error.hpp"

#include "grid/study/testing_hours.hpp"

#ifdef CARNOT_HAVE_CLP

namespace carnot::grid {
namespace {

const std::vector<ShiftSignal> kSignals{ShiftSignal::NoComputing, ShiftSignal::NoShift,
                                        ShiftSignal::JointCost};

// 20 MW of wind in the first hour behind a line of 30: a farm of 40 with the same hours brings 40
// MWh, of which 10 get out. Evenly run computing takes 30 more; computing that waits all 40.
TEST(GridFarm, BehindAFullLineIsWorthWhatComputingTakesByHand) {
  const GridHours hours = windy(30.0, {20.0, 0.0}, {50.0, 50.0});
  const FarmPlan plan{.bus = 0, .shape = 0, .sizes_mw = {2000.0}};  // twice the 1000 of `windy`
  const FarmStudy study = study_farm(hours, two_hours_at(0, 60.0), plan, kSignals, {});
  ASSERT_EQ(study.cases.size(), 3u);
  for (const FarmCase& one : study.cases) {
    EXPECT_NEAR(one.available_mwh, 40.0, 1e-9);
    EXPECT_EQ(one.unsolved, 0u);
    EXPECT_NEAR(one.delivered_mwh + one.curtailed_mwh, one.available_mwh, 1e-9);
    EXPECT_NEAR(one.cost_saved, 20.0 * one.delivered_mwh, 1e-6);  // coal at 20 that does not run
    EXPECT_NEAR(one.co2_saved_t, one.delivered_mwh, 1e-6);
    EXPECT_NEAR(study.value_per_mwh(one), 20.0, 1e-6);
    EXPECT_NEAR(study.value_per_mw_year(one), one.cost_saved / 2000.0 * 8760.0 / 2.0, 1e-6);
  }
  EXPECT_NEAR(study.cases[0].delivered_mwh, 10.0, 1e-6);
  EXPECT_NEAR(study.cases[0].curtailed_share(), 0.75, 1e-6);
  EXPECT_NEAR(study.cases[1].delivered_mwh, 40.0, 1e-6);
  EXPECT_NEAR(study.cases[2].delivered_mwh, 40.0, 1e-6);
}

TEST(GridFarm, LevelisedCostByHand) {
  FarmCosts costs{.capital_per_kw = 1000.0, .upkeep_per_kw_year = 20.0, .lifetime_years = 20.0};
  costs.interest = 0.0;
  EXPECT_NEAR(costs.per_mw_year(), 1000.0 * (1000.0 / 20.0 + 20.0), 1e-9);
  costs.interest = 0.05;  // an annuity of 8.0243 %, from tables
  EXPECT_NEAR(costs.per_mw_year(), 1000.0 * (80.243 + 20.0), 1.0);
  FarmStudy study;
  study.hours = 8760;
  FarmCase one{.size_mw = 10.0, .delivered_mwh = 10.0 * 8760.0 * 0.3};
  EXPECT_NEAR(study.levelised_per_mwh(one, costs), costs.per_mw_year() / (8760.0 * 0.3), 1e-9);
  study.hours = 4380;  // half a year bears half the cost
  EXPECT_NEAR(study.levelised_per_mwh(one, costs), costs.per_mw_year() / (8760.0 * 0.6), 1e-9);
  one.delivered_mwh = 0.0;
  EXPECT_TRUE(std::isinf(study.levelised_per_mwh(one, costs)));
  costs.lifetime_years = 0.0;
  EXPECT_THROW(costs.per_mw_year(), InputError);
}

TEST(GridFarm, RefusesWhatIsNotThere) {
  const GridHours hours = windy(30.0, {20.0}, {50.0});
  EXPECT_THROW(with_farm(hours, 2, 0, 10.0), InputError);
  EXPECT_THROW(with_farm(hours, 0, 1, 10.0), InputError);  // coal
  EXPECT_THROW(with_farm(hours, 0, 3, 10.0), InputError);
  EXPECT_THROW(with_farm(hours, 0, 0, 0.0), InputError);
  const GridHours more = with_farm(hours, 1, 0, 500.0);
  EXPECT_NEAR(more.states[0].maximum_mw.back(), 10.0, 1e-12);
  EXPECT_EQ(more.grid.generators.back().bus, 1u);
  EXPECT_TRUE(more.grid.generators.back().weather_driven);
}

TEST(GridFarm, StopsWhenAsked) {
  const GridHours hours = windy(30.0, {20.0, 0.0}, {50.0, 50.0});
  const FarmPlan plan{.bus = 0, .shape = 0, .sizes_mw = {100.0, 200.0, 300.0}};
  const FarmStudy study = study_farm(hours, two_hours_at(0, 60.0), plan, kSignals,
                                     [](std::size_t done) { return done < 2; });
  EXPECT_EQ(study.cases.size(), kSignals.size());
}

}  // namespace
}  // namespace carnot::grid

#endif
