// SPDX-License-Identifier: Apache-2.0
#include "carnot/plan/planner.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

#include "plan/dual.hpp"
#include "plan/insertion.hpp"

namespace carnot::plan {

double Plan::gap() const noexcept { return (objective_eur - bound_eur) / std::max(objective_eur, 1e-9); }

Plan plan_large(const Problem& problem, const PlannerOptions& options) {
  const auto began = std::chrono::steady_clock::now();
  const auto seconds = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  };
  const std::vector<Supply> supply = supplies(problem);
  PriceTable table(problem);
  DualOptions dual;
  dual.threads = options.threads > 0 ? options.threads
                                     : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  dual.iterations = options.iterations > 0 ? options.iterations : 400;
  PlanProgress state;
  state.objective_eur = std::numeric_limits<double>::infinity();
  bool stopped = false;
  dual.progress = [&](int n, double, double best) {
    state.bound_eur = best;
    state.share_done = 0.8 * (n + 1) / dual.iterations;
    state.seconds = seconds();
    if (options.progress && !options.progress(state)) stopped = true;
    return !stopped && (options.time_limit_s <= 0 || state.seconds < 0.7 * options.time_limit_s);
  };
  const DualResult prices = maximise_dual(problem, supply, table, {}, dual);
  table.evaluate(prices.price, 0, dual.threads);
  Insertion insertion(problem, supply, table, prices.price);
  insertion.insert_all();
  for (int n = 0; n < options.sweeps && !stopped; ++n) {
    if (options.time_limit_s > 0 && seconds() > options.time_limit_s) break;
    insertion.sweep(n + 1 < options.sweeps ? 1.0 - static_cast<double>(n + 1) / options.sweeps : 0.0);
    state.objective_eur = insertion.objective();
    state.share_done = 0.8 + 0.2 * (n + 1) / options.sweeps;
    state.seconds = seconds();
    if (options.progress && !options.progress(state)) stopped = true;
  }
  const char* e;
  const std::uint64_t rounds = (e = getenv("ROUNDS")) ? atoll(e) : 0;
  const double warm = (e = getenv("WARM")) ? atof(e) : 0;
  for (int i = 0; i < 10 && rounds; ++i) {
    insertion.rebuild(rounds / 10, warm * insertion.objective() / problem.jobs.size() * (1 - 0.1 * i), 7 + i);
    if (options.progress) { state.objective_eur = insertion.objective(); state.seconds = seconds(); options.progress(state); }
  }
  insertion.sweep(0.0);
  Plan plan;
  plan.jobs = insertion.assignments();
  plan.price = prices.price;
  plan.objective_eur = insertion.objective();
  plan.bound_eur = prices.bound;
  plan.solver = "large";
  plan.seconds = seconds();
  return plan;
}

}  // namespace carnot::plan
