// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// CPU time of what this process started: children that ended and were waited for, and all
/// descendants alive, with what they waited for. Nothing is adopted and no signal taken, so a
/// process whose parent ended without waiting for it is lost from view. Any thread.

#include <vector>

namespace carnot::meter {

struct DescendantUse {
  double cpu_s = 0;       ///< cumulative
  std::vector<int> pids;  ///< of those alive
};

/// Costs a microsecond where this process has no child, else some files a descendant.
DescendantUse descendant_use();

}  // namespace carnot::meter
