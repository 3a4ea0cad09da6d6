// SPDX-License-Identifier: Apache-2.0
#include "account_options.hpp"

#include <CLI/CLI.hpp>

#include "command.hpp"

namespace carnot::app {

void add_account_options(CLI::App& command, model::AccountOptions& o) {
  const auto positive = CLI::Validator(positive_number, "");
  command.add_option("--location", o.location,
                     "Country, US state or grid region of the machine, such as DE or US-CA");
  command.add_option("--pue", o.pue, "Facility energy over machine energy, from 1 on")
      ->check(positive);
  command.add_option("--carbon-intensity,--carbon", o.carbon_g_per_kwh,
                     "g CO2e a kWh, in place of the location's");
  command.add_option("--carbon-trace", o.carbon_trace,
                     "CSV of time and g CO2e a kWh, in place of a mean");
  command.add_option("--price", o.price_eur_per_kwh, "EUR a kWh, in place of the location's");
  command.add_option("--machine", o.machine,
                     "What making it emitted: server, workstation, laptop, an accelerator's name");
  command.add_option("--machine-share", o.machine_share, "Share of the machine that is yours")
      ->check(CLI::Validator(positive_number, ""));
  command.add_option("--units", o.functional_units, "Functional units done, for the SCI score")
      ->check(positive);
  command.add_option("--unit", o.functional_unit, "Name of the functional unit, such as epoch");
}

model::AccountOptions merged(const model::AccountOptions& recorded,
                             const model::AccountOptions& typed) {
  model::AccountOptions o = recorded;
  const auto text = [](std::string& into, const std::string& from) {
    if (!from.empty()) into = from;
  };
  const auto number = [](std::optional<double>& into, const std::optional<double>& from) {
    if (from) into = from;
  };
  // Another place brings its own intensity and price.
  if (!typed.location.empty()) {
    o.carbon_g_per_kwh.reset();
    o.price_eur_per_kwh.reset();
    o.carbon_trace.clear();
  }
  text(o.location, typed.location);
  number(o.pue, typed.pue);
  number(o.carbon_g_per_kwh, typed.carbon_g_per_kwh);
  text(o.carbon_trace, typed.carbon_trace);
  number(o.price_eur_per_kwh, typed.price_eur_per_kwh);
  text(o.machine, typed.machine);
  if (typed.machine_share != 1.0) o.machine_share = typed.machine_share;
  number(o.functional_units, typed.functional_units);
  text(o.functional_unit, typed.functional_unit);
  return o;
}

}  // namespace carnot::app
