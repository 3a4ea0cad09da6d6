// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Plans at any size, with a proven bound: prices that clear demand and supply (a lower bound for
/// every plan), jobs inserted one by one at those prices, and sweeps in which each job moves to
/// where it is cheapest given all others.
///
/// The bound is the Lagrangian dual of the one constraint that couples jobs, their summed power in
/// each site-slot. It equals the linear-programming bound, because a job's own block (a site, a
/// mode, any k slots) is integral; and the gap of the best plan shrinks as jobs become many and
/// small (Shapley-Folkman; Bertsekas & Sandell 1982). Time O(iterations x (classes x sites +
/// jobs)), memory linear in jobs. The same plan for any number of threads.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "carnot/plan/problem.hpp"

namespace carnot::plan {

/// What one job does.
struct Assignment {
  std::uint32_t site = kNone;       ///< kNone: dropped
  std::uint32_t mode = 0;           ///< of the job, from 0
  std::vector<std::int32_t> slots;  ///< ascending
};

/// What a job with terms does in each slot of its assignment (plan/job_terms.hpp).
struct Course {
  std::vector<std::uint32_t> sites;   ///< empty: `Assignment::site` in all of them, else that first
  std::vector<std::uint32_t> levels;  ///< empty: level 0 in all of them; 0 in slots of a restart
};

struct Plan {
  std::vector<Assignment> jobs;             ///< [job]
  std::map<std::uint32_t, Course> courses;  ///< by job; none: one site, level 0
  std::vector<double> price;  ///< lambda, [site x slots + slot], EUR per kWh of IT energy, >= 0
  double objective_eur = 0, bound_eur = 0;
  double seconds = 0;
  std::string solver;
  double gap() const noexcept;  ///< (objective - bound) / max(objective, 1e-9)
};

struct PlanProgress {
  double bound_eur = 0, objective_eur = 0;  ///< infinite: no plan yet
  double share_done = 0;
  double seconds = 0;
};

struct PlannerOptions {
  int threads = 0;           ///< 0: all CPUs. The plan is the same for any number
  int iterations = 0;        ///< of the prices; 0: by the size of the problem
  std::int64_t rounds = -1;  ///< of the search that rebuilds neighbourhoods; negative: by the size
  std::uint64_t seed = 1;    ///< of that search
  double time_limit_s = 0;  ///< 0: none; else ends early with what there is (then not reproducible)
  std::function<bool(const PlanProgress&)> progress;  ///< false: stop with what there is
};

/// Objective and bound in the answer come from `certify`, not from the search.
/// \throws InputError if a job has terms; InternalError if the certificate does not hold
Plan plan_large(const Problem& problem, const PlannerOptions& options = {});

}  // namespace carnot::plan
