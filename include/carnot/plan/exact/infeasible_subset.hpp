// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Why not all jobs of a problem can run: a smallest set of jobs and limits of site-slots that
/// contradict each other. Take any one of them away and the rest can be met.
///
/// The smallest set is found through what has to be given up (implicit hitting sets: Ignatiev,
/// Previti, Liffiton, Marques-Silva 2015): each time a candidate turns out possible, it is grown to
/// a greatest possible set, and at least one of what is left must be in every contradiction.
/// Whether jobs fit is asked of CBC.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "carnot/base/stop.hpp"
#include "carnot/plan/problem/plan.hpp"

namespace carnot::plan {

/// The greatest IT power of a site in a slot: its capacity, or its own and grid power over the PUE.
struct PowerLimit {
  std::uint32_t site = 0;
  std::int32_t slot = 0;
};

struct Clash {
  std::vector<std::uint32_t> jobs;
  std::vector<PowerLimit> limits;    ///< ascending; none: a job alone has no room anywhere
  bool smallest = false;             ///< no contradiction has fewer members
  bool irreducible = true;           ///< without any one member the rest can be met; false: stopped
                                     ///< before that was known
  std::string words;                 ///< one sentence
  std::vector<std::string> members;  ///< a line for each job and each stretch of limits
};

/// Whether `jobs` can all run when only `limits` hold.
/// \throws DeviceError if CBC is not built in
bool all_fit(const Problem& problem, const std::vector<std::uint32_t>& jobs,
             const std::vector<PowerLimit>& limits);

/// nullopt: all jobs can run together.
/// \param stop  asked inside CBC too: the best so far, irreducible or not
/// \throws Stopped if nothing was known then; DeviceError if CBC is not built in; InputError if the
/// problem is too large
std::optional<Clash> find_clash(const Problem& problem, const StopToken& stop = {});

/// A plan that drops no job, or why there is none.
struct RequiredPlan {
  Plan plan;  ///< its bound is that of plans that may drop jobs
  bool all_run = false;
  std::optional<Clash> clash;  ///< neither this nor all_run: it could not be told, or not in time
};

/// \param solve  a planner; given the problem with values that no job is worth dropping for
/// \param stop   of all but `solve`, which has its own
/// \throws as `solve` and `find_clash` do, the latter only if `solve` drops a job; not Stopped
RequiredPlan plan_required(const Problem& problem, const std::function<Plan(const Problem&)>& solve,
                           const StopToken& stop = {});

}  // namespace carnot::plan
