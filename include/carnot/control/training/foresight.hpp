// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What perfect foresight could reach: the same job, site and objective with every slot's weather
/// known.
///
/// Given the least mode each stage of training needs, the job is a sequence of stages (steps, modes
/// allowed); a stage uses the allowed mode of least energy a step.
///
/// **Trajectory** (the policy `oracle`): dynamic programme over (slot, progress). Labels hold a
/// real progress and the exact cost of the decisions that led there; in each bucket of progress
/// (and of battery charge) the least cost survives. Decisions in a slot: pause; follow own power;
/// add half, or all, of the grid power that full throttle misses. A label that finishes inside a
/// slot ends there. Where a slot does less of the job than a bucket holds, that programme forgets
/// progress; so trajectories that take all energy up to a limit of cost a joule are tried too, with
/// exact progress, and the best counts. Being a real sequence of decisions, its cost is attained;
/// it is no bound.
///
/// **Bound** (no policy under the same stages costs less): for each finish slot T, cost is at least
/// delay(T) plus the least cost of drawing the job's dynamic energy from slots 1..T. Each slot's
/// cost as a function of dynamic energy drawn (a jump for the static power, then own power, then
/// grid power) is replaced by its lower convex hull, whose segments are filled in order of slope. A
/// battery adds one source: what it could hold at the start and be charged with from surplus until
/// T, at wear cost. The relaxation forgets the order of stages and integrality, nothing else.
///
/// Cost: O(slots x buckets) for the trajectory, O(slots^2) in the worst case for the bound.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "carnot/base/stop.hpp"
#include "carnot/control/training/job_policy.hpp"
#include "carnot/site/scenario.hpp"
#include "carnot/site/site.hpp"

namespace carnot::control {

/// From `from_step` on, modes with at least `minimum_bits` are allowed (until the next stage), or
/// `mode` alone.
struct Stage {
  double from_step = 0;
  int minimum_bits = 2;
  int mode = -1;  ///< index; below zero: any with the bits
};

struct OracleProblem {
  site::SiteOptions site;
  Energy battery_energy;  ///< at the start
  std::span<const site::Weather>
      weather;  ///< truth, one per slot, from the job's start to the deadline
  Time slot;
  std::span<const site::Mode> modes;
  std::vector<Stage> stages;  ///< sorted by from_step, the first at 0
  double steps_total = 0;
  site::ObjectiveOptions objective;
  std::size_t progress_buckets = 600;
  std::size_t battery_buckets = 8;  ///< used only where there is a battery
  StopToken stop{};
};

/// A decision that holds from `from` on.
struct TimedDecision {
  Instant from;
  Decision decision;
};

struct OracleSolution {
  bool feasible = false;  ///< the work fits before the deadline at all
  Money bound;            ///< no policy under the stage requirement costs less
  Money cost;             ///< of `decisions`, simulated exactly
  Time duration;          ///< until the job ends
  std::vector<TimedDecision> decisions;
};

/// \param start  of the first slot
/// \throws InputError if there are no stages, modes or slots; Stopped
OracleSolution solve_oracle(const OracleProblem& problem, Instant start);

/// Replays timed decisions; the mode follows the stages exactly, looks are taken at these numbers
/// of steps. Pauses before the first one.
std::unique_ptr<JobPolicy> make_replay(std::string name, std::vector<TimedDecision> decisions,
                                       std::vector<Stage> stages, std::vector<double> looks = {});

/// Cost of one slot under the objective: grid x (price + carbon price x intensity) + own x
/// own_value + forgone export + delay while the job is not done + battery wear. The one place where
/// it is defined.
Money slot_cost(const site::Flows& flows, const site::Weather& weather,
                const site::SiteOptions& site, const site::ObjectiveOptions& objective, Time slot);

}  // namespace carnot::control
