// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A running measurement (carnot/measure/attribution/metrics.hpp) as families of series, and those
/// as OpenMetrics text. Format: OpenMetrics 1.0.0 (2020). Pure, thread-safe.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "carnot/base/instant.hpp"
#include "carnot/measure/attribution/metrics.hpp"

namespace carnot::report {

enum class MetricType { Counter, Gauge, Info };

struct MetricSeries {
  std::vector<std::pair<std::string, std::string>> labels;
  double value = 0.0;
  Instant created;  ///< of counters: since when they count
};

struct MetricFamily {
  std::string name;  ///< such as carnot_energy_joules
  MetricType type = MetricType::Gauge;
  std::string unit;  ///< the name's last word; empty: none
  std::string help;
  std::vector<MetricSeries> series;
};

/// Every figure there is, in the order of docs/formats/metrics.md.
std::vector<MetricFamily> metric_families(const measure::MetricsState& state);

/// One line of the exposition: a counter has two, `_total` and `_created`.
struct MetricLine {
  std::string name;
  const MetricSeries* series = nullptr;  ///< of the family, which must outlive it
  double value = 0.0;
};
std::vector<MetricLine> metric_lines(const MetricFamily& family);

/// The exposition, ending in "# EOF". Content type: `kOpenMetricsType`.
std::string openmetrics(const measure::MetricsState& state);
inline constexpr std::string_view kOpenMetricsType =
    "application/openmetrics-text; version=1.0.0; charset=utf-8";

}  // namespace carnot::report
