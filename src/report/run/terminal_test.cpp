// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carnot/report/draw/progress.hpp"
#include "carnot/report/run/result.hpp"

#include "report/draw/testing_text.hpp"
#include "report/draw/text_columns.hpp"
#include "report/run/testing_run.hpp"

namespace carnot::report {
namespace {

using testing::HasSubstr;
using testing::Not;

/// The transcript people see.
TEST(Terminal, LooksAsAgreed) {
  expect_golden("terminal_80.txt", to_terminal(summarise(sample::run()), 80, false));
}

TEST(Terminal, FitsEveryWidthAndShowsMoreWhereThereIsRoom) {
  const RunResult result = summarise(sample::run());
  std::size_t before = 0;
  for (int width = 60; width <= 200; ++width) {
    const std::string text = to_terminal(result, width, false);
    for (const std::string& line : lines_of(text)) {
      ASSERT_LE(columns(line), static_cast<std::size_t>(width)) << line;
    }
    const auto lines = lines_of(text);
    std::istringstream head(lines.at(2));
    const std::vector<std::string> names{std::istream_iterator<std::string>(head), {}};
    if (width % 40 == 0) {
      EXPECT_GE(names.size(), before);
      before = names.size();
    }
    for (const char* name : {"policy", "energy", "grid", "cost"}) {
      EXPECT_THAT(names, testing::Contains(std::string(name))) << width;
    }
  }
  EXPECT_GE(before, 14U);
}

TEST(Terminal, AlignsItsColumns) {
  const auto lines = lines_of(to_terminal(summarise(sample::run()), 80, false));
  // The regret column is the last and ends at the same place on every row that has one.
  const std::size_t right = columns(lines.at(2));
  for (std::size_t i = 4; i < 4 + 11; ++i) EXPECT_EQ(columns(lines.at(i)), right) << lines.at(i);
}

TEST(Terminal, HasColourOnlyWhenAsked) {
  const RunResult result = summarise(sample::run());
  EXPECT_THAT(to_terminal(result, 80, false), Not(HasSubstr("\x1b")));
  EXPECT_THAT(to_terminal(result, 80, true), HasSubstr("\x1b[1m"));
}

TEST(Terminal, DefusesHostileNames) {
  sample::Options options;
  options.scenario = "\x1b[2J\x07wiped\r\n";
  options.policies = {"evil\x1b]0;t\x07",
                      "\xC2\x9B"
                      "31mred",
                      "\xFF\xFE"};
  const std::string text = to_terminal(summarise(sample::run(options)), 80, false);
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    EXPECT_TRUE(u >= 0x20 || c == '\n') << static_cast<int>(u);
    EXPECT_NE(u, 0x7F);
  }
  EXPECT_THAT(text, Not(HasSubstr("\xC2\x9B")));
  EXPECT_THAT(text, Not(HasSubstr("\xFF")));
}

TEST(Terminal, NeverPrintsNan) {
  sample::Options options;
  for (const bool interrupted : {false, true}) {
    options.interrupted = interrupted;
    for (const int slots : {1, 3, 40}) {
      options.slots = slots;
      for (const int width : {40, 60, 80, 200}) {
        const std::string text = to_terminal(summarise(sample::run(options)), width, false);
        EXPECT_THAT(text, Not(HasSubstr("nan")));
        EXPECT_THAT(text, Not(HasSubstr("inf ")));
      }
    }
  }
  auto entries = sample::run();
  const RunResult empty = summarise({entries[0]});
  EXPECT_THAT(to_terminal(empty, 80, false), HasSubstr("No policy has run"));
  const RunResult one = summarise({entries[0], entries[1]});
  EXPECT_THAT(to_terminal(one, 80, false), HasSubstr("cut off"));
}

TEST(Columns, CountAndCutCharacters) {
  EXPECT_EQ(columns("±▁é"), 3U);
  EXPECT_EQ(cut("abcdef", 4), "abc…");
  EXPECT_EQ(cut("äöüß", 4), "äöüß");
  EXPECT_EQ(cut("äöüßx", 4), "äöü…");
  EXPECT_EQ(padded_left("±1", 4), "  ±1");
  EXPECT_EQ(padded_right("±1", 4), "±1  ");
  EXPECT_EQ(wrapped("one two three", 7), (std::vector<std::string>{"one two", "three"}));
  EXPECT_EQ(wrapped("", 7), (std::vector<std::string>{}));
  EXPECT_EQ(printable("a\nb\x1b"
                      "c"),
            "a b?c");
}

ProgressState half_way() {
  ProgressState state;
  state.policy = "adaptive";
  state.share_done = 0.5;
  state.energy = 1.25 * megawatt_hour;
  state.own_now = 640 * kilowatt;
  state.own_recent = {0, 1, 2, 3, 4, 5, 6, 7};
  state.throttle = 0.72;
  state.mode = "int8";
  state.eta = 95 * second;
  return state;
}

TEST(Progress, SaysWhatGoesOn) {
  EXPECT_EQ(progress_line(half_way(), 110),
            "adaptive  ███████████████                  50 %  1.25 MWh  own 640 kW  "
            "▁▂▃▄▅▆▇█  int8 at 72 %  95 s to go");
}

TEST(Progress, FitsEveryWidthAndSurvivesNonsense) {
  ProgressState state = half_way();
  for (int width = 1; width <= 200; ++width) {
    EXPECT_LE(columns(progress_line(state, width)), static_cast<std::size_t>(width));
  }
  EXPECT_THAT(progress_line(state, 40), HasSubstr("50 %"));
  state.share_done = std::nan("");
  state.own_now = std::nan("") * watt;
  state.own_recent = {std::nan(""), -1, 1e300};
  state.throttle = 7;
  state.mode = "";
  state.eta = std::nan("") * second;
  state.policy = "\x1b[31m";
  const std::string line = progress_line(state, 110);
  EXPECT_THAT(line, Not(HasSubstr("nan")));
  EXPECT_THAT(line, Not(HasSubstr("\x1b")));
  EXPECT_THAT(line, HasSubstr("paused"));
}

TEST(Progress, FillsTheBarWithTheWork) {
  ProgressState state = half_way();
  const auto cells = [&](double share) {
    state.share_done = share;
    const std::string line = progress_line(state, 110);
    std::size_t count = 0;
    for (std::size_t at = line.find("█"); at < line.find(" %"); at = line.find("█", at + 1))
      ++count;
    return count;
  };
  EXPECT_EQ(cells(0), 0U);
  EXPECT_EQ(cells(0.5), 15U);
  EXPECT_EQ(cells(1), 30U);
  EXPECT_EQ(cells(4), 30U);
}

}  // namespace
}  // namespace carnot::report
