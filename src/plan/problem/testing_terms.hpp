// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// For tests: small jobs with terms, and their cheapest schedule by looking at every one.

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "carnot/base/limits.hpp"
#include "carnot/base/random.hpp"

#include "plan/pricing/job_prices.hpp"
#include "plan/problem/testing_problem.hpp"

namespace carnot::plan::testing {

/// A small problem whose jobs have terms, each of them now and then, and wide windows.
/// \param longest  slots of a mode
inline Problem problem_with_terms(std::uint64_t seed, std::size_t jobs, std::size_t sites,
                                  std::int32_t slots, std::int32_t longest = 3) {
  Problem problem = small_problem(seed, 0, sites, slots);
  const RandomStream random(seed, "terms-test");
  std::uint64_t at = 0;
  const auto chance = [&](double p) { return random.uniform(at++) < p; };
  const auto u = [&](double low, double high) { return low + (high - low) * random.uniform(at++); };
  const auto below = [&](std::int32_t n) {
    return static_cast<std::int32_t>(random.below(at++, static_cast<std::uint64_t>(n)));
  };
  if (chance(0.7)) {
    problem.network.gb_per_s = u(0.005, 0.1);
    problem.network.kwh_per_gb = chance(0.7) ? u(0.0, 0.1) : 0.0;
  }
  if (chance(0.5))
    for (std::size_t s = 0; s < sites; ++s)
      problem.network.egress_eur_per_gb.push_back(u(-0.02, 0.02));
  for (std::uint32_t j = 0; j < jobs; ++j) {
    const std::int32_t release = below(2), deadline = slots - below(std::min(2, slots - release));
    std::vector<PlanMode> modes;
    for (std::int32_t m = below(2); m >= 0; --m)
      modes.push_back({1 + below(std::min(longest, deadline - release)), u(1, 7), u(-0.05, 0.25)});
    std::vector<std::uint32_t> allowed;
    if (chance(0.2)) allowed.push_back(static_cast<std::uint32_t>(below(static_cast<int>(sites))));
    const std::uint32_t origin =
        chance(0.7) ? static_cast<std::uint32_t>(below(static_cast<int>(sites))) : kNone;
    problem.jobs.add("j" + std::to_string(j), release, deadline, u(0, chance(0.5) ? 4 : 60), modes,
                     origin, u(0, 0.5), allowed);
    JobTerms terms;
    terms.preemptible = chance(0.8);
    if (chance(0.4)) terms.min_run_slots = 1 + below(std::min(deadline - release, 3));
    if (chance(0.4)) terms.restart_eur = u(0, chance(0.5) ? 0.5 : 5);
    if (chance(0.3)) terms.restart_slots = below(3);
    if (chance(0.4)) {
      terms.speed_parts = 1 + below(3);
      for (std::size_t m = 0; m < modes.size(); ++m) {
        auto& levels = terms.levels.emplace_back();
        if (chance(0.7)) levels.push_back({u(0, 12), 1 + below(5)});
      }
    }
    terms.movable = terms.preemptible && chance(0.6);
    if (chance(0.5)) terms.each_move_eur = u(0, 0.3);
    if (chance(0.6)) terms.data_gb = u(0, 200);
    if (chance(0.5)) {
      terms.due = release + below(deadline - release + 1);
      terms.late_eur_per_slot = u(0, 0.3);
    }
    if (chance(0.6)) terms.stop_s = u(0, 60);
    problem.terms[j] = terms;
  }
  return problem;
}

/// Every schedule of a job, priced from the words of plan/problem/job_terms.hpp. Exponential.
class EverySchedule {
 public:
  EverySchedule(const Problem& problem, std::size_t job, const JobPrices& prices)
      : p_(problem),
        j_(job),
        x_(prices),
        terms_(problem.terms.at(static_cast<std::uint32_t>(job))) {}

  double cheapest() {
    best_ = x_.weights.drop * p_.jobs.value(j_);
    for (mode_ = p_.jobs.mode_begin(j_); mode_ < p_.jobs.mode_end(j_); ++mode_)
      slot(p_.jobs.release(j_));
    return best_;
  }
  /// All of them, as a plan says them.
  std::vector<std::pair<Assignment, JobSchedule>> all() {
    std::vector<std::pair<Assignment, JobSchedule>> out;
    all_ = &out;
    cheapest();
    all_ = nullptr;
    return out;
  }

 private:
  void keep() {
    auto& [assignment, schedule] = all_->emplace_back();
    assignment.site = ran_.front().site;
    assignment.mode = static_cast<std::uint32_t>(mode_ - p_.jobs.mode_begin(j_));
    for (const Ran& ran : ran_) {
      assignment.slots.push_back(ran.slot);
      schedule.sites.push_back(ran.site);
      schedule.levels.push_back(static_cast<std::uint32_t>(ran.level));
    }
  }
  struct Ran {
    std::int32_t slot;
    std::uint32_t site;
    std::size_t level;
  };

