// SPDX-License-Identifier: Apache-2.0
#include "report/draw/svg.hpp"

#include <cmath>
#include <set>
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"

namespace carnot::report {
namespace {

TEST(Escape, LeavesNoMarkupBehind) {
  EXPECT_EQ(escape("<script>alert(\"1\" & '2')</script>"),
            "&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)&lt;/script&gt;");
  EXPECT_EQ(escape("R² ±"), "R² ±");
  EXPECT_EQ(escape(std::string("a\0b\x1b[31m", 8)),
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD[31m");
  EXPECT_EQ(escape("\xC3"), "\xEF\xBF\xBD");                          // cut short
  EXPECT_EQ(escape("\xC0\xAF"), "\xEF\xBF\xBD\xEF\xBF\xBD");          // overlong slash
  EXPECT_EQ(escape("\xED\xA0\x80").find('\xED'), std::string::npos);  // surrogate
}

RC_GTEST_PROP(Escape, AnyBytesBecomeHarmless, (const std::string& bytes)) {
  const std::string text = escape(bytes);
  RC_ASSERT(text.find_first_of("<>\"'") == std::string::npos);
  RC_ASSERT(escape(text).find('\x1b') == std::string::npos);
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    RC_ASSERT(u >= 0x20 || c == '\n' || c == '\t');
  }
}

TEST(FigureText, IsShortAndTrue) {
  EXPECT_EQ(figure_text(0), "0");
  EXPECT_EQ(figure_text(97.54), "97.5");
  EXPECT_EQ(figure_text(0.0621), "0.0621");
  EXPECT_EQ(figure_text(12345), "12,345");
  EXPECT_EQ(figure_text(-12345), "-12,345");
  EXPECT_EQ(figure_text(999'999.7), "1×10⁶");
  EXPECT_EQ(figure_text(3.14e21), "3.14×10²¹");
  EXPECT_EQ(figure_text(1.2e-17, 2), "1.2×10⁻¹⁷");
  EXPECT_EQ(figure_text(std::nan("")), "n/a");
  EXPECT_EQ(figure_text(-kInfinity), "n/a");
}

TEST(Scale, SurvivesEmptyAndBrokenRanges) {
  const double nan = std::nan("");
  for (const svg::Scale& s : {svg::linear(1, 1, 0, 10), svg::linear(nan, 1, 0, 10),
                              svg::linear(0, INFINITY, 0, 10), svg::logarithmic(0, 5, 0, 10),
                              svg::logarithmic(3, 3, 0, 10), svg::logarithmic(nan, 3, 0, 1)}) {
    EXPECT_TRUE(std::isfinite(s.at(s.low)));
    EXPECT_TRUE(std::isfinite(s.at(s.high)));
    EXPECT_LT(s.low, s.high);
  }
  EXPECT_DOUBLE_EQ(svg::linear(0, 4, 100, 0).at(1), 75);
  EXPECT_DOUBLE_EQ(svg::logarithmic(1, 100, 0, 10).at(10), 5);
  EXPECT_DOUBLE_EQ(svg::linear(0, 1, 0, 10).clipped(7), 10);
}

RC_GTEST_PROP(Ticks, LieInsideAndAreFew, ()) {
  const double low = *rc::gen::inRange(-100000, 100000) / 7.0;
  const double span = *rc::gen::inRange(1, 1000000) / 13.0;
  const int about = *rc::gen::inRange(2, 10);
  const svg::Scale s = svg::linear(low, low + span, 0, 100);
  const auto marks = svg::ticks(s, about);
  RC_ASSERT(!marks.empty());
  RC_ASSERT(marks.size() <= static_cast<std::size_t>(2 * about + 2));
  for (const double m : marks) {
    RC_ASSERT(s.at(m) >= -1e-6);
    RC_ASSERT(s.at(m) <= 100 + 1e-6);
  }
}

RC_GTEST_PROP(Ticks, OfLogarithmicAxesAreNeverFewerThanThreeNorCrowded, ()) {
  const double low = std::pow(10.0, *rc::gen::inRange(-3000, 3000) / 300.0);
  const double factor = std::pow(10.0, *rc::gen::inRange(1, 1800) / 300.0);
  const svg::Scale s = svg::logarithmic(low, low * factor, 0, 100);
  const auto marks = svg::ticks(s, 6);
  RC_ASSERT(marks.size() >= 3U);
  RC_ASSERT(marks.size() <= 14U);
  std::set<std::string> words;
  for (const double m : marks) {
    RC_ASSERT(s.at(m) >= -1e-6);
    RC_ASSERT(s.at(m) <= 100 + 1e-6);
    RC_ASSERT(words.insert(svg::decade_text(m)).second);  // no two look alike
  }
}

TEST(Ticks, AreRound) {
  EXPECT_EQ(svg::ticks(svg::logarithmic(90, 600, 0, 1), 6), (std::vector<double>{100, 200, 500}));
  EXPECT_EQ(svg::decade_text(1), "1");
  EXPECT_EQ(svg::decade_text(200), "200");
  EXPECT_EQ(svg::decade_text(1.5), "1.5");
  EXPECT_EQ(svg::decade_text(2e-7), "2×10⁻⁷");
  EXPECT_EQ(svg::decade_text(1e9), "10⁹");
  EXPECT_EQ(svg::ticks(svg::linear(0, 10, 0, 1), 5), (std::vector<double>{0, 2, 4, 6, 8, 10}));
  EXPECT_EQ(svg::ticks(svg::logarithmic(0.5, 2000, 0, 1), 9),
            (std::vector<double>{1, 10, 100, 1000}));
  EXPECT_DOUBLE_EQ(svg::rounded_up(7.1, 4), 8);
  EXPECT_DOUBLE_EQ(svg::rounded_up(0), 1);
  EXPECT_EQ(svg::tick_text(2.5, 2.5), "2.5");
  EXPECT_EQ(svg::tick_text(40, 20), "40");
}

TEST(Paths, StepsKeepTheirCorners) {
  EXPECT_EQ(svg::steps_area({0, 1, 2, 4}, {5, 5, 3}, 10), "M0 10V5H2V3H4V10Z");
  EXPECT_EQ(svg::steps_line({0, 1, 2}, {5, 3}), "M0 5H1V3H2");
  EXPECT_EQ(svg::steps_area({0}, {}, 10), "");
  EXPECT_EQ(svg::polyline({0, 1, 2, 3}, {1, std::nan(""), 2, 3}), "M0 1M2 2L3 3");
}

TEST(Coordinate, RefusesWhatCannotBeDrawn) {
  EXPECT_EQ(svg::coordinate(12.34), "12.3");
  EXPECT_EQ(svg::coordinate(-0.01), "0");
  EXPECT_THROW(svg::coordinate(std::nan("")), InternalError);
}

TEST(Drawing, EscapesEveryWord) {
  svg::Drawing d(10, 10, "<b>", "\"quoted\"");
  d.text(0, 0, "<script>", "label").rect(0, 0, 1, 1, "own", "<i>");
  const std::string out = d.finish();
  EXPECT_EQ(out.find("<script>"), std::string::npos);
  EXPECT_EQ(out.find("<i>"), std::string::npos);
  EXPECT_NE(out.find("<title>&lt;b&gt;</title>"), std::string::npos);
  EXPECT_NE(out.find("<desc>&quot;quoted&quot;</desc>"), std::string::npos);
}

}  // namespace
}  // namespace carnot::report
