// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The decision of following: may the work run now? A token bucket of energy. Joules flow in as the
/// profile offers them and out as the work uses them:
///
///     level += offered - used,      level <= room
///
/// With a switch that is on or off, at a draw D of the running work and an inflow F < D, work
/// starts at `level >= slice (D - F)` and stops at `level <= 0`, where
///
///     slice = max(4 ms, 40 ms F / D)
///
/// so that one run and the pause after it last some 40 ms however small F is, and the mean over any
/// second differs from F by less than a slice's worth. What overflows was offered and could not be
/// used. `room` is small (0.05 s of the profile, at least one and a half slices), since what is
/// saved up is spent above the profile later. A profile at zero empties the bucket and stops the
/// work at once. What was used too much stays owed until paid.
///
/// The same decision serves processes (follow.hpp) and steps of a training (step_follower.hpp).
/// A value; no clock, no allocation; one thread at a time.

#include "carnot/base/quantity.hpp"

namespace carnot::live {

struct BucketOptions {
  Time burst = 0.05 * second;     ///< of the offered power, that may be saved up
  Time cycle = 0.04 * second;     ///< a run and the pause after it
  Time shortest = 4e-3 * second;  ///< run
};

class EnergyBucket {
 public:
  explicit EnergyBucket(const BucketOptions& options = {}) : options_(options) {}

  /// \param offered  since the last call, >= 0
  /// \param used     since the last call, >= 0
  /// \param inflow   power offered from now on, >= 0
  /// \param draw     power of the work when it runs, as far as known, > 0
  void advance(Energy offered, Energy used, Power inflow, Power draw) noexcept;
  /// Whether the work may run until the next call.
  bool run() const noexcept { return run_; }
  /// How long until the answer changes if inflow and draw stay; negative: it does not.
  Time until_change() const noexcept;

  Energy level() const noexcept { return level_; }      ///< negative: owed
  Energy spilled() const noexcept { return spilled_; }  ///< offered, could not be used; cumulative

  Energy starts_at() const noexcept;  ///< level at which stopped work starts

 private:
  BucketOptions options_;
  Energy level_, spilled_;
  Power inflow_, draw_ = 1.0 * watt;
  bool run_ = false;
};

}  // namespace carnot::live
