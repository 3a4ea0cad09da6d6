// SPDX-License-Identifier: Apache-2.0
// Plans in which every job runs.
#include <algorithm>
#include <cmath>

#include "carnot/base/error.hpp"
#include "carnot/plan/certificate/certificate.hpp"
#include "carnot/plan/exact/exact.hpp"
#include "carnot/plan/exact/infeasible_subset.hpp"

#include "plan/exact/infeasible_subset_words.hpp"

namespace carnot::plan {

namespace {

/// The same with values over what all jobs together can cost.
Problem dear_to_drop(const Problem& problem) {
  const PlanJobs& jobs = problem.jobs;
  double dearest = 0;  // EUR per kWh of IT, of either sign
  for (std::size_t s = 0; s < problem.sites.size(); ++s)
    for (std::size_t t = 0; t < static_cast<std::size_t>(problem.slots); ++t)
      dearest = std::max(dearest, std::abs(problem.grid_cost(s, t)) * problem.sites[s].pue[t]);
  double all = 1;
  for (std::size_t j = 0; j < jobs.size(); ++j) {
    double most = 0;
    for (std::size_t i = jobs.mode_begin(j); i < jobs.mode_end(j); ++i)
      for (const std::uint32_t s : sites_of(problem, j)) {
        const PlanMode& mode = jobs.mode(i);
        most = std::max(most, std::abs(mode.quality_eur) + std::abs(jobs.move_eur(j, s)) +
                                  mode.slots * mode.power_kw * problem.slot_h() * dearest);
      }
    all += 2 * most;
  }
  Problem out = problem;
  out.jobs = PlanJobs();
  for (std::size_t j = 0; j < jobs.size(); ++j) {
    std::vector<PlanMode> modes;
    for (std::size_t i = jobs.mode_begin(j); i < jobs.mode_end(j); ++i)
      modes.push_back(jobs.mode(i));
    const std::vector<std::uint32_t>* sites = jobs.sites(j);
    const std::vector<double>* row = jobs.move_row(j);
    out.jobs.add(jobs.id(j), jobs.release(j), jobs.deadline(j), all, modes, jobs.origin(j),
                 jobs.move_flat(j), sites == nullptr ? std::vector<std::uint32_t>{} : *sites,
                 row == nullptr ? std::vector<double>{} : *row);
  }
  return out;
}

}  // namespace

RequiredPlan plan_required(const Problem& problem, const std::function<Plan(const Problem&)>& solve,
                           const StopToken& stop) {
  const Problem dear = dear_to_drop(problem);
  RequiredPlan out;
  const auto look = [&](Plan plan) {
    out.plan = std::move(plan);
    out.all_run = std::none_of(out.plan.jobs.begin(), out.plan.jobs.end(),
                               [](const Assignment& a) { return a.site == kNone; });
    const Certificate certificate = certify(problem, out.plan);
    CARNOT_CHECK(certificate.holds(), certificate.violations.front());
    out.plan.totals = certificate.totals;
    out.plan.objective_eur = certificate.totals.objective_eur;
    out.plan.bound_eur = certificate.totals.bound_eur;
  };
  look(solve(dear));
  if (out.all_run || stop.requested()) return out;
  try {
    out.clash = find_clash(problem, stop);
  } catch (const Stopped&) {
    return out;
  }
  if (out.clash || out.plan.status == "optimal") return out;
  // They fit, but `solve` did not see how.
  ExactOptions options;
  options.stop = stop;
  look(plan_exact(dear, options));
  return out;
}

}  // namespace carnot::plan
