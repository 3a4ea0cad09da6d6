// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// For tests: small random problems with everything a problem may have, and plain oracles.

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "carnot/base/limits.hpp"
#include "carnot/base/random.hpp"
#include "carnot/plan/problem/plan.hpp"
#include "carnot/plan/problem/problem.hpp"

namespace carnot::plan::testing {

/// \param scale  of capacity and own power: below 1, jobs have to be dropped
inline Problem small_problem(std::uint64_t seed, std::size_t jobs, std::size_t sites,
                             std::int32_t slots, double scale = 1.0) {
  const RandomStream random(seed, "plan-test");
  std::uint64_t at = 0;
  const auto u = [&] { return random.uniform(at++); };
  const auto below = [&](std::uint64_t n) { return random.below(at++, n); };
  Problem problem;
  problem.slots = slots;
  problem.slot_s = u() < 0.5 ? 3600 : 900;
  problem.carbon_price_eur_per_t = 100 * u();
  for (std::size_t s = 0; s < sites; ++s) {
    PlanSite site;
    site.name = "s" + std::to_string(s);
    const bool limited = u() < 0.5;
    for (std::int32_t t = 0; t < slots; ++t) {
      site.capacity_kw.push_back(scale * (5 + 10 * u()));
      site.pue.push_back(1 + 0.5 * u());
      site.free_kw.push_back(u() < 0.4 ? scale * 15 * u() : 0.0);
      site.price_eur_per_kwh.push_back(0.3 * u() - 0.08);  // negative now and then
      site.carbon_g_per_kwh.push_back(600 * u());
      site.grid_limit_kw.push_back(limited ? scale * 12 * u() : kInfinity);
    }
    problem.sites.push_back(site);
  }
  for (std::size_t j = 0; j < jobs; ++j) {
    const auto release = static_cast<std::int32_t>(below(static_cast<std::uint64_t>(slots)));
    const auto deadline =
        release + 1 + static_cast<std::int32_t>(below(static_cast<std::uint64_t>(slots - release)));
    std::vector<PlanMode> modes(1 + below(2));
    for (PlanMode& mode : modes) {
      mode.slots = 1 + static_cast<std::int32_t>(below(std::min<std::uint64_t>(
                           3, static_cast<std::uint64_t>(deadline - release))));
      mode.power_kw = 1 + 6 * u();
      mode.quality_eur = 0.3 * u() - 0.05;
    }
    std::vector<std::uint32_t> allowed;
    if (u() < 0.3) allowed.push_back(static_cast<std::uint32_t>(below(sites)));
    std::vector<double> row;
    if (u() < 0.3)
      for (std::size_t s = 0; s < sites; ++s) row.push_back(0.5 * u());
    const std::uint32_t origin = u() < 0.7 ? static_cast<std::uint32_t>(below(sites)) : kNone;
    problem.jobs.add("j" + std::to_string(j), release, deadline, 4 * u(), modes, origin,
                     row.empty() ? 0.5 * u() : 0.0, allowed, row);
  }
  return problem;
}

/// Cost of IT power in a cell, straight from the definition: the better of most own and most grid;
/// infinite where it is not allowed.
inline double cell_cost(const Problem& problem, std::size_t s, std::size_t t, double it) {
  const PlanSite& site = problem.sites[s];
  const double facility = it * site.pue[t], free = site.free_kw[t], limit = site.grid_limit_kw[t];
  if (it > site.capacity_kw[t] || facility > free + limit) return kInfinity;
  const double c =
      site.price_eur_per_kwh[t] + problem.carbon_price_eur_per_t * site.carbon_g_per_kwh[t] * 1e-6;
  const double h = problem.slot_s / 3600;
  return h * std::min(c * std::max(0.0, facility - free), c * std::min(facility, limit));
}

/// As `carnot plan --generate` makes it.
inline Problem generated(std::int64_t jobs, std::int64_t sites, std::int64_t slots,
                         std::uint64_t seed = 1) {
  GenerateOptions options;
  options.jobs = jobs;
  options.sites = sites;
  options.slots = slots;
  options.seed = seed;
  return generate_problem(options);
}

/// All that a contract job may do but be dropped: every set of slots of every site and mode.
inline std::vector<Assignment> every_choice(const Problem& problem, std::size_t j) {
  std::vector<Assignment> out;
  const PlanJobs& jobs = problem.jobs;
  const auto length = static_cast<unsigned>(jobs.deadline(j) - jobs.release(j));
  for (std::uint32_t s = 0; s < problem.sites.size(); ++s) {
    const auto* allowed = jobs.sites(j);
    if (allowed != nullptr && std::find(allowed->begin(), allowed->end(), s) == allowed->end())
      continue;
    for (std::size_t i = jobs.mode_begin(j); i < jobs.mode_end(j); ++i)
      for (unsigned set = 0; set < 1U << length; ++set) {
        if (__builtin_popcount(set) != jobs.mode(i).slots) continue;
        Assignment& choice = out.emplace_back();
        choice.site = s;
        choice.mode = static_cast<std::uint32_t>(i - jobs.mode_begin(j));
        for (unsigned t = 0; t < length; ++t)
          if (set >> t & 1U) choice.slots.push_back(jobs.release(j) + static_cast<std::int32_t>(t));
      }
  }
  return out;
}

/// The mode of a choice.
inline const PlanMode& mode_of(const Problem& problem, std::size_t j, const Assignment& choice) {
  return problem.jobs.mode(problem.jobs.mode_begin(j) + choice.mode);
}

/// The optimum by looking at every plan. Only for a few jobs.
class BruteForce {
 public:
  explicit BruteForce(const Problem& problem)
      : problem_(problem),
        load_(problem.sites.size() * static_cast<std::size_t>(problem.slots)),
        best_(kInfinity) {}
  double optimum() {
    job(0, 0.0);
    return best_;
  }

 private:
  void job(std::size_t j, double fixed) {
    if (j == problem_.jobs.size()) {
      double cost = fixed;
      const auto slots = static_cast<std::size_t>(problem_.slots);
      for (std::size_t i = 0; i < load_.size(); ++i)
        cost += cell_cost(problem_, i / slots, i % slots, load_[i]);
      best_ = std::min(best_, cost);
      return;
    }
    const PlanJobs& jobs = problem_.jobs;
    job(j + 1, fixed + jobs.value(j));
    for (const Assignment& choice : every_choice(problem_, j)) {
      const PlanMode& mode = mode_of(problem_, j, choice);
      const std::vector<double> before = load_;
      for (const std::int32_t slot : choice.slots)
        load_[choice.site * static_cast<std::size_t>(problem_.slots) +
              static_cast<std::size_t>(slot)] += mode.power_kw;
      job(j + 1, fixed + mode.quality_eur + jobs.move_eur(j, choice.site));
      load_ = before;
    }
  }

  const Problem& problem_;
  std::vector<double> load_;
  double best_;
};

/// One site: room for everything, 0.2 EUR and 400 g a kWh, no own power, ready for terms.
inline Problem one_site(std::int32_t slots, double pue) {
  Problem problem;
  problem.slots = slots;
  const auto n = static_cast<std::size_t>(slots);
  PlanSite site;
  site.name = "s";
  site.capacity_kw.assign(n, 100);
  site.pue.assign(n, pue);
  site.free_kw.assign(n, 0);
  site.price_eur_per_kwh.assign(n, 0.2);
  site.carbon_g_per_kwh.assign(n, 400);
  site.grid_limit_kw.assign(n, kInfinity);
  problem.sites.push_back(site);
  problem.site_terms.resize(1);
  return problem;
}

}  // namespace carnot::plan::testing
