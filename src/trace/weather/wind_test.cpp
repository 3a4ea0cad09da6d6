// SPDX-License-Identifier: Apache-2.0
// The statistics that the documentation of `generate_wind` promises.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/trace/forecast.hpp"
#include "carnot/trace/weather/generate.hpp"

namespace carnot::inline trace {
namespace {

const Instant kStart = Instant::from_date(2021, 1, 1);
const Duration kOneHour = Duration::seconds(3600);
const Duration kFiveMinutes = Duration::seconds(300);
constexpr std::size_t kYearOfHours = 8766;

std::vector<double> values(const TraceCore& core) {
  return {core.mean().begin(), core.mean().end()};
}

double average(const std::vector<double>& x) {
  double sum = 0.0;
  for (double v : x) sum += v;
  return sum / static_cast<double>(x.size());
}

double autocorrelation(const std::vector<double>& x, std::size_t lag) {
  const double m = average(x);
  double product = 0.0, square = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    square += (x[i] - m) * (x[i] - m);
    if (i + lag < x.size()) product += (x[i] - m) * (x[i + lag] - m);
  }
  return product / square;
}

TEST(WindSpeed, HasTheWeibullMarginal) {
  // Ten years: weather stays alike for days, so a year alone wanders by a tenth.
  const WindOptions options;
  std::vector<double> v =
      values(generate_wind_speed(options, {kStart, kOneHour, 10 * kYearOfHours}, 5).core());
  std::sort(v.begin(), v.end());
  double distance = 0.0;
  for (std::size_t i = 0; i < v.size(); ++i) {
    const double scaled = v[i] / options.weibull_scale.in(metre_per_second);
    const double model = 1.0 - std::exp(-std::pow(scaled, options.weibull_shape));
    distance = std::max(
        distance, std::abs(model - (static_cast<double>(i) + 0.5) / static_cast<double>(v.size())));
  }
  EXPECT_LT(distance, 0.03);
}

TEST(WindSpeed, RemembersTheHourBefore) {
  const std::vector<double> v =
      values(generate_wind_speed({}, {kStart, kOneHour, 5 * kYearOfHours}, 6).core());
  EXPECT_GT(autocorrelation(v, 1), 0.945);
  EXPECT_LT(autocorrelation(v, 1), 0.975);
  EXPECT_GT(autocorrelation(v, 24), 0.35);
  EXPECT_LT(autocorrelation(v, 24), 0.65);
}

TEST(WindSpeed, SpectrumFallsAsTheMesoscaleLaw) {
  // Averaged, Hann-windowed periodograms of ten-day pieces; log-log slope from a day to an hour.
  const std::vector<double> v =
      values(generate_wind_speed({}, {kStart, kFiveMinutes, 288 * 500}, 7).core());
  constexpr std::size_t kPiece = 2880;
  std::vector<double> log_frequency, log_power;
  for (double period_h = 24.0; period_h >= 1.0; period_h /= 1.3) {
    const double cycles = std::round(240.0 / period_h);
    double power = 0.0;
    for (std::size_t piece = 0; piece < v.size() / kPiece; ++piece) {
      double real = 0.0, imaginary = 0.0;
      for (std::size_t i = 0; i < kPiece; ++i) {
        const double turn = 2.0 * std::numbers::pi * static_cast<double>(i) / kPiece;
        const double windowed = v[piece * kPiece + i] * (0.5 - 0.5 * std::cos(turn));
        real += windowed * std::cos(cycles * turn);
        imaginary += windowed * std::sin(cycles * turn);
      }
      power += real * real + imaginary * imaginary;
    }
    log_frequency.push_back(std::log(cycles));
    log_power.push_back(std::log(power));
  }
  const double mf = average(log_frequency), mp = average(log_power);
  double product = 0.0, square = 0.0;
  for (std::size_t i = 0; i < log_power.size(); ++i) {
    product += (log_frequency[i] - mf) * (log_power[i] - mp);
    square += (log_frequency[i] - mf) * (log_frequency[i] - mf);
  }
  EXPECT_NEAR(product / square, -5.0 / 3.0, 0.25);
}

TEST(WindSpeed, IsHigherInWinterAndByNightAloft) {
  const Trace<Speed> v = generate_wind_speed({}, {kStart, kOneHour, 10 * kYearOfHours}, 8);
  double winter = 0.0, summer = 0.0, night = 0.0, noon = 0.0;
  for (std::size_t i = 0; i < v.size(); ++i) {
    const Instant::Calendar calendar = v.core().edge(i).calendar();
    const double speed = v[i].in(metre_per_second);
    if (calendar.month == 12 || calendar.month <= 2) winter += speed;
    if (calendar.month >= 6 && calendar.month <= 8) summer += speed;
    if (calendar.hour < 4.0) night += speed;
    if (calendar.hour >= 12.0 && calendar.hour < 16.0) noon += speed;
  }
  EXPECT_GT(winter, 1.05 * summer);
  EXPECT_GT(night, 1.03 * noon);
}

TEST(WindPower, DefaultCapacityFactorIsThatOfRealFarms) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    const WindOptions options;
    const Trace<Power> power = generate_wind(options, {kStart, kOneHour, kYearOfHours}, seed);
    const double factor = power.mean_over(power.begin(), power.end()) / options.capacity;
    EXPECT_GT(factor, 0.25) << seed;
    EXPECT_LT(factor, 0.45) << seed;
    for (std::size_t i = 0; i < power.size(); ++i) {
      ASSERT_GE(power[i].in(watt), 0.0);
      ASSERT_LE(power[i], options.capacity);
    }
  }
}

