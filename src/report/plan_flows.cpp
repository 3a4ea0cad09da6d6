// SPDX-License-Identifier: Apache-2.0
#include "report/plan_flows.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

#include "carnot/base/sum.hpp"

namespace carnot::report {

namespace {

/// The job's mode under `a`; nullptr: it is not done, or not as the problem allows.
const plan::PlanMode* mode_of(const plan::Problem& problem, const plan::Assignment& a,
                              std::size_t job) {
  const plan::PlanJobs& jobs = problem.jobs;
  if (a.site >= problem.sites.size() || a.mode >= jobs.mode_end(job) - jobs.mode_begin(job))
    return nullptr;
  return &jobs.mode(jobs.mode_begin(job) + a.mode);
}

/// Adds the jobs of `site` and their loads.
void add_jobs(const plan::Problem& problem, const std::vector<plan::Assignment>& jobs,
              std::vector<PlanSiteReport>& sites) {
  for (std::size_t j = 0; j < jobs.size(); ++j) {
    const plan::Assignment& a = jobs[j];
    const plan::PlanMode* mode = mode_of(problem, a, j);
    if (mode == nullptr) continue;
    PlanSiteReport& site = sites[a.site];
    ++site.jobs;
    const std::uint32_t origin = origin_of(problem.jobs, j, sites.size());
    site.arrivals += origin != plan::kNone && origin != a.site;
    site.move_money += problem.jobs.move_eur(j, a.site) * euro;
    site.quality_money += mode->quality_eur * euro;
    if (site.series.mode_kw.size() <= a.mode)
      site.series.mode_kw.resize(a.mode + 1, std::vector<double>(site.series.it_kw.size()));
    for (const std::int32_t t : a.slots)
      if (t >= 0 && t < problem.slots) {
        site.series.it_kw[static_cast<std::size_t>(t)] += mode->power_kw;
        site.series.mode_kw[a.mode][static_cast<std::size_t>(t)] += mode->power_kw;
      }
  }
}

/// Splits the loads into own and grid power, whichever is cheaper first, and prices them.
void split(const plan::Problem& problem, std::size_t s, PlanSiteReport& out) {
  const plan::PlanSite& site = problem.sites[s];
  Sum<double> it, capacity, own, grid, available, left, price, carbon;  // kWh, EUR, g
  const double h = problem.slot_h();
  for (std::size_t t = 0; t < out.series.it_kw.size(); ++t) {
    const double facility = out.series.it_kw[t] * site.pue[t];
    const double bought = problem.grid_cost(s, t) >= 0 ? std::max(facility - site.free_kw[t], 0.0)
                                                       : std::min(facility, site.grid_limit_kw[t]);
    const double used = facility - bought;
    out.series.own_kw[t] = used;
    out.series.grid_kw[t] = bought;
    out.series.curtailed_kw[t] = std::max(site.free_kw[t] - used, 0.0);
    it += out.series.it_kw[t] * h;
    capacity += site.capacity_kw[t] * h;
    own += used * h;
    grid += bought * h;
    available += site.free_kw[t] * h;
    left += out.series.curtailed_kw[t] * h;
    price += bought * h * site.price_eur_per_kwh[t];
    carbon += bought * h * site.carbon_g_per_kwh[t];
  }
  out.it = it.value() * kilowatt_hour;
  out.capacity = capacity.value() * kilowatt_hour;
  out.own = own.value() * kilowatt_hour;
  out.grid = grid.value() * kilowatt_hour;
  out.available = available.value() * kilowatt_hour;
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

Energy work_of(const plan::Problem& problem, const plan::Assignment& assignment, std::size_t job) {
  const plan::PlanMode* mode = mode_of(problem, assignment, job);
  if (mode == nullptr) return {};
  return mode->power_kw * problem.slot_h() * static_cast<double>(assignment.slots.size()) *
         kilowatt_hour;
}

std::vector<PlanSiteReport> site_reports(const plan::Problem& problem,
                                         const std::vector<plan::Assignment>& jobs) {
  const auto slots = static_cast<std::size_t>(problem.slots);
  std::vector<PlanSiteReport> sites(problem.sites.size());
  for (std::size_t s = 0; s < sites.size(); ++s) {
    const plan::PlanSite& from = problem.sites[s];
    PlanSiteReport& site = sites[s];
    site.name = from.name;
    site.latitude = from.latitude;
    site.longitude = from.longitude;
    site.greatest_capacity =
        *std::max_element(from.capacity_kw.begin(), from.capacity_kw.end()) * kilowatt;
    for (std::vector<double>* series :
         {&site.series.it_kw, &site.series.own_kw, &site.series.grid_kw, &site.series.curtailed_kw})
      series->assign(slots, 0.0);
  }
  add_jobs(problem, jobs, sites);
  for (std::size_t s = 0; s < sites.size(); ++s) split(problem, s, sites[s]);
  return sites;
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
    all.curtailed += site.curtailed;
    all.grid_money += site.grid_money;
    all.carbon_money += site.carbon_money;
    all.move_money += site.move_money;
    all.quality_money += site.quality_money;
    all.carbon += site.carbon;
    all.greatest_capacity += site.greatest_capacity;
  }
  return all;
}

Money dropped_value(const plan::Problem& problem, const std::vector<plan::Assignment>& jobs) {
  Sum<double> value;
  for (std::size_t j = 0; j < jobs.size(); ++j)
    if (jobs[j].site == plan::kNone) value += problem.jobs.value(j);
  return value.value() * euro;
}

std::vector<PlanMove> moves_of(const plan::Problem& problem,
                               const std::vector<plan::Assignment>& jobs) {
  std::map<std::pair<std::size_t, std::size_t>, PlanMove> pairs;
  for (std::size_t j = 0; j < jobs.size(); ++j) {
    const std::uint32_t from = origin_of(problem.jobs, j, problem.sites.size());
    const std::uint32_t to = jobs[j].site;
    if (from == plan::kNone || from == to || mode_of(problem, jobs[j], j) == nullptr) continue;
    PlanMove& move = pairs[{from, to}];
    move.from = from;
    move.to = to;
    ++move.jobs;
    move.it += work_of(problem, jobs[j], j);
  }
  std::vector<PlanMove> out;
  for (const auto& [pair, move] : pairs) out.push_back(move);
  std::stable_sort(out.begin(), out.end(),
                   [](const PlanMove& a, const PlanMove& b) { return b.it < a.it; });
  return out;
}

}  // namespace carnot::report
