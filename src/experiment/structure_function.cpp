// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numeric>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/experiment/experiment.hpp"

namespace carnot::experiment {

std::size_t structure_function(std::vector<StructurePoint>& points, double slack) {
  if (points.empty()) throw InputError(describe({}, "structure function", "at least one model"));
  for (StructurePoint& p : points) {
    if (!std::isfinite(p.model_bits) || !std::isfinite(p.data_bits))
      throw InputError(describe({}, "structure function", "finite code lengths"));
    p.on_hull = false;
  }
  std::vector<std::size_t> order(points.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    if (points[a].model_bits != points[b].model_bits)
      return points[a].model_bits < points[b].model_bits;
    if (points[a].data_bits != points[b].data_bits)
      return points[a].data_bits < points[b].data_bits;
    return a < b;
  });
  // Lower convex hull from the left (Andrew 1979), of the points that lower the data bits.
  std::vector<std::size_t> hull;
  double least = kInfinity;
  for (const std::size_t i : order) {
    const StructurePoint& p = points[i];
    if (p.data_bits >= least) continue;
    least = p.data_bits;
    while (hull.size() >= 2) {
      const StructurePoint& a = points[hull[hull.size() - 2]];
      const StructurePoint& b = points[hull.back()];
      const double turn = (b.model_bits - a.model_bits) * (p.data_bits - a.data_bits) -
                          (b.data_bits - a.data_bits) * (p.model_bits - a.model_bits);
      if (turn > 0.0) break;
      hull.pop_back();
    }
    hull.push_back(i);
  }
  double shortest = kInfinity;
  for (const std::size_t i : hull) {
    points[i].on_hull = true;
    shortest = std::min(shortest, points[i].model_bits + points[i].data_bits);
  }
  for (const std::size_t i : hull)
    if (points[i].model_bits + points[i].data_bits <= (1.0 + slack) * shortest) return i;
  CARNOT_CHECK(false, "the shortest code is on the hull");
  return 0;
}

}  // namespace carnot::experiment
