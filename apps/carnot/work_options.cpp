// SPDX-License-Identifier: Apache-2.0
#include "work_options.hpp"

#include <CLI/CLI.hpp>

#include "command.hpp"

namespace carnot::app {

namespace {

/// `VALUE` or `VALUE,LOW,HIGH`.
void add_range(CLI::App& command, const std::string& flag,
               std::optional<report::AssumedRange>& into, const std::string& words) {
  command
      .add_option_function<std::vector<double>>(
          flag,
          [flag, &into](const std::vector<double>& x) {
            if (x.size() == 2) throw CLI::ValidationError(flag, "VALUE, or VALUE,LOW,HIGH at 90 %");
            into = {x[0], x.size() == 3 ? x[1] : x[0], x.size() == 3 ? x[2] : x[0]};
          },
          words)
      ->delimiter(',')
      ->expected(1, 3)
      ->type_name("VALUE[,LOW,HIGH]");
}

}  // namespace

void add_work_options(CLI::App& command, report::WorkAssumptions& a) {
  add_range(command, "--server-cost", a.server_eur_per_kw,
            "Of a plan: EUR for a kW of IT capacity, assumed, for levelised cost");
  add_range(command, "--server-carbon", a.server_kg_per_kw,
            "Of a plan: kg CO2e of making a kW of IT capacity, assumed");
  add_range(command, "--own-cost", a.own_eur_per_kwh,
            "Of a plan: EUR a kWh of own power, assumed (default: it would go unused)");
  add_range(command, "--work-per-kwh", a.work_per_kwh,
            "Of a plan: work done with a kWh of IT energy, assumed");
  command.add_option("--work-unit", a.work_unit, "Unit of that work (default: unit)");
  command.add_option("--lifetime", a.lifetime_years, "Of servers, years (default: 5)")
      ->check(CLI::Validator(positive_number, ""));
  command.add_option("--rate", a.rate, "Of interest, real, a year (default: 0.05)");
}

}  // namespace carnot::app