  void slot(std::int32_t t) {
    if (!ran_.empty()) {
      const double eur = cost();
      if (all_ != nullptr && eur < kInfinity) keep();
      best_ = std::min(best_, eur);
    }
    if (t == p_.jobs.deadline(j_)) return;
    slot(t + 1);
    const auto* allowed = p_.jobs.sites(j_);
    for (std::uint32_t s = 0; s < p_.sites.size(); ++s) {
      if (allowed != nullptr && std::find(allowed->begin(), allowed->end(), s) == allowed->end())
        continue;
      if (!ran_.empty() && !terms_.movable && s != ran_.front().site) continue;
      for (std::size_t l = 0; l <= more_levels(); ++l) {
        ran_.push_back({t, s, l});
        slot(t + 1);
        ran_.pop_back();
      }
    }
  }

  std::size_t more_levels() const {
    return terms_.levels.empty() ? 0 : terms_.levels[mode_ - p_.jobs.mode_begin(j_)].size();
  }
  PlanLevel level(std::size_t l) const {
    return l == 0 ? PlanLevel{p_.jobs.mode(mode_).power_kw, terms_.speed_parts}
                  : terms_.levels[mode_ - p_.jobs.mode_begin(j_)][l - 1];
  }
  double price(std::uint32_t s, std::int32_t t) const {
    return x_.energy[s * static_cast<std::size_t>(p_.slots) + static_cast<std::size_t>(t)];
  }

  /// Of what ran; infinite if it is no schedule.
  double cost() const {
    const std::int32_t end = ran_.back().slot + 1;
    const double h = p_.slot_s / 3600;
    const bool paid = !x_.reserve.empty() && terms_.preemptible && terms_.stop_s <= x_.within_s &&
                      end + x_.hold_slots + terms_.restart_slots <= p_.jobs.deadline(j_);
    const std::int32_t need = p_.jobs.mode(mode_).slots * terms_.speed_parts;
    double sum = x_.weights.quality * p_.jobs.mode(mode_).quality_eur +
                 x_.weights.move * p_.jobs.move_eur(j_, ran_.front().site) +
                 x_.weights.late * std::max(0, end - terms_.due) * terms_.late_eur_per_slot;
    std::int32_t done = 0, length = 0, reading = 0;
    bool worked = false;
    for (std::size_t i = 0; i < ran_.size(); ++i) {
      const auto& [t, s, l] = ran_[i];
      const bool first = i == 0;
      if (first || t > ran_[i - 1].slot + 1 || s != ran_[i - 1].site) {
        if (!first) {
          if (!terms_.preemptible || length < terms_.min_run_slots || !worked) return kInfinity;
          sum += x_.weights.restart * terms_.restart_eur;
          reading = terms_.restart_slots;
        }
        length = 0;
        worked = false;
        const std::uint32_t from = first ? p_.jobs.origin(j_) : ran_[i - 1].site;
        if (!first && from != s) sum += x_.weights.move * terms_.each_move_eur;
        if (from != s && from != kNone && terms_.data_gb > 0) {
          const double took = terms_.data_gb / p_.network.gb_per_s;
          std::int32_t slots = 0;
          while (slots * p_.slot_s < took - 1e-9 * p_.slot_s) ++slots;
          if (t - slots < (first ? p_.jobs.release(j_) : ran_[i - 1].slot + 1)) return kInfinity;
          if (!p_.network.egress_eur_per_gb.empty())
            sum += x_.weights.move * terms_.data_gb * p_.network.egress_eur_per_gb[from];
          for (std::int32_t k = t - slots; k < t; ++k)
            sum +=
                terms_.data_gb * p_.network.kwh_per_gb / slots * (price(from, k) + price(s, k)) / 2;
        }
      }
      if (done >= need) return kInfinity;
      ++length;
      if (reading > 0) {
        if (l != 0) return kInfinity;
        --reading;
      } else {
        done += level(l).parts;
        worked = true;
      }
      sum += level(l).power_kw * h * price(s, t);
      if (paid)
        sum -= level(l).power_kw *
               x_.reserve[s * static_cast<std::size_t>(p_.slots) + static_cast<std::size_t>(t)];
    }
    return done >= need ? sum : kInfinity;
  }

  const Problem& p_;
  std::size_t j_;
  const JobPrices& x_;
  const JobTerms& terms_;
  std::size_t mode_ = 0;
  std::vector<Ran> ran_;
  double best_ = 0;
  std::vector<std::pair<Assignment, JobSchedule>>* all_ = nullptr;
};

/// Random prices, some of them negative for even seeds, and weights.
struct RandomPrices {
  std::vector<double> energy, reserve;
  JobPrices prices;
  RandomPrices(const Problem& problem, std::uint64_t seed) {
    const RandomStream random(seed, "job-prices");
    const std::size_t cells = problem.sites.size() * static_cast<std::size_t>(problem.slots);
    for (std::size_t i = 0; i < cells; ++i) {
      energy.push_back(0.4 * random.uniform(i) - (seed % 2 == 0 ? 0.1 : 0.0));
      reserve.push_back((seed % 4 == 1 ? 0.002 : 0.05) * random.uniform(cells + i));
    }
    prices.energy = energy;
    if (random.uniform(2 * cells) < 0.6) prices.reserve = reserve;
    prices.hold_slots = static_cast<std::int32_t>(random.below(2 * cells + 1, 3));
    prices.within_s = 40;
    if (random.uniform(2 * cells + 2) < 0.5) {
      const auto weight = [&](std::size_t i) { return 2.5 * random.uniform(2 * cells + i) - 0.7; };
      prices.weights = {weight(3), weight(4), weight(5), weight(6), 1};
    }
  }
};

}  // namespace carnot::plan::testing
