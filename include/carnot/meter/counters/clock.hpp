// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What time it is, for whatever asks and waits: this machine's clocks, or time of the caller's
/// own, by which sources that are simulated or scripted go.
///
/// `SourceOptions::clock` carries it. By it go a meter's samples and what it learns between them,
/// the power model, accelerator libraries, and the loop of a measurement. Sensors that are files or
/// devices of this machine stamp their readings by the machine's, as do background threads.

#include "carnot/base/instant.hpp"
#include "carnot/meter/counters/counter.hpp"

namespace carnot::meter {

/// Thread-safe.
class Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;

  virtual Stamp now() const noexcept = 0;
  /// Waits for `length`; less if `fd` (unless negative) becomes readable or a signal comes.
  /// \returns whether `fd` is readable
  virtual bool wait(Duration length, int fd = -1) noexcept = 0;
  /// CLOCK_MONOTONIC and CLOCK_BOOTTIME.
  static Clock& machine() noexcept;
};

}  // namespace carnot::meter
