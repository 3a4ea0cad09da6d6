// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Which data would narrow the interval most. For each thing that could be measured or stated, the
/// whole footprint is computed again with the figure unchanged and its error replaced by a meter's:
///
///     narrowing = 1 - width of the total's 90 % interval then / now
///
/// A meter that reads what was estimated narrows by exactly so much. Pure, thread-safe.

#include <string>
#include <vector>

#include "carnot/assess/activity/activity.hpp"
#include "carnot/assess/footprint/footprint.hpp"

namespace carnot::assess {

struct DataItem {
  std::string what;              ///< "meter the 3 machines p4d.24xlarge in us-east-1"
  double narrowing = 0;          ///< of the total's width, 0 ... 1
  double low_g = 0, high_g = 0;  ///< of the total, with it
};

/// Greatest narrowing first, at most 12.
std::vector<DataItem> data_items(const std::vector<Activity>& activities,
                                 const Footprint& footprint, const FootprintOptions& options);

}  // namespace carnot::assess
