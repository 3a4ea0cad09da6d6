// SPDX-License-Identifier: Apache-2.0
#include "report/draw/map.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <sstream>

#include <fmt/format.h>

namespace carnot::report {

namespace {

constexpr double kMargin = 56;      // of the drawing, around the places
constexpr double kLeastSpan = 4.0;  // degrees of latitude that a map shows at least
constexpr double kPi = std::numbers::pi;

std::string pair(const Point& p) {
  return fmt::format("{} {}", svg::coordinate(p.x), svg::coordinate(p.y));
}

/// What of a polygon lies where `depth` is not negative (Sutherland & Hodgman 1974).
template <class Depth>
std::vector<Point> clipped(const std::vector<Point>& ring, Depth depth) {
  std::vector<Point> out;
  for (std::size_t i = 0; i < ring.size(); ++i) {
    const Point& a = ring[i];
    const Point& b = ring[(i + 1) % ring.size()];
    const double da = depth(a), db = depth(b);
    if (da >= 0) out.push_back(a);
    if ((da >= 0) != (db >= 0)) {
      const double share = da / (da - db);
      out.push_back({a.x + share * (b.x - a.x), a.y + share * (b.y - a.y)});
    }
  }
  return out;
}

std::vector<std::vector<Point>> outlines() {
  std::vector<std::vector<Point>> out;
  std::istringstream lines(kLandTable);
  std::string line;
  std::getline(lines, line);  // head
  while (std::getline(lines, line)) {
    std::istringstream points(line);
    std::vector<Point> ring;
    for (Point p; points >> p.x >> p.y; points.ignore(1)) ring.push_back(p);
    if (!ring.empty()) out.push_back(std::move(ring));
  }
  return out;
}

}  // namespace

Projection::Projection(const std::vector<Point>& places, const Frame& frame) : frame_(frame) {
  double west = 180, east = -180, south = 90, north = -90;
  for (const Point& p : places) {
    west = std::min(west, p.x);
    east = std::max(east, p.x);
    south = std::min(south, p.y);
    north = std::max(north, p.y);
  }
  const double middle_x = (west + east) / 2, middle_y = (south + north) / 2;
  const double squeeze = std::max(0.2, std::cos(middle_y * kPi / 180));
  const double width = frame.right - frame.left, height = frame.bottom - frame.top;
  // Of the drawing, for a degree of latitude.
  const double scale =
      std::min({height / kLeastSpan, (height - 2 * kMargin) / std::max(north - south, 1e-9),
                (width - 2 * kMargin) / std::max((east - west) * squeeze, 1e-9)});
  const double wide = width / (scale * squeeze), high = height / scale;
  x_ = svg::linear(middle_x - wide / 2, middle_x + wide / 2, frame.left, frame.right);
  y_ = svg::linear(middle_y - high / 2, middle_y + high / 2, frame.bottom, frame.top);
}

Point Projection::at(const Point& place) const { return {x_.at(place.x), y_.at(place.y)}; }

std::string Projection::land() const {
  std::string out;
  for (std::vector<Point>& ring : outlines()) {
    for (Point& p : ring) p = at(p);
    ring = clipped(ring, [&](const Point& p) { return p.x - frame_.left; });
    ring = clipped(ring, [&](const Point& p) { return frame_.right - p.x; });
    ring = clipped(ring, [&](const Point& p) { return p.y - frame_.top; });
    ring = clipped(ring, [&](const Point& p) { return frame_.bottom - p.y; });
    for (std::size_t i = 0; i < ring.size(); ++i) out += (i == 0 ? "M" : "L") + pair(ring[i]);
    if (!ring.empty()) out += "Z";
  }
  return out;
}

std::vector<Point> ring(std::size_t count, const Frame& frame) {
  const Point middle{(frame.left + frame.right) / 2, (frame.top + frame.bottom) / 2};
  std::vector<Point> out;
  for (std::size_t i = 0; i < count; ++i) {
    const double turn = 2 * kPi * static_cast<double>(i) / static_cast<double>(count) - kPi;
    const double reach = count > 1 ? 0.5 : 0.0;
    out.push_back({middle.x + reach * (frame.right - frame.left) * std::cos(turn),
                   middle.y + reach * (frame.bottom - frame.top) * std::sin(turn)});
  }
  return out;
}

void spread(std::vector<Point>& centre, const std::vector<double>& radius, const Frame& frame) {
  constexpr int kRounds = 200;
  for (int round = 0; round < kRounds; ++round) {
    bool still = true;
    for (std::size_t i = 0; i < centre.size(); ++i)
      for (std::size_t k = i + 1; k < centre.size(); ++k) {
        double dx = centre[k].x - centre[i].x, dy = centre[k].y - centre[i].y;
        double apart = std::hypot(dx, dy);
        if (apart < 1e-6) {  // a direction of their own for each two that coincide
          const double turn = static_cast<double>(i + 7 * k);
          dx = std::cos(turn), dy = std::sin(turn), apart = 1;
        }
        const double overlap = radius[i] + radius[k] - apart;
        if (overlap <= 0.01) continue;
        still = false;
        const double step = 0.5 * overlap / apart;
        centre[i].x -= step * dx, centre[i].y -= step * dy;
        centre[k].x += step * dx, centre[k].y += step * dy;
      }
    for (std::size_t i = 0; i < centre.size(); ++i) {
      const double room_x = std::min(radius[i], (frame.right - frame.left) / 2);
      const double room_y = std::min(radius[i], (frame.bottom - frame.top) / 2);
      centre[i].x = std::clamp(centre[i].x, frame.left + room_x, frame.right - room_x);
      centre[i].y = std::clamp(centre[i].y, frame.top + room_y, frame.bottom - room_y);
    }
    if (still) return;
  }
}

std::string arrow(Point from, double from_radius, Point to, double to_radius, double width) {
  const double length = std::hypot(to.x - from.x, to.y - from.y);
  const double head = std::max(7.0, 1.3 * width);
  if (length < from_radius + to_radius + head + 2) return {};
  constexpr double kBend = 0.16;
  const Point bend{(from.x + to.x) / 2 + kBend * (to.y - from.y),
                   (from.y + to.y) / 2 - kBend * (to.x - from.x)};
  const auto toward = [](const Point& a, const Point& b, double by) {
    const double d = std::max(std::hypot(b.x - a.x, b.y - a.y), 1e-9);
    return Point{a.x + by * (b.x - a.x) / d, a.y + by * (b.y - a.y) / d};
  };
  // The ends lie on the discs' rims, on the lines to the bend, which are the curve's tangents.
  const Point start = toward(from, bend, from_radius + 1), tip = toward(to, bend, to_radius + 1);
  const Point neck = toward(to, bend, to_radius + 1 + head);
  const auto aside = [](const Point& at, const Point& a, const Point& b, double by) {
    const double d = std::max(std::hypot(b.x - a.x, b.y - a.y), 1e-9);
    return Point{at.x - by * (b.y - a.y) / d, at.y + by * (b.x - a.x) / d};
  };
  const double half = width / 2, barb = half + std::max(3.0, 0.45 * width);
  return "M" + pair(aside(start, from, bend, half)) + "Q" + pair(aside(bend, from, to, half)) +
         " " + pair(aside(neck, bend, to, half)) + "L" + pair(aside(neck, bend, to, barb)) + "L" +
         pair(tip) + "L" + pair(aside(neck, bend, to, -barb)) + "L" +
         pair(aside(neck, bend, to, -half)) + "Q" + pair(aside(bend, from, to, -half)) + " " +
         pair(aside(start, from, bend, -half)) + "Z";
}

std::string slice(Point centre, double radius, double from, double to) {
  const auto rim = [&](double share) {
    return Point{centre.x + radius * std::sin(2 * kPi * share),
                 centre.y - radius * std::cos(2 * kPi * share)};
  };
  const std::string size = svg::coordinate(radius) + " " + svg::coordinate(radius);
  if (to - from >= 1 - 1e-9) {  // an arc cannot end where it begins
    const Point half = rim(from + 0.5);
    return "M" + pair(rim(from)) + "A" + size + " 0 1 1 " + pair(half) + "A" + size + " 0 1 1 " +
           pair(rim(from)) + "Z";
  }
  return "M" + pair(centre) + "L" + pair(rim(from)) + "A" + size +
         (to - from > 0.5 ? " 0 1 1 " : " 0 0 1 ") + pair(rim(to)) + "Z";
}

}  // namespace carnot::report
