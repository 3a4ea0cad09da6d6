// SPDX-License-Identifier: Apache-2.0
// The large planner against exact solvers on generated problems: its bound against the optimum of
// linear programming by CLP on the whole programme, its plan against the optimum by CBC.
// Arguments: relaxation [JOBSxSITESxSLOTS [COUNT]]   default 20 of 150x3x24
//            optimum [COUNT]                         10 jobs, default 20
//            small JOBS ...                          4 sites, 168 slots; LIMIT_S (environment) for
//                                                    the exact solver, default 120
#include "carnot/plan/exact/exact.hpp"

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "carnot/base/limits.hpp"
#include "carnot/base/text.hpp"
#include "carnot/solve/integer_program.hpp"

#include "plan/exact/exact_model.hpp"

namespace {

using namespace carnot;

/// CPU seconds of this process: what others do beside it does not count.
double cpu_s() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

plan::Problem generated(std::int64_t jobs, std::int64_t sites, std::int64_t slots,
                        std::uint64_t seed, double load) {
  plan::GenerateOptions options;
  options.jobs = jobs;
  options.sites = sites;
  options.slots = slots;
  options.seed = seed;
  options.load = load;
  return plan::generate_problem(options);
}

struct Timed {
  plan::Plan plan;
  double seconds = 0;
};
Timed large(const plan::Problem& problem) {
  plan::PlannerOptions options;
  options.threads = 1;
  const double from = cpu_s();
  Timed out{plan::plan_large(problem, options), 0};
  out.seconds = cpu_s() - from;
  return out;
}

plan::ExactModel whole(const plan::Problem& problem) {
  const std::vector<plan::Supply> supply = plan::supplies(problem);
  return {problem, supply, std::vector<double>(supply.size()), kInfinity};
}

void relaxation(const std::string& size, std::uint64_t count) {
  const std::size_t first = size.find('x'), second = size.rfind('x');
  const std::int64_t jobs = carnot::parse_integer(size.substr(0, first));
  const std::int64_t sites = carnot::parse_integer(size.substr(first + 1, second - first - 1));
  const std::int64_t slots = carnot::parse_integer(size.substr(second + 1));
  double worst_bound = kInfinity, worst_plan = 0, worst_loss = 0;
  for (std::uint64_t seed = 1; seed <= count; ++seed) {
    const double load = seed % 3 == 0 ? 1.5 : seed % 3 == 1 ? 0.6 : 0.2;  // tight, usual, loose
    const plan::Problem problem = generated(jobs, sites, slots, seed, load);
    const Timed ours = large(problem);
    plan::ExactModel model = whole(problem);
    const double from = cpu_s();
    const solve::ProgramAnswer answer = model.program().solve();
    const double seconds = cpu_s() - from, optimum = answer.objective + model.constant();
    worst_bound = std::min(worst_bound, ours.plan.bound_eur / optimum);
    worst_plan = std::max(worst_plan, ours.plan.objective_eur / optimum);
    // Where whole jobs cost much more than shares of jobs: is it the plan or the jobs?
    double over_exact = 0;
    if (ours.plan.objective_eur > 1.025 * optimum) {
      plan::ExactOptions options;
      options.time_limit_s = 60;
      over_exact = ours.plan.objective_eur / plan::plan_exact(problem, options).solver_bound_eur;
    }
    worst_loss = std::max(worst_loss, over_exact);
    fmt::print(
        "{{\"bench\":\"relaxation\",\"size\":\"{}\",\"seed\":{},\"load\":{},\"columns\":{},"
        "\"solved\":{},\"clp_eur\":{:.6f},\"clp_cpu_s\":{:.2f},\"bound_of_clp\":{:.6f},"
        "\"plan_of_clp\":{:.6f},\"plan_of_solver_bound\":{:.6f},\"cpu_s\":{:.2f}}}\n",
        size, seed, load, model.program().columns(), answer.status == solve::ProgramStatus::Optimal,
        optimum, seconds, ours.plan.bound_eur / optimum, ours.plan.objective_eur / optimum,
        over_exact, ours.seconds);
    std::fflush(stdout);
  }
  fmt::print(
      "{{\"bench\":\"relaxation\",\"worst_bound_of_clp\":{:.6f},\"worst_plan_of_clp\":{:.6f},"
      "\"worst_of_solver_bound_there\":{:.6f}}}\n",
      worst_bound, worst_plan, worst_loss);
}

void optimum(std::uint64_t count) {
  std::uint64_t exact_agrees = 0, large_optimal = 0, known = 0;
  for (std::uint64_t seed = 1; seed <= count; ++seed) {
    const plan::Problem problem = generated(10, 2, 24, seed, 0.6);
    const Timed ours = large(problem);
    const double begun = cpu_s();
    const plan::Plan exact = plan::plan_exact(problem);
    const double between = cpu_s();
    plan::ExactModel model = whole(problem);  // nothing left out: another road to the optimum
    solve::IntegerOptions options;
    options.time_limit_s = 60;
    const solve::IntegerAnswer cbc = solve::solve_integer(model.program(), model.whole(), options);
    const double ended = cpu_s(), of_cbc = cbc.objective + model.constant();
    const double slack = 1e-5 * std::abs(exact.objective_eur);
    const bool is_known = cbc.found && cbc.proven;
    known += is_known;
    exact_agrees += is_known && std::abs(exact.objective_eur - of_cbc) <= slack;
    large_optimal += ours.plan.objective_eur <= exact.objective_eur + slack;
    fmt::print(
        "{{\"bench\":\"optimum\",\"seed\":{},\"status\":\"{}\",\"exact_eur\":{:.4f},"
        "\"exact_cpu_s\":{:.2f},\"cbc_eur\":{:.4f},\"cbc_proven\":{},\"cbc_cpu_s\":{:.2f},"
        "\"large_over_exact\":{:.6f},\"large_cpu_s\":{:.2f}}}\n",
        seed, exact.status, exact.objective_eur, between - begun, of_cbc, is_known, ended - between,
        ours.plan.objective_eur / std::max(exact.objective_eur, 1e-9), ours.seconds);
    std::fflush(stdout);
  }
  fmt::print(
      "{{\"bench\":\"optimum\",\"instances\":{},\"cbc_proved\":{},\"exact_equals_cbc\":{},"
      "\"large_optimal\":{}}}\n",
      count, known, exact_agrees, large_optimal);
}

void small(const std::vector<std::string>& sizes) {
  const char* limit = std::getenv("LIMIT_S");
  for (const std::string& size : sizes) {
    const plan::Problem problem = generated(carnot::parse_integer(size), 4, 168, 1, 0.6);
    const Timed ours = large(problem);
    plan::ExactOptions options;
    options.time_limit_s = limit == nullptr ? 120 : std::atof(limit);
    const double from = cpu_s();
    const plan::Plan exact = plan::plan_exact(problem, options);
    fmt::print(
        "{{\"bench\":\"small\",\"jobs\":{},\"large_eur\":{:.4f},\"large_cpu_s\":{:.2f},"
        "\"large_gap\":{:.5f},\"exact_status\":\"{}\",\"exact_eur\":{:.4f},\"exact_cpu_s\":{:.2f},"
        "\"solver_bound_eur\":{:.4f},\"large_over_exact\":{:.5f}}}\n",
        size, ours.plan.objective_eur, ours.seconds, ours.plan.gap(), exact.status,
        exact.objective_eur, cpu_s() - from, exact.solver_bound_eur,
        ours.plan.objective_eur / exact.objective_eur);
    std::fflush(stdout);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  const auto word = [&](std::size_t i, const char* other) {
    return i < words.size() ? words[i] : std::string(other);
  };
  const std::string what = word(0, "");
  if (what.empty() || what == "relaxation")
    relaxation(word(1, "150x3x24"),
               static_cast<std::uint64_t>(carnot::parse_integer(word(2, "20"))));
  if (what.empty() || what == "optimum")
    optimum(static_cast<std::uint64_t>(carnot::parse_integer(word(1, "20"))));
  if (what == "small") small({words.begin() + 1, words.end()});
}
