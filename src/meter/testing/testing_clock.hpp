// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// For tests: time that passes when a test says so.

#include <atomic>
#include <cstdint>

#include <poll.h>

#include "carnot/meter/counters/clock.hpp"

namespace carnot::meter::testing {

/// Stands still but for `pass` and `wait`, which pass time at once. Starts at the machine's now, so
/// that what is stamped by either is comparable.
class PacedClock : public Clock {
 public:
  explicit PacedClock(Stamp start = Stamp::now()) : start_(start) {}

  Stamp now() const noexcept override {
    const std::int64_t passed = passed_ns_, asleep = asleep_ns_;
    return {start_.monotonic_ns + passed, start_.boottime_ns + passed + asleep};
  }
  bool wait(Duration length, int fd = -1) noexcept override {
    pollfd readable{.fd = fd, .events = POLLIN, .revents = 0};
    if (fd >= 0 && ::poll(&readable, 1, 0) > 0) return true;
    pass(length);
    return false;
  }
  virtual void pass(Duration length) noexcept { passed_ns_ += length.nanoseconds(); }
  /// The machine is suspended for so long.
  void sleep(Duration length) noexcept { asleep_ns_ += length.nanoseconds(); }

 private:
  Stamp start_;
  std::atomic<std::int64_t> passed_ns_{0}, asleep_ns_{0};
};

}  // namespace carnot::meter::testing
