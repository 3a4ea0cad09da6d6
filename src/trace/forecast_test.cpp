// SPDX-License-Identifier: Apache-2.0
#include "carnot/trace/forecast.hpp"

#include <bit>
#include <cmath>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"

namespace carnot::inline trace {
namespace {

using ::testing::HasSubstr;

const Instant kStart = Instant::from_unix_seconds(1'577'836'800);  // 2020-01-01
const Duration kFiveMinutes = Duration::seconds(300);
const Duration kOneHour = Duration::seconds(3600);

// A slowly wandering power in [0, 100] with a daily swing; enough like weather to learn from.
std::vector<double> wander(std::uint64_t seed, std::size_t n) {
  const RandomStream random(seed, "forecast-test");
  std::vector<double> x(n);
  double state = 0.0;
  for (std::size_t i = 0; i < n; ++i) {
    state = 0.995 * state + 3.0 * (random.uniform(i) - 0.5);
    const double hour_of_day = static_cast<double>(i % 288) / 12.0;
    x[i] =
        std::min(100.0, std::max(0.0, 50.0 + 8.0 * std::cos(hour_of_day * 0.2618) + 3.0 * state));
  }
  return x;
}

Forecaster::Options bounded() {
  Forecaster::Options options;
  options.high = 100.0;
  return options;
}

// All the numbers of all forecasts made hourly, while five-minute values come in.
std::vector<double> replay(const std::vector<double>& truth, std::optional<TraceCore> reference,
                           std::size_t slots) {
  Forecaster forecaster(bounded(), std::nullopt, std::move(reference));
  std::vector<double> said;
  for (std::size_t i = 0; i < slots; ++i) {
    const Instant from = kStart + kFiveMinutes * static_cast<std::int64_t>(i);
    forecaster.observe(from, kFiveMinutes, truth[i]);
    const ForecastView view = forecaster.forecast(from + kFiveMinutes);
    said.insert(said.end(), view.mean.begin(), view.mean.end());
    said.insert(said.end(), view.sd.begin(), view.sd.end());
  }
  return said;
}

bool same_bits(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::bit_cast<std::uint64_t>(a[i]) != std::bit_cast<std::uint64_t>(b[i])) return false;
  }
  return true;
}

RC_GTEST_PROP(ForecasterProperty, SwappingTheFutureLeavesEveryForecastUnchanged, ()) {
  const auto slots = *rc::gen::inRange<std::size_t>(1, 1200);
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  std::vector<double> truth = wander(seed, slots + 600);
  const bool with_reference = *rc::gen::arbitrary<bool>();
  std::optional<TraceCore> reference;
  if (with_reference) {
    reference = TraceCore(kStart, kOneHour, std::vector<double>(300, 42.0));
  }
  const std::vector<double> before = replay(truth, reference, slots);
  for (std::size_t i = slots; i < truth.size(); ++i) truth[i] = 100.0 - truth[i];
  RC_ASSERT(same_bits(before, replay(truth, reference, slots)));
}

RC_GTEST_PROP(ForecasterProperty, StaysInBoundsWithSpreadThatNeverShrinks, ()) {
  const auto slots = *rc::gen::inRange<std::size_t>(0, 2000);
  const std::vector<double> truth = wander(*rc::gen::arbitrary<std::uint64_t>(), slots);
  Forecaster::Options options = bounded();
  options.step = Duration::seconds(*rc::gen::element<std::int64_t>(300, 900, 3600, 5400, 21600));
  options.horizon = *rc::gen::inRange<std::size_t>(1, 100);
  std::optional<TraceCore> reference;
  if (*rc::gen::arbitrary<bool>()) {
    reference = TraceCore(kStart + Duration::seconds(*rc::gen::inRange(-90000, 90000)), kOneHour,
                          std::vector<double>(50, 42.0));
  }
  Forecaster forecaster(options, std::nullopt, reference);
  for (std::size_t i = 0; i < slots; ++i) {
    forecaster.observe(kStart + kFiveMinutes * static_cast<std::int64_t>(i), kFiveMinutes,
                       truth[i]);
  }
  const ForecastView view =
      forecaster.forecast(kStart + kFiveMinutes * static_cast<std::int64_t>(slots));
  RC_ASSERT(view.mean.size() == options.horizon);
  RC_ASSERT(view.sd.size() == options.horizon);
  double last = 0.0;
  for (std::size_t k = 0; k < options.horizon; ++k) {
    RC_ASSERT(view.mean[k] >= options.low);
    RC_ASSERT(view.mean[k] <= options.high);
    RC_ASSERT(view.sd[k] >= last);
    last = view.sd[k];
  }
}

TEST(Forecaster, FollowsTheStatedPriorBeforeTwoDays) {
  Forecaster::Options options = bounded();
  options.horizon = 5;
  options.prior_rho_per_hour = 0.9;
  const TraceCore reference(kStart, kOneHour, {10, 20, 30, 40, 50, 60, 70, 80, 90, 95});
  Forecaster forecaster(options, std::nullopt, reference);
  forecaster.observe(kStart, kOneHour, 16.0);
  const ForecastView view = forecaster.forecast(kStart + kOneHour);
  ASSERT_EQ(view.start, kStart + kOneHour);
  for (int k = 0; k < 5; ++k) {
    // One hour from the middle of the hour seen to the middle of the next, and so on.
    const double decay = std::pow(0.9, k + 1);
    EXPECT_NEAR(view.mean[k], 20.0 + 10.0 * k + decay * 6.0, 1e-12) << k;
    EXPECT_NEAR(view.sd[k], 25.0 * std::sqrt(1.0 - decay * decay), 1e-12) << k;
  }
  EXPECT_EQ(forecaster.rho_per_hour(), 0.9);
  EXPECT_EQ(forecaster.residual_sd(), 25.0);
}

TEST(Forecaster, WithNothingKnownSaysTheMiddleAndTheStatedSpread) {
  Forecaster::Options options = bounded();
  options.prior_sd = 7.0;
  Forecaster forecaster(options, std::nullopt, std::nullopt);
  const ForecastView view = forecaster.forecast(kStart);
  for (double mean : view.mean) EXPECT_EQ(mean, 50.0);
  for (double sd : view.sd) EXPECT_EQ(sd, 7.0);
}

TEST(Forecaster, ClipsAtTheBounds) {
  Forecaster forecaster(bounded(), std::nullopt,
                        TraceCore(kStart, kOneHour, std::vector<double>(200, 95.0)));
  forecaster.observe(kStart, kOneHour, 100.0);
  for (double mean : forecaster.forecast(kStart + kOneHour).mean) EXPECT_LE(mean, 100.0);
  Forecaster above(bounded(), std::nullopt,
                   TraceCore(kStart, kOneHour, std::vector<double>(200, 150.0)));
  above.observe(kStart, kOneHour, 100.0);
  EXPECT_EQ(above.forecast(kStart + kOneHour).mean[47], 100.0);
}

TEST(Forecaster, LearnsTheDailyShapeOfTheSun) {
  std::vector<double> sun;
  for (int day = 0; day < 20; ++day) {
    for (int h = 0; h < 24; ++h) {
      sun.push_back(std::max(0.0, 90.0 * std::sin((h - 6.0) / 12.0 * 3.14159265358979)));
    }
  }
  Forecaster forecaster(bounded(), TraceCore(kStart, kOneHour, sun), std::nullopt);
  const Instant now = kStart + kOneHour * static_cast<std::int64_t>(sun.size());
  const ForecastView view = forecaster.forecast(now);
  for (std::size_t k = 0; k < 48; ++k) EXPECT_NEAR(view.mean[k], sun[k % 24], 1.0) << k;
}

TEST(Forecaster, RecoversAKnownDecay) {
  // An hourly first-order process with rho 0.9 and unit innovations: s = 1 / sqrt(1 - 0.81).
  const RandomStream random(3, "ar1");
  std::vector<double> x;
  double state = 0.0;
  for (std::uint64_t i = 0; i < 24 * 360; ++i) {
    // The sum of 12 uniforms less 6 is close enough to normal and needs no distribution.
    double innovation = -6.0;
    for (std::uint64_t k = 0; k < 12; ++k) innovation += random.uniform(12 * i + k);
    state = 0.9 * state + innovation;
    x.push_back(state);
  }
  Forecaster::Options options;
  options.low = -1e6;
  options.prior_sd = 1.0;
  options.memory = Duration::seconds(360 * 86400);
  Forecaster forecaster(options, TraceCore(kStart, kOneHour, x), std::nullopt);
  EXPECT_NEAR(forecaster.rho_per_hour(), 0.9, 0.02);
  EXPECT_NEAR(forecaster.residual_sd(), 1.0 / std::sqrt(0.19), 0.15);
}

TEST(Forecaster, LearnsWhetherADocumentIsWorthFollowing) {
  const RandomStream random(4, "document");
  std::vector<double> noise, truth;
  for (std::uint64_t i = 0; i < 24 * 60; ++i) {
    noise.push_back(100.0 * random.uniform(i));
    truth.push_back(50.0 + 40.0 * std::sin(0.3 * static_cast<double>(i)));
  }
  const std::vector<double> calm(24 * 50, 40.0);
  // A document that swings while the truth is calm is doubted at every lead ...
  Forecaster doubtful(bounded(), std::nullopt, TraceCore(kStart, kOneHour, noise));
  // ... one that foretells the swings is followed.
  Forecaster faithful(bounded(), std::nullopt, TraceCore(kStart, kOneHour, truth));
  for (std::size_t i = 0; i < calm.size(); ++i) {
    const Instant from = kStart + kOneHour * static_cast<std::int64_t>(i);
    doubtful.observe(from, kOneHour, calm[i]);
    faithful.observe(from, kOneHour, truth[i]);
  }
  const Instant now = kStart + kOneHour * static_cast<std::int64_t>(calm.size());
  const ForecastView doubted = doubtful.forecast(now);
  const ForecastView followed = faithful.forecast(now);
  for (std::size_t k = 0; k < 48; ++k) {
    EXPECT_NEAR(doubted.mean[k], 40.0, 1.5) << k;
    EXPECT_LT(doubted.sd[k], 1.5) << k;
    EXPECT_NEAR(followed.mean[k], truth[calm.size() + k], 1e-9) << k;
    EXPECT_LT(followed.sd[k], 1e-9) << k;
  }
}

TEST(Forecaster, ShiftsAYoungForecastAndRemakesAnOldOne) {
  Forecaster forecaster(bounded(), std::nullopt, std::nullopt);
  forecaster.observe(kStart, kFiveMinutes, 40.0);
  const Instant first = kStart + kFiveMinutes;
  EXPECT_EQ(forecaster.forecast(first).start, first);
  forecaster.observe(first, kFiveMinutes, 60.0);
  EXPECT_EQ(forecaster.forecast(first + kFiveMinutes).start, first);
  EXPECT_EQ(forecaster.forecast(first + kFiveMinutes).mean[0], 40.0);
  EXPECT_EQ(forecaster.forecast(first + kOneHour).start, first + kOneHour);
  EXPECT_EQ(forecaster.forecast(first + kOneHour).mean[0], 60.0);
}

template <class Call>
std::string refusal(Call call) {
  try {
    call();
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Forecaster, RefusesTimeTravelAndNonsense) {
  Forecaster forecaster(bounded(), std::nullopt, std::nullopt);
  forecaster.observe(kStart, kOneHour, 1.0);
  EXPECT_THAT(refusal([&] { forecaster.observe(kStart, kOneHour, 1.0); }), HasSubstr("time order"));
  EXPECT_THAT(refusal([&] { forecaster.forecast(kStart); }), HasSubstr("before the end"));
  EXPECT_THAT(refusal([&] { forecaster.observe(kStart + kOneHour, Duration(), 1.0); }),
              HasSubstr("longer than 0 s"));
  EXPECT_THAT(refusal([&] { forecaster.observe(kStart + kOneHour, kOneHour, HUGE_VAL); }),
              HasSubstr("finite"));
  Forecaster::Options bad = bounded();
  bad.low = 200.0;
  EXPECT_THAT(refusal([&] { Forecaster(bad, std::nullopt, std::nullopt); }), HasSubstr("low"));
  bad = bounded();
  bad.horizon = 0;
  EXPECT_THAT(refusal([&] { Forecaster(bad, std::nullopt, std::nullopt); }), HasSubstr("horizon"));
  bad = bounded();
  bad.prior_rho_per_hour = 1.0;
  EXPECT_THAT(refusal([&] { Forecaster(bad, std::nullopt, std::nullopt); }),
              HasSubstr("prior_rho"));
}

TEST(Forecaster, SurvivesHolesInTheObservations) {
  const std::vector<double> x = wander(5, 5000);
  Forecaster forecaster(bounded(), std::nullopt, std::nullopt);
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (i % 700 < 40 || i % 17 == 0) continue;
    forecaster.observe(kStart + kFiveMinutes * static_cast<std::int64_t>(i), kFiveMinutes, x[i]);
  }
  EXPECT_GT(forecaster.rho_per_hour(), 0.8);
  EXPECT_LT(forecaster.rho_per_hour(), 1.0);
  EXPECT_GT(forecaster.residual_sd(), 1.0);
  EXPECT_LT(forecaster.residual_sd(), 50.0);
}

}  // namespace
}  // namespace carnot::inline trace
