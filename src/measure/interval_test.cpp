// SPDX-License-Identifier: Apache-2.0
#include "measure/interval.hpp"

#include <gtest/gtest.h>

#include "carnot/base/error.hpp"

namespace carnot::measure::detail {
namespace {

constexpr std::int64_t kMillisecond = 1'000'000;

std::int64_t milliseconds(const AdaptiveInterval& interval) {
  return interval.current().nanoseconds() / kMillisecond;
}
/// One interval as long as it was to be.
void live(AdaptiveInterval& interval, double power_w, double busy_cpus) {
  interval.seen(power_w, busy_cpus, interval.current());
}

TEST(AdaptiveInterval, DoublesToASecondWhileNothingMoves) {
  AdaptiveInterval interval({}, {});
  std::vector<std::int64_t> seen;
  for (int i = 0; i < 10; ++i) {
    seen.push_back(milliseconds(interval));
    live(interval, 100, 2);
  }
  EXPECT_EQ(seen, (std::vector<std::int64_t>{10, 10, 20, 40, 80, 160, 320, 640, 1000, 1000}));
}

TEST(AdaptiveInterval, HalvesWhenPowerOrLoadMove) {
  for (const bool power : {true, false}) {
    AdaptiveInterval interval({}, {});
    for (int i = 0; i < 12; ++i) live(interval, 100, 4);
    std::vector<std::int64_t> seen;
    for (int i = 0; i < 8; ++i) {
      const bool high = i % 2 == 0;
      live(interval, power && high ? 200 : 100, !power && high ? 16 : 4);
      seen.push_back(milliseconds(interval));
    }
    EXPECT_EQ(seen, (std::vector<std::int64_t>{500, 250, 125, 62, 31, 15, 10, 10})) << power;
    live(interval, 100, 4);
    EXPECT_EQ(milliseconds(interval), 20);
  }
}

TEST(AdaptiveInterval, IgnoresWhatCountersAndTicksJitterBy) {
  AdaptiveInterval interval({}, {});
  for (int i = 0; i < 12; ++i) {
    const double sign = i % 2 == 0 ? 1 : -1;
    const double length_s = static_cast<double>(interval.current().nanoseconds()) * 1e-9;
    // One update of 1 ms of power, one tick of 10 ms of load, more or less.
    live(interval, 100 * (1 + sign * 0.5e-3 / length_s), 1 + sign * 5e-3 / length_s);
  }
  EXPECT_EQ(milliseconds(interval), 1000);
}

TEST(AdaptiveInterval, NeverExceedsWhatTheCountersAllow) {
  AdaptiveInterval interval({}, Duration::nanoseconds(70 * kMillisecond));
  for (int i = 0; i < 12; ++i) {
    live(interval, 100, 1);
    EXPECT_LE(milliseconds(interval), 70);
  }
  EXPECT_EQ(milliseconds(interval), 70);
  AdaptiveInterval tight({}, Duration::nanoseconds(3 * kMillisecond));
  EXPECT_EQ(milliseconds(tight), 3);
  for (int i = 0; i < 5; ++i) live(tight, i * 100, 1);
  EXPECT_EQ(milliseconds(tight), 3);
}

TEST(AdaptiveInterval, FixedStaysUnlessTheCountersForbidIt) {
  AdaptiveInterval interval(Duration::nanoseconds(5 * kMillisecond), {});
  for (int i = 0; i < 5; ++i) live(interval, i * 100, i);
  EXPECT_EQ(milliseconds(interval), 5);
  EXPECT_EQ(milliseconds({Duration::seconds(100), Duration::seconds(30)}), 30'000);
  EXPECT_THROW(AdaptiveInterval(Duration{}, {}), InputError);
  EXPECT_THROW(AdaptiveInterval(Duration::nanoseconds(-1), {}), InputError);
}

}  // namespace
}  // namespace carnot::measure::detail
