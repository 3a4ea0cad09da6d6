// SPDX-License-Identifier: Apache-2.0
#pragma once

// The learning rate's schedule: a cosine of the phase down to 0 after a linear warm-up over the
// first 2 % of steps. The phase runs evenly from a step at which the schedule was fitted to the
// last one (learner.hpp, Schedule).

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "carnot/learn/network/learner.hpp"

#include "learn/kernels/elementwise.hpp"

namespace carnot::learn {

/// Mean of the schedule's square over its greatest.
inline constexpr double kMeanSquareSchedule = 0.375;

inline double scheduled_rate(double greatest, std::uint64_t step, const Schedule& s) noexcept {
  const double total = static_cast<double>(s.steps);
  const double warm = std::max(1.0, std::ceil(0.02 * total));
  const double ramp = std::min(1.0, (static_cast<double>(step) + 1.0) / warm);
  return 0.5 * greatest * (1.0 + cos_pi(s.phase(step))) * ramp;
}

/// Integral of (1 + cos(pi f)) / 2 from f to 1, over its whole; the short warm-up is left out.
inline double remaining_schedule(std::uint64_t step, const Schedule& s) noexcept {
  const double f = s.phase(step);
  return std::clamp(1.0 - f - std::sin(std::numbers::pi * f) / std::numbers::pi, 0.0, 1.0);
}

/// \throws InputError unless a learner that has done so many steps can go on with it
void check_schedule(const Schedule& schedule, std::uint64_t done);

}  // namespace carnot::learn