TEST(WindPower, CurveGrowsFromCutInToRated) {
  const WindOptions options;
  double last = -1.0;
  for (int i = 0; i <= 480; ++i) {
    const double share = wind_power_curve(options, 0.05 * i * metre_per_second);
    ASSERT_GE(share, last) << i;
    last = share;
  }
  EXPECT_EQ(wind_power_curve(options, 2.0 * metre_per_second), 0.0);
  EXPECT_GT(wind_power_curve(options, 4.0 * metre_per_second), 0.0);
  // Beyond rated only the cables and a rest of wake remain.
  EXPECT_NEAR(wind_power_curve(options, 24.0 * metre_per_second), 0.98, 0.02);
  WindOptions thin = options;
  thin.density = 1.0;
  EXPECT_LT(wind_power_curve(thin, 8.0 * metre_per_second),
            wind_power_curve(options, 8.0 * metre_per_second));
  WindOptions sharp = options;
  sharp.turbulence = sharp.wake_loss = sharp.electrical_loss = 0.0;
  // The cubic law itself, halfway in energy flux between 3 and 12 m/s.
  const double half = std::cbrt(0.5 * (27.0 + 1728.0));
  EXPECT_NEAR(wind_power_curve(sharp, half * metre_per_second), 0.5, 1e-3);
}

