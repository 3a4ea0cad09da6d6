// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/limits.hpp"

#include "report/draw/bar_figure.hpp"
#include "report/plan/figures.hpp"
#include "report/run/words.hpp"

namespace carnot::report {

std::string plan_bars(const PlanReport& report) {
  const plan::PlanTotals& ours = report.certificate.totals;
  const auto figure = [&](auto&& title, auto&& of, auto&& unit_for, double bound) {
    double most = std::abs(of(ours));
    for (const PlanRival& rival : report.rivals)
      if (rival.computed()) most = std::max(most, std::abs(of(rival.totals)));
    const Unit unit = unit_for(most);
    std::vector<Bar> rows{{"this plan", of(ours) * unit.factor, true}};
    for (const PlanRival& rival : report.rivals)
      if (rival.computed()) rows.push_back({rival.name, of(rival.totals) * unit.factor, false});
    return bar_figure(fmt::format("{}, {}", title, unit.name), rows, bound);
  };
  const double none = kNaN;
  using plan::PlanTotals;
  return figure(
             "Cost", [](const PlanTotals& t) { return t.objective_eur; },
             [](double) {
               return Unit{"EUR", 1};
             },
             ours.bound_eur) +
         figure(
             "Own power used", [](const PlanTotals& t) { return t.free_energy_j; }, energy_unit,
             none) +
         figure(
             "Grid energy", [](const PlanTotals& t) { return t.grid_energy_j; }, energy_unit,
             none) +
         figure(
             "Carbon of grid energy, CO2e", [](const PlanTotals& t) { return t.carbon_g; },
             carbon_unit, none);
}

}  // namespace carnot::report
