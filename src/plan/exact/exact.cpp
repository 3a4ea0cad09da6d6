// SPDX-License-Identifier: Apache-2.0
#include "carnot/plan/exact/exact.hpp"

#include <algorithm>
#include <cmath>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/plan/certificate/certificate.hpp"
#include "carnot/solve/integer_program.hpp"

#include "plan/exact/exact_model.hpp"
#include "plan/prices/contract_columns.hpp"

namespace carnot::plan {

namespace {

constexpr double kClose = 1e-9;         // relative: plan and bound are one
constexpr double kSaving = 1e-7;        // relative: what a better plan must save
constexpr double kStartShare = 0.3;     // of a time limit, for the first plan
constexpr double kPricesShare = 0.5;    // and until the prices stand
constexpr double kPackingShare = 0.65;  // and those on whole jobs

/// Figures of plan.jobs and plan.price into `plan`.
void certified(const Problem& problem, Plan& plan) {
  const Certificate certificate = certify(problem, plan);
  CARNOT_CHECK(certificate.holds(), certificate.violations.front());
  plan.totals = certificate.totals;
  plan.objective_eur = plan.totals.objective_eur;
  plan.bound_eur = plan.totals.bound_eur;
}

}  // namespace

bool small_enough(const Problem& problem) {
  constexpr std::size_t kSmallJobs = 40, kSmallCells = 40'000;
  const PlanJobs& jobs = problem.jobs;
  if (problem.extended() || jobs.size() > kSmallJobs) return false;
  std::size_t cells = 0;
  for (std::size_t j = 0; j < jobs.size(); ++j) {
    const std::size_t sites =
        jobs.sites(j) == nullptr ? problem.sites.size() : jobs.sites(j)->size();
    cells += sites * static_cast<std::size_t>(jobs.deadline(j) - jobs.release(j)) *
             (jobs.mode_end(j) - jobs.mode_begin(j));
  }
  return cells <= kSmallCells;
}

Plan plan_exact(const Problem& problem, const ExactOptions& options) {
  if (!solve::has_linear_solver() || !solve::has_integer_solver())
    throw DeviceError(
        "this build has no exact solver: install coinor-libclp-dev and coinor-libcbc-dev, "
        "configure and build again");
  check_exact_size(problem);
  const double began = options.stop.now();
  const auto seconds = [&] { return options.stop.now() - began; };
  // Stops when the options say so, and when that share of their time is over.
  const auto until = [&](double share_of_time) {
    return options.time_limit_s > 0
               ? options.stop.within(share_of_time * options.time_limit_s - seconds())
               : options.stop;
  };
  PlanProgress state;
  state.objective_eur = kInfinity;
  bool stopped = false, spent = false;
  const auto go_on = [&](double share, double share_of_time) {
    state.share_done = std::max(state.share_done, share);
    state.seconds = seconds();
    stopped = stopped || options.stop.requested() || (options.progress && !options.progress(state));
    return !stopped &&
           (options.time_limit_s <= 0 || state.seconds < share_of_time * options.time_limit_s);
  };

  PlannerOptions first;
  first.seed = options.seed;
  first.threads = 1;
  first.stop = options.stop;
  first.time_limit_s = kStartShare * options.time_limit_s;
  first.progress = [&](const PlanProgress& p) {
    state.bound_eur = p.bound_eur;
    state.objective_eur = p.objective_eur;
    return go_on(0.2 * p.share_done, 1.0);
  };
  first.pack = false;  // below, from closer prices
  Plan plan = plan_large(problem, first);
  plan.solver = "exact";
  const std::vector<Supply> supply = supplies(problem);
  if (go_on(0.2, kPricesShare)) {
    plan.price = contract_columns(
                     problem, supply, plan.price, kClose,
                     [&](const DantzigWolfe& prices) {
                       state.bound_eur = prices.bound;
                       return go_on(0.3, kPricesShare);
                     },
                     until(kPricesShare))
                     .price;
    certified(problem, plan);
  }

  // What costs more than the plan in hand beside the bound can be left out; a hair is kept.
  const double least = kSaving * std::max(1e-3, std::abs(plan.objective_eur));
  const std::vector<double> shared_price = plan.price;
  const double shared_bound = plan.bound_eur;
  if (plan.objective_eur - plan.bound_eur > least && go_on(0.3, kPackingShare)) {
    PackedPrices packed = packed_columns(
        problem, supply, plan.price, plan.objective_eur, kSaving,
        [&](double proven) {
          state.bound_eur = std::max(state.bound_eur, proven);
          return go_on(0.3, kPackingShare);
        },
        until(kPackingShare));
    if (packed.bound > plan.bound_eur) {
      plan.price = std::move(packed.price);
      plan.packing = std::move(packed.packing);
      certified(problem, plan);
    }
  }
  plan.solver_bound_eur = plan.bound_eur;
  bool optimal = plan.objective_eur - plan.bound_eur <= least;
  if (!optimal && go_on(0.3, 1.0)) {
    const double keep = plan.objective_eur - shared_bound + least;
    ExactModel model(problem, supply, shared_price, keep);
    model.pack(supply, plan.packing);
    solve::IntegerOptions integer;
    integer.cutoff = plan.objective_eur - model.constant() - least;
    integer.stop = until(1.0);
    integer.progress = [&, left = options.nodes](double bound) mutable {
      if (options.nodes > 0 && left-- <= 0) {
        spent = true;
        return false;
      }
      state.bound_eur =
          std::max(state.bound_eur, std::min(bound + model.constant(), plan.objective_eur));
      return go_on(0.5, 1.0);
    };
    const solve::IntegerAnswer answer =
        solve::solve_integer(model.program(), model.whole(), integer);
    optimal = answer.proven;
    if (answer.found) {
      Plan better = plan;
      better.jobs = model.plan(answer.values);
      const Certificate certificate = certify(problem, better);
      const double found = certificate.totals.objective_eur;
      optimal =
          optimal && certificate.holds() && found <= answer.objective + model.constant() + least;
      if (certificate.holds() && found < plan.objective_eur) {
        plan.jobs = std::move(better.jobs);
        plan.totals = certificate.totals;
        plan.objective_eur = found;
      }
    }
    plan.solver_bound_eur = std::clamp(answer.bound + model.constant(), plan.bound_eur,
                                       std::max(plan.bound_eur, plan.objective_eur));
  }
  if (optimal) plan.solver_bound_eur = plan.objective_eur;
  plan.status = optimal                    ? "optimal"
                : stopped                  ? "stopped"
                : spent                    ? "node-limit"
                : options.time_limit_s > 0 ? "time-limit"
                                           : "solver-gave-up";
  state.bound_eur = plan.bound_eur;
  state.objective_eur = plan.objective_eur;
  go_on(1.0, 1.0);
  plan.seconds = seconds();
  return plan;
}

}  // namespace carnot::plan
