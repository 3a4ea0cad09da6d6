// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/statistics.hpp"
#include "carnot/trace/weather/generate.hpp"

#include "trace/weather/process.hpp"

namespace carnot::inline trace {

namespace weather {

std::size_t native_steps(const TimeGrid& grid, Duration native) {
  if (!(grid.step > Duration{})) throw InputError(describe({}, "grid.step", "above 0 s"));
  if (grid.size < 1) throw InputError(describe({}, "grid.size", "1 or more"));
  constexpr double kCentury = 100.0 * 366.0 * 86400.0;
  const double length = static_cast<double>(grid.size) * grid.step.time().in(second);
  if (length > kCentury) throw InputError(describe({}, "grid", "a century at most"));
  const std::int64_t span = grid.step.nanoseconds() * static_cast<std::int64_t>(grid.size);
  const std::int64_t unit = native.nanoseconds();
  return static_cast<std::size_t>((span + unit - 1) / unit);
}

TraceCore on_grid(const TimeGrid& grid, Duration native, std::vector<double> mean) {
  TraceCore core(grid.start, native, std::move(mean));
  if (grid.step == native) return core;
  return core.resampled(grid.start, grid.step, grid.size);
}

}  // namespace weather

namespace {

using weather::Clock;
using weather::GaussianMix;
using weather::GaussianProcess;
using weather::kNative;

constexpr double kStandardDensity = 1.225;  // kg/m3, of the power curve

// The hub-height speed, native step by native step.
class SpeedProcess {
 public:
  SpeedProcess(const WindOptions& options, const TimeGrid& grid, std::uint64_t seed)
      : options_(options),
        clock_(grid.start, kNative),
        mix_(RandomStream(seed, "wind.speed"), options.slowest.in(second),
             kNative.time().in(second)),
        // A wave of amplitude a has variance a^2 / 2; the sum has unit variance.
        share_(std::sqrt(1.0 - 0.5 * (options.seasonal * options.seasonal +
                                      options.diurnal * options.diurnal))) {}

  double next() {
    const double y =
        share_ * mix_.next() +
        options_.seasonal * weather::wave(clock_.day(), options_.windiest_day, 365.25) +
        options_.diurnal *
            weather::wave(clock_.solar_hour(options_.longitude), options_.windiest_hour, 24.0);
    clock_.advance();
    // -ln(1 - F(y)) = -ln F(-y), without the loss of 1 - F far out.
    const double exceedance = std::max(normal_cdf(-y), 1e-300);
    return options_.weibull_scale.in(metre_per_second)*std::pow(-std::log(exceedance),
                                                                1.0 / options_.weibull_shape);
  }

 private:
  const WindOptions& options_;
  Clock clock_;
  GaussianMix mix_;
  double share_;
};

// Thrust coefficient over its value at low speed: constant below 8 m/s, then as 1 / v^2.
double thrust_share(double v) noexcept { return v <= 8.0 ? 1.0 : 64.0 / (v * v); }

// A group's power over its rating, tabulated: cubic law, blurred by turbulence, wakes, cables.
class PowerCurve {
 public:
  explicit PowerCurve(const WindOptions& options) : options_(options) {
    double largest = 0.0;
    for (std::size_t i = 0; i < table_.size(); ++i) {
      const double v = static_cast<double>(i) * kCell;
      // Both factors grow with v; the running maximum removes quadrature noise.
      largest = std::max(largest, blurred(v) * (1.0 - options.wake_loss * thrust_share(v)) *
                                      (1.0 - options.electrical_loss));
      table_[i] = largest;
    }
  }

  double operator()(double v) const noexcept {
    const double position = std::min(std::max(v, 0.0) / kCell, kCells - 1.0);
    const auto i = std::min(static_cast<std::size_t>(position), table_.size() - 2);
    return table_[i] + (position - static_cast<double>(i)) * (table_[i + 1] - table_[i]);
  }

 private:
  static constexpr double kCell = 0.1;  // m/s
  static constexpr double kCells = 801.0;

  double plain(double v) const noexcept {
    const double low = options_.cut_in.in(metre_per_second);
    const double high = options_.rated.in(metre_per_second);
    if (v <= low) return 0.0;
    if (v >= high) return 1.0;
    return (v * v * v - low * low * low) / (high * high * high - low * low * low);
  }

