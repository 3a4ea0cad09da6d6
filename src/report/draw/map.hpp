// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Maps: where on a drawing a place on Earth lies, the land behind it, and marks that do not cover
/// each other. Equirectangular about the middle latitude. Pure functions.

#include <string>
#include <utility>
#include <vector>

#include "report/draw/svg.hpp"

namespace carnot::report {

/// Outlines of the land, data/land.csv.
extern const char* const kLandTable;

struct Point {
  double x = 0, y = 0;
};

/// A rectangle of the drawing.
struct Frame {
  double left = 0, top = 0, right = 1, bottom = 1;
};

class Projection {
 public:
  /// Shows all places (longitude, latitude) with a margin, whole and undistorted.
  Projection(const std::vector<Point>& places, const Frame& frame);
  Point at(const Point& place) const;
  /// Path commands of the land inside the frame.
  std::string land() const;

 private:
  Frame frame_;
  svg::Scale x_, y_;
};

/// Positions on a ring inside the frame, for places nobody knows.
std::vector<Point> ring(std::size_t count, const Frame& frame);

/// Moves discs apart until none covers another, or as far as some rounds do; inside the frame.
/// \param radius  of each disc, its label included
void spread(std::vector<Point>& centre, const std::vector<double>& radius, const Frame& frame);

/// A curved arrow of the given width from one disc to another; bends to its left, so that two
/// opposite ones do not meet. Empty where the discs touch.
std::string arrow(Point from, double from_radius, Point to, double to_radius, double width);

/// A slice of a disc between two shares of a turn, clockwise from above.
std::string slice(Point centre, double radius, double from, double to);

}  // namespace carnot::report
