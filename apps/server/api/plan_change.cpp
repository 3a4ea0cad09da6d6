// SPDX-License-Identifier: Apache-2.0
#include "plan_change.hpp"

#include <algorithm>

#include "what_if.hpp"

namespace carnot::app {

namespace {

void scale(std::vector<double>& values, double factor) {
  for (double& v : values)
    if (v != kInfinity) v *= factor;
}

/// All jobs again, their deadlines moved; never beyond the horizon, never before the work fits.
plan::PlanJobs moved(const plan::Problem& problem, std::int32_t slots) {
  const plan::PlanJobs& old = problem.jobs;
  plan::PlanJobs out;
  for (std::size_t j = 0; j < old.size(); ++j) {
    std::vector<plan::PlanMode> modes;
    std::int32_t longest = 1;
    for (std::size_t m = old.mode_begin(j); m < old.mode_end(j); ++m) {
      modes.push_back(old.mode(m));
      longest = std::max(longest, old.mode(m).slots);
    }
    // What more than the work needs a window for (restarts, lateness) keeps its own.
    const std::int32_t least =
        problem.terms_of(j) != nullptr ? old.deadline(j) : old.release(j) + longest;
    const std::int32_t deadline =
        std::clamp(old.deadline(j) + slots, std::min(least, old.deadline(j)), problem.slots);
    out.add(old.id(j), old.release(j), deadline, old.value(j), modes, old.origin(j),
            old.move_flat(j),
            old.sites(j) != nullptr ? *old.sites(j) : std::vector<std::uint32_t>{},
            old.move_row(j) != nullptr ? *old.move_row(j) : std::vector<double>{});
  }
  return out;
}

}  // namespace

std::vector<Slider> plan_sliders() {
  return {
      {"carbon_price_eur_per_t", "CO2 price", "EUR/t", 0, 500, 5, 0, {}, "", true},
      {"wind", "own power", "times", 0, 3, 0.1, 1, {}, "", false},
      {"grid_price", "price of grid power", "times", 0, 3, 0.1, 1, {}, "", false},
      {"grid_limit", "grid connection", "times", 0, 3, 0.1, 1, {}, "", false},
      {"capacity", "capacity of the halls", "times", 0.1, 3, 0.1, 1, {}, "", false},
      {"overhead", "overhead above the IT power (PUE − 1)", "times", 0, 3, 0.1, 1, {}, "", false},
      {"battery", "batteries", "times", 0, 5, 0.1, 1, {}, "", false},
      {"deadline_slots", "later deadlines", "slots", -168, 168, 1, 0, {}, "", false}};
}

void change_problem(plan::Problem& problem, const std::map<std::string, double>& change) {
  const auto factor = [&](const char* key) {
    const auto at = change.find(key);
    return at == change.end() ? 1.0 : at->second;
  };
  if (const auto at = change.find("carbon_price_eur_per_t"); at != change.end())
    problem.carbon_price_eur_per_t = at->second;
  for (plan::PlanSite& site : problem.sites) {
    scale(site.free_kw, factor("wind"));
    scale(site.price_eur_per_kwh, factor("grid_price"));
    scale(site.grid_limit_kw, factor("grid_limit"));
    scale(site.capacity_kw, factor("capacity"));
    for (double& pue : site.pue) pue = 1 + (pue - 1) * factor("overhead");
  }
  for (plan::SiteTerms& terms : problem.site_terms) {
    plan::PlanBattery& b = terms.battery;
    const double f = factor("battery");
    if (f == 0) b = {};
    for (double* v : {&b.capacity_kwh, &b.charge_kw, &b.discharge_kw, &b.start_kwh, &b.end_kwh})
      *v *= f;
  }
  if (const auto at = change.find("deadline_slots"); at != change.end() && at->second != 0)
    problem.jobs = moved(problem, static_cast<std::int32_t>(at->second));
}

}  // namespace carnot::app
