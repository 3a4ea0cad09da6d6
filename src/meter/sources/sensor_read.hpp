// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What every source says alike about one reading: when it was and how it went.

#include <cerrno>

#include "carnot/meter/counters/source.hpp"

namespace carnot::meter {

/// Half way between two moments.
inline Stamp middle(const Stamp& before, const Stamp& after) noexcept {
  return {.monotonic_ns = before.monotonic_ns + (after.monotonic_ns - before.monotonic_ns) / 2,
          .boottime_ns = before.boottime_ns + (after.boottime_ns - before.boottime_ns) / 2};
}

/// How the failed read of a file that was opened before went. Drivers say EPERM and EIO while a
/// device sleeps or resets; a file whose device has gone says ENODEV.
inline PollStatus sensor_status(int error) noexcept {
  switch (error) {
    case 0:
      return PollStatus::Ok;
    case ENODEV:
    case ENOENT:
      return PollStatus::Ended;
    case EACCES:
    case EBADF:
    case EOPNOTSUPP:
      return PollStatus::Broken;
    default:
      return PollStatus::Retry;
  }
}

}  // namespace carnot::meter
