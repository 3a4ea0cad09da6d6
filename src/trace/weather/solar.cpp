// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "carnot/base/statistics.hpp"
#include "carnot/trace/weather/generate.hpp"

#include "trace/weather/process.hpp"

namespace carnot::inline trace {

namespace {

using weather::kNative;
using weather::kTau;

constexpr double kDegree = kTau / 360.0;
constexpr double kSolarConstant = 1361.0;       // W/m2, Kopp & Lean 2011
constexpr double kStandardIrradiance = 1000.0;  // W/m2, of module ratings
constexpr double kStandardCell = 25.0;          // degrees Celsius, of module ratings

double wrapped(double degrees) noexcept {
  const double rest = degrees - 360.0 * std::floor(degrees / 360.0);
  return rest < 360.0 ? rest : 0.0;
}

// Share of diffuse light in the global, from the clearness index (Erbs, Klein & Duffie, Solar
// Energy 28 (1982) 293-302).
double diffuse_share(double clearness) noexcept {
  const double k = clearness;
  if (k <= 0.22) return 1.0 - 0.09 * k;
  if (k <= 0.8) {
    return 0.9511 + k * (-0.1604 + k * (4.388 + k * (-16.638 + k * 12.336)));
  }
  return 0.165;
}

}  // namespace

SunPosition sun_position(Instant at, double latitude, double longitude) noexcept {
  // Days since 2000-01-01 12:00 UTC.
  const double days =
      static_cast<double>(at.unix_nanoseconds() - 946'728'000'000'000'000) / 86400e9;
  const double mean_longitude = wrapped(280.460 + 0.9856474 * days);
  const double anomaly = kDegree * wrapped(357.528 + 0.9856003 * days);
  const double ecliptic =
      kDegree * (mean_longitude + 1.915 * std::sin(anomaly) + 0.020 * std::sin(2.0 * anomaly));
  const double obliquity = kDegree * (23.439 - 4e-7 * days);
  const double right_ascension =
      std::atan2(std::cos(obliquity) * std::sin(ecliptic), std::cos(ecliptic));
  const double declination = std::asin(std::sin(obliquity) * std::sin(ecliptic));
  // Greenwich sidereal time in degrees turns once a sidereal day.
  const double sidereal = wrapped(280.46062 + 360.98564737 * days);
  const double hour_angle = kDegree * (sidereal + longitude) - right_ascension;
  const double phi = kDegree * latitude;
  const double sine = std::sin(phi) * std::sin(declination) +
                      std::cos(phi) * std::cos(declination) * std::cos(hour_angle);
  const double azimuth =
      std::atan2(-std::sin(hour_angle),
                 std::tan(declination) * std::cos(phi) - std::sin(phi) * std::cos(hour_angle));
  return {std::asin(std::clamp(sine, -1.0, 1.0)) / kDegree, wrapped(azimuth / kDegree)};
}

Trace<Power> generate_solar(const SolarOptions& options, const TimeGrid& grid, std::uint64_t seed) {
  weather::check(options);
  std::vector<double> mean(weather::native_steps(grid, kNative));
  weather::GaussianMix clouds(RandomStream(seed, "solar.cloud"), options.cloud_time.in(second),
                              kNative.time().in(second));
  // With N = F(m + s x) the mean of N is F(m / sqrt(1 + s^2)).
  const double spread = options.cloud_spread;
  const double middle = normal_quantile(options.cloud_cover) * std::sqrt(1.0 + spread * spread);
  const double cos_tilt = std::cos(kDegree * options.tilt);
  const double sin_tilt = std::sin(kDegree * options.tilt);
  const double air = to_celsius(options.air_temperature);
  const double noct_rise = (to_celsius(options.noct) - 20.0) / 800.0;
  const double capacity = options.capacity.in(watt);
  weather::Clock clock(grid.start, kNative);
  for (double& power : mean) {
    const double x = clouds.next();
    const Instant at = clock.middle();
    const double day_of_year = clock.day();
    clock.advance();
    const SunPosition sun = sun_position(at, options.latitude, options.longitude);
    power = 0.0;
    if (sun.elevation <= 0.0) continue;
    const double cos_zenith = std::sin(kDegree * sun.elevation);
    const double clear = 1098.0 * cos_zenith * std::exp(-0.057 / cos_zenith);
    const double cover = normal_cdf(middle + spread * x);
    const double global = clear * (1.0 - 0.75 * std::pow(cover, 3.4));
    const double outer =
        kSolarConstant * (1.0 + 0.033 * weather::wave(day_of_year, 2.0, 365.25)) * cos_zenith;
    const double diffuse = global * diffuse_share(std::min(1.0, global / outer));
    const double incidence =
        cos_zenith * cos_tilt + std::cos(kDegree * sun.elevation) * sin_tilt *
                                    std::cos(kDegree * (sun.azimuth - options.azimuth));
    // Near the horizon beam / cos z would blow up; 0.05 is 3 degrees of sun.
    const double beam_plane =
        (global - diffuse) * std::max(0.0, incidence) / std::max(cos_zenith, 0.05);
    const double plane = beam_plane + diffuse * 0.5 * (1.0 + cos_tilt) +
                         global * options.albedo * 0.5 * (1.0 - cos_tilt);
    const double cell = air + noct_rise * plane;
    const double dc = options.dc_ac_ratio * plane / kStandardIrradiance *
                      (1.0 + options.temperature_coefficient * (cell - kStandardCell)) *
                      (1.0 - options.system_loss);
    power = weather::coarse(capacity * std::clamp(dc * options.inverter_efficiency, 0.0, 1.0),
                            capacity);
  }
  return Trace<Power>(weather::on_grid(grid, kNative, std::move(mean)));
}

}  // namespace carnot::inline trace