// A farm of one group that never fails in a stormy place: its power must follow the speed through
// the two thresholds.
TEST(WindPower, StopsAtCutOutAndWaitsForRestart) {
  WindOptions options;
  options.groups = 1.0;
  options.spread = 0.0;
  options.mean_up = 1e6 * hour;
  options.mean_down = 0.1 * hour;
  options.weibull_scale = 18.0 * metre_per_second;
  const TimeGrid grid{kStart, kFiveMinutes, 100'000};
  const Trace<Speed> speed = generate_wind_speed(options, grid, 3);
  const Trace<Power> power = generate_wind(options, grid, 3);
  bool stopped = false;
  int stops = 0, waits = 0;
  for (std::size_t i = 0; i < speed.size(); ++i) {
    if (!stopped && speed[i] > options.cut_out) {
      stopped = true;
      ++stops;
    } else if (stopped && speed[i] < options.restart) {
      stopped = false;
    }
    if (stopped) {
      ASSERT_EQ(power[i].in(watt), 0.0) << i;
      if (speed[i] < options.cut_out) ++waits;
    } else if (speed[i] > options.rated + 5.0 * metre_per_second) {
      ASSERT_GT(power[i], 0.9 * options.capacity) << i;
    }
  }
  EXPECT_GT(stops, 20);
  EXPECT_GT(waits, 200);
}

TEST(WindPower, FailuresCostTheirShareOfTime) {
  WindOptions sound, frail;
  sound.mean_up = 1e6 * hour;
  sound.mean_down = 0.1 * hour;
  frail.mean_up = 300.0 * hour;
  frail.mean_down = 100.0 * hour;
  const TimeGrid grid{kStart, kOneHour, 6 * kYearOfHours};
  const Trace<Power> all = generate_wind(sound, grid, 4), some = generate_wind(frail, grid, 4);
  const double ratio =
      some.mean_over(some.begin(), some.end()) / all.mean_over(all.begin(), all.end());
  EXPECT_NEAR(ratio, 0.75, 0.03);
}

RC_GTEST_PROP(WindProperty, LongerGridsOnlyAppendAndHoursAreMeansOfMinutes, ()) {
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  const auto hours = *rc::gen::inRange<std::size_t>(1, 200);
  const Instant start = kStart + Duration::seconds(*rc::gen::inRange(-100'000'000, 100'000'000));
  const TraceCore fine = generate_wind({}, {start, kFiveMinutes, 12 * hours}, seed).core();
  const TraceCore longer = generate_wind({}, {start, kFiveMinutes, 12 * hours + 77}, seed).core();
  for (std::size_t i = 0; i < fine.size(); ++i) RC_ASSERT(fine.mean()[i] == longer.mean()[i]);
  const TraceCore coarse = generate_wind({}, {start, kOneHour, hours}, seed).core();
  const TraceCore merged = fine.resampled(start, kOneHour, hours);
  RC_ASSERT(values(coarse) == values(merged));
}

TEST(WindPower, SeedsAreDifferentWeather) {
  const TimeGrid grid{kStart, kOneHour, 100};
  EXPECT_EQ(values(generate_wind({}, grid, 1).core()), values(generate_wind({}, grid, 1).core()));
  EXPECT_NE(values(generate_wind({}, grid, 1).core()), values(generate_wind({}, grid, 2).core()));
}

// The forecaster against weather it was not tuned on: 90 % intervals (1.645 sd) hold 90 +- 5 % over
// the horizon, between 78 and 97 % at each lead, and skill exceeds both plain forecasts.
TEST(WindPower, ForecastIntervalsHold) {
  const WindOptions options;
  const TraceCore truth = generate_wind(options, {kStart, kFiveMinutes, 288 * 365}, 11).core();
  const TraceCore hourly = truth.resampled(kStart, kOneHour, 8760);
  Forecaster::Options forecast_options;
  forecast_options.high = options.capacity.in(watt);
  Forecaster forecaster(forecast_options, std::nullopt, std::nullopt);
  std::vector<double> inside(48), error(48), persistence(48), climatology(48);
  double count = 0.0, past = 0.0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const double x = truth.mean()[i];
    forecaster.observe(truth.edge(i), kFiveMinutes, x);
    past += x;
    const std::size_t h = (i + 1) / 12;
    if ((i + 1) % 12 != 0 || h < 336 || h + 48 > hourly.size()) continue;
    const ForecastView view = forecaster.forecast(truth.edge(i + 1));
    const double mean_of_past = past / static_cast<double>(i + 1);
    for (std::size_t k = 0; k < 48; ++k) {
      const double y = hourly.mean()[h + k];
      inside[k] += std::abs(y - view.mean[k]) <= 1.645 * view.sd[k] ? 1.0 : 0.0;
      error[k] += (y - view.mean[k]) * (y - view.mean[k]);
      persistence[k] += (y - x) * (y - x);
      climatology[k] += (y - mean_of_past) * (y - mean_of_past);
    }
    count += 1.0;
  }
  double total = 0.0;
  for (std::size_t k = 0; k < 48; ++k) {
    total += inside[k] / count / 48.0;
    EXPECT_GT(inside[k] / count, 0.78) << k;
    EXPECT_LT(inside[k] / count, 0.97) << k;
    if (k >= 6) {
      EXPECT_LT(error[k], persistence[k]) << k;
    }
    if (k <= 24) {
      EXPECT_LT(error[k], climatology[k]) << k;
    }
  }
  EXPECT_NEAR(total, 0.90, 0.05);
}

}  // namespace
}  // namespace carnot::inline trace
