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
    const Grid grid = parse_matpower("function mpc = c\nmpc.version = '2';\nmpc.baseMVA = 50;\n" +
                                         buses + generators + costs + branches,
                                     "c.m");
    return grid.cost_fault.empty() ? "accepted" : grid.cost_fault;
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
              HasSubstr("limits that are numbers"));
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

TEST(Matpower, AFlowNeedsNoCosts) {
  for (const char* const costs : {"", "mpc.gencost = [2 0 0 4 1 0.1 20 7];\n",
                                  "mpc.gencost = [2 0 0 2 1 0; 2 0 0 2 1 0; 2 0 0 2 1 0];\n"}) {
    const Grid grid = parse_matpower(
        std::string("mpc.baseMVA = 50;\n") + kBuses + kGenerators + costs + kBranches, "c.m");
    EXPECT_THAT(grid.cost_fault, HasSubstr("gencost: "));
    EXPECT_NEAR(dc_flow(grid, BranchModel::TapAndShift).flow_mw[0], 82.0, 1e-9);
  }
}

TEST(Matpower, IslandsHaveAReferenceEach) {
  const std::string rest = std::string(kGenerators) + kCosts;
  std::string loads = std::string("mpc.baseMVA = 50;\n") + kBuses + rest;
  loads.replace(loads.find("5 3"), 3, "5 1");
  const Grid none = parse_matpower(loads + kBranches, "c.m");
  EXPECT_EQ(reference_buses(none), (std::vector<bool>{true, false}));  // where a generator is
  ASSERT_EQ(none.notes.size(), 1u);
  EXPECT_THAT(none.notes[0], HasSubstr("1 island without a reference bus (type 3): bus 5 has"));
  const Grid parted = parse_matpower(
      loads + "mpc.branch = [5 9 0.01 0.1 0 60 0 0 0 0 0; 9 9 0 1 0 0 0 0 0 0 1];", "c.m");
  EXPECT_EQ(reference_buses(parted), (std::vector<bool>{true, true}));
  ASSERT_EQ(parted.notes.size(), 2u);
  EXPECT_THAT(parted.notes[0], HasSubstr("1 branch from a bus to itself left out"));
  std::string two = std::string("mpc.baseMVA = 50;\n") + kBuses + rest + kBranches;
  two.replace(two.find("9 1 80"), 6, "9 3 80");
  const Grid both = parse_matpower(two, "c.m");
  EXPECT_EQ(reference_buses(both), (std::vector<bool>{true, false}));
  EXPECT_THAT(both.notes[0], HasSubstr("bus 9 is none"));
}

TEST(Matpower, UnitsConvertedByStatements) {
  const Grid grid = parse_matpower(
      "function mpc = c\nmpc.version = '2';\nmpc.baseMVA = 50/3;\n" + std::string(kBuses) +
          "mpc.gen = [5 70 0 9 -9 1 100 1 600/3 -(2+3)*2; 9 1 0 0 0 1 1 1 5 0];\n"
          "mpc.gencost = [2 0 0 3 0.1 20 7];\nmpc.branch = [5 9 26.45 52.9 0 60 0 0 0 0 1];\n"
          "[PQ, PV, REF, NONE, BUS_I, BUS_TYPE, PD, QD, GS, BS, BUS_AREA, VM, ...\n"
          "  VA, BASE_KV] = idx_bus;\n[F_BUS, T_BUS, BR_R, BR_X] = idx_brch;\n"
          "Vbase = mpc.bus(1, BASE_KV) * 1e3; Sbase = mpc.baseMVA * 1e6;\n"
          "mpc.branch(:, [BR_R BR_X]) = mpc.branch(:, [BR_R BR_X]) / (Vbase^2 / Sbase);\n"
          "mpc.bus(:, [PD, QD]) = mpc.bus(:, [PD, QD]) / 1e3;\npf = 0.8;\n"
          "mpc.bus(:, QD) = mpc.bus(:, PD) * sin(acos(pf));\n"
          "mpc.bus(2:end, PD) = mpc.bus(2:end, PD) .* pf;\nmpc.gen(2, :) = [];\n",
      "c.m");
  EXPECT_DOUBLE_EQ(grid.base_mva, 50.0 / 3.0);
  EXPECT_DOUBLE_EQ(grid.buses[1].demand_mw, 0.064);
  EXPECT_EQ(grid.buses[1].shunt_mw, 2.0);
  ASSERT_EQ(grid.generators.size(), 1u);
  EXPECT_EQ(grid.generators[0].maximum_mw, 200.0);
  EXPECT_EQ(grid.generators[0].minimum_mw, -10.0);
  EXPECT_TRUE(grid.cost_fault.empty()) << grid.cost_fault;
  const double ohm = 230e3 * 230e3 / (50.0 / 3.0 * 1e6);
  EXPECT_NEAR(grid.branches[0].resistance_pu, 26.45 / ohm, 1e-15);
  EXPECT_NEAR(grid.branches[0].reactance_pu, 52.9 / ohm, 1e-15);
}

