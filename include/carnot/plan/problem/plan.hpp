// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A plan: what each job does, what sites do, and the prices and multipliers that prove how good it
/// is (plan/certificate/certificate.hpp adds them up again). Made by plan/search/planner.hpp,
/// plan/search/extended.hpp and plan/exact/exact.hpp; written and read by
/// plan/problem/plan_file.hpp. Values; thread-safe to read.

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "carnot/plan/problem/problem.hpp"

namespace carnot::plan {

/// What one job does.
struct Assignment {
  std::uint32_t site = kNone;       ///< kNone: dropped
  std::uint32_t mode = 0;           ///< of the job, from 0
  std::vector<std::int32_t> slots;  ///< ascending
};

/// What a job with terms does in each slot of its assignment (plan/problem/job_terms.hpp).
struct JobSchedule {
  std::vector<std::uint32_t> sites;   ///< empty: `Assignment::site` in all of them, else that first
  std::vector<std::uint32_t> levels;  ///< empty: level 0 in all of them; 0 in slots of a restart
};

/// (objective - bound) / |objective|; 0 where they are equal; NaN where the objective is so near to
/// zero that a share of it says nothing: a hundredth of their distance, or less.
double relative_gap(double objective_eur, double bound_eur) noexcept;
/// "gap 3.2 EUR, 0.410 %"; the share only where there is one.
std::string gap_words(double objective_eur, double bound_eur);

/// Figures of a plan, as `certify` computes them and a file claims them.
struct PlanTotals {
  double objective_eur = 0, bound_eur = 0, gap = 0;
  std::size_t dropped = 0;
  double energy_j = 0, free_energy_j = 0, grid_energy_j = 0;  ///< at the facility
  double carbon_g = 0;                                        ///< of grid energy
  // Of extended problems.
  double exported_j = 0, curtailed_j = 0;  ///< own energy not drawn
  double embodied_g = 0;
  double quality_eur = 0, late_eur = 0;
};

struct Plan {
  std::vector<Assignment> jobs;                    ///< [job]
  std::map<std::uint32_t, JobSchedule> schedules;  ///< by job; none: one site, level 0
  /// lambda, [site x slots + slot], EUR per kWh of IT energy; >= 0 in plans of contract problems
  std::vector<double> price;
  // Of extended problems (Problem::extended), else empty.
  std::vector<SiteFlows> flows;                   ///< [site]
  std::vector<SiteMultipliers> site_multipliers;  ///< [site]
  GoalMultipliers goal_multipliers;
  std::vector<HeldGoal> held;
  double objective_eur = 0, bound_eur = 0;  ///< those of `totals`
  PlanTotals totals;                        ///< by its certificate; 0 in plans read from files
  double seconds = 0;
  std::string solver;
  /// "stopped" (by a token or whoever watches), "time-limit" or "node-limit": the best there was
  /// then; "optimal" where that is known; "solver-gave-up" of `plan_exact`; else empty.
  std::string status;
  double solver_bound_eur = 0;  ///< of `plan_exact`: a solver's word, no proof
  double gap() const noexcept;  ///< `relative_gap` of the two
};

}  // namespace carnot::plan
