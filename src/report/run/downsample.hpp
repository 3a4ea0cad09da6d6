// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Long series made short enough to draw. Powers become means over buckets of consecutive slots, so
/// that the area under the drawing is still the energy of the slots. Pure functions.

#include <cstddef>
#include <string>
#include <vector>

#include "carnot/report/run/result.hpp"

namespace carnot::report {

struct Buckets {
  std::vector<double> edge_s;  ///< seconds since `origin`, one more than buckets
  std::vector<double> exported_w, own_used_w, charged_w, discharged_w, grid_w, curtailed_w;
  std::vector<double> loss;  ///< mean of what is finite, NaN where nothing is
  std::vector<double> throttle;
  std::vector<std::string> mode;  ///< the one that ran longest, "" if paused longer than any ran
};

/// At most `most` buckets (>= 1); a gap between slots counts as time without power.
Buckets downsample(const LaneSeries& series, Instant origin, std::size_t most);

}  // namespace carnot::report
