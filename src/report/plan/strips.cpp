// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "report/draw/stacked_panel.hpp"
#include "report/plan/figures.hpp"
#include "report/run/words.hpp"

namespace carnot::report {

namespace {

/// EUR per MWh of IT energy at site `s` when it is bought, carbon and PUE in it.
std::vector<double> bought(const plan::Problem& problem, std::size_t s) {
  std::vector<double> out;
  for (std::size_t t = 0; t < problem.sites[s].pue.size(); ++t)
    out.push_back(1e3 * problem.grid_cost(s, t) * problem.sites[s].pue[t]);
  return out;
}

}  // namespace

std::string mode_class(std::size_t mode) {
  return fmt::format("m{}", std::min<std::size_t>(mode, 5));
}

std::string plan_strips(const PlanReport& report, std::size_t s) {
  const plan::Problem& problem = report.file.problem;
  const plan::PlanSite& given = problem.sites[s];
  const PlanSiteReport& site = report.sites[s];
  const auto slots = static_cast<std::size_t>(problem.slots);
  const Stretches stretches(slots);
  const PlanAxis axis = plan_axis(problem.slots, problem.slot_s);
  constexpr double kPower = 150, kModes = 110, kPrice = 90, kCarbon = 64, kGap = 46;
  const double height = 40 + kPower + kModes + kPrice + kCarbon + 3 * kGap + 50;
  svg::Drawing d(
      PlanAxis::kRight + 16, height, "Power, modes, prices and carbon of " + site.name,
      fmt::format("{}: {} of own power used, {} curtailed, {} from the grid, for {} of IT "
                  "work, {:.0f} % of what the hall could do.",
                  site.name, energy_text(site.own.in(joule)), energy_text(site.curtailed.in(joule)),
                  energy_text(site.grid.in(joule)), energy_text(site.it.in(joule)),
                  100 * (site.it / site.capacity)));
  StackedPanels stack(d, stretches.edges(axis.slot));
  std::vector<PanelSeries> power{{"own", "own, used", stretches.means(site.series.own_kw)},
                                 {"grid", "grid", stretches.means(site.series.grid_kw)}};
  if (site.exported > Energy{})
    power.push_back({"exported", "own, exported", stretches.means(site.series.exported_kw)});
  power.push_back({"curtailed", "own, curtailed", stretches.means(site.series.curtailed_kw)});
  double foot = stack.areas(40, kPower, "power of the site", power, {});
  std::vector<PanelSeries> modes;
  for (std::size_t m = 0; m < site.series.mode_kw.size(); ++m)
    modes.push_back(
        {mode_class(m), fmt::format("mode {}", m + 1), stretches.means(site.series.mode_kw[m])});
  foot = stack.areas(foot + kGap, kModes, "IT power", modes,
                     {{"limit", "capacity", stretches.means(given.capacity_kw)}});
  std::vector<double> shadow;
  const bool priced = report.file.plan.price.size() == problem.sites.size() * slots;
  for (std::size_t t = 0; priced && t < slots; ++t)
    shadow.push_back(1e3 * report.file.plan.price[s * slots + t]);
  std::vector<PanelSeries> prices{
      {"s2", "grid, with carbon and PUE", stretches.means(bought(problem, s))}};
  if (priced) prices.push_back({"s1", "shadow price", stretches.means(shadow)});
  foot = stack.lines(foot + kGap, kPrice, "EUR a MWh of IT energy", prices);
  foot = stack.lines(foot + kGap, kCarbon, "carbon intensity of the grid, g/kWh",
                     {{"s3", "grid", stretches.means(given.carbon_g_per_kwh)}});
  axis.draw(d, foot);
  return d.finish();
}

}  // namespace carnot::report
