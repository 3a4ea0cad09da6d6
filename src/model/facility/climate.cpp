// SPDX-License-Identifier: Apache-2.0
#include "carnot/model/facility/climate.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/trace/weather/generate.hpp"

namespace carnot::model {

namespace {

struct Kind {
  const char* name;
  double mean, seasonal, diurnal, noise;  // degC, kelvin
  double depression;                      // of the dew point below the day's coldest hour, kelvin
};

// Assumptions, of the size of Lulea, Frankfurt, Rome, Phoenix, Singapore.
constexpr std::array<Kind, 5> kKinds = {{{"subarctic", 3, 13, 3, 4, 2},
                                         {"temperate", 11, 8.5, 3.5, 3.2, 1},
                                         {"mediterranean", 16.5, 8.5, 4.5, 2.5, 1},
                                         {"desert", 24, 10, 7, 2.5, 12},
                                         {"tropical", 28, 0.8, 3, 0.8, 0.5}}};

Duration one_hour() { return Duration::seconds(3600); }

}  // namespace

std::vector<std::string> climate_names() {
  std::vector<std::string> out;
  for (const Kind& k : kKinds) out.emplace_back(k.name);
  return out;
}

Climate named_climate(std::string_view name, std::uint64_t seed) {
  const auto kind =
      std::find_if(kKinds.begin(), kKinds.end(), [&](const Kind& k) { return name == k.name; });
  if (kind == kKinds.end()) {
    const std::string near = nearest(name, climate_names());
    throw InputError(
        fmt::format("climate: subarctic, temperate, mediterranean, desert or tropical{}",
                    near.empty() ? "" : "; did you mean `" + near + "`?"));
  }
  TemperatureOptions options;
  options.mean = from_celsius(kind->mean);
  options.seasonal = kind->seasonal;
  options.diurnal = kind->diurnal;
  options.noise = kind->noise;
  TimeGrid grid;
  grid.start = Instant::parse("2023-01-01T00:00:00Z");
  grid.step = one_hour();
  grid.size = 8760;
  const Trace<Temperature> dry = generate_temperature(options, grid, seed);
  Climate out;
  out.name = kind->name;
  out.source = "assumed, out of seed " + std::to_string(seed);
  out.hours.resize(dry.size());
  for (std::size_t day = 0; day < dry.size() / 24; ++day) {
    Temperature coldest = dry[24 * day];
    for (std::size_t h = 1; h < 24; ++h) coldest = min(coldest, dry[24 * day + h]);
    const Temperature dew = coldest - kind->depression * kelvin;
    for (std::size_t h = 0; h < 24; ++h) {
      const Temperature t = dry[24 * day + h];
      out.hours[24 * day + h] = {t, wet_bulb(t, relative_humidity(t, dew))};
    }
  }
  return out;
}

Climate climate_of(const Trace<Temperature>& dry, const Trace<double>& humidity) {
  const Instant from = std::max(dry.begin(), humidity.begin());
  const Instant to = std::min(dry.end(), humidity.end());
  double greatest = 0;
  for (const double h : humidity.core().mean()) greatest = std::max(greatest, h);
  const double scale = greatest > 1.5 ? 0.01 : 1.0;
  Climate out;
  for (Instant at = from; at + one_hour() <= to; at = at + one_hour()) {
    const Temperature t = dry.mean_over(at, at + one_hour());
    out.hours.push_back({t, wet_bulb(t, scale * humidity.mean_over(at, at + one_hour()))});
  }
  if (out.hours.empty()) throw InputError("weather: temperature and humidity share no whole hour");
  return out;
}

Climate climate_of(const Trace<Temperature>& dry, double humidity) {
  Climate out;
  for (Instant at = dry.begin(); at + one_hour() <= dry.end(); at = at + one_hour()) {
    const Temperature t = dry.mean_over(at, at + one_hour());
    out.hours.push_back({t, wet_bulb(t, humidity)});
  }
  if (out.hours.empty()) throw InputError("weather: at least one whole hour");
  return out;
}

}  // namespace carnot::model
