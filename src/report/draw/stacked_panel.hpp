// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Panels one under another over one time axis: stacked powers and step lines.

#include <string>
#include <utility>
#include <vector>

#include "report/draw/svg.hpp"

namespace carnot::report {

/// The time axis that panels share, from equal slots to the drawing.
struct PlanAxis {
  static constexpr double kLeft = 62, kRight = 944;
  svg::Scale slot;
  std::vector<std::pair<double, std::string>> marks;  ///< at slots, with their words
  std::string title;

  /// Ticks and words under `foot`.
  void draw(svg::Drawing& drawing, double foot) const;
};
PlanAxis plan_axis(double slots, double slot_s, double left = PlanAxis::kLeft);

/// Means over equal stretches of slots, a few hundred of them: areas stay the energies they are.
class Stretches {
 public:
  explicit Stretches(std::size_t slots);
  std::vector<double> means(const std::vector<double>& values) const;
  /// Where they begin, and where the last ends.
  std::vector<double> edges(const svg::Scale& slot) const;

 private:
  std::size_t slots_, each_;
};

struct PanelSeries {
  std::string style, name;
  std::vector<double> values;  ///< of stretches
};

class StackedPanels {
 public:
  StackedPanels(svg::Drawing& drawing, std::vector<double> edges)
      : d_(drawing), edges_(std::move(edges)) {}

  /// Powers in kW, each on the one before, and lines over them. \return the panel's foot
  double areas(double top, double height, const std::string& title, std::vector<PanelSeries> layers,
               const std::vector<PanelSeries>& lines);
  /// Lines in the unit that the title names. \return the panel's foot
  double lines(double top, double height, const std::string& title,
               const std::vector<PanelSeries>& lines);

 private:
  void frame(const svg::Scale& y, const std::string& title);
  void draw_lines(const std::vector<PanelSeries>& lines, const svg::Scale& y, double factor);
  void key(double top, const std::vector<PanelSeries>& layers,
           const std::vector<PanelSeries>& lines);

  svg::Drawing& d_;
  std::vector<double> edges_;
};

}  // namespace carnot::report
