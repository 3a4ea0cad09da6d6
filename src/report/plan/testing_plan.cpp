// SPDX-License-Identifier: Apache-2.0
#include "report/plan/testing_plan.hpp"

#include <algorithm>

#include "carnot/plan/certificate/certificate.hpp"
#include "carnot/plan/study/dispatch_rules.hpp"

namespace carnot::report::sample {

plan::Problem plan_problem(const PlanOptions& options) {
  plan::GenerateOptions generate;
  generate.jobs = options.jobs;
  generate.sites = options.sites;
  generate.slots = options.slots;
  generate.seed = options.seed;
  generate.load = options.load;
  plan::Problem problem = plan::generate_problem(generate);
  constexpr double kPlaces[][2] = {{52.4, 4.9}, {59.3, 18.1}, {38.7, -9.1}, {40.7, -74.0}};
  for (std::size_t s = 0; s < problem.sites.size(); ++s) {
    plan::PlanSite& site = problem.sites[s];
    if (options.places) {
      site.latitude = kPlaces[s % 4][0] - static_cast<double>(s / 4);
      site.longitude = kPlaces[s % 4][1];
    }
    for (double& price : site.price_eur_per_kwh) price += options.price_shift;
  }
  return problem;
}

namespace {

/// Nothing where own power is left, else what a kWh of IT energy costs from the grid.
std::vector<double> marginal_prices(const plan::Problem& problem, const plan::Plan& plan) {
  const auto slots = static_cast<std::size_t>(problem.slots);
  std::vector<double> load(problem.sites.size() * slots), price;
  for (std::size_t j = 0; j < plan.jobs.size(); ++j) {
    const plan::Assignment& a = plan.jobs[j];
    if (a.site == plan::kNone) continue;
    const double power = problem.jobs.mode(problem.jobs.mode_begin(j) + a.mode).power_kw;
    for (const std::int32_t t : a.slots)
      load[a.site * slots + static_cast<std::size_t>(t)] += power;
  }
  for (std::size_t cell = 0; cell < load.size(); ++cell) {
    const std::size_t s = cell / slots, t = cell % slots;
    const plan::PlanSite& site = problem.sites[s];
    const bool left = load[cell] * site.pue[t] < site.free_kw[t];
    price.push_back(left ? 0.0 : std::max(0.0, problem.grid_cost(s, t) * site.pue[t]));
  }
  return price;
}

}  // namespace

plan::PlanFile plan_file(plan::Problem problem) {
  plan::PlanFile file;
  file.plan = plan::rule_plan(problem, plan::DispatchRule::PriceGreedy);
  file.plan.price = marginal_prices(problem, file.plan);
  file.claimed = plan::certify(problem, file.plan).totals;
  file.plan.objective_eur = file.claimed.objective_eur;
  file.plan.bound_eur = file.claimed.bound_eur;
  file.problem = std::move(problem);
  return file;
}

}  // namespace carnot::report::sample
