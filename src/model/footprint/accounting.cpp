// SPDX-License-Identifier: Apache-2.0
// Joules to grams, money and a score.
#include "carnot/model/footprint/accounting.hpp"

#include <cmath>
#include <utility>

#include "carnot/base/error.hpp"
#include "carnot/base/text.hpp"
#include "carnot/model/footprint/positive.hpp"
#include "carnot/trace/readers/read.hpp"

#include "model/footprint/table.hpp"

namespace carnot::model {

namespace {

void check(const AccountOptions& options) {
  Problems problems;
  const auto need = [&](bool holds, std::string_view field, std::string_view allowed) {
    if (!holds) problems.add({}, field, allowed);
  };
  const auto finite = [](const std::optional<double>& value) {
    return !value || std::isfinite(*value);
  };
  need(finite(options.pue) && (!options.pue || (*options.pue >= 1 && *options.pue <= 10)), "pue",
       "1 ... 10");
  need(finite(options.carbon_g_per_kwh) && options.carbon_g_per_kwh.value_or(0) >= 0,
       "carbon_g_per_kwh", "a finite number >= 0");
  need(finite(options.price_eur_per_kwh), "price_eur_per_kwh", "a finite number");
  need(options.machine_share >= 0 && options.machine_share <= 1, "machine_share", "0 ... 1");
  need(finite(options.functional_units) && options.functional_units.value_or(1) > 0,
       "functional_units", "a finite number > 0");
  problems.throw_if_any();
}

/// Mean of the carbon trace over the time, each moment weighted by its power.
GridIntensity traced(const std::string& path, Instant start, Duration length,
                     const std::optional<TraceCore>& power) {
  const auto file = read_csv<CarbonIntensity>(path);
  const auto& carbon = file.trace.core();
  const Instant from = power ? power->begin() : start;
  const Instant to = power ? power->end() : start + length;
  if (from < carbon.begin() || to > carbon.end()) {
    throw InputError(path + ": must cover " + from.iso8601() + " to " + to.iso8601() + ", covers " +
                     carbon.begin().iso8601() + " to " + carbon.end().iso8601());
  }
  double energy = 0, grams = 0;
  for (std::size_t i = 0; power && i < power->size(); ++i) {
    const Instant begin = power->edge(i), end = power->edge(i + 1);
    energy += power->mean()[i] * (end - begin).time().in(second);
    grams += power->mean()[i] * carbon.integral(begin, end);
  }
  double mean = 0;
  if (energy > 0)
    mean = grams / energy;
  else
    mean = from < to ? carbon.mean_over(from, to) : carbon.at(from);
  GridIntensity grid;
  grid.code = "TRACE";
  grid.name = path;
  grid.year = from.calendar().year;
  grid.source = file.provenance;
  grid.intensity = Estimate<CarbonIntensity>::exact(
      CarbonIntensity::from_base(mean), Origin::Published, Boundary::None, {file.provenance});
  return grid;
}

GridIntensity given_grid(double g_per_kwh) {
  GridIntensity grid;
  grid.code = "GIVEN";
  grid.name = "given";
  grid.source = "given";
  grid.intensity = Estimate<CarbonIntensity>::exact(g_per_kwh * gram_per_kilowatt_hour,
                                                    Origin::Published, Boundary::None, {"given"});
  return grid;
}

Estimate<EnergyPrice> price_of(const AccountOptions& options, const std::string& code,
                               Account& account) {
  if (options.price_eur_per_kwh) {
    account.price_source = "given";
    return Estimate<EnergyPrice>::exact(*options.price_eur_per_kwh * euro_per_kilowatt_hour,
                                        Origin::Published, Boundary::None, {"given"});
  }
  const auto price = electricity_price(code);
  account.price_source = price.name + ", " + price.source;
  if (price.is_assumed) {
    account.remarks.emplace_back("price: none is known for the location; the world's range");
  }
  return {price.eur_per_kwh * euro_per_kilowatt_hour,
          price.low * euro_per_kilowatt_hour,
          price.high * euro_per_kilowatt_hour,
          price.is_assumed ? Origin::Assumed : Origin::Published,
          Boundary::None,
          "price:" + price.name,
          {price.source}};
}

}  // namespace

Account account(const Estimate<Energy>& energy, Instant start, Duration length,
                const std::optional<TraceCore>& power, const AccountOptions& options) {
  check(options);
  if (length < Duration{}) throw InputError("length: not negative");
  Account account;
  account.machine = energy;
  account.pue_known = options.pue.has_value();
  account.pue = options.pue.value_or(1.0);
  account.facility = energy.at(Boundary::Facility);
  if (account.pue_known) {
    // Stated, not measured here: what follows from it is no better.
    const auto pue = Estimate<double>::exact(account.pue, Origin::Assumed, Boundary::None, {"pue"});
    account.facility = (pue * energy).at(Boundary::Facility);
  } else {
    account.remarks.emplace_back("PUE unknown: cooling and losses of the building are not counted");
  }

  const auto location = grid_intensity(options.location);
  if (!options.carbon_trace.empty()) {
    account.grid = traced(options.carbon_trace, start, length, power);
  } else if (options.carbon_g_per_kwh) {
    account.grid = given_grid(*options.carbon_g_per_kwh);
  } else {
    account.grid = location;
    if (options.location.empty()) {
      account.remarks.emplace_back("location unknown: the world's range of carbon intensity");
    }
  }
  account.operational = positive(account.facility * account.grid.intensity);
  account.cost = positive(account.facility * price_of(options, location.code, account));

  const auto making = embodied(options.machine.empty() ? "server" : options.machine);
  if (options.machine.empty()) {
    account.remarks.emplace_back("machine unknown: making it counted as a server's, a wide range");
  }
  account.embodied = (length.time() / making.lifetime * options.machine_share) * making.total;
  account.scope2 = account.operational;
  account.scope3 = account.embodied;
  account.functional_unit = options.functional_unit;
  if (options.functional_units) {
    account.sci = (1 / *options.functional_units) * (account.operational + account.embodied);
  }
  return account;
}

}  // namespace carnot::model
