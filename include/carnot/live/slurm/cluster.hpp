// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// One Slurm cluster, reached through its own commands: a command begins, and some time later it
/// has an outcome. At most one is under way at a cluster, so that orders reach it one after the
/// other, while several clusters are asked side by side and one that hangs holds up no other.
///
/// Commands are lists of words, run without a shell. An outcome says nothing about what the cluster
/// did when it timed out: the order may have been carried out all the same.
///
/// `make_slurm_cluster` is the real one: Slurm's programs, the configuration of the cluster in
/// SLURM_CONF, times in UTC. Clocks are parameters: `DispatchClock` tells the time to all that
/// waits. Each object belongs to one thread.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "carnot/base/instant.hpp"

namespace carnot::live {

/// What time it is, and waiting.
class DispatchClock {
 public:
  virtual ~DispatchClock() = default;
  virtual Instant utc() = 0;       ///< may be set back or forth by its administrator
  virtual Duration elapsed() = 0;  ///< since any instant, never set, running while asleep
  /// Until `longest` is over or something that was begun at a cluster has ended.
  virtual void wait(Duration longest) = 0;
};

struct SlurmOutcome {
  int status = 0;          ///< exit code; 128 + n: by signal n
  bool timed_out = false;  ///< killed; what it did is not known
  std::string out, err;
  Duration took;
  bool ok() const noexcept { return status == 0 && !timed_out; }
};

class SlurmCluster {
 public:
  virtual ~SlurmCluster() = default;
  /// \param words  the program, such as `squeue`, then its arguments; nothing is under way
  virtual void begin(const std::vector<std::string>& words, Duration timeout) = 0;
  /// The outcome of what was begun, once; none while it is under way.
  virtual std::optional<SlurmOutcome> poll() = 0;
  /// Readable when there is news from what was begun; -1: ask `poll`.
  virtual int descriptor() const { return -1; }
  /// Whether the program is there.
  virtual bool has(const std::string& program) = 0;
};

/// \param slurm_conf  path of its slurm.conf; empty: as the environment says
std::unique_ptr<SlurmCluster> make_slurm_cluster(const std::string& slurm_conf);

/// The machine's clock: CLOCK_REALTIME, CLOCK_BOOTTIME and poll(2) over the clusters' descriptors.
std::unique_ptr<DispatchClock> make_dispatch_clock(std::function<std::vector<int>()> descriptors);

}  // namespace carnot::live
