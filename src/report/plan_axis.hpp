// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The time axis that a plan's figures share.

#include <string>
#include <utility>
#include <vector>

#include "carnot/plan/problem.hpp"

#include "report/svg.hpp"

namespace carnot::report {

struct PlanAxis {
  static constexpr double kLeft = 62, kRight = 944;
  svg::Scale slot;                                    ///< from slots to the drawing
  std::vector<std::pair<double, std::string>> marks;  ///< at slots, with their words
  std::string title;

  /// Ticks and words under `foot`.
  void draw(svg::Drawing& drawing, double foot) const;
};

PlanAxis plan_axis(const plan::Problem& problem, double left = PlanAxis::kLeft);

}  // namespace carnot::report
