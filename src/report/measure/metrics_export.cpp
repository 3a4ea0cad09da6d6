// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/measure/metrics_export.hpp"

#include <algorithm>
#include <cstdint>
#include <map>

#include "carnot/base/protocol_buffer.hpp"
#include "carnot/base/text.hpp"

#include "report/draw/text_columns.hpp"

namespace carnot::report {

namespace {

using Message = ProtocolBuffer;

/// The block format, literals alone.
std::string snappy_literals(std::string_view bytes) {
  std::string out;
  for (std::size_t size = bytes.size();; size >>= 7) {
    out += static_cast<char>(size >= 0x80 ? (size & 0x7f) | 0x80 : size);
    if (size < 0x80) break;
  }
  constexpr std::size_t kMost = 1 << 16;
  for (std::size_t at = 0; at < bytes.size(); at += kMost) {
    const std::size_t length = std::min(kMost, bytes.size() - at);
    out += static_cast<char>(61 << 2);  // a literal whose length is in two bytes
    out += static_cast<char>((length - 1) & 0xff);
    out += static_cast<char>((length - 1) >> 8);
    out += bytes.substr(at, length);
  }
  return out;
}

/// Both protocols ask for UTF-8.
std::string sound(std::string_view text) { return printable(text); }

Message label(std::string_view name, std::string_view value) {
  Message out;
  out.text(1, name);
  out.text(2, value);
  return out;
}

/// KeyValue with a string.
Message attribute(std::string_view key, std::string_view value) {
  Message any, out;
  any.text(1, sound(value));
  out.text(1, key);
  out.message(2, any);
  return out;
}

std::uint64_t nanoseconds(Instant at) { return static_cast<std::uint64_t>(at.unix_nanoseconds()); }

const char* ucum(std::string_view unit) {
  return unit == "joules"    ? "J"
         : unit == "watts"   ? "W"
         : unit == "seconds" ? "s"
         : unit == "grams"   ? "g"
                             : "1";
}

Message data_point(const MetricSeries& series, bool counts, Instant at) {
  Message point;
  if (counts) point.fixed(2, nanoseconds(series.created));
  point.fixed(3, nanoseconds(at));
  point.real(4, series.value);
  for (const auto& [key, text] : series.labels) point.message(7, attribute(key, text));
  return point;
}

Message metric(const MetricFamily& family, Instant at) {
  const bool counts = family.type == MetricType::Counter;
  Message data;
  for (const MetricSeries& series : family.series) data.message(1, data_point(series, counts, at));
  if (counts) {
    data.number(2, 2);  // cumulative
    data.number(3, 1);  // monotonic
  }
  Message out;
  out.text(1, family.name);
  out.text(2, family.help);
  out.text(3, ucum(family.unit));
  out.message(counts ? 7 : 5, data);
  return out;
}

}  // namespace

std::string remote_write_request(std::span<const MetricFamily> families, const MetricLabels& own,
                                 Instant at) {
  Message request;
  for (const MetricFamily& family : families) {
    for (const MetricLine& line : metric_lines(family)) {
      // Sorted by name, empty ones left out: an empty label is no label.
      std::map<std::string, std::string> labels(own.begin(), own.end());
      for (const auto& [key, text] : line.series->labels) labels[key] = sound(text);
      labels["__name__"] = line.name;
      Message series, sample;
      for (const auto& [key, text] : labels)
        if (!text.empty()) series.message(1, label(key, text));
      sample.real(1, line.value);
      sample.number(2, nanoseconds(at) / 1'000'000);
      series.message(2, sample);
      request.message(1, series);
    }
  }
  return snappy_literals(request.bytes());
}

std::string otlp_request(std::span<const MetricFamily> families, const MetricLabels& resource,
                         std::string_view carnot_version, Instant at) {
  Message scope, scope_metrics, described, resource_metrics, request;
  scope.text(1, "carnot");
  scope.text(2, carnot_version);
  scope_metrics.message(1, scope);
  for (const MetricFamily& family : families) scope_metrics.message(2, metric(family, at));
  for (const auto& [key, text] : resource) described.message(1, attribute(key, text));
  resource_metrics.message(1, described);
  resource_metrics.message(2, scope_metrics);
  request.message(1, resource_metrics);
  return request.bytes();
}

}  // namespace carnot::report
