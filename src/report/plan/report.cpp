// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/plan/report.hpp"

#include <algorithm>

#include "carnot/base/file.hpp"

#include "report/draw/json_reading.hpp"
#include "report/plan/flows.hpp"
#include "report/plan/levelised.hpp"

namespace carnot::report {

namespace {

PlanRival rival_of(const plan::Problem& problem, plan::DispatchRule rule, double bound_eur,
                   double most_steps) {
  PlanRival out;
  out.name = name(rule);
  if (problem.extended()) out.left_out = "the problem asks for more than it knows";
  if (plan::rule_steps(problem, rule) > most_steps)
    out.left_out = "the problem is too large for it";
  if (!out.left_out.empty()) return out;
  const plan::Plan plan = plan::rule_plan(problem, rule);
  const PlanSiteReport all = sum_of(flows_of(problem, plan, true).sites);
  plan::PlanTotals& totals = out.totals;
  totals.objective_eur = (all.money() + dropped_value(problem, plan)).in(euro);
  totals.bound_eur = bound_eur;
  totals.gap = plan::relative_gap(totals.objective_eur, bound_eur);
  totals.dropped = problem.jobs.size() - all.jobs;
  totals.energy_j = all.facility().in(joule);
  totals.free_energy_j = all.own.in(joule);
  totals.grid_energy_j = all.grid.in(joule);
  totals.carbon_g = all.carbon.in(gram);
  return out;
}

}  // namespace

const PlanRival* PlanReport::best_rival() const {
  const PlanRival* best = nullptr;
  for (const PlanRival& rival : rivals)
    if (rival.computed() &&
        (best == nullptr || rival.totals.objective_eur < best->totals.objective_eur))
      best = &rival;
  return best;
}

bool is_plan(const std::string& text) {
  return text.find("\"carnot.plan/1\"") < 200 && text.find('{') < 20;
}

PlanReport report_plan(plan::PlanFile file, const WorkAssumptions& assumptions, double most_steps) {
  check(assumptions);
  PlanReport out;
  out.assumptions = assumptions;
  out.certificate = plan::check_plan(file);
  out.file = std::move(file);
  const plan::Problem& problem = out.file.problem;
  PlanFlows flows = flows_of(problem, out.file.plan, out.certificate.holds());
  out.sites = std::move(flows.sites);
  out.moves = std::move(flows.moves);
  out.work = std::move(flows.work);
  out.all = sum_of(out.sites);
  out.dropped_money = dropped_value(problem, out.file.plan);
  if (!problem.site_terms.empty())
    out.all.site_money =
        out.certificate.totals.objective_eur * euro - out.all.money() - out.dropped_money;
  for (std::size_t j = 0; j < problem.jobs.size(); ++j) {
    out.origins += origin_of(problem.jobs, j, problem.sites.size()) != plan::kNone;
    out.modes = std::max(out.modes, problem.jobs.mode_end(j) - problem.jobs.mode_begin(j));
  }
  for (const plan::DispatchRule rule : plan::all_rules())
    out.rivals.push_back(rival_of(problem, rule, out.certificate.totals.bound_eur, most_steps));
  const Time horizon = static_cast<double>(problem.slots) * problem.slot_s * second;
  for (PlanSiteReport& site : out.sites) site.levelised = levelised(site, assumptions, horizon);
  out.all.levelised = levelised(out.all, assumptions, horizon);
  return out;
}

PlanReport report_plan(const std::string& plan_path, const std::string& problem_path,
                       const WorkAssumptions& assumptions, double most_steps) {
  PlanReport out = report_plan(plan::read_plan(plan_path, problem_path), assumptions, most_steps);
  const Json json = parse_object(read_file(plan_path), plan_path);
  out.path = plan_path;
  out.carnot_version = text_at(json, "carnot", plan_path);
  out.command = text_at(json, "command", plan_path);
  out.started = text_at(json, "started", plan_path);
  out.solver = text_at(json, "solver", plan_path);
  out.seconds = number_at(json, "seconds", plan_path);
  return out;
}

}  // namespace carnot::report
