// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A quantity of several rivals as bars from zero.

#include <string>
#include <vector>

namespace carnot::report {

struct Bar {
  std::string name;
  double value = 0;
  bool ours = false;  ///< the one that matters
};

/// \param bound  where a dotted line goes; NaN: none
std::string bar_figure(const std::string& title, const std::vector<Bar>& rows, double bound);

/// What of a name fits left of the bars.
std::string bar_name(const std::string& name, bool bold);

}  // namespace carnot::report
