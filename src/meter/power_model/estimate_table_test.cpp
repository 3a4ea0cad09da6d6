// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/meter/power_model/power_model.hpp"

namespace carnot::meter {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string thrown(const std::string& text) {
  try {
    estimate_csv(text, "hosts.csv");
    return "nothing thrown";
  } catch (const InputError& error) {
    return error.what();
  }
}

TEST(EstimateTable, RepeatsColumnsInTheirOrderAndAddsThree) {
  const auto out = estimate_csv("utilisation,vendor,tdp_w\n0.5,AMD,180\n,,\n", "hosts.csv");
  EXPECT_THAT(out, StartsWith("utilisation,vendor,tdp_w,power_w,low_w,high_w\n0.5,AMD,180,"));
  EXPECT_THAT(out, HasSubstr("\n,,,"));
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 3);
}

TEST(EstimateTable, OrderOfColumnsDoesNotMatter) {
  const auto a = estimate_csv("tdp_w,chips\n100,2\n", "x");
  const auto b = estimate_csv("chips,tdp_w\n2,100\n", "x");
  EXPECT_EQ(a.substr(a.rfind("2,") + 2), b.substr(b.rfind("100,") + 4));
}

TEST(EstimateTable, BlanksQuotesMarksAndLineEndsOfOtherSystems) {
  const auto plain = estimate_csv("vendor,chips\nAMD,2\n", "x");
  EXPECT_EQ(estimate_csv("\xef\xbb\xbfvendor, chips\r\n\r\n \"AMD\" ,2\r\n", "x"), plain);
  EXPECT_EQ(estimate_csv("vendor,chips\nAMD,2", "x"), plain);
}

TEST(EstimateTable, LabelsAreCarriedAlong) {
  EXPECT_THAT(estimate_csv("host,chips\n\"a, \"\"b\"\"\",2\n", "x"),
              HasSubstr("\n\"a, \"\"b\"\"\",2,"));
}

TEST(EstimateTable, AHeaderAloneIsATableWithoutRows) {
  EXPECT_EQ(estimate_csv("tdp_w\n", "x"), "tdp_w,power_w,low_w,high_w\n");
}

TEST(EstimateTable, NamesEveryBadCell) {
  const auto text = thrown("tdp_w,utilisation,year\n100,0.5,2020\nfast,1.5,2020\n-3,nan,20\n1,2\n");
  for (const auto* line :
       {"hosts.csv:3: tdp_w: 1 ... 5000 (W a chip) or empty, found `fast`",
        "hosts.csv:3: utilisation: 0 ... 1 or empty, found `1.5`",
        "hosts.csv:4: tdp_w: ", "hosts.csv:4: utilisation: ", "hosts.csv:4: year: 1995 ... 2100",
        "hosts.csv:5: row: 3 cells, found 2"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(text, Not(HasSubstr("hosts.csv:2")));
}

TEST(EstimateTable, NamesBadColumns) {
  EXPECT_THAT(thrown("tdp,chips\n1,2\n"), HasSubstr("hosts.csv:1: tdp: one of "));
  EXPECT_THAT(thrown("memry_gb\n1\n"), HasSubstr("did you mean `memory_gb`?"));
  EXPECT_THAT(thrown("chips,chips\n1,2\n"), HasSubstr("each column once"));
  EXPECT_THAT(thrown("vcpus\n1\n"), HasSubstr("vcpus: one of "));
  EXPECT_THAT(thrown(""), HasSubstr("header: columns such as"));
  EXPECT_THAT(thrown("\n\n"), HasSubstr("header"));
}

TEST(EstimateTable, NumbersAreFiniteAndWhole) {
  for (const auto* cell : {"inf", "1e400", "0x10", "1 2", "2,0", "--1", "1e"}) {
    EXPECT_THAT(thrown(std::string("chips\n") + cell + "\n"), HasSubstr("hosts.csv:2: ")) << cell;
  }
}

}  // namespace
}  // namespace carnot::meter
