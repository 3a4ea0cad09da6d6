// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "carnot/report/measure/series.hpp"

namespace carnot::report {

/// What a series shows, one sentence each, the answer first.
std::vector<std::string> series_findings(const SeriesSummary& series);

}  // namespace carnot::report
