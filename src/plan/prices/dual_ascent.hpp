// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Lagrangian dual ascent. Jobs meet in the power of each site-slot; charge them lambda for it, pay
/// the sites the same, and both sides fall apart. Maximise over prices lambda >= least_price
///
///     D(lambda) = sum_j least cost of job j at prices lambda            (plan/pricing/pricing.hpp)
///               + sum_st min over L of cost_st(L) - lambda_st L h       (plan/supply/supply.hpp)
///
/// For contract jobs the first sum is that of min(value_j, min over s, m of q + move + p h (k
/// smallest lambda_s in the window)). Any lambda bounds every plan from below.
///
/// The ascent moves each price by the imbalance of demand and supply there, smoothed (0.7) and over
/// its own running size (0.95), as Adam does (Kingma & Ba 2015); steps fall geometrically. A price
/// halts where a supply can be anything between two values (the kinks), where the true optimum
/// mostly lies. What stands still in the supplies - batteries, paid peaks - is not seen: there the
/// outcome is a start for Dantzig-Wolfe and no more.

#include <cstdint>
#include <functional>
#include <vector>

#include "carnot/plan/problem/problem.hpp"

#include "plan/pricing/pricing.hpp"
#include "plan/supply/supply.hpp"

namespace carnot::plan {

struct DualResult {
  std::vector<double> price;  ///< of the best bound, [site x slots + slot], EUR per kWh
  double bound = 0;           ///< EUR, as summed here; the certificate recomputes it
  int iterations = 0;
  int best_iteration = 0;  ///< from 1: the one of the best bound
};

/// What jobs would draw in their first modes: imbalances are measured by it, so that sites of all
/// sizes move alike.
struct JobsDraw {
  double work = 0;         ///< sum of slots x kW
  double greatest = 1e-9;  ///< kW of one job
};
JobsDraw draw_of(const PlanJobs& jobs);

struct DualOptions {
  int iterations = 400;
  int threads = 1;
  double first_step = 0.3;  ///< of the typical price
  double last_step = 2e-4;
  double least_price = 0;  ///< no price falls below it
  /// Called after each iteration with the best so far; false: stop.
  std::function<bool(const DualResult& best)> progress;
};

/// \param draw   of all jobs that answer
/// \param jobs   one that throws Stopped ends the ascent with the best so far
/// \param start  prices to begin with; empty: the dearest of each supply. If none were answered
///               before a stop they are those of the result, whose bound is then minus infinity.
DualResult maximise_dual(double slot_h, const JobsDraw& draw, const std::vector<Supply>& supply,
                         Pricing& jobs, std::vector<double> start, const DualOptions& options);
/// The same where all jobs are those of a problem.
DualResult maximise_dual(const Problem& problem, const std::vector<Supply>& supply, Pricing& jobs,
                         std::vector<double> start, const DualOptions& options);

}  // namespace carnot::plan
