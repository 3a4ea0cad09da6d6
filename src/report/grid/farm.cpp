// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/grid/farm.hpp"

#include <fmt/format.h>

#include "carnot/base/version.hpp"

#include "report/grid/words.hpp"

namespace carnot::report {

std::string grid_farm_json(const GridFarmReport& r) {
  Json cases = Json::array();
  for (const grid::FarmCase& one : r.study.cases)
    cases.push_back(
        {{"size_mw", one.size_mw},
         {"signal", grid::name(one.signal)},
         {"unsolved", one.unsolved},
         {"available_mwh", one.available_mwh},
         {"delivered_mwh", one.delivered_mwh},
         {"curtailed_mwh", one.curtailed_mwh},
         {"curtailed_share", one.curtailed_share()},
         {"cost_saved", one.cost_saved},
         {"co2_saved_t", one.co2_saved_t},
         {"value_per_mwh", r.study.value_per_mwh(one)},
         {"value_per_mw_year", r.study.value_per_mw_year(one)},
         {"levelised_per_mwh", number_or_null(r.study.levelised_per_mwh(one, r.costs))}});
  Json assumptions = shift_assumptions_json(r.options);
  assumptions["capital_per_kw"] = r.costs.capital_per_kw;
  assumptions["upkeep_per_kw_year"] = r.costs.upkeep_per_kw_year;
  assumptions["lifetime_years"] = r.costs.lifetime_years;
  assumptions["interest"] = r.costs.interest;
  return Json{{"schema", "carnot.grid-farm/1"},
              {"carnot", std::string(kVersion)},
              {"seed", 0},  // nothing is random
              {"started", r.started},
              {"command", r.command},
              {"case", r.grid.name},
              {"origin", "modelled"},
              {"begin", r.begin.iso8601()},
              {"hours", r.study.hours},
              {"assumptions", std::move(assumptions)},
              {"bus", r.grid.buses[r.study.plan.bus].id},
              {"shape", r.grid.generators[r.study.plan.shape].name},
              {"farm_per_mw_year", r.costs.per_mw_year()},
              {"sites", sites_json(r.grid, r.options.sites)},
              {"cases", std::move(cases)},
              {"solve_s", r.seconds}}
             .dump(2) +
         "\n";
}

std::string grid_farm_terminal(const GridFarmReport& r) {
  std::string out = fmt::format(
      "{}: a farm at bus {} with the hours of {}, lines as they are; {} hours from {}\n{}\n"
      "  {:>7}  {:<16}{:>10}{:>10}{:>8}{:>10}{:>12}{:>9}{:>10}\n"
      "  {:>7}  {:<16}{:>10}{:>10}{:>8}{:>10}{:>12}{:>9}{:>10}\n",
      r.grid.name, r.grid.buses[r.study.plan.bus].id, r.grid.generators[r.study.plan.shape].name,
      r.study.hours, r.begin.iso8601(), computing_words(r.grid, r.options), "farm", "", "delivered",
      "curtailed", "lost", "value", "value", "costs", "CO2 saved", "MW", "computing", "GWh", "GWh",
      "%", "per MWh", "per MW-year", "per MWh", "kt");
  for (const grid::FarmCase& one : r.study.cases)
    out += fmt::format(
        "  {:>7.0f}  {:<16}{:>10.1f}{:>10.1f}{:>8.1f}{:>10.2f}{:>12.0f}{:>9.2f}{:>10.1f}\n",
        one.size_mw, grid::name(one.signal), one.delivered_mwh / 1e3, one.curtailed_mwh / 1e3,
        100 * one.curtailed_share(), r.study.value_per_mwh(one), r.study.value_per_mw_year(one),
        r.study.levelised_per_mwh(one, r.costs), one.co2_saved_t / 1e3);
  return out + fmt::format(
                   "\n  value: money the grid saves, modelled; costs: {:.0f} per MW and year over "
                   "what is delivered\n  ({:.0f} per kW over {:.0f} years at {:.1f} %, {:.0f} per "
                   "kW and year; assumed)\n",
                   r.costs.per_mw_year(), r.costs.capital_per_kw, r.costs.lifetime_years,
                   100 * r.costs.interest, r.costs.upkeep_per_kw_year);
}

}  // namespace carnot::report
