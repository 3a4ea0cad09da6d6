// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The certificate of a contract plan as a sum over parts of its jobs: what each part costs, draws
/// and breaks, and what its jobs must cost at least at the plan's prices; then the sites, which see
/// what all parts draw together. `certify` is the case of one part.

#include <cstddef>
#include <vector>

#include "carnot/base/sum.hpp"
#include "carnot/plan/certificate/certificate.hpp"

namespace carnot::plan {

/// A sum that knows how much rounding may have moved it.
struct BoundSum {
  Sum<double> sum, magnitude;
  void add(double x);
  /// Less than the true sum, whatever rounding did.
  double value() const;
};

/// Words of what a plan breaks, the first 50, and the number of all.
struct Violations {
  std::vector<std::string> words;
  std::size_t count = 0;
  void add(std::string what);
};

struct JobsPart {
  Sum<double> cost;          ///< EUR: quality, moves, dropped jobs
  std::vector<double> load;  ///< IT kW, [site x slots + slot]
  std::size_t dropped = 0;
  Violations violations;
};

/// Costs and powers of `plan.jobs`, one a job of `problem`. \throws Stopped
JobsPart certify_jobs(const Problem& problem, const Plan& plan, const StopToken& stop);

/// Least that the jobs cost at these prices; many of them on all CPUs, for whoever stops a search
/// waits for this. The sum is the same for any number. \throws Stopped
void add_jobs_bound(const Problem& problem, const std::vector<double>& price, const StopToken& stop,
                    BoundSum& bound);

/// Least that sites cost when paid these prices: linear between the powers at which something runs
/// out, so the least lies at one of them.
void add_sites_bound(const Problem& problem, const std::vector<double>& price, BoundSum& bound);

/// The sites under the power of all jobs. \param jobs  of all parts
Certificate certify_sites_of(const Problem& problem, const JobsPart& jobs, double bound_eur);

/// Whether these are prices, one a site and slot, -1e12 to 1e12; what is not is said.
bool check_prices(const Problem& problem, const std::vector<double>& price, Violations& out);

}  // namespace carnot::plan
