// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/measure/metrics_export.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <map>

#include <gtest/gtest.h>

// Real figures of a server, decoded by others, are in tests/exporter; the corners are here.
namespace carnot::report {
namespace {

std::uint64_t take_varint(const std::string& text, std::size_t& at) {
  std::uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    const auto byte = static_cast<std::uint8_t>(text.at(at++));
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
}

/// Snappy's block format as its description says, literals and nothing else.
std::string unpacked(const std::string& text) {
  std::size_t at = 0;
  const std::uint64_t size = take_varint(text, at);
  std::string out;
  while (at < text.size()) {
    const auto tag = static_cast<std::uint8_t>(text.at(at++));
    EXPECT_EQ(tag & 3, 0) << "a literal";
    std::size_t length = tag >> 2;
    if (length >= 60) {
      const std::size_t bytes = length - 59;
      length = 0;
      for (std::size_t i = 0; i < bytes; ++i)
        length |= static_cast<std::size_t>(static_cast<std::uint8_t>(text.at(at++))) << (8 * i);
    }
    out += text.substr(at, length + 1);
    at += length + 1;
  }
  EXPECT_EQ(at, text.size());
  EXPECT_EQ(out.size(), size);
  return out;
}

struct Field {
  int number;
  std::string bytes;
  std::uint64_t value = 0;
};
std::vector<Field> fields(const std::string& text) {
  std::vector<Field> out;
  for (std::size_t at = 0; at < text.size();) {
    const std::uint64_t key = take_varint(text, at);
    Field f{static_cast<int>(key >> 3), {}, 0};
    if ((key & 7) == 0) {
      f.value = take_varint(text, at);
    } else if ((key & 7) == 1) {
      std::memcpy(&f.value, text.data() + at, 8);
      at += 8;
    } else {
      const std::uint64_t size = take_varint(text, at);
      f.bytes = text.substr(at, size);
      at += size;
    }
    out.push_back(std::move(f));
  }
  return out;
}

std::vector<MetricFamily> many(std::size_t count) {
  MetricFamily family{"carnot_energy_joules", MetricType::Counter, "joules", "Energy.", {}};
  for (std::size_t i = 0; i < count; ++i)
    family.series.push_back({{{"domain", std::string(i % 300, 'd')}, {"n", std::to_string(i)}},
                             static_cast<double>(i) * 0.1,
                             Instant::from_unix_seconds(1'700'000'000)});
  return {family};
}

TEST(RemoteWrite, ManySeriesComeOutWholeAndSorted) {
  const Instant at = Instant::from_unix_seconds(1'800'000'000);
  for (const std::size_t count : {0U, 1U, 7U, 3000U}) {
    const auto families = many(count);
    const auto series = fields(unpacked(remote_write_request(families, {{"job", "carnot"}}, at)));
    ASSERT_EQ(series.size(), 2 * count);  // _total and _created
    for (std::size_t i = 0; i < series.size(); ++i) {
      std::string before;
      std::map<std::string, std::string> labels;
      double value = -1;
      for (const Field& f : fields(series[i].bytes)) {
        const auto parts = fields(f.bytes);
        if (f.number == 2) {
          std::memcpy(&value, &parts[0].value, 8);
          EXPECT_EQ(parts[1].value, 1'800'000'000'000u);
          continue;
        }
        EXPECT_LT(before, parts[0].bytes) << "labels are sorted, none twice";
        EXPECT_NE(parts[1].bytes, "") << "an empty label is none";
        labels[before = parts[0].bytes] = parts[1].bytes;
      }
      EXPECT_EQ(labels.at("job"), "carnot");
      EXPECT_EQ(labels.at("n"), std::to_string(i / 2));
      const bool total = labels.at("__name__") == "carnot_energy_joules_total";
      EXPECT_EQ(value, total ? static_cast<double>(i / 2) * 0.1 : 1.7e9);
    }
  }
}

TEST(Otlp, TellsSumsFromGaugesAndTextsAreSound) {
  const MetricFamily gauge{"carnot_power_watts",
                           MetricType::Gauge,
                           "watts",
                           "Power.",
                           {{{{"domain", "a\xff\"\n"}}, std::nan(""), Instant()}}};
  auto families = many(2);
  families.push_back(gauge);
  const std::string bytes = otlp_request(families, {{"service.name", "carnot"}}, "0.1.0",
                                         Instant::from_unix_seconds(1'800'000'000));
  const auto resource = fields(fields(bytes).at(0).bytes);
  const auto metrics = fields(resource.at(1).bytes);
  ASSERT_EQ(metrics.size(), 3U);  // the scope and two families
  const auto sum = fields(metrics[1].bytes), power = fields(metrics[2].bytes);
  EXPECT_EQ(sum[2].bytes, "J");
  EXPECT_EQ(sum[3].number, 7);
  const auto points = fields(sum[3].bytes);
  ASSERT_EQ(points.size(), 4U);
  EXPECT_EQ(points[2].value, 2U);
  EXPECT_EQ(points[3].value, 1U);
  EXPECT_EQ(fields(points[0].bytes)[0].value, 1'700'000'000'000'000'000u) << "since it counts";
  EXPECT_EQ(power[2].bytes, "W");
  EXPECT_EQ(power[3].number, 5);
  EXPECT_EQ(bytes.find('\xff'), bytes.npos) << "UTF-8 alone";
}

}  // namespace
}  // namespace carnot::report
