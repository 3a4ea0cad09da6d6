// SPDX-License-Identifier: Apache-2.0
#include "carnot/measure/series.hpp"

#include <set>

#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/ledger/store/measurement_view.hpp"

namespace carnot::measure {
namespace {

SeriesOptions series(std::vector<std::string> values, std::vector<std::string> command) {
  SeriesOptions options;
  options.name = "n";
  options.values = std::move(values);
  options.base.job.command = std::move(command);
  options.base.meter.sources.nvml = options.base.meter.sources.amd_smi = "none";
  return options;
}

TEST(MeasureSeries, PutsEachValueWhereTheCommandSaysAndAnswersInTheirOrder) {
  SeriesOptions options = series({"3", "0", "7"}, {"sh", "-c", "exit $(({n} + {}))"});
  options.repeats = 2;
  std::vector<std::string> visited;
  options.progress = [&](int done, int of, const std::string& value) {
    EXPECT_EQ(done, static_cast<int>(visited.size()));
    EXPECT_EQ(of, 6);
    visited.push_back(value);
    return true;
  };
  const SeriesResult result = measure_series(options);
  EXPECT_FALSE(result.stopped);
  ASSERT_EQ(result.points.size(), 6u);
  const std::vector<std::string> order = {"3", "3", "0", "0", "7", "7"};
  for (std::size_t i = 0; i < 6; ++i) {
    const SeriesPoint& p = result.points[i];
    EXPECT_EQ(p.value, order[i]);
    EXPECT_EQ(p.round, static_cast<int>(i % 2));
    EXPECT_EQ(p.result.exit_code, 2 * std::stoi(p.value));
    EXPECT_FALSE(p.result.entries.empty());
  }
  // Each round visits every value once, and is done before the next begins.
  EXPECT_EQ(std::set<std::string>(visited.begin(), visited.begin() + 3).size(), 3u);
  EXPECT_EQ(std::set<std::string>(visited.begin() + 3, visited.end()).size(), 3u);
}

TEST(MeasureSeries, VisitsInAnOrderThatTheSeedDecides) {
  std::set<std::string> orders;
  for (const std::uint64_t seed : {1, 1, 2, 3, 4, 5}) {
    SeriesOptions options = series({"0", "1", "2", "3", "4", "5"}, {"true", "{}"});
    options.seed = seed;
    std::string visited;
    options.progress = [&](int, int, const std::string& value) {
      visited += value;
      return visited.size() < 6;
    };
    EXPECT_TRUE(measure_series(options).stopped);
    orders.insert(visited);
  }
  EXPECT_GE(orders.size(), 3u);
  EXPECT_LE(orders.size(), 5u);  // the same seed, the same order
}

TEST(MeasureSeries, RefusesWhatCannotBeMeant) {
  EXPECT_THROW(measure_series(series({}, {"true", "{}"})), InputError);
  EXPECT_THROW(measure_series(series({"1"}, {"true", "1"})), InputError);
  SeriesOptions none = series({"1"}, {"true", "{}"});
  none.repeats = 0;
  EXPECT_THROW(measure_series(none), InputError);
  SeriesOptions clock = series({"fast"}, {"true"});
  clock.clock_rate = true;
  clock.base.meter.sources.sysfs_root = "/nonexistent";
  EXPECT_THROW(measure_series(clock), DeviceError);
}

}  // namespace
}  // namespace carnot::measure
