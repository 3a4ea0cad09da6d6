// SPDX-License-Identifier: Apache-2.0
#include "carnot/trace/readers/look.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace carnot::inline trace {
namespace {

using ::testing::ElementsAre;

TEST(Look, SaysWhatTheReaderUnderstands) {
  const LookedAtSeries look = look_at_text(
      "Datum von;Datum bis;Wind Onshore [MWh] Originalaufl\xC3\xB6sungen;Ort\n"
      "01.07.2024 00:00;01.07.2024 00:15;1.518,5;Nord\n01.07.2024 00:15;01.07.2024 00:30;-;Nord\n"
      "01.07.2024 00:30;01.07.2024 00:45;-0,5;Nord\n01.07.2024 01:30;01.07.2024 01:45;2;Nord\n",
      "f.csv");
  EXPECT_EQ(look.separator, ';');
  EXPECT_EQ(look.decimal, ',');
  EXPECT_THAT(look.time_columns, ElementsAre("Datum von"));
  EXPECT_EQ(look.time_form, "%d.%m.%Y %H:%M");
  EXPECT_EQ(look.zone, "Europe/Berlin");
  EXPECT_EQ(look.first.iso8601(), "2024-06-30T22:00:00Z");
  EXPECT_EQ(look.step, Duration::seconds(900));
  ASSERT_EQ(look.gaps.size(), 1u);
  EXPECT_EQ(look.gaps[0].from.iso8601(), "2024-06-30T22:45:00Z");
  EXPECT_EQ(look.gaps[0].to.iso8601(), "2024-06-30T23:30:00Z");
  ASSERT_EQ(look.columns.size(), 3u);
  const LookedAtColumn& wind = look.columns[1];
  EXPECT_EQ(wind.unit, "MWh");
  EXPECT_EQ(wind.quantity, "power");
  EXPECT_EQ(wind.missing, 1u);
  EXPECT_EQ(wind.negative, 1u);
  EXPECT_DOUBLE_EQ(wind.most, 1518.5);
  EXPECT_DOUBLE_EQ(wind.mean, 1520.0 / 3);
  EXPECT_TRUE(std::isnan(wind.course[1]));
  EXPECT_FALSE(look.columns[2].numeric);
}

}  // namespace
}  // namespace carnot::inline trace
