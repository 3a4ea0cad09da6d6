// SPDX-License-Identifier: Apache-2.0
#include "report/draw/map.hpp"

#include <cmath>
#include <regex>
#include <sstream>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace carnot::report {
namespace {

constexpr Frame kFrame{0, 40, 960, 470};

std::vector<Point> points_of(const std::string& commands) {
  std::vector<Point> out;
  const std::regex pair("(-?[0-9.]+) (-?[0-9.]+)");
  for (std::sregex_iterator at(commands.begin(), commands.end(), pair), end; at != end; ++at)
    out.push_back({std::stod((*at)[1]), std::stod((*at)[2])});
  return out;
}

RC_GTEST_PROP(MapProperty, PlacesStayInTheFrameAndKeepTheirOrder, ()) {
  const auto n = *rc::gen::inRange<std::size_t>(1, 12);
  std::vector<Point> places;
  for (std::size_t i = 0; i < n; ++i)
    places.push_back({static_cast<double>(*rc::gen::inRange(-180, 181)),
                      static_cast<double>(*rc::gen::inRange(-85, 86))});
  const Projection projection(places, kFrame);
  for (const Point& a : places) {
    const Point p = projection.at(a);
    RC_ASSERT(p.x >= kFrame.left && p.x <= kFrame.right);
    RC_ASSERT(p.y >= kFrame.top && p.y <= kFrame.bottom);
    for (const Point& b : places) {
      const Point q = projection.at(b);
      RC_ASSERT((a.x < b.x) == (p.x < q.x));  // east is right
      RC_ASSERT((a.y < b.y) == (p.y > q.y));  // north is up
    }
  }
}

TEST(Map, LandLiesInsideTheFrameAndWhereItIs) {
  const Projection world({{-120, 50}, {150, -40}}, kFrame);
  const std::vector<Point> land = points_of(world.land());
  ASSERT_GT(land.size(), 300U);
  for (const Point& p : land) {
    EXPECT_GE(p.x, kFrame.left - 0.1);
    EXPECT_LE(p.x, kFrame.right + 0.1);
    EXPECT_GE(p.y, kFrame.top - 0.1);
    EXPECT_LE(p.y, kFrame.bottom + 0.1);
  }
  // The middle of the Pacific is water, the middle of Australia is not.
  const Projection pacific({{-150, -20}, {-149, -21}}, kFrame);
  EXPECT_TRUE(pacific.land().empty());
  const Projection outback({{134, -25}, {135, -26}}, kFrame);
  double area = 0;
  const std::vector<Point> ring = points_of(outback.land());
  for (std::size_t i = 0; i < ring.size(); ++i) {
    const Point &a = ring[i], &b = ring[(i + 1) % ring.size()];
    area += (a.x * b.y - b.x * a.y) / 2;
  }
  EXPECT_NEAR(std::abs(area), 960.0 * 430.0, 1.0) << "land all over";
}

/// A coast that runs over the date line is cut there, not drawn across the map.
TEST(Map, NoCoastCrossesTheMap) {
  std::istringstream lines(kLandTable);
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    const std::vector<Point> ring = points_of(line);
    ASSERT_GE(ring.size(), 4U);
    for (std::size_t i = 0; i < ring.size(); ++i) {
      EXPECT_LT(std::abs(ring[i].x - ring[(i + 1) % ring.size()].x), 60) << line.substr(0, 60);
      EXPECT_LE(std::abs(ring[i].x), 180);
      EXPECT_LE(std::abs(ring[i].y), 90);
    }
  }
}

RC_GTEST_PROP(MapProperty, DiscsDoNotCoverEachOther, ()) {
  const auto n = *rc::gen::inRange<std::size_t>(1, 15);
  std::vector<Point> centre;
  std::vector<double> radius;
  for (std::size_t i = 0; i < n; ++i) {
    centre.push_back({static_cast<double>(*rc::gen::inRange(400, 440)),
                      static_cast<double>(*rc::gen::inRange(200, 220))});
    radius.push_back(*rc::gen::inRange(5, 40));
  }
  spread(centre, radius, kFrame);
  for (std::size_t i = 0; i < n; ++i) {
    RC_ASSERT(centre[i].x - radius[i] >= kFrame.left - 1e-9);
    RC_ASSERT(centre[i].y + radius[i] <= kFrame.bottom + 1e-9);
    for (std::size_t k = i + 1; k < n; ++k)
      RC_ASSERT(std::hypot(centre[i].x - centre[k].x, centre[i].y - centre[k].y) >=
                radius[i] + radius[k] - 2.0);
  }
}

TEST(Map, SpreadLeavesAloneWhatIsApart) {
  std::vector<Point> centre{{100, 100}, {300, 300}};
  spread(centre, {20, 20}, kFrame);
  EXPECT_EQ(centre[0].x, 100);
  EXPECT_EQ(centre[1].y, 300);
}

/// The ribbon is as wide as asked at its foot, ends at the other disc, and is empty between discs
/// that touch.
TEST(Map, ArrowsAreAsWideAsAsked) {
  const Point from{100, 100}, to{500, 300};
  for (const double width : {1.0, 6.0, 13.0}) {
    const std::vector<Point> p = points_of(arrow(from, 10, to, 30, width));
    ASSERT_EQ(p.size(), 9U);
    EXPECT_NEAR(std::hypot(p.front().x - p.back().x, p.front().y - p.back().y), width, 0.2);
    EXPECT_NEAR(std::hypot(p[4].x - to.x, p[4].y - to.y), 31, 0.2) << "the tip";
  }
  EXPECT_EQ(arrow(from, 10, {120, 100}, 10, 3), "");
}

TEST(Map, SlicesTurnClockwiseFromAbove) {
  EXPECT_EQ(slice({10, 10}, 4, 0, 0.25), "M10 10L10 6A4 4 0 0 1 14 10Z");
  EXPECT_EQ(slice({10, 10}, 4, 0.25, 1), "M10 10L14 10A4 4 0 1 1 10 6Z");
  EXPECT_EQ(slice({10, 10}, 4, 0, 1), "M10 6A4 4 0 1 1 10 14A4 4 0 1 1 10 6Z");
}

TEST(Map, RingsHoldEveryPlace) {
  EXPECT_TRUE(ring(0, kFrame).empty());
  EXPECT_EQ(ring(1, kFrame)[0].x, 480);
  for (const Point& p : ring(40, kFrame)) {
    EXPECT_GE(p.x, kFrame.left - 1e-9);
    EXPECT_LE(p.y, kFrame.bottom + 1e-9);
  }
}

}  // namespace
}  // namespace carnot::report
