// SPDX-License-Identifier: Apache-2.0
#include "carnot/plan/study/dispatch_rules.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"

#include "plan/supply/supply.hpp"

namespace carnot::plan {

namespace {

struct Manner {
  bool moves, waits, chooses_mode, drops;
};

Manner manner(DispatchRule rule) {
  switch (rule) {
    case DispatchRule::AtOnce:
      return {false, false, false, false};
    case DispatchRule::MoveOnly:
      return {true, false, false, true};
    case DispatchRule::WaitOnly:
      return {false, true, false, true};
    case DispatchRule::PriceGreedy:
      break;
  }
  return {true, true, true, true};
}

/// Allowed sites, the origin first where it is allowed, then by moving cost.
std::vector<std::uint32_t> homes(const Problem& problem, std::size_t job) {
  const PlanJobs& jobs = problem.jobs;
  std::vector<std::uint32_t> sites(problem.sites.size());
  std::iota(sites.begin(), sites.end(), 0U);
  if (const std::vector<std::uint32_t>* allowed = jobs.sites(job)) sites = *allowed;
  const auto rank = [&](std::uint32_t s) {
    return std::pair(s != jobs.origin(job), jobs.move_eur(job, s));
  };
  std::stable_sort(sites.begin(), sites.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return rank(a) < rank(b); });
  return sites;
}

class Dispatcher {
 public:
  Dispatcher(const Problem& problem, DispatchRule rule)
      : problem_(problem),
        manner_(manner(rule)),
        supply_(supplies(problem)),
        load_(supply_.size()) {}

  Assignment place(std::size_t job) {
    const PlanJobs& jobs = problem_.jobs;
    Assignment best;
    double best_cost = manner_.drops ? jobs.value(job) : kInfinity;
    for (const std::uint32_t s : homes(problem_, job)) {
      bool fits = false;
      const std::size_t modes =
          manner_.chooses_mode ? jobs.mode_end(job) - jobs.mode_begin(job) : std::size_t{1};
      for (std::size_t m = 0; m < modes; ++m) {
        const PlanMode& mode = jobs.mode(jobs.mode_begin(job) + m);
        if (!choose(job, s, mode)) continue;
        fits = true;
        const double cost = cost_ + mode.quality_eur + jobs.move_eur(job, s);
        if (cost < best_cost) {
          best_cost = cost;
          best = {s, static_cast<std::uint32_t>(m), chosen_};
        }
      }
      if (fits && !manner_.moves) break;  // the first site with room decides
    }
    if (best.site == kNone) return best;
    const double power = jobs.mode(jobs.mode_begin(job) + best.mode).power_kw;
    for (const std::int32_t t : best.slots) load_[cell(best.site, t)] += power;
    return best;
  }

 private:
  std::size_t cell(std::uint32_t site, std::int32_t slot) const {
    return site * static_cast<std::size_t>(problem_.slots) + static_cast<std::size_t>(slot);
  }

  /// Sets `chosen_` and `cost_` to the slots at `site`; false if there is no room.
  bool choose(std::size_t job, std::uint32_t site, const PlanMode& mode) {
    const auto slots = static_cast<std::size_t>(mode.slots);
    ranked_.clear();
    for (std::int32_t t = problem_.jobs.release(job); t < problem_.jobs.deadline(job); ++t) {
      const Supply& supply = supply_[cell(site, t)];
      const double before = load_[cell(site, t)], after = before + mode.power_kw;
      if (after > supply.most) continue;
      ranked_.emplace_back(supply.cost(after) - supply.cost(before), t);
      if (!manner_.waits && ranked_.size() == slots) break;
    }
    if (ranked_.size() < slots) return false;
    const auto end = ranked_.begin() + static_cast<std::ptrdiff_t>(slots);
    if (end != ranked_.end()) std::nth_element(ranked_.begin(), end - 1, ranked_.end());
    chosen_.clear();
    cost_ = 0;
    for (auto at = ranked_.begin(); at != end; ++at) {
      cost_ += problem_.slot_h() * at->first;
      chosen_.push_back(at->second);
    }
    std::sort(chosen_.begin(), chosen_.end());
    return true;
  }

  const Problem& problem_;
  const Manner manner_;
  const std::vector<Supply> supply_;
  std::vector<double> load_;  // IT kW, [cell]
  std::vector<std::pair<double, std::int32_t>> ranked_;
  std::vector<std::int32_t> chosen_;
  double cost_ = 0;
};

}  // namespace

const std::vector<DispatchRule>& all_rules() {
  static const std::vector<DispatchRule> kRules = {DispatchRule::AtOnce, DispatchRule::MoveOnly,
                                                   DispatchRule::WaitOnly,
                                                   DispatchRule::PriceGreedy};
  return kRules;
}

std::string name(DispatchRule rule) {
  switch (rule) {
    case DispatchRule::AtOnce:
      return "at-once";
    case DispatchRule::MoveOnly:
      return "move-only";
    case DispatchRule::WaitOnly:
      return "wait-only";
    case DispatchRule::PriceGreedy:
      break;
  }
  return "price-greedy";
}

double rule_steps(const Problem& problem, DispatchRule rule) {
  const Manner m = manner(rule);
  double steps = 0;
  for (std::size_t j = 0; j < problem.jobs.size(); ++j) {
    const PlanJobs& jobs = problem.jobs;
    const double window = jobs.deadline(j) - jobs.release(j);
    const double sites = !m.moves                   ? 1.0
                         : jobs.sites(j) != nullptr ? static_cast<double>(jobs.sites(j)->size())
                                                    : static_cast<double>(problem.sites.size());
    const double modes =
        m.chooses_mode ? static_cast<double>(jobs.mode_end(j) - jobs.mode_begin(j)) : 1.0;
    steps += sites * modes * window;
  }
  return steps;
}

Plan rule_plan(const Problem& problem, DispatchRule rule) {
  const PlanJobs& jobs = problem.jobs;
  std::vector<std::size_t> order(jobs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::pair(jobs.release(a), jobs.deadline(a)) <
           std::pair(jobs.release(b), jobs.deadline(b));
  });
  Plan plan;
  plan.solver = name(rule);
  plan.jobs.resize(jobs.size());
  Dispatcher dispatcher(problem, rule);
  for (const std::size_t j : order) plan.jobs[j] = dispatcher.place(j);
  return plan;
}

}  // namespace carnot::plan
