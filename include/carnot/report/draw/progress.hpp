// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// One line that shows a run under way; the application prints it. Pure function, thread-safe.

#include <string>
#include <vector>

#include "carnot/base/quantity.hpp"

namespace carnot::report {

struct ProgressState {
  std::string policy;
  double share_done = 0;           ///< of the work, clipped to [0, 1]
  Energy energy;                   ///< of this lane so far
  Power own_now;                   ///< own power of the current slot
  std::vector<double> own_recent;  ///< own power of the last slots, any unit, oldest first
  double throttle = 0;             ///< [0, 1]
  std::string mode;                ///< "" = paused
  Time eta;                        ///< wall clock to go; negative or not finite: not known
};

/// Fits `width` columns exactly or is shorter: parts of least worth go first as it narrows. UTF-8,
/// no colour, no line end.
std::string progress_line(const ProgressState& state, int width);

}  // namespace carnot::report
