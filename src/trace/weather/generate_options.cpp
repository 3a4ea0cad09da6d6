// SPDX-License-Identifier: Apache-2.0
// One list of fields for each options struct feeds bounds checks, text tables and base-unit
// setters.
#include <cmath>

#include <fmt/format.h>

#include "carnot/trace/weather/generate.hpp"

#include "trace/weather/process.hpp"

namespace carnot::inline trace {

namespace {

const Power kMinPower = 1e-3 * watt;
const Power kMaxPower = 1e12 * watt;
constexpr Speed kMetrePerSecond = metre_per_second;
constexpr Time kMinTime = 60.0 * second;
constexpr Time kMaxTime = 1000.0 * day;
constexpr EnergyPrice kPriceBound = 1e5 * euro_per_megawatt_hour;
constexpr CarbonIntensity kCarbonBound = 5000.0 * gram_per_kilowatt_hour;

// visit(key, field, low, high, description, source)
template <class Visit>
void fields(WindOptions& o, Visit&& visit) {
  visit("capacity", o.capacity, kMinPower, kMaxPower, "rated power of the farm", "");
  visit("weibull_shape", o.weibull_shape, 1.0, 5.0, "shape of the speed distribution",
        "Justus et al. 1978");
  visit("weibull_scale", o.weibull_scale, 1.0 * kMetrePerSecond, 25.0 * kMetrePerSecond,
        "scale of the speed distribution at hub height", "Justus et al. 1978");
  visit("seasonal", o.seasonal, 0.0, 0.9, "yearly swing, standard deviations", "");
  visit("windiest_day", o.windiest_day, 0.0, 366.0, "day of the year of its crest", "");
  visit("diurnal", o.diurnal, 0.0, 0.9, "daily swing, standard deviations", "");
  visit("windiest_hour", o.windiest_hour, 0.0, 24.0, "solar hour of its crest", "");
  visit("longitude", o.longitude, -180.0, 180.0, "degrees east", "");
  visit("slowest", o.slowest, 1.0 * hour, 1000.0 * hour, "largest time constant", "");
  visit("cut_in", o.cut_in, 0.0 * kMetrePerSecond, 10.0 * kMetrePerSecond, "turbine starts", "");
  visit("rated", o.rated, 5.0 * kMetrePerSecond, 25.0 * kMetrePerSecond, "full power from here",
        "");
  visit("cut_out", o.cut_out, 10.0 * kMetrePerSecond, 60.0 * kMetrePerSecond, "turbine stops", "");
  visit("restart", o.restart, 5.0 * kMetrePerSecond, 60.0 * kMetrePerSecond,
        "turbine starts again below", "");
  visit("density", o.density, 0.6, 1.6, "air density, kg/m3", "IEC 61400-12-1");
  visit("turbulence", o.turbulence, 0.0, 0.4, "blur of the power curve over speed",
        "Norgaard & Holttinen 2004");
  visit("spread", o.spread, 0.0, 0.3, "speed differences between groups over speed", "");
  visit("spread_time", o.spread_time, kMinTime, kMaxTime, "time constant of the differences", "");
  visit("groups", o.groups, 1.0, 64.0, "turbine groups", "");
  visit("wake_loss", o.wake_loss, 0.0, 0.5, "power lost in wakes at low speed",
        "Katic et al. 1986");
  visit("electrical_loss", o.electrical_loss, 0.0, 0.5, "power lost in cables and transformers",
        "");
  visit("mean_up", o.mean_up, 1.0 * hour, 1e6 * hour, "of a group, between failures", "");
  visit("mean_down", o.mean_down, 0.1 * hour, 1e5 * hour, "of a group, until mended", "");
}

template <class Visit>
void fields(SolarOptions& o, Visit&& visit) {
  visit("capacity", o.capacity, kMinPower, kMaxPower, "inverter rating", "");
  visit("dc_ac_ratio", o.dc_ac_ratio, 0.1, 5.0, "module rating over inverter rating",
        "PVWatts 5, Dobos 2014");
  visit("latitude", o.latitude, -90.0, 90.0, "degrees north", "");
  visit("longitude", o.longitude, -180.0, 180.0, "degrees east", "");
  visit("tilt", o.tilt, 0.0, 90.0, "degrees from horizontal", "");
  visit("azimuth", o.azimuth, 0.0, 360.0, "degrees clockwise from north", "");
  visit("cloud_cover", o.cloud_cover, 0.01, 0.99, "mean cloud cover", "");
  visit("cloud_spread", o.cloud_spread, 0.0, 5.0, "above 1: clear or grey, little between", "");
  visit("cloud_time", o.cloud_time, 1.0 * hour, 1000.0 * hour, "largest time constant of clouds",
        "");
  visit("albedo", o.albedo, 0.0, 1.0, "of the ground", "");
  visit("temperature_coefficient", o.temperature_coefficient, -0.02, 0.0,
        "relative power per kelvin", "");
  visit("noct", o.noct, from_celsius(20.0), from_celsius(80.0), "nominal cell temperature", "");
  visit("air_temperature", o.air_temperature, from_celsius(-40.0), from_celsius(45.0),
        "yearly mean by day", "");
  visit("system_loss", o.system_loss, 0.0, 0.9, "soiling, wiring, mismatch, availability",
        "PVWatts 5, Dobos 2014");
  visit("inverter_efficiency", o.inverter_efficiency, 0.5, 1.0, "AC over DC",
        "PVWatts 5, Dobos 2014");
}

template <class Visit>
void fields(TemperatureOptions& o, Visit&& visit) {
  visit("mean", o.mean, from_celsius(-60.0), from_celsius(50.0), "of the year", "");
  visit("seasonal", o.seasonal, 0.0, 40.0, "yearly amplitude, kelvin", "");
  visit("coldest_day", o.coldest_day, 0.0, 366.0, "day of the year", "");
  visit("diurnal", o.diurnal, 0.0, 20.0, "daily amplitude, kelvin", "");
  visit("coldest_hour", o.coldest_hour, 0.0, 24.0, "solar hour", "");
  visit("longitude", o.longitude, -180.0, 180.0, "degrees east", "");
  visit("noise", o.noise, 0.0, 20.0, "standard deviation of the weather, kelvin", "");
  visit("noise_time", o.noise_time, 1.0 * hour, kMaxTime, "largest time constant of it", "");
}

template <class Visit>
void fields(PriceOptions& o, Visit&& visit) {
  visit("mean", o.mean, -kPriceBound, kPriceBound, "of the year, about", "");
  visit("diurnal", o.diurnal, 0.0, 2.0, "peaks over mean", "");
  visit("weekend", o.weekend, 0.0, 1.0, "discount over mean", "");
  visit("seasonal", o.seasonal, 0.0, 2.0, "winter over mean", "");
  visit("longitude", o.longitude, -180.0, 180.0, "degrees east", "");
  visit("wind_effect", o.wind_effect, -kPriceBound, kPriceBound, "from no wind to full wind",
        "merit order");
  visit("volatility", o.volatility, EnergyPrice{}, kPriceBound, "standard deviation", "");
  visit("reversion", o.reversion, 1.0 * hour, kMaxTime, "largest time constant", "");
  visit("spikes_per_year", o.spikes_per_year, 0.0, 8000.0, "scarcity events", "");
  visit("spike", o.spike, EnergyPrice{}, kPriceBound, "mean height of one", "");
  visit("spike_time", o.spike_time, 0.1 * hour, kMaxTime, "decay of one", "");
  visit("floor", o.floor, -kPriceBound, kPriceBound, "of the market", "");
  visit("cap", o.cap, -kPriceBound, kPriceBound, "of the market", "");
}

template <class Visit>
void fields(CarbonOptions& o, Visit&& visit) {
  visit("mean", o.mean, CarbonIntensity{}, kCarbonBound, "of the year, about", "");
  visit("diurnal", o.diurnal, 0.0, 1.0, "demand peaks over mean", "");
  visit("weekend", o.weekend, 0.0, 1.0, "reduction over mean", "");
  visit("seasonal", o.seasonal, 0.0, 1.0, "winter over mean", "");
  visit("longitude", o.longitude, -180.0, 180.0, "degrees east", "");
  visit("wind_effect", o.wind_effect, -kCarbonBound, kCarbonBound, "from no wind to full wind", "");
  visit("noise", o.noise, CarbonIntensity{}, kCarbonBound, "standard deviation", "");
  visit("noise_time", o.noise_time, 1.0 * hour, kMaxTime, "largest time constant of it", "");
  visit("floor", o.floor, CarbonIntensity{}, kCarbonBound, "least value", "");
}

double base_of(double value) { return value; }
template <Dimension D>
double base_of(Quantity<D> value) {
  return value.base();
}
void assign(double& field, double value) { field = value; }
template <Dimension D>
void assign(Quantity<D>& field, double value) {
  field = Quantity<D>::from_base(value);
}

std::string range(double low, double high) {
  return fmt::format("{:.12g} <= x <= {:.12g} in base units", low, high);
}

template <class Options>
void check_fields(const Options& options, const char* generator) {
  Options copy = options;
  fields(copy, [&](const char* key, auto& field, auto low, auto high, const char*, const char*) {
    // Written so that NaN fails.
    if (!(base_of(field) >= base_of(low) && base_of(field) <= base_of(high))) {
      throw InputError(
          describe({}, fmt::format("{}.{}", generator, key), range(base_of(low), base_of(high))));
    }
  });
}

template <class Options>
OptionTable table_of(Options* options, const char* generator) {
  OptionTable table(generator);
  fields(*options, [&]<class Field>(const char* key, Field& field, auto low, auto high,
                                    const char* description, const char* source) {
    if constexpr (std::is_same_v<Field, double>) {
      table.real(key, &field, low, high, description, source);
    } else {
      table.quantity(key, &field, std::optional<Field>(low), std::optional<Field>(high),
                     description, source);
    }
  });
  return table;
}

template <class Options>
void set_fields(const Parameters& parameters, const Place& place, Problems& problems,
                Options* options) {
  for (const auto& [name, value] : parameters) {
    bool known = false;
    std::vector<std::string> keys;
    fields(*options, [&, &key_name = name, x = value](const char* key, auto& field, auto low,
                                                      auto high, const char*, const char*) {
      keys.emplace_back(key);
      if (key_name != key) return;
      known = true;
      if (x >= base_of(low) && x <= base_of(high)) {
        assign(field, x);
      } else {
        problems.add(place, key_name, range(base_of(low), base_of(high)));
      }
    });
    if (!known) {
      const std::string near = nearest(name, keys);
      problems.add(place, name,
                   near.empty() ? "unknown parameter"
                                : fmt::format("unknown parameter; did you mean `{}`?", near));
    }
  }
}

}  // namespace

namespace weather {

void check(const WindOptions& options) {
  check_fields(options, "wind");
  const auto need = [](bool holds, const char* field, const char* allowed) {
    if (!holds) throw InputError(describe({}, field, allowed));
  };
  need(options.groups == std::floor(options.groups), "wind.groups", "a whole number");
  need(options.cut_in < options.rated, "wind.cut_in", "below rated");
  need(options.rated < options.cut_out, "wind.cut_out", "above rated");
  need(options.restart <= options.cut_out, "wind.restart", "at most cut_out");
  need(options.seasonal * options.seasonal + options.diurnal * options.diurnal < 1.8,
       "wind.seasonal", "seasonal^2 + diurnal^2 below 1.8");
}
void check(const SolarOptions& options) { check_fields(options, "solar"); }
void check(const TemperatureOptions& options) { check_fields(options, "temperature"); }
void check(const PriceOptions& options) {
  check_fields(options, "price");
  if (!(options.floor < options.cap)) throw InputError(describe({}, "price.floor", "below cap"));
}
void check(const CarbonOptions& options) { check_fields(options, "carbon"); }

}  // namespace weather

OptionTable option_table(WindOptions* options) { return table_of(options, "wind"); }
OptionTable option_table(SolarOptions* options) { return table_of(options, "solar"); }
OptionTable option_table(TemperatureOptions* options) { return table_of(options, "temperature"); }
OptionTable option_table(PriceOptions* options) { return table_of(options, "price"); }
OptionTable option_table(CarbonOptions* options) { return table_of(options, "carbon"); }

void set_parameters(const Parameters& parameters, const Place& place, Problems& problems,
                    WindOptions* options) {
  set_fields(parameters, place, problems, options);
}
void set_parameters(const Parameters& parameters, const Place& place, Problems& problems,
                    SolarOptions* options) {
  set_fields(parameters, place, problems, options);
}
void set_parameters(const Parameters& parameters, const Place& place, Problems& problems,
                    TemperatureOptions* options) {
  set_fields(parameters, place, problems, options);
}
void set_parameters(const Parameters& parameters, const Place& place, Problems& problems,
                    PriceOptions* options) {
  set_fields(parameters, place, problems, options);
}
void set_parameters(const Parameters& parameters, const Place& place, Problems& problems,
                    CarbonOptions* options) {
  set_fields(parameters, place, problems, options);
}

}  // namespace carnot::inline trace
