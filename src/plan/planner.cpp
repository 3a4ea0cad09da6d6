// SPDX-License-Identifier: Apache-2.0
#include "carnot/plan/planner.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <thread>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/plan/certificate.hpp"

#include "plan/dual.hpp"
#include "plan/insertion.hpp"

namespace carnot::plan {

namespace {

constexpr int kSweeps = 4;
constexpr std::size_t kWorthThreads = 2'000;  // jobs; fewer are priced before a thread starts
constexpr std::int64_t kLegs = 20;            // of the rebuilding search: progress, and the clock
constexpr double kDualShare = 0.6;            // of a time limit
constexpr double kWarmth = 0.01;              // of the mean cost of a job

int default_iterations(std::size_t jobs) { return jobs > 300'000 ? 250 : jobs > 3'000 ? 300 : 800; }

std::int64_t default_rounds(std::size_t jobs) {
  return std::clamp<std::int64_t>(400 * static_cast<std::int64_t>(jobs), 1'000, 200'000);
}

}  // namespace

double Plan::gap() const noexcept {
  return (objective_eur - bound_eur) / std::max(objective_eur, 1e-9);
}

Plan plan_large(const Problem& problem, const PlannerOptions& options) {
  if (!problem.terms.empty())
    throw InputError(
        fmt::format("job {} has terms beyond the contract, which this planner knows not",
                    problem.jobs.id(problem.terms.begin()->first)));
  const auto began = std::chrono::steady_clock::now();
  PlanProgress state;
  state.objective_eur = std::numeric_limits<double>::infinity();
  // False once it is time to stop.
  const auto go_on = [&](double share, double share_of_time) {
    state.share_done = share;
    state.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    const bool wanted = !options.progress || options.progress(state);
    return wanted &&
           (options.time_limit_s <= 0 || state.seconds < share_of_time * options.time_limit_s);
  };

  const std::vector<Supply> supply = supplies(problem);
  PriceTable table(problem);
  DualOptions dual;
  const std::size_t jobs = problem.jobs.size();
  dual.threads = options.threads > 0
                     ? options.threads
                     : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  if (jobs < kWorthThreads) dual.threads = 1;
  dual.iterations = options.iterations > 0 ? options.iterations : default_iterations(jobs);
  dual.progress = [&](int n, double, double best) {
    state.bound_eur = best;
    return go_on(0.5 * (n + 1) / dual.iterations, kDualShare);
  };
  const DualResult prices = maximise_dual(problem, supply, table, {}, dual);

  table.evaluate(prices.price, 0, dual.threads);
  Insertion insertion(problem, supply, table, prices.price);
  insertion.insert_all();
  state.objective_eur = insertion.objective();
  bool more = go_on(0.55, 1.0);
  for (int n = 1; n <= kSweeps && more; ++n) {
    insertion.sweep(1.0 - static_cast<double>(n) / kSweeps);
    state.objective_eur = insertion.objective();
    more = go_on(0.55 + 0.25 * n / kSweeps, 1.0);
  }
  const std::int64_t rounds = options.rounds >= 0 ? options.rounds : default_rounds(jobs);
  const double warmth =
      kWarmth * std::abs(state.objective_eur) / static_cast<double>(std::max<std::size_t>(jobs, 1));
  for (std::int64_t leg = 0; leg < kLegs && more; ++leg) {
    insertion.rebuild(rounds / kLegs, warmth * (1.0 - static_cast<double>(leg + 1) / kLegs),
                      options.seed + 1000 * static_cast<std::uint64_t>(leg));
    state.objective_eur = insertion.objective();
    more = go_on(0.8 + 0.2 * static_cast<double>(leg + 1) / kLegs, 1.0);
  }
  insertion.sweep(0.0);

  Plan plan;
  plan.jobs = insertion.assignments();
  plan.price = prices.price;
  plan.solver = "large";
  const Certificate certificate = certify(problem, plan);
  CARNOT_CHECK(certificate.holds(), certificate.violations.front());
  plan.objective_eur = certificate.totals.objective_eur;
  plan.bound_eur = certificate.totals.bound_eur;
  go_on(1.0, 1.0);
  plan.seconds = state.seconds;
  return plan;
}

}  // namespace carnot::plan