TEST(Matpower, CostsOfDirectCurrentLines) {
  const std::string text = std::string("mpc.baseMVA = 50;\n") + kBuses + kGenerators + kCosts +
                           kBranches +
                           "mpc.dcline = [5 9 0 12 0 0 0 1 1 -20 30 0 0 0 0 0 0; 5 9 1 12 0 0 0 1 "
                           "1 -20 30 0 0 0 0 0 0];";
  const Grid grid = parse_matpower(text + "mpc.dclinecost = [2 0 0 2 1 0; 2 0 0 2 7.5 3];", "c.m");
  ASSERT_EQ(grid.dc_lines.size(), 1u);
  EXPECT_EQ(grid.dc_lines[0].cost.per_h(2.0), 18.0);
  EXPECT_THAT(parse_matpower(text + "mpc.dclinecost = [2 0 0 2 1 0];", "c.m").cost_fault,
              HasSubstr("dclinecost: one row a direct-current line (2)"));
}

TEST(Matpower, WhatIsNotReadNeedNotBeUnderstood) {
  const std::string rest = std::string(kBuses) + kGenerators + kCosts + kBranches;
  const auto said = [&](const std::string& more) -> std::string {
    try {
      parse_matpower("function mpc = c\nmpc.baseMVA = 50;\n" + rest + more, "c.m");
      return "accepted";
    } catch (const InputError& error) {
      return error.what();
    }
  };
  for (const char* const unread :
       {"mpc.my_note = 1/2;", "mpc.f = @(x) x.^2;", "mpc.a.b = struct('x', {{1, 2}});",
        "disp('a;b')", "x = foo(mpc.bus(:, 1)', 'it''s');", "mpc.areas = zeros(2, 3) + [1; 2];",
        "if 1 > 0\n  y = 3;\nend", "for k = 1:3, y(k) = k; end", "mpc.c = {[1 2], 'a'; {}, 3};",
        "mpc.n = [1 2; 3];", "mpc.gen_name{2} = 'b';", "function other\nmpc.bus = 1;"})
    EXPECT_EQ(said(unread), "accepted") << unread;
  EXPECT_THAT(said("mpc.bus(2, 3) = load_of(9);"), HasSubstr("c.m:10: bus: values and plain"));
  EXPECT_THAT(said("if 1\n  mpc.gen(1, 9) = 3;\nend"), HasSubstr("c.m:11: gen: assignments out"));
  EXPECT_THAT(said("mpc = scale_load(2, mpc);"), HasSubstr("c.m:10: bus: values and plain"));
  EXPECT_THAT(said("mpc.branch(7, :) = mpc.nothing;"), HasSubstr("c.m:10: branch: values"));
  EXPECT_THAT(said("mpc.version = {'2'};"), HasSubstr("c.m:10: version: '2'"));
}

OctaveValue last_of(const std::string& text) { return parse_octave(text, "s.m").at("x"); }

double number_of(const std::string& expression) {
  const OctaveValue value = last_of("a = [1 2 3; 4 5 6]; x = " + expression + ";");
  if (!value.is_number()) throw InputError("no number: " + value.fault);
  return value.rows[0].numbers[0];
}

