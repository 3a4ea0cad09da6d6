// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/grid/network/network.hpp"

#include "grid/network/matpower_syntax.hpp"

namespace carnot::grid {
namespace {

using ::testing::HasSubstr;

const char* const kBuses =
    "mpc.bus = [\n"
    "  5 3 0  0 0 0 1 1 0 230 1 1.1 0.9;\n"
    "  9 1 80 0 2 0 2 1 0 230 1 1.1 0.9;\n"
    "];\n";
const char* const kGenerators = "mpc.gen = [5 70 0 9 -9 1 100 1 200 10];\n";
const char* const kCosts = "mpc.gencost = [2 0 0 3 0.1 20 7];\n";
const char* const kBranches = "mpc.branch = [5 9 0.01 0.1 0 60 0 0 0 0 1 -30 30];\n";

std::string parsed(const std::string& buses, const std::string& generators,
                   const std::string& costs, const std::string& branches) {
  try {
    parse_matpower("function mpc = c\nmpc.version = '2';\nmpc.baseMVA = 50;\n" + buses +
                       generators + costs + branches,
                   "c.m");
    return "accepted";
  } catch (const InputError& error) {
    return error.what();
  }
}

TEST(Matpower, ReadsWhatItSays) {
  const Grid grid =
      parse_matpower(std::string("mpc.baseMVA = 50;\n") + kBuses + kGenerators + kCosts + kBranches,
                     "folder/two_bus.m");
  EXPECT_EQ(grid.name, "two_bus");
  EXPECT_EQ(grid.base_mva, 50.0);
  ASSERT_EQ(grid.buses.size(), 2u);
  EXPECT_EQ(grid.buses[1].id, 9);
  EXPECT_EQ(grid.buses[1].demand_mw, 80.0);
  EXPECT_EQ(grid.buses[1].shunt_mw, 2.0);
  EXPECT_TRUE(grid.buses[0].reference);
  EXPECT_FALSE(grid.buses[1].reference);
  ASSERT_EQ(grid.generators.size(), 1u);
  EXPECT_EQ(grid.generators[0].minimum_mw, 10.0);
  EXPECT_EQ(grid.generators[0].maximum_mw, 200.0);
  EXPECT_EQ(grid.generators[0].setpoint_mw, 70.0);
  EXPECT_EQ(grid.generators[0].cost.c2_per_mw2h, 0.1);
  EXPECT_EQ(grid.generators[0].cost.c1_per_mwh, 20.0);
  EXPECT_EQ(grid.generators[0].cost.c0_per_h, 7.0);
  ASSERT_EQ(grid.branches.size(), 1u);
  EXPECT_EQ(grid.branches[0].limit_mw, 60.0);
  EXPECT_NEAR(grid.branches[0].angle_max_rad, 0.5235987755982988, 1e-15);
  EXPECT_EQ(grid.branches[0].tap, 1.0);
}

TEST(Matpower, WhatIsOutOfServiceIsLeftOut) {
  const std::string buses =
      "mpc.bus = [5 3 0 0 0 0 1 1 0 1 1 1 1; 9 1 80 0 0 0 1 1 0 1 1 1 1; 7 4 50 0 0 0 1 1 0 1 1 1 "
      "1];";
  const Grid grid = parse_matpower(
      "mpc.baseMVA = 100;" + buses +
          "mpc.gen = [5 0 0 0 0 1 1 1 9 0; 9 0 0 0 0 1 1 0 9 0; 7 0 0 0 0 1 1 1 9 0];"
          "mpc.gencost = [2 0 0 2 3 0; 2 0 0 2 4 0; 2 0 0 2 5 0];"
          "mpc.branch = [5 9 0 .1 0 0 0 0 0 0 1; 5 9 0 0 0 0 0 0 0 0 0; 7 9 0 .1 0 0 0 0 0 0 1];",
      "out.m");
  EXPECT_EQ(grid.buses.size(), 2u);
  ASSERT_EQ(grid.generators.size(), 1u);
  EXPECT_EQ(grid.generators[0].cost.c1_per_mwh, 3.0);
  ASSERT_EQ(grid.branches.size(), 1u);
  EXPECT_EQ(grid.branches[0].limit_mw, kInfinity);
  EXPECT_EQ(grid.branches[0].angle_max_rad, kInfinity);
}

TEST(Matpower, CurvesFuelsNamesAndDirectCurrent) {
  const Grid grid = parse_matpower(
      std::string("mpc.baseMVA = 100;\n") + kBuses + kGenerators +
          "mpc.gencost = [1 0 0 3 10 100 50 300 200 2000];\n" + kBranches +
          "mpc.gen_name = { 'it''s 5, a wind; farm' 'WT' 3 };\nmpc.genfuel = {\"wind\"};\n"
          "mpc.dcline = [5 9 1 12 0 0 0 1 1 -20 30 0 0 0 0 0.5 0.01];",
      "c.m");
  ASSERT_EQ(grid.generators.size(), 1u);
  EXPECT_EQ(grid.generators[0].name, "it's 5, a wind; farm");
  EXPECT_TRUE(grid.generators[0].weather_driven);
  ASSERT_EQ(grid.generators[0].cost.points.size(), 3u);
  EXPECT_EQ(grid.generators[0].cost.points[1].cost_per_h, 300.0);
  ASSERT_EQ(grid.dc_lines.size(), 1u);
  EXPECT_EQ(grid.dc_lines[0].minimum_mw, -20.0);
  EXPECT_EQ(grid.dc_lines[0].setpoint_mw, 12.0);
  EXPECT_EQ(grid.dc_lines[0].loss_share, 0.01);
}

TEST(Matpower, ErrorsNameFileLineAndField) {
  const auto refused = [](const std::string& b, const std::string& g, const std::string& k,
                          const std::string& l) { return parsed(b, g, k, l); };
  EXPECT_EQ(refused(kBuses, kGenerators, kCosts, kBranches), "accepted");
  EXPECT_THAT(refused(kBuses, "mpc.gen = [6 70 0 9 -9 1 100 1 200 10];\n", kCosts, kBranches),
              HasSubstr("c.m:8: gen: bus: a bus of mpc.bus; there is no bus 6"));
  EXPECT_THAT(
      refused(kBuses, kGenerators, kCosts, "mpc.branch = [5 9 0.01 0 0 60 0 0 0 0 1 -30 30];"),
      HasSubstr("c.m:10: branch: x: a reactance other than 0"));
  EXPECT_THAT(
      refused(kBuses, kGenerators, kCosts, "mpc.branch = [5 9 0.01 0.1 0 60 0 0 0 0 0 -30 30];"),
      HasSubstr("bus 9: joined by a branch in service to a reference bus"));
  std::string loads = kBuses;
  loads.replace(loads.find("5 3"), 3, "5 2");
  EXPECT_THAT(refused(loads, kGenerators, kCosts, kBranches), HasSubstr("one bus of type 3"));
  std::string two = kBuses;
  two.replace(two.find("9 1"), 3, "9 3");
  EXPECT_THAT(refused(two, kGenerators, kCosts, kBranches),
              HasSubstr("bus 9: one reference bus an island; bus 5 is another"));
  std::string twice = kBuses;
  twice.replace(twice.find("9 1"), 3, "5 1");
  EXPECT_THAT(refused(twice, kGenerators, kCosts, kBranches), HasSubstr("5 is there twice"));
  EXPECT_THAT(refused(kBuses, kGenerators, "mpc.gencost = [2 0 0 4 1 0.1 20 7];\n", kBranches),
              HasSubstr("gencost: a polynomial of degree 2 at most"));
  EXPECT_THAT(refused(kBuses, kGenerators, "mpc.gencost = [2 0 0 3 -0.1 20 7];\n", kBranches),
              HasSubstr("a square term of at least 0"));
  EXPECT_THAT(refused(kBuses, kGenerators, "mpc.gencost = [2 0 0 9 0.1 20 7];\n", kBranches),
              HasSubstr("gencost: n: as many costs as the row gives"));
  EXPECT_THAT(refused(kBuses, kGenerators, "mpc.gencost = [1 0 0 2 5 1 5 2];\n", kBranches),
              HasSubstr("points in increasing order"));
  EXPECT_THAT(refused(kBuses, kGenerators, "", kBranches), HasSubstr("a matrix mpc.gencost"));
  EXPECT_THAT(refused(kBuses, "mpc.gen = [5 70 0];\n", kCosts, kBranches),
              HasSubstr("c.m:8: gen: at least 10 columns, found 3"));
  EXPECT_THAT(refused(kBuses, "mpc.gen = [5 70 0 9 -9 1 100 1 NaN 10];\n", kCosts, kBranches),
              HasSubstr("finite limits"));
}

TEST(OctaveSyntax, CommentsContinuationAndSeparators) {
  const auto fields = parse_octave(
      "\xef\xbb\xbf% a comment with ] and '\r\n"
      "%{\nmpc.hidden = [1 2];\n %{\n nested\n %}\n%}\n"
      "function mpc = f % here too\n"
      "# another\nmpc.a = [1, -2 +3 ... the rest is a comment ];\n 4;5 6\n\n7 % 8\n];mpc.b=-1.5e-3,"
      "c = \"a % no comment\"\nmpc.d = { 'x' 1; 'y' Inf };\nend\n",
      "s.m");
  EXPECT_FALSE(fields.contains("hidden"));
  const OctaveValue& a = fields.at("a");
  ASSERT_EQ(a.rows.size(), 3u);
  EXPECT_EQ(a.rows[0].numbers, (std::vector<double>{1, -2, 3, 4}));
  EXPECT_EQ(a.rows[1].numbers, (std::vector<double>{5, 6}));
  EXPECT_EQ(a.rows[2].numbers, (std::vector<double>{7}));
  EXPECT_EQ(a.rows[2].line, 13u);
  EXPECT_EQ(fields.at("b").rows[0].numbers[0], -1.5e-3);
  EXPECT_EQ(fields.at("c").text, "a % no comment");
  EXPECT_EQ(fields.at("d").rows[1].strings, (std::vector<std::string>{"y", "Inf"}));
}

TEST(OctaveSyntax, WhatWouldHaveToBeComputedIsRefused) {
  const auto said = [](const std::string& text) -> std::string {
    try {
      parse_octave(text, "s.m");
      return "accepted";
    } catch (const InputError& error) {
      return error.what();
    }
  };
  EXPECT_THAT(said("mpc.bus(:, 3) = 0;"), HasSubstr("s.m:1: bus: assignments of numbers"));
  EXPECT_THAT(said("a = 1;\nb = [1 - 2];"), HasSubstr("s.m:2: b: a number, found `-`"));
  EXPECT_THAT(said("b = [1-2];"), HasSubstr("a number, found `1-2`"));
  EXPECT_THAT(said("b = 100/3;"), HasSubstr("a number, found `100/3`"));
  EXPECT_THAT(said("b = [1 2]';"), HasSubstr("the end of the statement"));
  EXPECT_THAT(said("b = [1 2\n3"), HasSubstr("s.m:1: b: a closing ]"));
  EXPECT_THAT(said("c = 'abc\n"), HasSubstr("a closing '"));
  EXPECT_THAT(said("%{\nabc"), HasSubstr("ends with %}"));
  EXPECT_THAT(said("c = [1 [2] ];"), HasSubstr("a number"));
  EXPECT_THAT(said("= 3"), HasSubstr("an assignment"));
  EXPECT_EQ(said(""), "accepted");
}

}  // namespace
}  // namespace carnot::grid
