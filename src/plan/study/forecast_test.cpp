// SPDX-License-Identifier: Apache-2.0
// Weeks planned on forecast wind and run on what came.
#include <gtest/gtest.h>

#include "base/testing_files.hpp"
#include "plan/study/testing_wind_week.hpp"

namespace carnot::plan {
namespace {

using namespace testing;

TEST(WindForecastSlow, PlanningAgainKeepsDeadlinesAndCostsNoMoreThanPlanningOnce) {
  CARNOT_NEED_SHARED_DATA(rts, "rts-gmlc");
  CARNOT_NEED_SHARED_DATA(prices, "sites-2023-hourly");
  const WindYear year = read_wind_year(rts, prices);
  ASSERT_EQ(year.farms.size(), 4U);
  const WindWeek week(year, 63, {.jobs = 25, .own_share = 0.5});
  PlannerOptions options;
  options.threads = 1;
  options.rounds = 100;
  const WeekOutcome once = replanned(week, day_ahead_forecast(week), kWeekHours, options);
  const WeekOutcome again = replanned(week, mended_forecast(week), 1, options);
  EXPECT_EQ(once.missed, 0U);
  EXPECT_EQ(again.missed, 0U);
  EXPECT_LE(again.cost_eur, once.cost_eur);
  // What the replanner reports of a plan that is never changed is what plain sums say.
  const WeekOutcome summed = carried_out(week, plan_large(week.problem(), options));
  EXPECT_NEAR(once.cost_eur, summed.cost_eur, 1e-9 * summed.cost_eur);
  EXPECT_NEAR(once.own_kwh, summed.own_kwh, 1e-9 * summed.own_kwh);
}

}  // namespace
}  // namespace carnot::plan
