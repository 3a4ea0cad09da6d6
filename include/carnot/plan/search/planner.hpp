// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Plans at any size, with a proven bound: prices that clear demand and supply (a lower bound for
/// every plan), jobs inserted one by one at those prices, and sweeps in which each job moves to
/// where it is cheapest given all others.
/// The bound is the Lagrangian dual of the one constraint that couples jobs, their summed power in
/// each site-slot. It equals the linear-programming bound, because a job's own block (a site, a
/// mode, any k slots) is integral; and the gap of the best plan shrinks as jobs become many and
/// small (Shapley-Folkman; Bertsekas & Sandell 1982). Time O(iterations x (classes x sites +
/// jobs)), memory linear in jobs. The same plan for any number of threads.

#include <cstdint>
#include <functional>
#include <vector>

#include "carnot/base/stop.hpp"
#include "carnot/plan/problem/plan.hpp"

namespace carnot::plan {

/// Both figures are of something in hand: a proven bound and a plan that can be carried out.
struct PlanProgress {
  double bound_eur = 0, objective_eur = 0;
  double share_done = 0;
  double seconds = 0;
};

struct PlannerOptions {
  int threads = 0;           ///< 0: all CPUs. The plan is the same for any number
  int iterations = 0;        ///< of the prices; 0: by the size of the problem
  std::int64_t rounds = -1;  ///< of the search that rebuilds neighbourhoods; negative: by the size
  std::uint64_t seed = 1;    ///< of that search
  bool tighten = true;       ///< prices of at most 300 jobs prove the bound of linear programming
                             ///< itself, where CLP is built in; false: as the ascent left them
  bool pack = true;          ///< and then that of whole jobs (`Plan::packing`), if `tighten`
  double time_limit_s = 0;   ///< of the search; 0: none; else it ends early with the best plan and
                             ///< the best bound so far (then not reproducible). The certificate
                             ///< comes on top
  StopToken stop;            ///< likewise, at any time, within a second or so; its clock is that of
                             ///< the time limit
  /// Called from the first bound on and at least every few thousand jobs; false: stop with what
  /// there is.
  std::function<bool(const PlanProgress&)> progress;
  /// A warm start: prices of an earlier plan of much the same problem, as in `Plan::price`. The
  /// prices then begin there with small steps and few iterations; the bound is as valid as ever,
  /// close to the best if the old prices were.
  std::vector<double> start_price;
  /// Likewise its assignments, one a job; those that this problem does not allow or that do not fit
  /// any more, and jobs that are dropped in it, are placed anew. All of them may move afterwards.
  std::vector<Assignment> start_plan;
};

/// Objective and bound in the answer come from `certify`, not from the search.
/// \throws InputError if a job has terms, for a warm start of the wrong size, or prices not finite;
/// InternalError if the certificate does not hold
Plan plan_large(const Problem& problem, const PlannerOptions& options = {});

}  // namespace carnot::plan
