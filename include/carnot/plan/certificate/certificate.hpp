// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a plan is worth, recomputed from the problem and the plan alone. Plain loops over the
/// formulas of plan/problem/problem.hpp, sharing no code with the planners: what they claim is
/// believed only when this agrees. The bound, for any prices lambda >= 0 (EUR per kWh of IT energy)
/// and h = slot_s / 3600:
///
///     sum_j min(value_j, min over allowed s, m of q + move + p h (k smallest lambda_st in the
///     window))
///   + sum_st min over feasible L of cost_st(L) - lambda_st L h
///
/// Why it holds: whatever plan there is, charge each job lambda for its energy and pay the sites
/// the same; the plan's cost is the sum of both sides, and each side costs at least its own
/// minimum. A job with terms counts with the least over its schedules (plan/problem/job_terms.hpp).
/// Thread-safe. Time O(windows x sites x length log length + jobs x modes x sites).

#include <cstddef>
#include <string>
#include <vector>

#include "carnot/base/stop.hpp"
#include "carnot/plan/problem/plan_file.hpp"

namespace carnot::plan {

struct Certificate {
  PlanTotals totals;                    ///< of what is there, even where it is not allowed
  std::vector<std::string> violations;  ///< in words, the first 50
  std::size_t violation_count = 0;
  bool holds() const noexcept { return violation_count == 0; }
  /// One violation more.
  void add(std::string words);
};

/// \param plan  its jobs and prices; what it says of objective and bound is not looked at
/// \throws Stopped
Certificate certify(const Problem& problem, const Plan& plan, const StopToken& stop = {});

/// A plan file against its problem: all of the above, and every figure the file claims.
/// \param problem_path  empty: the one the plan names
/// \throws InputError, InputFileError if a file cannot be understood; Stopped
Certificate check_plan(const std::string& plan_path, const std::string& problem_path = {},
                       const StopToken& stop = {});
/// The same of a file that has been read.
Certificate check_plan(const PlanFile& file, const StopToken& stop = {});

}  // namespace carnot::plan
