// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/grid/place.hpp"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace carnot::report {
namespace {

using grid::ShiftSignal;

/// Two weeks of one site on two buses; in the second shifting by the average adds CO2.
GridPlaceReport sample() {
  GridPlaceReport r;
  r.command = "carnot grid place x";
  r.started = "2026-01-01T00:00:00Z";
  r.begin = Instant::parse("2020-01-01T00:00Z");
  r.grid.name = "two";
  r.grid.buses = {{.id = 1, .latitude_deg = 33.0, .longitude_deg = -113.0}, {.id = 2}};
  r.grid.branches = {{.from = 0, .to = 1, .reactance_pu = 0.1}};
  r.grid.generators = {{.name = "wind", .bus = 0, .maximum_mw = 90.0, .weather_driven = true}};
  r.study.options.sites = {{0, 20.0}};
  for (const ShiftSignal signal :
       {ShiftSignal::NoComputing, ShiftSignal::NoShift, ShiftSignal::AverageCarbon}) {
    grid::ShiftVariant variant;
    variant.signal = signal;
    for (std::size_t at = 0; at < 340; ++at) {
      grid::ShiftHour hour;
      hour.status = grid::OpfStatus::Optimal;
      hour.cost_per_h = 100.0;
      hour.co2_kg_per_h =
          signal == ShiftSignal::AverageCarbon ? (at < 168 ? 900.0 : 1100.0) : 1000.0;
      hour.curtailed_mw = signal == ShiftSignal::NoComputing ? 8.0 : 2.0;
      hour.sites = {{.load_mw = 5.0, .available_mw = 12.0, .curtailed_mw = 4.0}};
      hour.flow_mw = {-3.0F};
      variant.hours.push_back(std::move(hour));
    }
    r.study.variants.push_back(std::move(variant));
  }
  r.study.variants[1].hours[170] = {};  // without a dispatch
  return r;
}

TEST(GridPlaceReport, TheWeekThatTells) {
  GridPlaceReport r = sample();
  EXPECT_EQ(telling_week(r.study), 1u);
  EXPECT_THAT(grid_place_terminal(r),
              ::testing::HasSubstr("week from 2020-01-08T00:00:00Z: CO2 against no-shift, kt: "
                                   "average-carbon +0.02"));
  r.study.variants.pop_back();
  EXPECT_EQ(telling_week(r.study), 0u);
}

TEST(GridPlaceReport, DocumentHasNullsWhereNothingIsKnown) {
  const nlohmann::json d = nlohmann::json::parse(grid_place_json(sample()));
  EXPECT_EQ(d["schema"], "carnot.grid-place/1");
  EXPECT_EQ(d["variants"][1]["signal"], "no-shift");
  const nlohmann::json& total = d["variants"][1]["total"];
  EXPECT_EQ(total["unsolved"], 1);
  EXPECT_DOUBLE_EQ(total["cost"], 339 * 100.0);
  EXPECT_DOUBLE_EQ(total["weighted_cost"], 339 * (100.0 + 100.0 * 1.0));  // a tonne an hour
  EXPECT_NEAR(total["absorbed_share"], 1.0 - 339 * 2.0 / (340 * 8.0), 1e-12);
  EXPECT_EQ(d["variants"][1]["weeks"].size(), 2u);
  EXPECT_TRUE(d["programme_gap"].is_null());
  EXPECT_TRUE(d["branches"][0]["limit_mw"].is_null());
  EXPECT_TRUE(d["buses"][1]["latitude_deg"].is_null());
  EXPECT_EQ(d["buses"][0]["weather_mw"], 90.0);
  const nlohmann::json& week = d["week"];
  EXPECT_EQ(week["index"], 1);
  EXPECT_EQ(week["begin"], "2020-01-08T00:00:00Z");
  const nlohmann::json& site = week["variants"][1]["sites"][0];
  EXPECT_EQ(site["own_used_mw"][0], 5.0);
  EXPECT_EQ(site["exported_mw"][0], 3.0);
  EXPECT_TRUE(site["load_mw"][2].is_null());
  EXPECT_TRUE(week["variants"][1]["flow_mw"][0][2].is_null());
  EXPECT_EQ(week["variants"][2]["flow_mw"][0][2], -3.0);
}

TEST(GridPlaceReport, TableHasARowForEachVariantAndHour) {
  std::istringstream csv(grid_place_csv(sample()));
  std::string line;
  std::size_t lines = 0;
  while (std::getline(csv, line)) {
    if (lines == 1 + 340 + 170) {
      EXPECT_EQ(line,
                "no-shift,2020-01-08T02:00:00Z,0,0.000000,0.000000,0.000000,0.000000,0.000000,"
                "0.000000,0.000000,0.000000,0,0");
    }
    ++lines;
  }
  EXPECT_EQ(lines, 1u + 3 * 340);
}

}  // namespace
}  // namespace carnot::report
