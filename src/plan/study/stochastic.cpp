// SPDX-License-Identifier: Apache-2.0
#include "carnot/plan/study/stochastic.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <thread>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/base/sum.hpp"
#include "carnot/plan/certificate/certificate.hpp"

#include "plan/certificate/jobs.hpp"
#include "plan/prices/dual_ascent.hpp"
#include "plan/pricing/class_pricing.hpp"
#include "plan/search/search.hpp"

namespace carnot::plan {

namespace {

constexpr double kRounding = 1e-12;  // of the magnitude of what is summed over scenarios

void check(const Problem& problem, const std::vector<Scenario>& scenarios,
           const ScenarioOptions& options) {
  if (scenarios.empty()) throw InputError("scenarios: at least one");
  if (!(options.alpha >= 0 && options.alpha < 1))
    throw InputError(fmt::format("alpha: 0 to below 1, not {}", options.alpha));
  const auto slots = static_cast<std::size_t>(problem.slots);
  for (const Scenario& scenario : scenarios) {
    if (!(scenario.weight > 0 && std::isfinite(scenario.weight)))
      throw InputError(fmt::format("scenarios: a weight above 0, not {}", scenario.weight));
    if (scenario.sites.size() != scenarios.front().sites.size())
      throw InputError("scenarios: the same number of sites in each");
    for (const PlanSite& x : scenario.sites)
      for (const auto* series : {&x.capacity_kw, &x.pue, &x.free_kw, &x.price_eur_per_kwh,
                                 &x.carbon_g_per_kwh, &x.grid_limit_kw})
        if (series->size() != slots)
          throw InputError(
              fmt::format("scenarios: series of {} slots, not {}", slots, series->size()));
  }
}

Problem with_sites(const Problem& problem, const std::vector<PlanSite>& sites) {
  Problem out = problem;
  out.sites = sites;
  return out;
}

/// The supplies of each scenario.
std::vector<std::vector<Supply>> supplies_of(const Problem& problem,
                                             const std::vector<Scenario>& scenarios) {
  std::vector<std::vector<Supply>> out;
  Problem bare;
  bare.slot_s = problem.slot_s;
  bare.slots = problem.slots;
  bare.carbon_price_eur_per_t = problem.carbon_price_eur_per_t;
  for (const Scenario& scenario : scenarios) {
    bare.sites = scenario.sites;
    out.push_back(supplies(bare));
  }
  return out;
}

/// The weighted sum of one cell's costs, up to the least of their greatest powers.
Supply weighted(const std::vector<std::vector<Supply>>& all, const std::vector<double>& q,
                std::size_t cell) {
  if (all.size() == 1) return all[0][cell];
  Supply out;
  out.most = kInfinity;
  double price = 0;  // of the piece in hand, and where it grows by how much
  std::vector<std::pair<double, double>> steps;
  for (std::size_t s = 0; s < all.size(); ++s) {
    const Supply& x = all[s][cell];
    out.most = std::min(out.most, x.most);
    const bool at_once = x.first <= 0;
    price += q[s] * (at_once ? x.second_price : x.first_price);
    if (!at_once && x.second_price > x.first_price)
      steps.emplace_back(x.first, q[s] * (x.second_price - x.first_price));
  }
  std::sort(steps.begin(), steps.end());
  double from = 0;
  for (const auto& [at, by] : steps) {
    if (at >= out.most) break;
    if (at > from) out.pieces.push_back({at - from, price});
    from = std::max(from, at);
    price += by;
  }
  out.pieces.push_back({out.most - from, price});
  out.first = out.pieces.front().power;
  out.first_price = out.pieces.front().price;
  out.second_price = out.pieces.back().price;
  return out;
}

std::vector<Supply> weighted(const std::vector<std::vector<Supply>>& all,
                             const std::vector<double>& q) {
  std::vector<Supply> out;
  for (std::size_t i = 0; i < all[0].size(); ++i) out.push_back(weighted(all, q, i));
  return out;
}

/// The q of the greatest weighted sum.
std::vector<double> worst(const std::vector<double>& cost, const std::vector<double>& weight,
                          double alpha) {
  std::vector<std::size_t> order(cost.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return cost[a] > cost[b]; });
  std::vector<double> q(cost.size());
  double left = 1;
  for (const std::size_t s : order) {
    q[s] = std::min(left, weight[s] / (1 - alpha));
    left -= q[s];
  }
  return q;
}

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

/// Cost of a plan in each scenario, checked.
std::vector<double> costs(const Problem& problem, const std::vector<Scenario>& scenarios,
                          const Plan& plan) {
  std::vector<double> out;
  for (const Scenario& scenario : scenarios) {
    const Certificate certificate = certify(with_sites(problem, scenario.sites), plan);
    CARNOT_CHECK(certificate.holds(), certificate.violations.front());
    out.push_back(certificate.totals.objective_eur);
  }
  return out;
}

/// What no plan for this one future can cost less than.
double foresight(const Problem& problem, const std::vector<Supply>& supply,
                 const PlannerOptions& options) {
  const WindowClasses table(problem);
  ClassPricing jobs(problem, table);
  DualOptions dual;
  dual.threads = options.threads > 0
                     ? options.threads
                     : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  if (options.iterations > 0) dual.iterations = options.iterations;
  dual.progress = [&](const DualResult&) { return !options.stop.requested(); };
  const double bound = maximise_dual(problem, supply, jobs, {}, dual).bound;
  return bound - kRounding * (1 + std::abs(bound));
}

}  // namespace

double ScenarioPlan::regret() const noexcept {
  return (mean_eur - foresight_eur) / std::max(foresight_eur, 1e-9);
}

