// SPDX-License-Identifier: Apache-2.0
// Time and proven gap of the planner of extended problems on generated ones over 168 hours with
// three modes: as they are (contract), with batteries, exports, demand charges and knees (sites),
// and with a carbon cap besides (cap). Checks every plan's energy balance on the way. Arguments:
// JOBSxSITES ...; default 300x4 2000x10.
#include "carnot/plan/search/extended.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "carnot/base/text.hpp"
#include "carnot/plan/certificate/certificate.hpp"

namespace {

using namespace carnot;

double cpu_s() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

void add_terms(plan::Problem& problem) {
  const auto slots = static_cast<std::size_t>(problem.slots);
  for (const plan::PlanSite& site : problem.sites) {
    plan::SiteTerms& terms = problem.site_terms.emplace_back();
    const double hall = *std::min_element(site.capacity_kw.begin(), site.capacity_kw.end());
    terms.battery = {hall, 0.25 * hall, 0.25 * hall, 0.95, 0.95, 0, 0, 0.005};
    terms.export_kw.assign(slots, 0.5 * hall);
    terms.export_eur_per_kwh.assign(slots, 0.02);
    for (std::int32_t from = 0; from < problem.slots; from += 84)
      terms.demand_charges.push_back({1.0, from, std::min(from + 84, problem.slots)});
    terms.knees.push_back({0.7 * hall, 0.15});
  }
}

/// Own power used, exported and curtailed against what there was, relative.
double imbalance(const plan::Problem& problem, const plan::PlanTotals& totals) {
  double free_j = 0;
  for (const plan::PlanSite& site : problem.sites)
    for (const double kw : site.free_kw) free_j += kw * 1000 * problem.slot_s;
  const double sum = totals.free_energy_j + totals.exported_j + totals.curtailed_j;
  return std::abs(sum - free_j) / std::max(free_j, 1.0);
}

double solve(const plan::Problem& problem, const std::string& size, const char* kind) {
  const double from = cpu_s();
  const plan::ExtendedPlan rich = plan::plan_extended(problem);
  const double seconds = cpu_s() - from;
  const plan::Certificate certificate = plan::certify(problem, rich.plan);
  const plan::PlanTotals& totals = certificate.totals;
  fmt::print(
      "{{\"bench\":\"plan_extended\",\"size\":\"{}\",\"kind\":\"{}\",\"cpu_s\":{:.2f},"
      "\"objective_eur\":{},\"bound_eur\":{},\"gap\":{:.6f},\"dropped\":{},\"holds\":{},"
      "\"broken\":{},\"imbalance\":{}}}\n",
      size, kind, seconds, totals.objective_eur, totals.bound_eur, totals.gap, totals.dropped,
      certificate.holds(), rich.broken.size(),
      rich.plan.flows.empty() ? "null" : fmt::format("{:.2e}", imbalance(problem, totals)));
  std::fflush(stdout);
  return totals.carbon_g + totals.embodied_g;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> sizes(argv + 1, argv + argc);
  if (sizes.empty()) sizes = {"300x4", "2000x10"};
  for (const std::string& size : sizes) {
    const std::size_t cross = size.find('x');
    plan::GenerateOptions generate;
    generate.jobs = carnot::parse_integer(size.substr(0, cross));
    generate.sites = carnot::parse_integer(size.substr(std::min(cross, size.size() - 1) + 1));
    plan::Problem problem = plan::generate_problem(generate);
    solve(problem, size, "contract");
    add_terms(problem);
    problem.goals.carbon_cap_g = 0.84 * solve(problem, size, "sites");
    solve(problem, size, "cap");
  }
}
