// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a job may ask for beyond the contract problem (plan/problem/problem.hpp). A job without
/// terms is one that may be interrupted at any slot for nothing, runs at one power and stays at one
/// site.
///
/// A job's **schedule** (`JobSchedule`) is the slots in which it runs, ascending, each at a site
/// and a level. Consecutive slots at one site are a **run**, which does some work; between two runs
/// lies a
/// **break**, of one idle slot or more, or a move. What a schedule costs beside energy: quality of
/// its mode, `move_eur` of its first site, restarts, moves, data carried, lateness. Times are whole
/// slots; values; thread-safe to read.

#include <cstdint>
#include <limits>
#include <vector>

#include "carnot/base/limits.hpp"

namespace carnot::plan {

/// A way to run one slot of a malleable job. Level 0 is the mode's own power at speed 1.
struct PlanLevel {
  double power_kw = 0;     ///< IT, at least 0
  std::int32_t parts = 1;  ///< of a slot's work at speed 1, which are JobTerms::speed_parts

  friend bool operator==(const PlanLevel&, const PlanLevel&) = default;
};

struct JobTerms {
  // Breaks.
  bool preemptible = true;         ///< false: one run
  std::int32_t min_run_slots = 1;  ///< a run shorter than this ends the job
  double restart_eur = 0;          ///< paid after every break
  std::int32_t restart_slots = 0;  ///< after every break so many slots of the new run do no work,
                                   ///< at the mode's own power (reading the checkpoint back)

  // Malleable: the work is mode.slots x speed_parts parts, done when at least so many are.
  std::int32_t speed_parts = 1;
  std::vector<std::vector<PlanLevel>> levels;  ///< [mode][level - 1]; empty: level 0 alone

  // Places. Data lies at `origin` (PlanJobs) until first moved. Carrying it takes
  // transfer_slots(), the slots directly before a run at the new site, from the release on; half
  // of the energy is drawn at each end, evenly.
  bool movable = false;      ///< may go on at another site after a break
  double each_move_eur = 0;  ///< for every move after the first run
  double data_gb = 0;        ///< carried to the first site if that is not the origin, and by moves

  // Soft deadline; the hard one stays.
  std::int32_t due = std::numeric_limits<std::int32_t>::max();  ///< done before this slot: in time
  double late_eur_per_slot = 0;  ///< for each slot from `due` to the end of the last one run

  /// Seconds in which the running job can be stopped; infinite: not to be stopped.
  double stop_s = kInfinity;

  friend bool operator==(const JobTerms&, const JobTerms&) = default;
};

/// Between sites; the same for all pairs.
struct PlanNetwork {
  double gb_per_s = kInfinity;
  double kwh_per_gb = 0;                  ///< at least 0; above 0 only where gb_per_s is finite
  std::vector<double> egress_eur_per_gb;  ///< [site] for data that leaves it; empty: nothing
};

/// Slots to carry `data_gb`, rounded up; at most `most`.
std::int32_t transfer_slots(const PlanNetwork& network, double data_gb, double slot_s,
                            std::int32_t most);

}  // namespace carnot::plan
