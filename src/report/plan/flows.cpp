// SPDX-License-Identifier: Apache-2.0
#include "report/plan/flows.hpp"

#include <algorithm>
#include <map>

#include "carnot/base/sum.hpp"
#include "carnot/plan/pricing/job_use.hpp"

namespace carnot::report {

namespace {

/// Not done, or not as the problem allows.
bool left_out(const plan::Problem& problem, const plan::Plan& plan, std::size_t job, bool holds) {
  const plan::Assignment& a = plan.jobs[job];
  const plan::PlanJobs& jobs = problem.jobs;
  if (a.site == plan::kNone) return true;
  if (holds) return false;
  return a.site >= problem.sites.size() || a.slots.empty() || problem.terms_of(job) != nullptr ||
         a.mode >= jobs.mode_end(job) - jobs.mode_begin(job) || a.slots.front() < 0 ||
         a.slots.back() >= problem.slots;
}

/// Adds the jobs and their loads.
void add_jobs(const plan::Problem& problem, const plan::Plan& plan, bool holds, PlanFlows& out) {
  std::map<std::pair<std::size_t, std::size_t>, PlanMove> moves;
  std::vector<Energy> here(out.sites.size());
  for (std::size_t j = 0; j < plan.jobs.size(); ++j) {
    if (left_out(problem, plan, j, holds)) continue;
    const plan::Assignment& a = plan.jobs[j];
    const plan::JobUse use = plan::use_of(problem, plan, j);
    PlanSiteReport& first = out.sites[a.site];
    const std::uint32_t origin = origin_of(problem.jobs, j, out.sites.size());
    ++first.jobs;
    first.arrivals += origin != plan::kNone && origin != a.site;
    first.move_money += use.move_eur * euro;
    first.quality_money += use.quality_eur * euro;
    first.delay_money += (use.restart_eur + use.late_eur) * euro;
    std::vector<std::uint32_t> visited;
    for (const plan::JobDraw& draw : use.draws) {
      PlanSeries& series = out.sites[draw.site].series;
      const auto t = static_cast<std::size_t>(draw.slot);
      if (series.mode_kw.size() <= a.mode)
        series.mode_kw.resize(a.mode + 1, std::vector<double>(series.it_kw.size()));
      series.it_kw[t] += draw.power_kw;
      series.mode_kw[a.mode][t] += draw.power_kw;
      const Energy energy = draw.power_kw * problem.slot_h() * kilowatt_hour;
      out.work[j] += energy;
      if (std::find(visited.begin(), visited.end(), draw.site) == visited.end()) {
        visited.push_back(draw.site);
        here[draw.site] = Energy{};
      }
      here[draw.site] += energy;
    }
    for (const std::uint32_t to : visited) {
      if (origin == plan::kNone || origin == to) continue;
      PlanMove& move = moves[{origin, to}];
      move.from = origin;
      move.to = to;
      ++move.jobs;
      move.it += here[to];
    }
  }
  for (const auto& [pair, move] : moves) out.moves.push_back(move);
  std::stable_sort(out.moves.begin(), out.moves.end(),
                   [](const PlanMove& a, const PlanMove& b) { return b.it < a.it; });
}

/// Own and grid power: as the plan decided where sites have terms, else whichever is cheaper first.
void split(const plan::Problem& problem, const plan::Plan& plan, bool holds, std::size_t s,
           PlanSiteReport& out) {
  const plan::PlanSite& site = problem.sites[s];
  PlanSeries& series = out.series;
  if (holds && !plan.flows.empty()) {
    series.own_kw = plan.flows[s].own_kw;
    series.grid_kw = plan.flows[s].grid_kw;
    series.exported_kw = plan.flows[s].export_kw;
    return;
  }
  for (std::size_t t = 0; t < series.it_kw.size(); ++t) {
    const double facility = series.it_kw[t] * site.pue[t];
    series.grid_kw[t] = problem.grid_cost(s, t) >= 0 ? std::max(facility - site.free_kw[t], 0.0)
                                                     : std::min(facility, site.grid_limit_kw[t]);
    series.own_kw[t] = facility - series.grid_kw[t];
  }
}

/// Energies and costs of what flows at a site.
void add_up(const plan::Problem& problem, std::size_t s, PlanSiteReport& out) {
  const plan::PlanSite& site = problem.sites[s];
  PlanSeries& series = out.series;
  Sum<double> it, capacity, own, grid, available, exported, left, price, carbon;  // kWh, EUR, g
  const double h = problem.slot_h();
  for (std::size_t t = 0; t < series.it_kw.size(); ++t) {
    const double used = series.own_kw[t] + series.exported_kw[t];
    series.curtailed_kw[t] = std::max(site.free_kw[t] - used, 0.0);
    it += series.it_kw[t] * h;
    capacity += site.capacity_kw[t] * h;
    own += series.own_kw[t] * h;
    grid += series.grid_kw[t] * h;
    available += site.free_kw[t] * h;
    exported += series.exported_kw[t] * h;
    left += series.curtailed_kw[t] * h;
    price += series.grid_kw[t] * h * site.price_eur_per_kwh[t];
    carbon += series.grid_kw[t] * h * site.carbon_g_per_kwh[t];
  }
  out.it = it.value() * kilowatt_hour;
  out.capacity = capacity.value() * kilowatt_hour;
  out.own = own.value() * kilowatt_hour;
  out.grid = grid.value() * kilowatt_hour;
  out.available = available.value() * kilowatt_hour;
  out.exported = exported.value() * kilowatt_hour;
  out.curtailed = left.value() * kilowatt_hour;
  out.grid_money = price.value() * euro;
  out.carbon = carbon.value() * gram;
  out.carbon_money = problem.carbon_price_eur_per_t * 1e-6 * carbon.value() * euro;
}

}  // namespace

std::uint32_t origin_of(const plan::PlanJobs& jobs, std::size_t job, std::size_t sites) {
  if (jobs.origin(job) != plan::kNone || jobs.move_row(job) == nullptr) return jobs.origin(job);
  std::uint32_t free = plan::kNone;
  for (std::uint32_t s = 0; s < sites; ++s) {
    if (jobs.move_eur(job, s) != 0.0) continue;
    if (free != plan::kNone) return plan::kNone;
    free = s;
  }
  return free;
}

PlanFlows flows_of(const plan::Problem& problem, const plan::Plan& plan, bool holds) {
  const auto slots = static_cast<std::size_t>(problem.slots);
  PlanFlows out;
  out.work.resize(plan.jobs.size());
  out.sites.resize(problem.sites.size());
  for (std::size_t s = 0; s < out.sites.size(); ++s) {
    const plan::PlanSite& from = problem.sites[s];
    PlanSiteReport& site = out.sites[s];
    site.name = from.name;
    site.latitude = from.latitude;
    site.longitude = from.longitude;
    site.greatest_capacity =
        *std::max_element(from.capacity_kw.begin(), from.capacity_kw.end()) * kilowatt;
    for (std::vector<double>* series :
         {&site.series.it_kw, &site.series.own_kw, &site.series.grid_kw, &site.series.exported_kw,
          &site.series.curtailed_kw})
      series->assign(slots, 0.0);
  }
  add_jobs(problem, plan, holds, out);
  for (std::size_t s = 0; s < out.sites.size(); ++s) {
    split(problem, plan, holds, s, out.sites[s]);
    add_up(problem, s, out.sites[s]);
  }
  return out;
}

PlanSiteReport sum_of(const std::vector<PlanSiteReport>& sites) {
  PlanSiteReport all;
  all.name = "all";
  for (const PlanSiteReport& site : sites) {
    all.jobs += site.jobs;
    all.arrivals += site.arrivals;
    all.it += site.it;
    all.capacity += site.capacity;
    all.own += site.own;
    all.grid += site.grid;
    all.available += site.available;
    all.exported += site.exported;
    all.curtailed += site.curtailed;
    all.grid_money += site.grid_money;
    all.carbon_money += site.carbon_money;
    all.move_money += site.move_money;
    all.quality_money += site.quality_money;
    all.delay_money += site.delay_money;
    all.carbon += site.carbon;
    all.greatest_capacity += site.greatest_capacity;
  }
  return all;
}

Money dropped_value(const plan::Problem& problem, const plan::Plan& plan) {
  Sum<double> value;
  for (std::size_t j = 0; j < plan.jobs.size(); ++j)
    if (plan.jobs[j].site == plan::kNone) value += problem.jobs.value(j);
  return value.value() * euro;
}

}  // namespace carnot::report
