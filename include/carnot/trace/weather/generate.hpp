// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Weather and markets out of a seed: wind power, solar power, outside temperature, electricity
/// price and carbon intensity, for when no file is at hand. docs/weather.md holds the equations,
/// the sources of every default and what is not modelled.
///
/// Each generator is a function of (options, grid, seed) alone. Randomness is counter-based, so the
/// same call gives the same bytes for any thread count, and a longer grid from the same start only
/// appends. Weather is made in native steps of five minutes (markets: one hour) counted from the
/// grid's start and then resampled conservatively, so an hourly trace is the exact mean of the
/// five-minute one. Powers are rounded to 2^-24 of capacity (other signals likewise), which hides
/// the last-bit differences between processors' elementary functions.
///
/// The random core of all is a Gaussian process x(t) of unit variance, a sum of Ornstein-Uhlenbeck
/// processes with time constants T_i and variances w_i; its spectrum and autocorrelation are
///
///     S(f) = sum_i w_i 4 T_i / (1 + (2 pi f T_i)^2),     r(h) = sum_i w_i exp(-h / T_i)
///
/// and w_i ~ T_i^(2/3) with T_i spaced by factors of four makes S fall as f^(-5/3), the mesoscale
/// law between a day and an hour (Nastrom & Gage, J. Atmos. Sci. 42 (1985) 950-960).
///
/// Options are plain structs in typed units with a field table behind them: `option_table` serves
/// text ("9 m/s"), `set_parameters` serves base-unit numbers; both check the same bounds, and the
/// generators check them again. Pure functions; thread-safe.

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "carnot/base/error.hpp"
#include "carnot/base/instant.hpp"
#include "carnot/base/option.hpp"
#include "carnot/base/quantity.hpp"
#include "carnot/trace/trace.hpp"

