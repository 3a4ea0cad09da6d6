// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <gtest/gtest.h>

#include "carnot/base/limits.hpp"
#include "carnot/base/random.hpp"
#include "carnot/meter/counters/counter.hpp"

#include "meter/testing/testing_allocations.hpp"

namespace carnot::meter {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

Stamp at_s(double s) {
  const auto ns = static_cast<std::int64_t>(std::llround(s * 1e9));
  return {ns, ns};
}

TEST(Gauge, JoinsReadingsByTrapezoids) {
  Gauge gauge({});
  EXPECT_EQ(gauge.advance(100.0 * watt, at_s(0)).kind, StepKind::First);
  const Step step = gauge.advance(300.0 * watt, at_s(2));
  EXPECT_DOUBLE_EQ(gauge.total().in(joule), 400.0);
  EXPECT_EQ(step.raw, 400'000'000u);
  EXPECT_EQ(gauge.highest().in(watt), 300.0);
}

// A ramp is integrated exactly at any spacing; raw steps add up to the total's microjoules.
TEST(Gauge, IntegratesARampAtAnySpacing) {
  const RandomStream random(3, "spacing");
  Gauge gauge({});
  double t = 0.0;
  std::uint64_t raw = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    raw += gauge.advance((50.0 + 2.0 * t) * watt, at_s(t)).raw;
    t = std::round((t + 0.001 + 0.2 * random.uniform(i)) * 1e9) / 1e9;
  }
  raw += gauge.advance((50.0 + 2.0 * t) * watt, at_s(t)).raw;
  const double exact = 50.0 * t + t * t;
  EXPECT_NEAR(gauge.total().in(joule), exact, 1e-9 * exact);
  EXPECT_EQ(raw, static_cast<std::uint64_t>(gauge.total().in(joule)*1e6));
}

// A mean over a window stands for that window: a step of power that fell into it is counted whole.
TEST(Gauge, AMeanStandsForItsWindow) {
  GaugeSpec spec;
  spec.window = Duration::seconds(1);
  Gauge gauge(spec);
  gauge.advance(0.0 * watt, at_s(0));
  gauge.advance(60.0 * watt, at_s(1));  // 100 W for the last 0.6 s
  EXPECT_DOUBLE_EQ(gauge.total().in(joule), 60.0);
  gauge.advance(100.0 * watt, at_s(1.5));  // mean of 0.5..1.5
  EXPECT_DOUBLE_EQ(gauge.total().in(joule), 110.0);
  gauge.advance(100.0 * watt, at_s(4.5));
  EXPECT_DOUBLE_EQ(gauge.total().in(joule), 410.0);
}

TEST(Gauge, ALongSilenceIsUnobserved) {
  GaugeSpec spec;
  spec.longest_hold = Duration::seconds(10);
  Gauge gauge(spec);
  gauge.advance(100.0 * watt, at_s(0));
  EXPECT_EQ(gauge.advance(100.0 * watt, at_s(10)).unobserved, Duration{});
  const Step step = gauge.advance(100.0 * watt, at_s(21));
  EXPECT_EQ(step.kind, StepKind::Unsure);
  EXPECT_EQ(step.unobserved, Duration::seconds(11));
  EXPECT_DOUBLE_EQ(gauge.total().in(joule), 1000.0);
  EXPECT_EQ(gauge.unobserved(), Duration::seconds(11));
}

TEST(Gauge, ReadingsThatCannotBeAreNotTaken) {
  Gauge gauge({});
  gauge.advance(100.0 * watt, at_s(0));
  for (const double bad : {-1.0, 2001.0, std::nan(""), kInfinity}) {
    const Step step = gauge.advance(bad * watt, at_s(1));
    EXPECT_EQ(step.kind, StepKind::Implausible) << bad;
    EXPECT_EQ(gauge.total().in(joule), 0.0) << bad;
  }
  gauge.advance(100.0 * watt, at_s(2));  // joined to the last good one
  EXPECT_DOUBLE_EQ(gauge.total().in(joule), 200.0);
}

TEST(Gauge, AsleepNothingIsSpent) {
  Gauge gauge({});
  gauge.advance(50.0 * watt, {0, 0});
  const Step step = gauge.advance(50.0 * watt, {kSecond, 601 * kSecond});
  EXPECT_EQ(step.asleep, Duration::seconds(600));
  EXPECT_DOUBLE_EQ(gauge.total().in(joule), 50.0);
}

TEST(Gauge, ADayOfMillisecondsNeitherDriftsNorAllocatesNorGoesBack) {
  Gauge gauge({});
  gauge.advance(100.1 * watt, at_s(0));
  const std::uint64_t before = testing::allocations();
  Energy last;
  bool goes_back = false;
  const std::int64_t samples = 4'000'000;
  for (std::int64_t i = 1; i <= samples; ++i) {
    gauge.advance(100.1 * watt, {i * 1'000'000, i * 1'000'000});
    goes_back = goes_back || gauge.total() < last;
    last = gauge.total();
  }
  EXPECT_EQ(testing::allocations(), before);
  EXPECT_FALSE(goes_back);
  EXPECT_NEAR(gauge.total().in(joule), 100.1 * 4000.0, 1e-9);
}

TEST(Gauge, GoesOnFromARecordedTotal) {
  Gauge gauge({});
  gauge.restore(100.0 * watt, at_s(1), 5.0 * joule, Duration::seconds(2));
  gauge.advance(100.0 * watt, at_s(2));
  EXPECT_DOUBLE_EQ(gauge.total().in(joule), 105.0);
  EXPECT_EQ(gauge.unobserved(), Duration::seconds(2));
}

}  // namespace
}  // namespace carnot::meter
