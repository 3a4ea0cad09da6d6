// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Nanoseconds of clocks and counters as seconds, and the tick in which /proc counts.

#include <algorithm>
#include <cstdint>

namespace carnot::measure {

inline constexpr double kSecond = 1e-9;              // of a nanosecond
inline constexpr double kTick = 0.01;                // of /proc: 100 a second on every Linux
inline constexpr std::int64_t kTickNs = 10'000'000;  // the same

/// What a counter of nanoseconds grew by, in seconds; one that fell did not grow.
inline double grown_s(std::int64_t earlier, std::int64_t later) noexcept {
  return kSecond * static_cast<double>(std::max<std::int64_t>(0, later - earlier));
}

}  // namespace carnot::measure