  // Mean of the plain curve over a normal distribution of speeds around v, 3 sd either way.
  double blurred(double v) const noexcept {
    const double effective = v * std::cbrt(options_.density / kStandardDensity);
    const double sd = options_.turbulence * effective;
    constexpr int kHalf = 30;
    double sum = 0.0, weight = 0.0;
    for (int i = -kHalf; i <= kHalf; ++i) {
      const double z = 3.0 * i / kHalf;
      const double w = std::exp(-0.5 * z * z);
      sum += w * plain(effective + sd * z);
      weight += w;
    }
    return sum / weight;
  }

  const WindOptions& options_;
  std::array<double, static_cast<std::size_t>(kCells)> table_{};
};

// A group's comings and goings: alternating exponential times, starting in the steady state.
class Outages {
 public:
  Outages(RandomStream random, Time mean_up, Time mean_down)
      : random_(random), up_s_(mean_up.in(second)), down_s_(mean_down.in(second)) {
    up_ = random_.uniform(0) * (up_s_ + down_s_) < up_s_;
    left_ = draw();
  }
  /// Share of the next `step_s` seconds spent up.
  double up_share(double step_s) {
    double up = 0.0;
    double rest = step_s;
    while (left_ < rest) {
      if (up_) up += left_;
      rest -= left_;
      up_ = !up_;
      left_ = draw();
    }
    left_ -= rest;
    if (up_) up += rest;
    return up / step_s;
  }

 private:
  double draw() {
    ++index_;
    return -std::log(1.0 - random_.uniform(index_)) * (up_ ? up_s_ : down_s_);
  }
  RandomStream random_;
  double up_s_, down_s_;
  std::uint64_t index_ = 0;
  bool up_ = true;
  double left_ = 0.0;
};

struct Group {
  GaussianProcess difference;
  Outages outages;
  bool stopped = false;
};

}  // namespace

double wind_power_curve(const WindOptions& options, Speed speed) {
  weather::check(options);
  if (!is_finite(speed)) throw InputError(describe({}, "speed", "a finite number"));
  return PowerCurve(options)(speed.in(metre_per_second));
}

Trace<Speed> generate_wind_speed(const WindOptions& options, const TimeGrid& grid,
                                 std::uint64_t seed) {
  weather::check(options);
  std::vector<double> mean(weather::native_steps(grid, kNative));
  SpeedProcess speed(options, grid, seed);
  const double scale = options.weibull_scale.in(metre_per_second);
  for (double& v : mean) v = weather::coarse(speed.next(), scale);
  return Trace<Speed>(weather::on_grid(grid, kNative, std::move(mean)));
}

Trace<Power> generate_wind(const WindOptions& options, const TimeGrid& grid, std::uint64_t seed) {
  weather::check(options);
  std::vector<double> mean(weather::native_steps(grid, kNative));
  SpeedProcess speed(options, grid, seed);
  const PowerCurve curve(options);
  const double step_s = kNative.time().in(second);
  const RandomStream group_random(seed, "wind.group");
  const RandomStream outage_random(seed, "wind.outage");
  std::vector<Group> groups;
  for (std::uint64_t g = 0; g < static_cast<std::uint64_t>(options.groups); ++g) {
    groups.push_back(
        {GaussianProcess(group_random.child(g), options.spread_time.in(second), step_s),
         Outages(outage_random.child(g), options.mean_up, options.mean_down)});
  }
  const double cut_out = options.cut_out.in(metre_per_second);
  const double restart = options.restart.in(metre_per_second);
  const double capacity = options.capacity.in(watt);
  for (double& power : mean) {
    const double v = speed.next();
    double share = 0.0;
    for (Group& group : groups) {
      const double own = std::max(0.0, v * (1.0 + options.spread * group.difference.next()));
      // Hysteresis: a stopped group waits for calmer air than the one that stopped it.
      if (own > cut_out) {
        group.stopped = true;
      } else if (own < restart) {
        group.stopped = false;
      }
      const double up = group.outages.up_share(step_s);
      if (!group.stopped) share += up * curve(own);
    }
    power = weather::coarse(capacity * share / options.groups, capacity);
  }
  return Trace<Power>(weather::on_grid(grid, kNative, std::move(mean)));
}

}  // namespace carnot::inline trace
