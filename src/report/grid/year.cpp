// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "carnot/base/version.hpp"
#include "carnot/report/grid/flow.hpp"

#include "report/draw/json_reading.hpp"

namespace carnot::report {

std::string grid_year_json(const GridYearReport& r) {
  const grid::GridYear& year = r.year;
  return Json{{"schema", "carnot.grid-year/1"},
              {"carnot", std::string(kVersion)},
              {"seed", 0},  // nothing is random
              {"started", r.started},
              {"command", r.command},
              {"hours", year.hours.size()},
              {"unsolved", year.unsolved},
              {"cost", year.cost},
              {"demand_mwh", year.demand_mwh},
              {"shed_mwh", year.shed_mwh},
              {"losses_mwh", year.losses_mwh},
              {"excess_loss_mwh", year.excess_loss_mwh},
              {"available_mwh", year.available_mwh},
              {"curtailed_mwh", year.curtailed_mwh},
              {"curtailed_share", year.curtailed_share()},
              {"curtailed_hours", year.curtailed_hours},
              {"congested_hours", year.congested_hours},
              {"residual_mw", year.residual_mw},
              {"notes", r.notes},
              {"solve_s", r.seconds}}
             .dump(2) +
         "\n";
}

std::string grid_year_terminal(const GridYearReport& r) {
  const grid::GridYear& year = r.year;
  std::string out = fmt::format(
      "RTS-GMLC: {} hours from {}, {} of them without an optimum\n"
      "  cost             {:>14.0f}\n"
      "  demand           {:>14.1f} GWh\n"
      "  losses           {:>14.1f} GWh\n"
      "  wind and sun     {:>14.1f} GWh available\n"
      "  curtailed        {:>14.1f} GWh, {:.2f} % of it, in {} hours\n"
      "  congested        {:>14} hours\n",
      year.hours.size(), r.begin.iso8601(), year.unsolved, year.cost, year.demand_mwh / 1e3,
      year.losses_mwh / 1e3, year.available_mwh / 1e3, year.curtailed_mwh / 1e3,
      100.0 * year.curtailed_share(), year.curtailed_hours, year.congested_hours);
  if (year.excess_loss_mwh > 1.0)
    out += fmt::format(
        "  excess loss      {:>14.1f} GWh of the losses: below-zero prices make losses pay\n",
        year.excess_loss_mwh / 1e3);
  if (year.shed_mwh > 0.0) out += fmt::format("  shed             {:>14.1f} MWh\n", year.shed_mwh);
  for (const std::string& note : r.notes) out += "  note: " + note + '\n';
  return out;
}

std::string grid_year_csv(const GridYearReport& r) {
  std::string out =
      "time,optimal,cost_per_h,demand_mw,generation_mw,losses_mw,shed_mw,available_mw,curtailed_mw,"
      "congested,lowest_price_per_mwh,highest_price_per_mwh\n";
  Instant time = r.begin;
  for (const grid::GridHour& h : r.year.hours) {
    out +=
        fmt::format("{},{:d},{:.6f},{:.6f},{:.6f},{:.6f},{:.6f},{:.6f},{:.6f},{},{:.6f},{:.6f}\n",
                    time.iso8601(), h.status == grid::OpfStatus::Optimal, h.cost_per_h, h.demand_mw,
                    h.generation_mw, h.losses_mw, h.shed_mw, h.available_mw, h.curtailed_mw,
                    h.congested, h.lowest_price_per_mwh, h.highest_price_per_mwh);
    time = time + Duration::seconds(3600);
  }
  return out;
}

}  // namespace carnot::report
