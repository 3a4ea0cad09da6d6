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

/// Whole jobs do not fill a limit as a fluid would: of jobs of 6 kW one runs within 10 kW,
/// not 1.67. Of the powers p_i of the jobs that run in a site-slot, and a limit of K kW of IT power
/// there,
///
///     sum_i F(p_i / d) <= floor(K / d) + e / (d (1 - f)),    f = K / d - floor(K / d)
///     F(a) = floor(a) + max(0, a - floor(a) - f) / (1 - f)
///
/// for every divisor d > 0, e being the kW beyond the limit (mixed integer rounding; Nemhauser &
/// Wolsey 1990). Where 1 - f < 0.001, F is the floor alone.
enum class PackingLimit {
  Room,  ///< of capacity, own power and grid: nothing is beyond it, e = 0
  Knee,  ///< of the cheaper of own power and grid: e is drawn from the dearer
};
/// A price on one of these rows, added to what its jobs pay: part of a bound as prices of energy
/// are (plan/certificate/certificate.hpp).
struct PackingPrice {
  std::uint32_t site = 0, slot = 0;
  PackingLimit limit = PackingLimit::Room;
  double divisor_kw = 0;  ///< d, of IT
  double price_eur = 0;   ///< >= 0, for one unit of the row
};

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
  /// lambda, [site x slots + slot], EUR per kWh of IT energy; below 0 only where power is paid for
  std::vector<double> price;
  std::vector<PackingPrice> packing;  ///< of contract problems of few jobs, else empty
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
