// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// How long to wait until the next sample.

#include <optional>

#include "carnot/base/instant.hpp"

namespace carnot::measure::detail {

/// Starts at 10 ms, doubles while power and load stand still, halves when they move. Values; no
/// allocation.
class AdaptiveInterval {
 public:
  /// \param fixed    always this; empty: adapt
  /// \param longest  what the counters allow; 0: any. A bound of the fixed interval too
  /// \throws InputError for a fixed interval that is not positive
  AdaptiveInterval(std::optional<Duration> fixed, Duration longest);

  Duration current() const noexcept { return current_; }
  /// What the interval that just ended showed: mean power and CPUs busy over `length`.
  void seen(double power_w, double busy_cpus, Duration length) noexcept;

 private:
  bool fixed_;
  Duration longest_, current_;
  std::optional<double> power_w_, busy_cpus_;  // of the interval before
};

}  // namespace carnot::measure::detail