TEST(OctaveSyntax, ArithmeticAsInOctave) {
  EXPECT_EQ(number_of("-2^2"), -4.0);
  EXPECT_EQ(number_of("2^-1 * 3 - 1"), 0.5);
  EXPECT_EQ(number_of("1e3/(4 - 2)/5"), 100.0);
  EXPECT_EQ(number_of("7 - 2 - 1 + ~0"), 5.0);
  EXPECT_EQ(number_of("a(2, end) + a(end)"), 12.0);
  EXPECT_EQ(number_of("sum(a(:))"), 21.0);
  EXPECT_EQ(number_of("numel(find(a > 2 & a ~= 5))"), 3.0);
  EXPECT_EQ(number_of("max(a(1, :) ./ [2 1 1])"), 3.0);
  EXPECT_EQ(number_of("size(a, 2) + length(1:0.5:3)"), 8.0);
  EXPECT_NEAR(number_of("sqrt(2) * cos(pi / 4)"), 1.0, 1e-15);
  EXPECT_EQ(last_of("x = [1 -2];").rows[0].numbers, (std::vector<double>{1, -2}));
  EXPECT_EQ(last_of("x = [1 - 2, 3-1];").rows[0].numbers, (std::vector<double>{-1, 2}));
  EXPECT_EQ(last_of("a = [1 2]; x = [a a(1) +3; (1:4)];").rows[1].numbers,
            (std::vector<double>{1, 2, 3, 4}));
  EXPECT_EQ(last_of("x = 1:3; x(x == 2) = 9;").fault.substr(0, 3), "two");
  EXPECT_EQ(last_of("x = [1 2]; x *= 3;").rows[0].numbers, (std::vector<double>{3, 6}));
  EXPECT_EQ(last_of("x = [1 2; 3 4; 5 6]; x([1 3], :) = [];").rows.size(), 1u);
  EXPECT_EQ(last_of("x = []; x(2, 3) = 7;").rows[1].numbers, (std::vector<double>{0, 0, 7}));
}

TEST(OctaveSyntax, WhatIsNotUnderstoodIsUnknown) {
  const auto said = [](const std::string& text) -> std::string {
    try {
      const auto fields = parse_octave(text, "s.m");
      return fields.contains("b") ? fields.at("b").fault : "nothing assigned";
    } catch (const InputError& error) {
      return error.what();
    }
  };
  EXPECT_EQ(said("b = 100/4;"), "");
  EXPECT_THAT(said("b = 3x;"), HasSubstr("a number, found `3x`"));
  EXPECT_THAT(said("b = system(1);"), HasSubstr("values and plain arithmetic"));
  EXPECT_THAT(said("b = c + 1;"), HasSubstr("nothing is known of `c`"));
  EXPECT_THAT(said("b = [1 2] * [3 4];"), HasSubstr("a number on one side"));
  EXPECT_THAT(said("b = [1 2; 3]'; "), HasSubstr("rows of one length"));
  EXPECT_THAT(said("b = ones(3)(9);"), HasSubstr("up to the end of the statement"));
  EXPECT_THAT(said("b = 1:1e12;"), HasSubstr("a range with an end"));
  EXPECT_THAT(said("b = zeros(1e6, 1e6);"), HasSubstr("a smaller matrix"));
  EXPECT_THAT(said("b = 1;" + std::string(30, ' ') + "for k = 1:9\n b = [b b];\nend"),
              HasSubstr("outside loops"));
  std::string twice = "b = ones(1000, 1000);";
  for (int k = 0; k < 30; ++k) twice += "b = [b b];";
  EXPECT_THAT(said(twice), HasSubstr("less to compute"));
  EXPECT_THAT(said("b = " + std::string(5000, '(') + "1" + std::string(5000, ')')),
              HasSubstr("fewer brackets"));
  EXPECT_THAT(said("b = [1 2\n3"), HasSubstr("s.m:1: statement: a closing ]"));
  EXPECT_THAT(said("c = 'abc\n"), HasSubstr("a closing '"));
  EXPECT_THAT(said("%{\nabc"), HasSubstr("ends with %}"));
  EXPECT_THAT(said("= 3"), HasSubstr("an assignment"));
  EXPECT_EQ(said(""), "nothing assigned");
}

}  // namespace
}  // namespace carnot::grid
