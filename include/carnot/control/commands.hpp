// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a policy may order. Commands take effect at once. A world carries out the commands that it
/// can; what it cannot, and what cannot be meant (a site or mode that is not there, a job that has
/// not arrived or is over), is an InternalError.
///
/// | world | carries out |
/// |---|---|
/// | training (train/training_world.hpp) | `follow` |
/// | fleet (simulate/simulate.hpp) | all but `follow` |
///
/// **Lines.** Each site of a fleet has one line of jobs that are due and want nodes, served first
/// come, first served: the head waits until it fits and nobody overtakes it, but for `start`, which
/// jumps the line. Nodes are whole and belong to one job at a time. Lines are served each time the
/// policy returns. A job whose state is at another site first moves there, which takes the world's
/// delay. Belongs to one thread.

#include <cstdint>
#include <span>

#include "carnot/base/instant.hpp"
#include "carnot/base/quantity.hpp"
#include "carnot/control/index.hpp"

namespace carnot::control {

/// How a job shall work until it is told otherwise.
struct Decision {
  int mode = -1;          ///< index into its modes; -1: pause
  double throttle = 1.0;  ///< greatest
  Power grid_allowance;   ///< greatest grid power to buy
  bool use_battery = true;
  double max_steps = 1e300;    ///< tick again after this many steps, even inside the slot, > 0
  bool measure_noise = false;  ///< measure the modes' noise before the first step
  bool look = false;  ///< look at held-out quality first; if that certifies the floor the job ends
  std::uint64_t schedule_steps = 0;  ///< fits the rate's schedule to so many steps in all, more
                                     ///< than are done; 0: as it is
};

/// A run that a job is to make: due at `from`, on nodes of `site` in `mode`. At `to` it is
/// suspended with work left, unless the next run begins then at the same site (then it changes
/// modes without stopping) or there is no next run: the last goes on until the work is done. A run
/// whose nodes did not become free before `to` is lost.
struct PlannedRun {
  Instant from, to;
  SiteIndex site = SiteIndex::none();
  std::uint8_t mode = 0;
};

/// What the battery of a site does until told otherwise.
enum class BatteryCommand : std::uint8_t {
  Auto,  ///< takes own power that would be thrown away, serves the hall whenever it can
  Hold,  ///< takes what would be thrown away, gives nothing
  Fill,  ///< besides, takes grid power up to its charge limit
};

class Commands {
 public:
  virtual ~Commands() = default;

  /// The job works so from now on.
  virtual void follow(JobIndex job, const Decision& decision);
  /// Into the line of `site`, to run until done; replaces any plan. A job that runs elsewhere or in
  /// another mode is suspended first and its state carried there.
  virtual void submit(JobIndex job, SiteIndex site, std::uint8_t mode);
  void submit(JobIndex job, SiteIndex site) { submit(job, site, 0); }
  /// Starts it now, past the line. False, and nothing is done, if its nodes are not free or its
  /// state would have to move first.
  virtual bool start(JobIndex job, SiteIndex site, std::uint8_t mode);
  bool start(JobIndex job, SiteIndex site) { return start(job, site, 0); }
  /// \param runs  in order, disjoint, >= 1; replaces any plan. A job that holds nodes keeps them if
  ///              the first run is under way at its site, and is suspended otherwise
  virtual void plan(JobIndex job, std::span<const PlannedRun> runs);
  /// Saves its state and gives its nodes back; it waits, in no line, its plan gone.
  virtual void suspend(JobIndex job);
  /// Another mode without stopping. False, and nothing is done, if it needs more nodes than are
  /// free.
  virtual bool resize(JobIndex job, std::uint8_t mode);
  /// It will never run (counted as late, not as finished); for jobs that wait.
  virtual void drop(JobIndex job);
  /// Asks for a tick then; `when` <= now: as soon as this instant's events are over.
  virtual void wake_at(Instant when);
  virtual void command_battery(SiteIndex site, BatteryCommand command);
};

}  // namespace carnot::control
