// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/grid/page.hpp"

#include <cmath>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "carnot/base/error.hpp"
#include "carnot/report/grid/flow.hpp"

#include "report/draw/testing_markup.hpp"
#include "report/draw/testing_text.hpp"
#include "report/grid/document.hpp"

namespace carnot::report {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::ordered_json;

/// Three buses in a row, wind at the first: 100 MW of demand at the last.
grid::Grid three_buses() {
  grid::Grid grid;
  grid.name = "three";
  for (int b = 0; b < 3; ++b) {
    grid::GridBus bus;
    bus.id = 10 * (b + 1);
    bus.reference = b == 0;
    bus.latitude_deg = 34.0 + b;
    bus.longitude_deg = -115.0 + 2 * b;
    grid.buses.push_back(bus);
  }
  grid.buses[2].demand_mw = 100;
  for (std::size_t l = 0; l < 2; ++l) {
    grid::GridBranch branch;
    branch.from = l;
    branch.to = l + 1;
    branch.reactance_pu = 0.1;
    branch.limit_mw = l == 0 ? 100 : 180;
    grid.branches.push_back(branch);
  }
  grid::GridGenerator wind;
  wind.name = "wind";
  wind.bus = 0;
  wind.maximum_mw = 140;
  wind.setpoint_mw = 100;
  wind.weather_driven = true;
  grid.generators.push_back(wind);
  return grid;
}

/// A dispatch's document as the writer makes it.
std::string dispatch() {
  GridReport report;
  report.analysis = GridAnalysis::Flow;
  report.command = "carnot grid flow <three> & 'more'";
  report.grid = three_buses();
  report.state.demand_mw = {0, 0, 100};
  report.state.minimum_mw = {0};
  report.state.maximum_mw = {140};
  report.result =
      result_of(report.grid, grid::dc_flow(report.grid, grid::BranchModel::ResistanceKept));
  return grid_json(report);
}

/// A study of two hours: computing of 50 MW at bus 10.
Json study() {
  const auto variant = [](const char* signal, double co2, Json own, Json curtailed, Json flow) {
    Json total{{"cost", 1e6},         {"co2_t", co2},          {"computing_mwh", 100},
               {"own_used_mwh", 70},  {"moved_mwh", 5},        {"available_mwh", 280},
               {"curtailed_mwh", 30}, {"absorbed_share", 0.4}, {"congested_hours", 1},
               {"losses_mwh", 3},     {"overload_mw", 1e-12}};
    Json site{{"bus", 10},
              {"load_mw", {50, 50}},
              {"own_used_mw", own},
              {"exported_mw", {80, 70}},
              {"curtailed_mw", curtailed}};
    return std::pair(Json{{"signal", signal}, {"total", total}},
                     Json{{"signal", signal}, {"sites", Json::array({site})}, {"flow_mw", flow}});
  };
  const auto still = variant("no-shift", 900, {50, 20}, {10, 0}, {{100, 40}, {-90, nullptr}});
  const auto moved = variant("joint-carbon", 800, {50, 30}, {0, 0}, {{60, 40}, {-150, 20}});
  return Json{{"schema", "carnot.grid-place/1"},
              {"carnot", "0.1.0"},
              {"command", "carnot grid place"},
              {"case", "three"},
              {"begin", "2020-01-01T00:00:00Z"},
              {"hours", 2},
              {"assumptions",
               {{"utilisation", 0.7},
                {"deferrable", 0.0},
                {"movable", 0.5},
                {"window_h", 24},
                {"carbon_price_per_t", 100}}},
              {"buses",
               {{{"bus", 10}, {"latitude_deg", 34}, {"longitude_deg", -115}},
                {{"bus", 20}, {"latitude_deg", 35}, {"longitude_deg", -113}},
                {{"bus", 30}, {"latitude_deg", 36}, {"longitude_deg", -111}}}},
              {"branches",
               {{{"from", 10}, {"to", 20}, {"limit_mw", 100}},
                {{"from", 20}, {"to", 30}, {"limit_mw", nullptr}}}},
              {"variants", {still.first, moved.first}},
              {"week",
               {{"begin", "2020-01-01T00:00:00Z"},
                {"hours", 2},
                {"variants", {still.second, moved.second}}}}};
}

TEST(GridPage, ReadsADispatchAsItsWriterMeansIt) {
  EXPECT_TRUE(is_grid_document(dispatch()));
  const GridPageDocument g = read_grid_document(dispatch(), "grid.json");
  EXPECT_FALSE(g.study);
  ASSERT_EQ(g.pictures.size(), 1U);
  EXPECT_NEAR(g.pictures[0].mean[0], 1.0, 1e-9);
  EXPECT_NEAR(g.pictures[0].mean[1], 100.0 / 180, 1e-9);
  ASSERT_EQ(g.pictures[0].sites.size(), 1U);
  EXPECT_NEAR(g.pictures[0].sites[0].exported_mwh, 100, 1e-9);
  EXPECT_NEAR(g.pictures[0].sites[0].curtailed_mwh, 40, 1e-9);
  const std::string page = grid_page_html(dispatch(), "grid.json");
  expect_sound(page);
  EXPECT_THAT(page, HasSubstr("1 of 2 lines are at their limit"));
  EXPECT_THAT(page, HasSubstr("class=\"load3\""));
  EXPECT_THAT(page, HasSubstr("class=\"load1\""));
  EXPECT_THAT(grid_page_terminal(dispatch(), "grid.json", 80, false), HasSubstr("100 MW"));
}

TEST(GridPage, SumsAStudyByHours) {
  EXPECT_TRUE(is_grid_document(study().dump()));
  const GridPageDocument g = read_grid_document(study().dump(), "place.json");
  EXPECT_TRUE(g.study);
  ASSERT_EQ(g.pictures.size(), 2U);
  const GridPagePicture& still = g.pictures[0];
  EXPECT_DOUBLE_EQ(still.sites[0].own_mwh, 70);
  EXPECT_DOUBLE_EQ(still.sites[0].grid_mwh, 30) << "load that own power does not cover";
  EXPECT_DOUBLE_EQ(still.sites[0].exported_mwh, 150);
  EXPECT_DOUBLE_EQ(still.sites[0].curtailed_mwh, 10);
  EXPECT_DOUBLE_EQ(still.mean[0], 0.7);
  EXPECT_DOUBLE_EQ(still.greatest[0], 1.0);
  EXPECT_EQ(loading_class(still.greatest[1]), 0) << "no limit";
  EXPECT_DOUBLE_EQ(g.pictures[1].greatest[0], 0.6);
  const std::string page = grid_page_html(study().dump(), "place.json");
  expect_sound(page);
  EXPECT_THAT(page, HasSubstr("100 t CO2 less (11.1 %)"));
  EXPECT_THAT(page, HasSubstr("No line carries more than its limit"));
  const std::string text = grid_page_terminal(study().dump(), "place.json", 80, false);
  EXPECT_THAT(text, HasSubstr("joint-carbon"));
  for (const std::string& line : lines_of(text)) EXPECT_LE(line.size(), 88U) << line;
}

TEST(GridPage, SurvivesWhatIsMissing) {
  const Json nothing{{"schema", "carnot.grid/1"},
                     {"outcome", "infeasible"},
                     {"why", "no dispatch"},
                     {"case", "<script>"}};
  const std::string page = grid_page_html(nothing.dump(), "grid.json");
  expect_sound(page);
  EXPECT_THAT(page, HasSubstr("There is no dispatch: infeasible."));
  Json nowhere = study();
  for (Json& bus : nowhere["buses"]) bus["latitude_deg"] = nullptr;
  expect_sound(grid_page_html(nowhere.dump(), "place.json"));
  Json no_week = study();
  no_week.erase("week");
  expect_sound(grid_page_html(no_week.dump(), "place.json"));
  Json hostile = study();
  hostile["case"] = "<b>\"'&";
  hostile["variants"][0]["signal"] = "<i>";
  expect_sound(grid_page_html(hostile.dump(), "place.json"));
}

TEST(GridPage, SaysWhatIsWrong) {
  const auto words = [](const std::function<void(Json&)>& change) {
    Json json = study();
    change(json);
    try {
      read_grid_document(json.dump(), "p.json");
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string("nothing");
  };
  EXPECT_THAT(words([](Json& j) { j["schema"] = "carnot.run/1"; }), HasSubstr("p.json: schema"));
  EXPECT_THAT(words([](Json& j) { j["branches"][0]["to"] = 99; }), HasSubstr("to: a bus"));
  EXPECT_THAT(words([](Json& j) { j["buses"][0]["bus"] = "x"; }), HasSubstr("bus: a number"));
  EXPECT_THAT(words([](Json& j) { j["buses"][0]["bus"] = 1e300; }), HasSubstr("a whole number"));
  EXPECT_THAT(words([](Json& j) { j["week"]["variants"][0]["sites"][0]["bus"] = nullptr; }),
              HasSubstr("bus: a bus"));
  EXPECT_THAT(words([](Json& j) { j["week"]["variants"][0]["sites"][0]["load_mw"] = {1}; }),
              HasSubstr("lists of equal length"));
  EXPECT_THAT(words([](Json& j) {
                j["week"]["variants"][0]["sites"][0]["load_mw"] = {1, "two"};
              }),
              HasSubstr("load_mw: numbers or null"));
  EXPECT_THROW(grid_page_html("[1, 2", "p.json"), InputError);
  EXPECT_FALSE(is_grid_document("{\"schema\": \"carnot.plan/1\"}"));
}

TEST(GridPage, LoadingsHaveFourClasses) {
  EXPECT_EQ(loading_class(0), 0);
  EXPECT_EQ(loading_class(0.5), 1);
  EXPECT_EQ(loading_class(0.8), 2);
  EXPECT_EQ(loading_class(0.9951), 3);
  EXPECT_EQ(loading_class(std::nan("")), 0);
}

}  // namespace
}  // namespace carnot::report
