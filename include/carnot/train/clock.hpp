// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Site time. Scenarios run on a virtual clock, which jumps; a wall clock makes the site live
/// through its seconds for real, `speed` of them in one second of ours. One thread.

#include <chrono>

#include "carnot/base/instant.hpp"
#include "carnot/base/stop.hpp"

namespace carnot::train {

class Clock {
 public:
  virtual ~Clock() = default;
  /// Returns when site time `at` has come. Calls must not go backward. \throws Stopped
  virtual void advance_to(Instant at) = 0;
  /// It is `at` now: where a resumed run goes on.
  virtual void set(Instant) {}
};

class VirtualClock final : public Clock {
 public:
  void advance_to(Instant) override {}
};

class WallClock final : public Clock {
 public:
  /// \param start  site time now  \param speed  site seconds in a real second, > 0
  /// \param stop   asked ten times a second while waiting
  /// \throws InputError unless speed is finite and > 0
  WallClock(Instant start, double speed, StopToken stop = {});
  void advance_to(Instant at) override;
  void set(Instant at) override;

 private:
  Instant start_;
  double speed_;
  std::chrono::steady_clock::time_point began_;
  StopToken stop_;
};

}  // namespace carnot::train
