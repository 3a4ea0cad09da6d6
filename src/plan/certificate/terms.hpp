// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// For the certificate of jobs with terms: what follows from terms alone.

#include <algorithm>
#include <cmath>

#include "carnot/plan/problem/problem.hpp"

#include "plan/pricing/job_prices.hpp"

namespace carnot::plan {

inline bool may_run_at(const PlanJobs& jobs, std::size_t job, std::uint32_t site) {
  const std::vector<std::uint32_t>* allowed = jobs.sites(job);
  return allowed == nullptr || std::find(allowed->begin(), allowed->end(), site) != allowed->end();
}

/// A job's data on its way between two sites.
struct Carriage {
  std::int32_t slots = 0;  ///< it takes; more than the problem has if it cannot be done
  double end_kw = 0;       ///< power at each end
};
inline Carriage carriage(const Problem& problem, const JobTerms& terms) {
  Carriage out;
  const double in_one = problem.network.gb_per_s * problem.slot_s;
  if (std::isinf(in_one)) return out;
  while (out.slots <= problem.slots && out.slots * in_one < terms.data_gb - 1e-9 * in_one)
    ++out.slots;
  const double kwh = terms.data_gb * problem.network.kwh_per_gb;
  if (out.slots > 0) out.end_kw = kwh / 2 / (out.slots * problem.slot_s / 3600);
  return out;
}

/// EUR for the data to leave a site.
inline double egress_eur(const Problem& problem, const JobTerms& terms, std::uint32_t from) {
  const std::vector<double>& eur = problem.network.egress_eur_per_gb;
  return eur.empty() ? 0.0 : eur[from] * terms.data_gb;
}

/// A job whose last slot is before this one is stoppable.
inline std::int32_t stoppable_end(const Problem& problem, std::size_t job, const JobTerms& terms,
                                  const JobPrices& offer) {
  if (!terms.preemptible || std::isinf(terms.stop_s) || terms.stop_s > offer.within_s) return 0;
  return problem.jobs.deadline(job) - offer.hold_slots - terms.restart_slots;
}

}  // namespace carnot::plan
