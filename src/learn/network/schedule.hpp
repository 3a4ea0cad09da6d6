// SPDX-License-Identifier: Apache-2.0
#pragma once

// The learning rate's schedule: a cosine down to 0 after a linear warm-up over the first 2 % of
// steps.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "learn/kernels/elementwise.hpp"

namespace carnot::learn {

/// Mean of the schedule's square over its greatest.
inline constexpr double kMeanSquareSchedule = 0.375;

inline double scheduled_rate(double greatest, std::uint64_t step, std::uint64_t steps) noexcept {
  const double total = static_cast<double>(steps);
  const double warm = std::max(1.0, std::ceil(0.02 * total));
  const double ramp = std::min(1.0, (static_cast<double>(step) + 1.0) / warm);
  return 0.5 * greatest * (1.0 + cos_pi(static_cast<double>(step) / total)) * ramp;
}

/// Integral of (1 + cos(pi f)) / 2 from f to 1, over its whole; the short warm-up is left out.
inline double remaining_schedule(std::uint64_t step, std::uint64_t steps) noexcept {
  const double f =
      static_cast<double>(step) / static_cast<double>(std::max<std::uint64_t>(1, steps));
  return std::clamp(1.0 - f - std::sin(std::numbers::pi * f) / std::numbers::pi, 0.0, 1.0);
}

}  // namespace carnot::learn
