// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The families of /metrics as requests of two protocols that monitoring systems receive.
///
/// Prometheus remote write 1.0: a WriteRequest in Protocol Buffers, in the block format of Snappy
/// (of which only literals are used: nothing is gained by compressing in a machine what a receiver
/// compresses on disk). Series and values are those that a scrape of /metrics would give.
///
/// OTLP 1.0 over HTTP: an ExportMetricsServiceRequest in Protocol Buffers. Counters are monotonic
/// cumulative sums with their start, units are those of UCUM (J, W, s, g), and names lack the
/// suffixes that a scrape adds.
///
/// Sources: "Prometheus Remote-Write Specification" 1.0 (2023); opentelemetry-proto 1.0 (2023);
/// google/snappy, format_description.txt (2011). Pure, thread-safe.

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "carnot/report/measure/metrics.hpp"

namespace carnot::report {

using MetricLabels = std::vector<std::pair<std::string, std::string>>;

/// \param own  labels that every series gets, such as job and instance; those of a series win
/// \param at   of every sample, in milliseconds
std::string remote_write_request(std::span<const MetricFamily> families, const MetricLabels& own,
                                 Instant at);

/// \param resource  attributes of what is measured, such as service.name and host.name
std::string otlp_request(std::span<const MetricFamily> families, const MetricLabels& resource,
                         std::string_view carnot_version, Instant at);

}  // namespace carnot::report
