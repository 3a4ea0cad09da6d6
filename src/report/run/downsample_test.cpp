// SPDX-License-Identifier: Apache-2.0
#include "report/run/downsample.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace carnot::report {
namespace {

LaneSeries series_of(const std::vector<int>& watts, const std::vector<int>& gaps_s) {
  LaneSeries s;
  std::int64_t at = 1'000'000;
  for (std::size_t i = 0; i < watts.size(); ++i) {
    const double length = 60 + static_cast<double>(i % 3) * 30;
    s.start.push_back(Instant::from_unix_seconds(at));
    s.length_s.push_back(length);
    const double w = watts[i];
    for (auto* power : {&s.exported_w, &s.own_used_w, &s.charged_w, &s.discharged_w, &s.grid_w,
                        &s.curtailed_w, &s.total_w, &s.facility_w}) {
      power->push_back(w + static_cast<double>(power - &s.total_w));
    }
    s.loss.push_back(watts[i] % 5 == 0 ? std::nan("") : w);
    s.throttle.push_back(0.5);
    s.mode.push_back(watts[i] % 3 == 0 ? "" : "int8");
    at += static_cast<std::int64_t>(length) + (i < gaps_s.size() ? gaps_s[i] : 0);
  }
  return s;
}

double energy(const std::vector<double>& edges, const std::vector<double>& watts) {
  double sum = 0;
  for (std::size_t i = 0; i < watts.size(); ++i) sum += watts[i] * (edges[i + 1] - edges[i]);
  return sum;
}

RC_GTEST_PROP(Downsample, KeepsEveryEnergyAcrossGaps, ()) {
  const auto watts =
      *rc::gen::nonEmpty(rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 100000)));
  const auto gaps =
      *rc::gen::container<std::vector<int>>(watts.size(), rc::gen::element(0, 0, 0, 300));
  const auto most = *rc::gen::inRange<std::size_t>(1, 50);
  const LaneSeries s = series_of(watts, gaps);
  const Buckets b = downsample(s, s.start[0], most);
  RC_ASSERT(b.mode.size() <= most);
  RC_ASSERT(b.edge_s.size() == b.mode.size() + 1);
  RC_ASSERT(b.edge_s.front() == 0.0);
  double exported = 0, grid = 0;
  for (std::size_t i = 0; i < s.start.size(); ++i) {
    exported += s.exported_w[i] * s.length_s[i];
    grid += s.grid_w[i] * s.length_s[i];
  }
  RC_ASSERT(std::abs(energy(b.edge_s, b.exported_w) - exported) <=
            1e-9 * std::abs(exported) + 1e-6);
  RC_ASSERT(std::abs(energy(b.edge_s, b.grid_w) - grid) <= 1e-9 * std::abs(grid) + 1e-6);
}

TEST(Downsample, KeepsSlotsWhenTheyFit) {
  const LaneSeries s = series_of({3, 7, 10}, {});
  const Buckets b = downsample(s, s.start[0], 10);
  EXPECT_EQ(b.mode, (std::vector<std::string>{"", "int8", "int8"}));
  EXPECT_THAT(b.edge_s, testing::Pointwise(testing::DoubleNear(1e-9), {0.0, 60.0, 150.0, 270.0}));
  EXPECT_EQ(b.throttle, (std::vector<double>{0, 0.5, 0.5}));  // paused slots do not turn
  EXPECT_EQ(b.loss[0], 3);
  EXPECT_TRUE(std::isnan(b.loss[2]));
}

TEST(Downsample, EmptySeriesHasNoBuckets) {
  EXPECT_TRUE(downsample({}, Instant(), 5).mode.empty());
}

}  // namespace
}  // namespace carnot::report
