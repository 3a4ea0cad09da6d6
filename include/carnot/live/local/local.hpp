// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Following a command, or a process that runs already, on this machine: finds out what can keep
/// it within a profile and how its joules are known, follows it (follow.hpp), and puts back what
/// was changed, also if this program is killed (restore.hpp).
///
/// **Whose watts.** By default a profile is for the job alone: its dynamic power, what the machine
/// draws because the job runs. With `whole_machine` it is for all that the machine draws, at rest
/// included.
///
/// **How they are known.** Where the meter has a sensor the loop closes on it. Else on the power
/// model: watts of a busy CPU times CPU time, `(P(full load) - P(rest)) / CPUs`, with an interval
/// as wide as the model's; or on `watts_per_cpu` as stated. Not thread-safe.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "carnot/base/estimate.hpp"
#include "carnot/live/local/follow.hpp"
#include "carnot/live/local/profile.hpp"
#include "carnot/meter/meter.hpp"

namespace carnot::live {

struct LocalOptions {
  meter::JobOptions job;  ///< a command or a pid
  std::string profile;    ///< for `PowerProfile::read`
  ProfileOptions profile_options;
  ActuatorOptions actuators;
  meter::MeterOptions meter;
  FollowOptions follow;
  bool whole_machine = false;
  std::optional<Power> watts_per_cpu;  ///< stated; sensors are not asked then
  bool until_last = false;             ///< go on until the last descendant of the command has ended
};

/// What is told before the first tick.
struct LocalBegin {
  int pid = 0;
  int restorer_pid = 0;
  std::vector<ActuatorInfo> actuators;  ///< all there are
  std::vector<std::string> used;        ///< by name
  std::string energy_words, profile_words;
  Origin origin = Origin::Modelled;  ///< of the joules
};

struct LocalHooks {
  std::function<void(const LocalBegin&)> begin;
  FollowHooks follow;
};

struct LocalActuatorUse {
  std::string name, how, last_failure;
  std::uint64_t changes = 0, failures = 0;
};

struct LocalResult {
  LocalBegin begin;
  FollowTotals totals;
  Estimate<Energy> used;  ///< all that the work used while it was looked at
  Power per_cpu;          ///< of a busy CPU, as it was last
  std::vector<LocalActuatorUse> actuators;
  std::vector<std::string> not_restored;  ///< in words; empty: all was
  meter::JobOutcome outcome = meter::JobOutcome::Detached;
  int exit_code = 0;
  std::size_t left_running = 0;  ///< descendants that live on, no longer followed
  double own_cpu_s = 0;          ///< of this process meanwhile
};

/// \throws InputError, DeviceError before the command runs; it then never does
LocalResult follow_local(const LocalOptions& options, const LocalHooks& hooks = {});

}  // namespace carnot::live
