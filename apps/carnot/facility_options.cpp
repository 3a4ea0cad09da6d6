// SPDX-License-Identifier: Apache-2.0
#include "facility_options.hpp"

#include <algorithm>
#include <array>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/text.hpp"
#include "carnot/trace/readers/read.hpp"

#include "command.hpp"

namespace carnot::app {

namespace {

Temperature temperature_of(const std::string& text, const char* option) {
  try {
    return parse_as<Temperature>(text);
  } catch (const InputError& error) {
    throw InputError(fmt::format("{}: {}", option, error.what()));
  }
}

}  // namespace

double share_option(const std::string& text, const char* option) {
  try {
    if (const double value = parse_number(text); value >= 0 && value <= 1) return value;
  } catch (const InputError&) {
  }
  throw UsageError(fmt::format("{}: a share from 0 to 1, not `{}`", option, text.substr(0, 40)));
}

void add_facility_options(CLI::App& command, FacilityCommand& c) {
  command.add_option("--cooling", c.cooling,
                     "tower (evaporates water; default), dry, chiller (never free)");
  command.add_option("--climate", c.climate,
                     "subarctic, temperate (default), mediterranean, desert, tropical");
  command.add_option("--weather", c.weather, "CSV of outside temperature, in place of a climate");
  command.add_option("--column", c.column, "Of the temperature, if there are several");
  command.add_option("--humidity", c.humidity,
                     "Of --weather: a column of relative humidity, or a share; default 0.7");
  command.add_option("--supply", c.supply, "Air to the servers; default '24 degC'");
  command.add_option("--liquid", c.liquid, "Share of the heat that warm water takes; default 0");
  command.add_option("--load", c.load, "Mean IT power over the rated; default 0.7");
}

model::PlantOptions plant_options(const FacilityCommand& c) {
  model::PlantOptions o;
  if (!c.cooling.empty()) {
    try {
      o.rejection = model::heat_rejection(c.cooling);
    } catch (const InputError& error) {
      throw InputError(fmt::format("--{}", error.what()));
    }
  }
  if (!c.supply.empty()) o.supply = temperature_of(c.supply, "--supply");
  if (!c.liquid.empty()) o.liquid_share = share_option(c.liquid, "--liquid");
  return o;
}

std::vector<model::Climate> facility_climates(const FacilityCommand& c) {
  std::vector<model::Climate> out;
  if (!c.weather.empty()) {
    if (!c.climate.empty()) throw UsageError("--climate and --weather: one of them");
    CsvOptions options;
    options.column = c.column;
    options.gaps = GapPolicy::Linear;
    const TraceFile<Temperature> dry = read_csv<Temperature>(c.weather, options);
    std::optional<double> share;
    try {
      share = parse_number(c.humidity);
    } catch (const InputError&) {
    }
    model::Climate climate;
    if (share) {
      climate = model::climate_of(dry.trace, share_option(c.humidity, "--humidity"));
    } else {
      options.column = c.humidity;
      options.unit = "1";
      climate = model::climate_of(dry.trace, read_csv<double>(c.weather, options).trace);
    }
    climate.name = c.weather;
    climate.source = dry.provenance;
    out.push_back(std::move(climate));
  } else if (c.climate == "all") {
    for (const std::string& name : model::climate_names())
      out.push_back(model::named_climate(name));
  } else {
    try {
      out.push_back(model::named_climate(c.climate.empty() ? "temperate" : c.climate));
    } catch (const InputError& error) {
      throw InputError(fmt::format("--{}", error.what()));
    }
  }
  return out;
}

std::vector<model::FacilityPart> facility_parts(const FacilityCommand& c) {
  const model::PlantOptions o = plant_options(c);
  const double load = share_option(c.load, "--load");
  if (!(load > 0)) throw UsageError("--load: above 0");
  if (c.climate == "all") throw UsageError("--climate: one climate, not all");
  const model::Climate climate = facility_climates(c).front();
  const std::array<Power, 1> it = {load * o.rated_it};
  const auto mean = [&](const model::PlantOptions& plant) {
    return model::plant_year(plant, climate.hours, it).mean;
  };
  const model::PlantHour as = mean(o), good = mean(good_plant(o)), poor = mean(poor_plant(o));
  std::vector<model::FacilityPart> out;
  const auto add = [&](const char* name, auto&& of) {
    const double share = of(as) / as.it, a = of(good) / good.it, b = of(poor) / poor.it;
    out.push_back({name, share, std::min({share, a, b}), std::max({share, a, b})});
  };
  add("chillers", [](const model::PlantHour& h) { return h.compressors; });
  add("air handlers' fans", [](const model::PlantHour& h) { return h.fans; });
  add("pumps and heat rejection",
      [](const model::PlantHour& h) { return h.pumps + h.rejection_fans; });
  add("power conversion", [](const model::PlantHour& h) { return h.conversion; });
  add("lights, controls", [](const model::PlantHour& h) { return h.misc; });
  return out;
}

}  // namespace carnot::app
