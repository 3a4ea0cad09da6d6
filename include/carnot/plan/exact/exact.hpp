// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Optimal plans of small problems: the linear-programming bound with the prices that prove it,
/// then branch and cut (CBC) over what these prices leave possible. Prices and a plan together rule
/// out most sites, modes and slots of most jobs: what would cost more than the plan beside the
/// bound is in no better plan.
///
/// Only the bound of the prices is a proof (`Plan::bound_eur`); that of branch and cut is the
/// solver's word (`Plan::solver_bound_eur`). Every plan is certified like all others.

#include "carnot/base/stop.hpp"
#include "carnot/plan/search/planner.hpp"

namespace carnot::plan {

struct ExactOptions {
  std::uint64_t seed = 1;   ///< of the search for a first plan
  double time_limit_s = 0;  ///< 0: none; else ends with what there is (then not reproducible)
  std::function<bool(const PlanProgress&)> progress;  ///< false: stop with what there is
  StopToken stop;  ///< likewise, also inside the solvers; its clock is that of the time limit
  int nodes = 0;  ///< of branch and cut at most, then `Plan::status` is "node-limit"; 0: any number
};

/// Site-slots of all jobs' modes that a problem may have for `plan_exact`.
inline constexpr std::size_t kMostExact = 1'000'000;

/// Whether a problem is so small that `kSmallNodes` nodes take about a second at most: a rule of
/// its size alone, so that the same problem is always solved the same way.
bool small_enough(const Problem& problem);
inline constexpr int kSmallNodes = 400;

/// Without a limit it may run for very long on more than a few tens of jobs.
/// \throws DeviceError if CLP or CBC are not built in
/// \throws InputError if the problem is too large; says how large
Plan plan_exact(const Problem& problem, const ExactOptions& options = {});

}  // namespace carnot::plan
