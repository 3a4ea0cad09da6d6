// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A running measurement (carnot/measure/attribution/metrics.hpp) as OpenMetrics text.
/// Format: OpenMetrics 1.0.0 (2020). Pure, thread-safe.

#include <string>
#include <string_view>

#include "carnot/measure/attribution/metrics.hpp"

namespace carnot::report {

/// The exposition, ending in "# EOF". Content type: `kOpenMetricsType`.
std::string openmetrics(const measure::MetricsState& state);
inline constexpr std::string_view kOpenMetricsType =
    "application/openmetrics-text; version=1.0.0; charset=utf-8";

}  // namespace carnot::report