namespace carnot::inline trace {

/// The intervals to fill: `size` equal steps from `start`. A century at most.
struct TimeGrid {
  Instant start;
  Duration step = Duration::seconds(300);
  std::size_t size = 0;
};

/// A wind farm. Hub-height speed v has a Weibull(k, c) distribution through the copula
///
///     v = c (-ln(1 - F(y)))^(1/k),   y = q x + a cos(2 pi (day - d) / 365.25) + b cos(2 pi (h - g)
///     / 24)
///
/// with F the normal distribution function and q such that y has unit variance. Each of `groups`
/// turbine groups sees v (1 + e(t)), e an Ornstein-Uhlenbeck process of its own; its power is
///
///     P(v) = capacity / groups * C(v (density / 1.225)^(1/3)) (1 - wake(v)) (1 - electrical_loss)
///
/// where C is the cubic law between cut-in and rated speed blurred by turbulence. A group stops
/// above `cut_out`, starts again below `restart`, and fails and is mended as a two-state Markov
/// chain.
struct WindOptions {
  Power capacity = 100.0 * megawatt;             ///< rated power of the whole farm
  double weibull_shape = 2.1;                    ///< k
  Speed weibull_scale = 9.0 * metre_per_second;  ///< c, at hub height
  double seasonal = 0.25;                        ///< a, in standard deviations of x
  double windiest_day = 15.0;                    ///< d, day of the year
  double diurnal = 0.12;                         ///< b, in standard deviations of x
  double windiest_hour = 2.0;                    ///< g, local solar hour at hub height
  double longitude = 0.0;                        ///< degrees east, for the solar hour
  Time slowest = 72.0 * hour;                    ///< largest time constant T of x
  Speed cut_in = 3.0 * metre_per_second;         ///< turbine starts
  Speed rated = 12.0 * metre_per_second;         ///< full power from here
  Speed cut_out = 25.0 * metre_per_second;       ///< turbine stops
  Speed restart = 22.0 * metre_per_second;       ///< starts again below, after a stop
  double density = 1.225;                        ///< of air at hub height, kg/m3
  double turbulence = 0.08;                      ///< blur of C: standard deviation / v
  double spread = 0.06;                          ///< standard deviation of e
  Time spread_time = 0.5 * hour;                 ///< time constant of e
  double groups = 6.0;                           ///< turbine groups, a whole number
  double wake_loss = 0.10;                       ///< of power at low speed; falls with thrust
  double electrical_loss = 0.02;                 ///< cables and transformers
  Time mean_up = 1200.0 * hour;                  ///< of a group, between failures
  Time mean_down = 36.0 * hour;                  ///< of a group, until mended
};

/// A photovoltaic plant on a fixed tilt. Sun position (Michalsky 1988), clear-sky irradiance
/// 1098 cos z exp(-0.057 / cos z) W/m2 (Haurwitz 1945), cloud cover N = F(m + s x), clear-sky index
/// 1 - 0.75 N^3.4 (Kasten & Czeplak 1980), beam and diffuse split (Erbs et al. 1982), isotropic sky
/// on the tilted plane, cell temperature by NOCT, clipping at the inverter.
struct SolarOptions {
  Power capacity = 100.0 * megawatt;         ///< inverter (AC) rating
  double dc_ac_ratio = 1.35;                 ///< module rating over inverter rating
  double latitude = 40.0;                    ///< degrees north
  double longitude = 0.0;                    ///< degrees east
  double tilt = 30.0;                        ///< degrees from horizontal
  double azimuth = 180.0;                    ///< degrees clockwise from north; 180 faces south
  double cloud_cover = 0.5;                  ///< mean of N
  double cloud_spread = 1.5;                 ///< s; above 1 days are either clear or grey
  Time cloud_time = 16.0 * hour;             ///< largest time constant of the cloud process
  double albedo = 0.2;                       ///< of the ground
  double temperature_coefficient = -0.0037;  ///< of power, per kelvin of cell temperature
  Temperature noct = from_celsius(45.0);     ///< nominal operating cell temperature
  Temperature air_temperature = from_celsius(12.0);  ///< yearly mean, daytime
  double system_loss = 0.14;                         ///< soiling, wiring, mismatch, availability
  double inverter_efficiency = 0.96;                 ///< AC over DC
};

/// Outside air: T = mean - A cos(2 pi (day - d) / 365.25) - B cos(2 pi (h - g) / 24) + noise x.
struct TemperatureOptions {
  Temperature mean = from_celsius(11.0);  ///< of the year
  double seasonal = 8.5;                  ///< A, kelvin
  double coldest_day = 19.0;              ///< d, day of the year (200 south of the equator)
  double diurnal = 3.5;                   ///< B, kelvin
  double coldest_hour = 4.0;              ///< g, local solar hour
  double longitude = 0.0;                 ///< degrees east
  double noise = 3.2;                     ///< standard deviation, kelvin
  Time noise_time = 60.0 * hour;          ///< largest time constant of x
};

/// A day-ahead price: mean (1 + shape of day, week and season) + wind_effect (w - mean w)
/// + volatility x + spikes; w is the region's wind power over capacity. May be negative.
struct PriceOptions {
  EnergyPrice mean = 75.0 * euro_per_megawatt_hour;  ///< of the year, about
  double diurnal = 0.22;                             ///< morning and evening peaks over mean
  double weekend = 0.15;                             ///< discount on Saturday and Sunday
  double seasonal = 0.10;                            ///< winter over mean
  double longitude = 0.0;                            ///< degrees east, for the local hour
  EnergyPrice wind_effect = -70.0 * euro_per_megawatt_hour;  ///< from no wind to full wind
  EnergyPrice volatility = 14.0 * euro_per_megawatt_hour;    ///< standard deviation of x
  Time reversion = 30.0 * hour;                              ///< largest time constant of x
  double spikes_per_year = 25.0;                             ///< scarcity events
  EnergyPrice spike = 120.0 * euro_per_megawatt_hour;        ///< mean height of one
  Time spike_time = 3.0 * hour;                              ///< its decay
  EnergyPrice floor = -500.0 * euro_per_megawatt_hour;       ///< of the market
  EnergyPrice cap = 4000.0 * euro_per_megawatt_hour;         ///< of the market
};

/// Average carbon intensity of a region: mean (1 + demand shape) + wind_effect (w - mean w)
/// + noise x, not below `floor`.
struct CarbonOptions {
  CarbonIntensity mean = 300.0 * gram_per_kilowatt_hour;          ///< of the year, about
  double diurnal = 0.10;                                          ///< demand peaks over mean
  double weekend = 0.06;                                          ///< reduction
  double seasonal = 0.08;                                         ///< winter over mean
  double longitude = 0.0;                                         ///< degrees east
  CarbonIntensity wind_effect = -260.0 * gram_per_kilowatt_hour;  ///< from no wind to full wind
  CarbonIntensity noise = 25.0 * gram_per_kilowatt_hour;          ///< standard deviation of x
  Time noise_time = 24.0 * hour;                                  ///< largest time constant of x
  CarbonIntensity floor = 15.0 * gram_per_kilowatt_hour;  ///< life-cycle rest of a clean mix
};

/// \throws InputError naming the option and what is allowed, or unless grid.step > 0, size >= 1
Trace<Power> generate_wind(const WindOptions& options, const TimeGrid& grid, std::uint64_t seed);
/// The undisturbed hub-height speed behind `generate_wind`. \throws as above
Trace<Speed> generate_wind_speed(const WindOptions& options, const TimeGrid& grid,
                                 std::uint64_t seed);
Trace<Power> generate_solar(const SolarOptions& options, const TimeGrid& grid, std::uint64_t seed);
Trace<Temperature> generate_temperature(const TemperatureOptions& options, const TimeGrid& grid,
                                        std::uint64_t seed);
/// \param wind  the region's wind power over its capacity, covering the grid; none: the default
///              farm with the same seed, so that price, carbon and wind of one seed belong together
Trace<EnergyPrice> generate_price(const PriceOptions& options, const TimeGrid& grid,
                                  std::uint64_t seed, const TraceCore* wind = nullptr);
Trace<CarbonIntensity> generate_carbon(const CarbonOptions& options, const TimeGrid& grid,
                                       std::uint64_t seed, const TraceCore* wind = nullptr);

/// Share of rated power of a group at steady speed v, losses and wakes included, failures and
/// cut-out not: non-decreasing in v.
double wind_power_curve(const WindOptions& options, Speed speed);

/// Where the sun stands, without refraction; within 0.05 degrees for 1950 to 2050.
struct SunPosition {
  double elevation = 0.0;  ///< degrees above the horizon
  double azimuth = 0.0;    ///< degrees clockwise from north, [0, 360)
};
/// Astronomical Almanac's low-precision formulae (Michalsky, Solar Energy 40 (1988) 227-235).
SunPosition sun_position(Instant at, double latitude, double longitude) noexcept;

/// The field tables: text with units in, checked. The options must outlive the table.
OptionTable option_table(WindOptions* options);
OptionTable option_table(SolarOptions* options);
OptionTable option_table(TemperatureOptions* options);
OptionTable option_table(PriceOptions* options);
OptionTable option_table(CarbonOptions* options);

/// Sets fields by name to numbers in coherent base units (metre, second, watt, kelvin, EUR/J, g/J;
/// plain numbers as they are). Unknown names and values out of bounds go to `problems`.
using Parameters = std::map<std::string, double>;
void set_parameters(const Parameters& parameters, const Place& place, Problems& problems,
                    WindOptions* options);
void set_parameters(const Parameters& parameters, const Place& place, Problems& problems,
                    SolarOptions* options);
void set_parameters(const Parameters& parameters, const Place& place, Problems& problems,
                    TemperatureOptions* options);
void set_parameters(const Parameters& parameters, const Place& place, Problems& problems,
                    PriceOptions* options);
void set_parameters(const Parameters& parameters, const Place& place, Problems& problems,
                    CarbonOptions* options);

}  // namespace carnot::inline trace