double cvar(const std::vector<double>& cost, const std::vector<double>& weight, double alpha) {
  return dot(worst(cost, weight, alpha), cost);
}

double scenario_bound(const Problem& problem, const std::vector<Scenario>& scenarios,
                      const std::vector<double>& q, const std::vector<double>& price) {
  // What jobs cost at least in slots whose sites can feed them in every scenario.
  Problem closed = with_sites(problem, scenarios.front().sites);
  for (std::size_t s = 0; s < closed.sites.size(); ++s) {
    PlanSite& site = closed.sites[s];
    for (std::size_t t = 0; t < site.capacity_kw.size(); ++t)
      for (const Scenario& scenario : scenarios) {
        const PlanSite& x = scenario.sites[s];
        site.capacity_kw[t] = std::min({site.capacity_kw[t], x.capacity_kw[t],
                                        (x.free_kw[t] + x.grid_limit_kw[t]) / x.pue[t]});
      }
    std::fill(site.grid_limit_kw.begin(), site.grid_limit_kw.end(), kInfinity);
  }
  constexpr double kHair = 1e-13;  // relative: more than rounding in sums of that many
  Sum<double> of_jobs, size;
  for (std::size_t j = 0; j < problem.jobs.size(); ++j) {
    const double least = least_cost(closed, j, {.energy = price, .within_sites = true});
    of_jobs += least;
    size += std::abs(least);
  }
  const double jobs = of_jobs.value() - kHair * size.value();

  const auto slots = static_cast<std::size_t>(problem.slots);
  const double h = problem.slot_h();
  Sum<double> sum, magnitude;
  for (std::size_t s = 0; s < closed.sites.size(); ++s)
    for (std::size_t t = 0; t < slots; ++t) {
      double most = kInfinity;
      std::vector<double> kinks;
      for (const Scenario& scenario : scenarios) {
        const PlanSite& x = scenario.sites[s];
        most = std::min({most, x.capacity_kw[t], (x.free_kw[t] + x.grid_limit_kw[t]) / x.pue[t]});
        kinks.push_back(x.free_kw[t] / x.pue[t]);
        kinks.push_back(x.grid_limit_kw[t] / x.pue[t]);
      }
      kinks.push_back(most);
      double least = 0;
      for (const double kink : kinks) {
        const double load = std::min(kink, most);
        double value = -price[s * slots + t] * load;
        for (std::size_t n = 0; n < scenarios.size(); ++n) {
          const PlanSite& x = scenarios[n].sites[s];
          const double c = x.price_eur_per_kwh[t] +
                           1e-6 * problem.carbon_price_eur_per_t * x.carbon_g_per_kwh[t];
          const double facility = load * x.pue[t];
          value += q[n] * c *
                   (c >= 0 ? std::max(0.0, facility - x.free_kw[t])
                           : std::min(facility, x.grid_limit_kw[t]));
        }
        least = std::min(least, value);
      }
      sum += least * h;
      magnitude += std::abs(least) * h;
    }
  return jobs + sum.value() - kRounding * (magnitude.value() + std::abs(jobs));
}

ScenarioPlan plan_scenarios(const Problem& problem, const std::vector<Scenario>& scenarios,
                            const ScenarioOptions& options) {
  check(problem, scenarios, options);
  std::vector<double> weight;
  for (const Scenario& scenario : scenarios) weight.push_back(scenario.weight);
  const double sum = std::accumulate(weight.begin(), weight.end(), 0.0);
  for (double& w : weight) w /= sum;
  const std::vector<std::vector<Supply>> all = supplies_of(problem, scenarios);
  const Problem first = with_sites(problem, scenarios.front().sites);

  ScenarioPlan best;
  best.plan.objective_eur = kInfinity;
  best.plan.bound_eur = -kInfinity;
  PlannerOptions planner = options.planner;
  std::vector<double> q = weight;
  const int turns = options.alpha > 0 && scenarios.size() > 1 ? std::max(options.turns, 1) : 1;
  double seconds = 0;
  for (int turn = 0; turn < turns && (turn == 0 || !planner.stop.requested()); ++turn) {
    Plan plan = search(first, weighted(all, q), planner);
    seconds += plan.seconds;
    if (plan.status == "stopped") best.plan.status = plan.status;
    const double bound = scenario_bound(problem, scenarios, q, plan.price);
    planner.start_price = plan.price;
    planner.start_plan = plan.jobs;
    const std::vector<double> cost = costs(problem, scenarios, plan);
    const double objective = cvar(cost, weight, options.alpha);
    if (objective < best.plan.objective_eur) {
      best.plan.jobs = std::move(plan.jobs);
      best.plan.objective_eur = objective;
      best.cost_eur = cost;
    }
    if (bound > best.plan.bound_eur) {
      best.plan.bound_eur = bound;
      best.plan.price = std::move(plan.price);
      best.weight = q;
    }
    // Towards the weights that are worst for this plan, by ever smaller steps.
    const std::vector<double> against = worst(cost, weight, options.alpha);
    const double step = 2.0 / (turn + 3.0);
    for (std::size_t s = 0; s < q.size(); ++s) q[s] += step * (against[s] - q[s]);
  }
  best.plan.solver = "scenarios";
  best.plan.seconds = seconds;
  best.mean_eur = dot(weight, best.cost_eur);
  best.cvar_eur = cvar(best.cost_eur, weight, options.alpha);
  best.foresight_eur = -kInfinity;
  if (options.perfect_foresight) {
    best.foresight_eur = 0;
    for (std::size_t s = 0; s < scenarios.size(); ++s)
      best.foresight_eur += weight[s] * foresight(first, all[s], options.planner);
  }
  return best;
}

}  // namespace carnot::plan
