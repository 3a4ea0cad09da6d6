// SPDX-License-Identifier: Apache-2.0
// Studies of a grid stopped at their k-th look at a token: what is there is whole, and as it would
// have been.

#include <cstdint>

#include <gtest/gtest.h>

#include "carnot/grid/study/farm.hpp"
#include "carnot/grid/study/shift.hpp"
#include "carnot/grid/study/stranded.hpp"

#include "base/testing_stop.hpp"
#include "grid/study/testing_hours.hpp"

#ifdef CARNOT_HAVE_CLP

namespace carnot::grid {
namespace {

using carnot::testing::CountedStop;

GridHours six_hours() {
  return windy(30.0, {100.0, 0.0, 80.0, 20.0, 5.0, 60.0}, {50.0, 50.0, 40.0, 60.0, 50.0, 50.0});
}

TEST(GridStop, PlacingHasWholeWindowsOfWhatWasDone) {
  const std::vector<ShiftSignal> all{kShiftSignals.begin(), kShiftSignals.end()};
  ShiftOptions options = two_hours_at(0, 60.0);
  CountedStop never(INT64_MAX);
  options.stop = never.token();
  const ShiftStudy whole = study_shift(six_hours(), options, all, {});
  ASSERT_GT(never.asked(), 100);
  for (std::int64_t k = 0; k < never.asked(); k += 1 + k / 12) {
    CountedStop stop(k);
    options.stop = stop.token();
    const ShiftStudy some = study_shift(six_hours(), options, all, {});
    EXPECT_LE(stop.asked(), k + 1);
    std::size_t hours = 0;
    for (const ShiftVariant& variant : some.variants) {
      EXPECT_EQ(variant.hours.size() % 2, 0U) << k;
      hours += variant.hours.size();
      const ShiftVariant* of = whole.find(variant.signal);
      ASSERT_NE(of, nullptr);
      for (std::size_t t = 0; t < variant.hours.size(); ++t)
        EXPECT_NEAR(variant.hours[t].cost_per_h, of->hours[t].cost_per_h, 1e-6) << k << " " << t;
    }
    EXPECT_LT(hours, 6 * all.size()) << k;
  }
}

TEST(GridStop, FarmsHaveTheSizesThatWereDone) {
  ShiftOptions options = two_hours_at(0, 60.0);
  FarmPlan plan;
  plan.bus = 0;
  plan.shape = 0;
  plan.sizes_mw = {50.0, 100.0};
  const std::vector<ShiftSignal> signals{ShiftSignal::NoComputing, ShiftSignal::NoShift};
  CountedStop never(INT64_MAX);
  options.stop = never.token();
  const FarmStudy whole = study_farm(six_hours(), options, plan, signals, {});
  std::size_t some_cases = 0;
  for (std::int64_t k = 0; k < never.asked(); k += 1 + k / 12) {
    CountedStop stop(k);
    options.stop = stop.token();
    const FarmStudy some = study_farm(six_hours(), options, plan, signals, {});
    ASSERT_LT(some.cases.size(), whole.cases.size()) << k;
    some_cases += some.cases.size();
    for (std::size_t i = 0; i < some.cases.size(); ++i)
      EXPECT_NEAR(some.cases[i].delivered_mwh, whole.cases[i].delivered_mwh, 1e-6) << k;
  }
  EXPECT_GT(some_cases, 0U);
}

TEST(GridStop, AQueueIsWholeOrThrows) {
  StrandedOptions options;
  StrandedSite site;
  site.name = "a";
  for (int t = 0; t < 500; ++t) site.price_per_mwh.push_back(t % 24 < 8 ? -5.0 : 40.0);
  const StrandedSet set{"set", 1.0, {site}};
  CountedStop never(INT64_MAX);
  options.stop = never.token();
  const StrandedTable whole = study_stranded({set}, options);
  ASSERT_GT(whole.rows.size(), 0U);
  EXPECT_FALSE(whole.stopped);
  CountedStop stop(never.asked() / 2);
  options.stop = stop.token();
  const StrandedTable some = study_stranded({set}, options);
  EXPECT_TRUE(some.stopped);
  EXPECT_LT(some.rows.size(), whole.rows.size());
}

}  // namespace
}  // namespace carnot::grid

#endif
