// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Keeping a training within a power profile from inside: between two steps it is asked whether to
/// go on, and how precisely. The bucket is that of processes (bucket.hpp), with the power of the
/// training while it steps as its draw D.
///
/// Modes are ordered from the user's own (0) to the cheapest. With F offered the mode is
///
///     m = floor((1 - F / D) modes), within [0, modes - 1]
///
/// kept while F / D has not left its range by 0.05: full precision while there is much power, less
/// work a step where there is little. Once the profile is over and released, mode 0 and no wait. A
/// pause that the profile shows to be longer than `checkpoint_after` asks once for a checkpoint.
/// No clock, no thread, no signal; one thread at a time.

#include <cstdint>
#include <memory>
#include <vector>

#include "carnot/live/local/bucket.hpp"
#include "carnot/live/local/profile.hpp"
#include "carnot/live/local/work_energy.hpp"

namespace carnot::live {

struct StepFollowerOptions {
  int modes = 1;                          ///< >= 1
  Time checkpoint_after = 60.0 * second;  ///< a pause at least so long; <= 0: never
  Time longest_wait = 0.05 * second;      ///< before it wants to be asked again
  BucketOptions bucket;
};

struct StepDecision {
  Time wait;  ///< sleep so long, then ask again; zero: take a step
  int mode = 0;
  bool checkpoint = false;
  bool over = false;  ///< nothing limits the training any more
  Power offered;      ///< now
};

struct StepTotals {
  Energy offered, used, could_not_use, left, above, free_used;
  double followed_s = 0, waited_s = 0;
  Power worst_over;                  ///< of a second
  std::vector<std::uint64_t> steps;  ///< [mode]
};

class StepFollower {
 public:
  /// \throws InputError for options out of range
  StepFollower(PowerProfile profile, std::unique_ptr<WorkEnergy> energy,
               const StepFollowerOptions& options);
  /// \param now      since the start, never less than before
  /// \param cpu_s    of the training, cumulative
  /// \param stepped  a step was taken since the last call, in the mode answered then
  StepDecision next(Duration now, double cpu_s, bool stepped);
  /// Up to the last call.
  StepTotals totals() const;
  const PowerProfile& profile() const noexcept { return profile_; }
  const WorkEnergy& energy() const noexcept { return *energy_; }

 private:
  void account(Duration now, double cpu_s);
  void choose_mode(double share);
  bool long_pause(Duration now) const;

  PowerProfile profile_;
  std::unique_ptr<WorkEnergy> energy_;
  StepFollowerOptions options_;
  EnergyBucket bucket_;
  StepTotals totals_;
  Power draw_;
  Duration last_, second_from_;
  Energy second_offered_, second_used_;
  double cpu_s_ = 0;
  int mode_ = 0;
  bool begun_ = false, waiting_ = false, over_ = false, told_checkpoint_ = false;
};

}  // namespace carnot::live
