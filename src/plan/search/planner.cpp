// SPDX-License-Identifier: Apache-2.0
#include "carnot/plan/search/planner.hpp"

#include <algorithm>
#include <cmath>
#include <thread>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/base/sum.hpp"
#include "carnot/plan/certificate/certificate.hpp"
#include "carnot/solve/linear_program.hpp"

#include "plan/prices/contract_columns.hpp"
#include "plan/prices/dual_ascent.hpp"
#include "plan/pricing/class_pricing.hpp"
#include "plan/search/contract_search.hpp"
#include "plan/search/search.hpp"

namespace carnot::plan {

namespace {

constexpr int kSweeps = 5;
constexpr std::size_t kFew = 300;   // jobs whose prices CLP betters and whose plan takes longer
constexpr int kIdle = 8;            // rounds of CLP that better no bound, then it ends
constexpr double kFewClose = 1e-4;  // relative, to the bound of linear programming
constexpr double kPackingWorth = 1e-3, kPackingClose = 1e-4;  // relative gaps: above, down to
constexpr std::size_t kWorthThreads = 2'000;  // jobs; fewer are priced before a thread starts
constexpr std::int64_t kLegs = 20;            // of the rebuilding search: progress, and the clock
constexpr double kDualShare = 0.5, kSweepShare = 0.8;  // of the work; of a time limit likewise
constexpr double kWarmth = 0.01, kReach = 0.05;        // of the mean cost of a job
constexpr int kFirstPlan = 8;                          // iterations before a plan is tried
constexpr int kWarmIterations = 150;
constexpr double kWarmStep = 0.02;

int default_iterations(std::size_t jobs) { return jobs > 3'000 ? 300 : 800; }

// Rebuilding pays where jobs are few and large.
std::int64_t default_rounds(std::size_t jobs) {
  const auto n = static_cast<std::int64_t>(jobs);
  if (jobs <= kFew) return std::max<std::int64_t>(1'200 * n, 1'000);
  return n > 5'000 ? 20'000 : std::clamp<std::int64_t>(400 * n, 1'000, 200'000);
}

void check(const Problem& problem, const PlannerOptions& options) {
  if (problem.workflow.any())
    throw InputError("jobs are tied to each other or to nodes, which this planner knows not");
  if (!problem.terms.empty())
    throw InputError(
        fmt::format("job {} has terms beyond the contract, which this planner knows not",
                    problem.jobs.id(problem.terms.begin()->first)));
  const std::size_t cells = problem.sites.size() * static_cast<std::size_t>(problem.slots);
  if (!options.start_price.empty() && options.start_price.size() != cells)
    throw InputError(fmt::format("start_price: {} prices, one a site and slot, not {}", cells,
                                 options.start_price.size()));
  for (const double price : options.start_price)
    if (!(std::abs(price) <= 1e12))
      throw InputError(fmt::format("start_price: numbers, -1e12 to 1e12, not {}", price));
  if (!options.start_plan.empty() && options.start_plan.size() != problem.jobs.size())
    throw InputError(fmt::format("start_plan: {} assignments, one a job, not {}",
                                 problem.jobs.size(), options.start_plan.size()));
}

class LargeSearch {
 public:
  LargeSearch(const Problem& problem, const std::vector<Supply>& supply,
              const PlannerOptions& options)
      : problem_(problem),
        options_(options),
        began_(options.stop.now()),
        supply_(supply),
        table_(problem),
        jobs_(problem.jobs.size()) {
    Sum<double> value;
    for (std::size_t j = 0; j < problem.jobs.size(); ++j) value += problem.jobs.value(j);
    state_.objective_eur = kept_eur_ = value.value();
    state_.bound_eur = -kInfinity;
    threads_ = options.threads > 0
                   ? options.threads
                   : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
    if (problem.jobs.size() < kWorthThreads) threads_ = 1;
  }

  Plan run() {
    Plan plan;
    plan.price = prices();
    if (!stopped_) improve(plan.price);
    if (stopped_)
      plan.status = "stopped";
    else if (!in_time(1.0))
      plan.status = "time-limit";
    plan.jobs = std::move(jobs_);
    plan.objective_eur = state_.objective_eur;
    plan.bound_eur = state_.bound_eur;
    plan.seconds = state_.seconds;
    return plan;
  }

  /// Proves more, with prices on whole jobs, where the plan is not near enough to its bound.
  void pack(Plan& plan) {
    const double worth = kPackingWorth * std::abs(plan.objective_eur);
    if (!options_.tighten || !options_.pack || stopped_ || problem_.jobs.size() > kFew ||
        plan.objective_eur - plan.bound_eur <= worth || !solve::has_linear_solver())
      return;
    PackedPrices packed = packed_columns(
        problem_, supply_, plan.price, plan.objective_eur, kPackingClose,
        [&](double bound) {
          state_.bound_eur = std::max(state_.bound_eur, bound);
          return go_on(1.0, 1.0);
        },
        until(1.0));
    if (packed.bound <= plan.bound_eur) return;
    plan.price = std::move(packed.price);
    plan.packing = std::move(packed.packing);
  }

  /// The last words of progress: what the certificate says.
  void finish(Plan& plan) {
    state_.objective_eur = plan.objective_eur;
    state_.bound_eur = plan.bound_eur;
    go_on(1.0, 1.0);
    plan.seconds = state_.seconds;
  }

 private:
  bool warm() const { return !options_.start_price.empty(); }

  // False once it is time to stop.
  bool go_on(double share, double share_of_time) {
    state_.share_done = std::max(state_.share_done, share);
    state_.seconds = options_.stop.now() - began_;
    stopped_ = stopped_ || options_.stop.requested();
    if (options_.progress && !stopped_ && !options_.progress(state_)) stopped_ = true;
    return !stopped_ && in_time(share_of_time);
  }
  bool in_time(double share_of_time) const {
    return options_.time_limit_s <= 0 || state_.seconds < share_of_time * options_.time_limit_s;
  }
  /// Stops when the options say so, and when that share of their time is over.
  StopToken until(double share_of_time) const {
    if (options_.time_limit_s <= 0) return options_.stop;
    const double passed = options_.stop.now() - began_;
    return options_.stop.within(share_of_time * options_.time_limit_s - passed);
  }

  /// Prices of the best bound; on the way there, first plans.
  std::vector<double> prices() {
    ClassPricing response(problem_, table_);
    DualOptions dual;
    dual.threads = threads_;
    dual.iterations = options_.iterations > 0 ? options_.iterations
                      : warm()                ? kWarmIterations
                                              : default_iterations(problem_.jobs.size());
    if (warm()) dual.first_step = kWarmStep;
    dual.progress = [&](const DualResult& best) {
      state_.bound_eur = best.bound;
      const double share = kDualShare * best.iterations / dual.iterations;
      if (!go_on(share, kDualShare)) return false;
      const bool half_way = best.iterations == dual.iterations / 3 && !warm();
      if (best.iterations != kFirstPlan && !half_way) return true;
      ContractSearch insertion = start(best.price);
      insertion.insert_all([&] { return go_on(share, kDualShare); });
      if (half_way) insertion.sweep(sweep_view(0.4), [&] { return go_on(share, kDualShare); });
      keep(insertion);
      return go_on(share, kDualShare);
    };
    std::vector<double> first = options_.start_price;
    for (double& price : first) price = std::max(price, 0.0);
    DualResult best = maximise_dual(problem_, supply_, response, first, dual);
    if (!options_.tighten || stopped_ || problem_.jobs.size() > kFew || !solve::has_linear_solver())
      return best.price;
    int idle = 0;
    return contract_columns(
               problem_, supply_, best.price, kFewClose,
               [&](const DantzigWolfe& prices) {
                 idle = prices.bound > state_.bound_eur ? 0 : idle + 1;
                 if (problem_.jobs.size() > kFew / 2 && idle > kIdle) return false;
                 state_.bound_eur = prices.bound;
                 return go_on(kDualShare, kDualShare);
               },
               until(kDualShare))
        .price;
  }

  /// With what the start plan says, if there is one.
  ContractSearch start(const std::vector<double>& price) {
    ContractSearch insertion(problem_, supply_, table_, price, threads_);
    for (std::size_t j = 0; j < options_.start_plan.size(); ++j)
      insertion.keep(j, options_.start_plan[j]);
    return insertion;
  }

  void keep(const ContractSearch& insertion) {
    const double objective = insertion.objective();
    if (objective > kept_eur_) return;
    state_.objective_eur = kept_eur_ = objective;
    jobs_ = insertion.assignments();
  }

  /// A plan that was said is in hand, but where jobs are so many that holding it is dear.
  void report(const ContractSearch& insertion) {
    if (problem_.jobs.size() <= kWorthThreads)
      keep(insertion);
    else
      state_.objective_eur = std::min(state_.objective_eur, insertion.objective());
  }

  void improve(const std::vector<double>& price) {
    ContractSearch insertion = start(price);
    insertion.insert_all([&] { return go_on(kDualShare, 1.0); });
    bool more = go_on(kDualShare, 1.0);
    for (int n = 1; n <= kSweeps && more; ++n) {
      const double done = static_cast<double>(n) / kSweeps;
      const double share = kDualShare + (kSweepShare - kDualShare) * done;
      insertion.sweep(sweep_view(done), [&] { return go_on(share, 1.0); });
      report(insertion);
      more = go_on(share, 1.0);
    }
    if (more) rebuild(insertion);
    insertion.sweep({}, [&] { return go_on(1.0, 1.0); });
    keep(insertion);
  }

  void rebuild(ContractSearch& insertion) {
    const std::size_t jobs = problem_.jobs.size();
    const std::int64_t rounds = options_.rounds >= 0 ? options_.rounds : default_rounds(jobs);
    const double mean =
        std::abs(state_.objective_eur) / static_cast<double>(std::max<std::size_t>(jobs, 1));
    const double reach = jobs <= kFew ? kReach * mean : kInfinity;
    const StopToken stop = until(1.0);
    for (std::int64_t leg = 0; leg < kLegs; ++leg) {
      const double done = static_cast<double>(leg + 1) / kLegs;
      insertion.rebuild(static_cast<std::uint64_t>(rounds / kLegs), kWarmth * mean * (1.0 - done),
                        reach, options_.seed + 1000 * static_cast<std::uint64_t>(leg), stop);
      report(insertion);
      if (!go_on(kSweepShare + (1 - kSweepShare) * done, 1.0)) return;
    }
  }

  const Problem& problem_;
  const PlannerOptions& options_;
  double began_;  // by the clock of the token
  PlanProgress state_;
  bool stopped_ = false;  // by the token or whoever watches
  const std::vector<Supply>& supply_;
  WindowClasses table_;
  int threads_ = 1;
  std::vector<Assignment> jobs_;  // the best plan that was kept; at first all jobs are dropped
  double kept_eur_ = 0;
};

}  // namespace

Plan search(const Problem& problem, const std::vector<Supply>& supply,
            const PlannerOptions& options) {
  check(problem, options);
  return LargeSearch(problem, supply, options).run();
}

Plan plan_large(const Problem& problem, const PlannerOptions& options) {
  check(problem, options);
  const std::vector<Supply> supply = supplies(problem);
  LargeSearch search(problem, supply, options);
  Plan plan = search.run();
  plan.solver = "large";
  Certificate certificate = certify(problem, plan);
  CARNOT_CHECK(certificate.holds(), certificate.violations.front());
  plan.objective_eur = certificate.totals.objective_eur;
  plan.bound_eur = certificate.totals.bound_eur;
  search.pack(plan);
  if (!plan.packing.empty()) {
    certificate = certify(problem, plan);
    CARNOT_CHECK(certificate.holds(), certificate.violations.front());
  }
  plan.totals = certificate.totals;
  plan.objective_eur = plan.totals.objective_eur;
  plan.bound_eur = plan.totals.bound_eur;
  search.finish(plan);
  return plan;
}

}  // namespace carnot::plan
