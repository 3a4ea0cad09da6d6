// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The random core of the generators: a stationary Gaussian process of unit variance as a sum of
/// Ornstein-Uhlenbeck processes, stepped exactly; and the calendar phases that shape it.

#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <string_view>
#include <vector>

#include "carnot/base/random.hpp"
#include "carnot/trace/weather/generate.hpp"

namespace carnot::inline trace::weather {

inline constexpr double kTau = 2.0 * std::numbers::pi;

/// Time constants slowest, slowest / 4, ... (five of them), variances ~ T^(2/3), summing to one.
/// Stepping is exact for any step: x' = r x + sqrt(1 - r^2) w z with r = exp(-step / T).
class GaussianMix {
 public:
  GaussianMix(RandomStream random, double slowest_s, double step_s) {
    constexpr int kParts = 5;
    double total = 0.0;
    double time_constant = slowest_s;
    for (int i = 0; i < kParts; ++i, time_constant /= 4.0)
      total += std::cbrt(time_constant * time_constant);
    time_constant = slowest_s;
    for (int i = 0; i < kParts; ++i, time_constant /= 4.0) {
      const double sd = std::sqrt(std::cbrt(time_constant * time_constant) / total);
      const double keep = std::exp(-step_s / time_constant);
      const RandomStream own = random.child(static_cast<std::uint64_t>(i));
      parts_.push_back({own, keep, sd * std::sqrt(1.0 - keep * keep), sd * own.normal(0)});
    }
  }

  /// The value now; steps on. The k-th call is a function of the stream and k alone.
  double next() noexcept {
    ++index_;
    double sum = 0.0;
    for (Part& part : parts_) {
      sum += part.state;
      part.state = part.keep * part.state + part.kick * part.random.normal(index_);
    }
    return sum;
  }

 private:
  struct Part {
    RandomStream random;
    double keep, kick, state;
  };
  std::vector<Part> parts_;
  std::uint64_t index_ = 0;
};

/// One Ornstein-Uhlenbeck process of unit variance.
class GaussianProcess {
 public:
  GaussianProcess(RandomStream random, double time_constant_s, double step_s)
      : random_(random),
        keep_(std::exp(-step_s / time_constant_s)),
        kick_(std::sqrt(1.0 - keep_ * keep_)),
        state_(random.normal(0)) {}
  double next() noexcept {
    const double now = state_;
    state_ = keep_ * state_ + kick_ * random_.normal(++index_);
    return now;
  }

 private:
  RandomStream random_;
  double keep_, kick_, state_;
  std::uint64_t index_ = 0;
};

/// Native steps from a grid's start, with the calendar's phases at the middle of each.
class Clock {
 public:
  Clock(Instant start, Duration step)
      : middle_(start + Duration::nanoseconds(step.nanoseconds() / 2)), step_(step) {
    const Instant::Calendar calendar = middle_.calendar();
    day_of_year_ = calendar.day_of_year + calendar.hour / 24.0;
    hour_ = calendar.hour;
    // 1970-01-01 was a Thursday; 0 is Monday.
    const double days = std::floor(static_cast<double>(middle_.unix_nanoseconds()) / 86400e9);
    weekday_ = std::fmod(std::fmod(days + 3.0, 7.0) + 7.0, 7.0);
    step_hours_ = static_cast<double>(step.nanoseconds()) / 3600e9;
  }
  void advance() noexcept {
    ++count_;
    middle_ = middle_ + step_;
  }
  Instant middle() const noexcept { return middle_; }
  /// Days since new year of the first year, running on over later years (a phase).
  double day() const noexcept { return day_of_year_ + elapsed() / 24.0; }
  /// Local solar hour in [0, 24), four minutes a degree of longitude.
  double solar_hour(double longitude) const noexcept {
    return wrap(hour_ + elapsed() + longitude / 15.0, 24.0);
  }
  /// Local day of the week, 0 Monday.
  int weekday(double longitude) const noexcept {
    return static_cast<int>(
        wrap(weekday_ + std::floor((hour_ + elapsed() + longitude / 15.0) / 24.0), 7.0));
  }

 private:
  double elapsed() const noexcept { return static_cast<double>(count_) * step_hours_; }
  static double wrap(double value, double period) noexcept {
    const double rest = value - period * std::floor(value / period);
    return rest < period ? rest : 0.0;
  }
  Instant middle_;
  Duration step_;
  double day_of_year_ = 0.0, hour_ = 0.0, weekday_ = 0.0, step_hours_ = 0.0;
  std::int64_t count_ = 0;
};

/// cos(2 pi (at - peak) / period).
inline double wave(double at, double peak, double period) noexcept {
  return std::cos(kTau * (at - peak) / period);
}

/// Rounded to a multiple of scale / 2^24, so that a last-bit difference between two processors'
/// elementary functions does not show.
inline double coarse(double value, double scale) noexcept {
  const double unit = scale * 0x1p-24;
  return std::nearbyint(value / unit) * unit;
}

/// How many native steps cover the grid. \throws InputError where the grid is not one
std::size_t native_steps(const TimeGrid& grid, Duration native);

/// The native means on the grid.
TraceCore on_grid(const TimeGrid& grid, Duration native, std::vector<double> mean);

inline constexpr Duration kNative = Duration::seconds(300);
inline constexpr Duration kMarketNative = Duration::seconds(3600);

// Bounds of every field of a struct. \throws InputError naming the field
void check(const WindOptions& options);
void check(const SolarOptions& options);
void check(const TemperatureOptions& options);
void check(const PriceOptions& options);
void check(const CarbonOptions& options);

}  // namespace carnot::inline trace::weather
