// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Keeping work within a power profile: each tick what the work spent is read, the bucket decides
/// (bucket.hpp), the actuators carry it out (actuator.hpp). Start here; then local.hpp, which does
/// so with processes of this machine.
///
/// The loop knows no machine: work, clock, energy and actuators are the caller's. By the accounts
///
///     offered = used + could not use + left          exactly, of the time that was followed
///
/// `left` is what the bucket holds at the end, negative where it is owed. Of whole seconds, each
/// from its own first tick to the next one's, `above` sums what was used beyond what was offered in
/// the same second. What could not be used is parted by whether the machine was busy with other
/// work then (`crowded_out`) or this work took no more. Not thread-safe.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "carnot/base/estimate.hpp"
#include "carnot/live/local/actuator.hpp"
#include "carnot/live/local/bucket.hpp"
#include "carnot/live/local/profile.hpp"
#include "carnot/live/local/work_energy.hpp"
#include "carnot/meter/counters/clock.hpp"

namespace carnot::live {

/// What is followed.
class FollowedWork {
 public:
  virtual ~FollowedWork() = default;
  virtual double cpu_s() = 0;  ///< cumulative, never less than before
  virtual bool ended() = 0;
  virtual int wait_fd() const { return -1; }  ///< readable when it ends; -1: `ended` tells
  /// Asked once a second: was less than a twentieth of the CPUs free since the last time, and had
  /// other work at least as much of them?
  virtual bool crowded() { return false; }
};

/// What the caller wants, asked each tick.
enum class FollowWish {
  Follow,
  Free,     ///< no limit for now: the work is to answer a signal
  Suspend,  ///< calls `FollowHooks::suspend`, with the work let go before
  Leave,    ///< ends the following
};

/// One second of it.
struct FollowSecond {
  double at_s = 0;  ///< of its end, since the start
  double length_s = 0;
  Energy offered, used, could_not_use;
  double running_s = 0;  ///< of it, the work might run
  bool crowded = false;
};

struct FollowHooks {
  std::function<FollowWish()> wish;  ///< may be empty: Follow
  std::function<void()> suspend;
  /// Whether `Suspend` also continues what SIGSTOP holds. A command that the terminal stops along
  /// with the caller stays as it is: to continue it would take the terminal's stop from it.
  bool lift_signals = false;
  std::function<void(const FollowSecond&)> on_second;
};

struct FollowOptions {
  Duration tick = Duration::nanoseconds(20'000'000);
  BucketOptions bucket;
  std::size_t keep_seconds = 1'000'000;  ///< of the first so many
};

struct FollowTotals {
  Energy offered, used, could_not_use, left;
  Energy crowded_out;  ///< of `could_not_use`
  Energy above;
  Energy free_used;  ///< once the profile was over: not in `used`
  double followed_s = 0, stopped_s = 0, free_s = 0;
  Power worst_over;  ///< of a second; zero: none was above
  double worst_at_s = 0;
  Power rms_error;    ///< of whole seconds
  Power mean_target;  ///< of the same
  std::uint64_t switches = 0, ticks = 0;
  double longest_tick_s = 0;  ///< the loop itself was kept from running
  bool profile_ended = false;
  std::vector<FollowSecond> seconds;
};

/// Until the work ends or the caller leaves. Restoring is the caller's (restore.hpp).
FollowTotals follow(FollowedWork& work, const PowerProfile& profile, WorkEnergy& energy,
                    std::span<const std::unique_ptr<Actuator>> actuators, meter::Clock& clock,
                    const FollowOptions& options = {}, const FollowHooks& hooks = {});

}  // namespace carnot::live
