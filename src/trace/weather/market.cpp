// SPDX-License-Identifier: Apache-2.0
// Outside temperature, electricity price and carbon intensity.
#include <algorithm>
#include <cmath>

#include "carnot/trace/weather/generate.hpp"

#include "trace/weather/process.hpp"

namespace carnot::inline trace {

namespace {

using weather::Clock;
using weather::GaussianMix;
using weather::kMarketNative;
using weather::kNative;

// Demand over the day with zero mean: a night trough, a morning and a higher evening peak.
double day_shape(double solar_hour) noexcept {
  return -0.75 * weather::wave(solar_hour, 3.5, 24.0) + 0.45 * weather::wave(solar_hour, 7.5, 12.0);
}

// Zero-mean weekly shape: `depth` lower on two days of seven.
double week_shape(int weekday, double depth) noexcept {
  return weekday >= 5 ? -depth * 5.0 / 7.0 : depth * 2.0 / 7.0;
}

double demand_shape(const Clock& clock, double longitude, double diurnal, double weekend,
                    double seasonal) noexcept {
  return diurnal * day_shape(clock.solar_hour(longitude)) +
         week_shape(clock.weekday(longitude), weekend) +
         seasonal * weather::wave(clock.day(), 15.0, 365.25);
}

// The wind index on the native grid: what the caller gave, or the default farm of the same seed.
std::vector<double> wind_index(const TraceCore* wind, const TimeGrid& grid, std::size_t native,
                               std::uint64_t seed) {
  std::vector<double> index(native);
  if (!wind) {
    const WindOptions farm;
    const Trace<Power> power = generate_wind(farm, {grid.start, kMarketNative, native}, seed);
    for (std::size_t i = 0; i < native; ++i) index[i] = power[i] / farm.capacity;
    return index;
  }
  // The last native hour may reach past the grid; the wind asked for is the grid's.
  const Instant end = grid.start + grid.step * static_cast<std::int64_t>(grid.size);
  for (std::size_t i = 0; i < native; ++i) {
    const Instant from = grid.start + kMarketNative * static_cast<std::int64_t>(i);
    index[i] = wind->mean_over(from, std::min(from + kMarketNative, end));
  }
  return index;
}

// Long-run mean of the default farm's index, about which wind effects are centred: a constant, not
// the mean over the grid, so that a longer grid only appends.
constexpr double kMeanWind = 0.34;

}  // namespace

Trace<Temperature> generate_temperature(const TemperatureOptions& options, const TimeGrid& grid,
                                        std::uint64_t seed) {
  weather::check(options);
  std::vector<double> mean(weather::native_steps(grid, kNative));
  GaussianMix noise(RandomStream(seed, "temperature"), options.noise_time.in(second),
                    kNative.time().in(second));
  Clock clock(grid.start, kNative);
  for (double& kelvins : mean) {
    const double value = options.mean.in(kelvin)-options.seasonal *
                             weather::wave(clock.day(), options.coldest_day, 365.25) -
                         options.diurnal * weather::wave(clock.solar_hour(options.longitude),
                                                         options.coldest_hour, 24.0) +
                         options.noise * noise.next();
    // Bounds of the options keep this far above zero kelvin but for absurd corners.
    kelvins = weather::coarse(std::max(value, 1.0), 256.0);
    clock.advance();
  }
  return Trace<Temperature>(weather::on_grid(grid, kNative, std::move(mean)));
}

Trace<EnergyPrice> generate_price(const PriceOptions& options, const TimeGrid& grid,
                                  std::uint64_t seed, const TraceCore* wind) {
  weather::check(options);
  const std::size_t n = weather::native_steps(grid, kMarketNative);
  const std::vector<double> index = wind_index(wind, grid, n, seed);
  const double step_s = kMarketNative.time().in(second);
  GaussianMix noise(RandomStream(seed, "price.noise"), options.reversion.in(second), step_s);
  const RandomStream arrival(seed, "price.spike.arrival");
  const RandomStream height(seed, "price.spike.height");
  const double chance = options.spikes_per_year / 8766.0;
  const double fade = std::exp(-step_s / options.spike_time.in(second));
  // Euros per megawatt-hour throughout, so that rounding has a natural scale.
  const auto eur = [](EnergyPrice price) { return price.in(euro_per_megawatt_hour); };
  Clock clock(grid.start, kMarketNative);
  double spike = 0.0;
  std::vector<double> mean(n);
  for (std::size_t i = 0; i < n; ++i) {
    spike *= fade;
    if (arrival.uniform(i) < chance)
      spike -= eur(options.spike) * std::log(1.0 - height.uniform(i));
    const double shape =
        demand_shape(clock, options.longitude, options.diurnal, options.weekend, options.seasonal);
    clock.advance();
    const double price = eur(options.mean) * (1.0 + shape) +
                         eur(options.wind_effect) * (index[i] - kMeanWind) +
                         eur(options.volatility) * noise.next() + spike;
    mean[i] = weather::coarse(std::clamp(price, eur(options.floor), eur(options.cap)), 4096.0) *
              euro_per_megawatt_hour.base();
  }
  return Trace<EnergyPrice>(weather::on_grid(grid, kMarketNative, std::move(mean)));
}

Trace<CarbonIntensity> generate_carbon(const CarbonOptions& options, const TimeGrid& grid,
                                       std::uint64_t seed, const TraceCore* wind) {
  weather::check(options);
  const std::size_t n = weather::native_steps(grid, kMarketNative);
  const std::vector<double> index = wind_index(wind, grid, n, seed);
  GaussianMix noise(RandomStream(seed, "carbon"), options.noise_time.in(second),
                    kMarketNative.time().in(second));
  const auto grams = [](CarbonIntensity value) { return value.in(gram_per_kilowatt_hour); };
  Clock clock(grid.start, kMarketNative);
  std::vector<double> mean(n);
  for (std::size_t i = 0; i < n; ++i) {
    const double shape =
        demand_shape(clock, options.longitude, options.diurnal, options.weekend, options.seasonal);
    clock.advance();
    const double value = grams(options.mean) * (1.0 + shape) +
                         grams(options.wind_effect) * (index[i] - kMeanWind) +
                         grams(options.noise) * noise.next();
    mean[i] = weather::coarse(std::max(value, grams(options.floor)), 1024.0) *
              gram_per_kilowatt_hour.base();
  }
  return Trace<CarbonIntensity>(weather::on_grid(grid, kMarketNative, std::move(mean)));
}

}  // namespace carnot::inline trace
