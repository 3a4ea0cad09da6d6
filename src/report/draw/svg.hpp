// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Figures as inline SVG, drawn with few strokes. A `Drawing` collects shapes and gives one
/// `<svg>` with `<title>` and `<desc>`; a `Scale` maps data to pixels; `axes` draws a frame with
/// ticks and units. Colours are CSS classes of html.hpp (light, dark and print follow from there),
/// so a figure carries no colour of its own. All text is escaped here. Not finite coordinates are
/// our bug (InternalError): callers leave gaps where data is missing. Values; one thread each.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace carnot::report {

/// Text made safe for HTML and SVG, element content and attributes alike: & < > " ' become
/// entities, control characters and broken UTF-8 become U+FFFD.
std::string escape(std::string_view text);

/// `value` for people with `digits` significant digits: "0.062", "97.5", "12,300", "3.1×10²¹"
/// beyond 1e6 or below 1e-3; "n/a" when not finite.
std::string figure_text(double value, int digits = 3);

}  // namespace carnot::report

namespace carnot::report::svg {

/// Maps [low, high] of the data to [from, to] of the drawing.
struct Scale {
  double low = 0, high = 1;
  double from = 0, to = 1;
  bool logarithmic = false;
  double at(double value) const;  ///< not clipped
  double clipped(double value) const;
};
/// An empty or not finite range is widened so that `at` is always finite.
Scale linear(double low, double high, double from, double to);
/// \param low, high  > 0; others are replaced by 1 and 10
Scale logarithmic(double low, double high, double from, double to);

/// Round positions inside the scale: steps of 1, 2, 2.5 or 5 times a power of ten; decades when
/// logarithmic (thinned to about `about`; where fewer than three would show, multiples between).
std::vector<double> ticks(const Scale& scale, int about);
/// A tick's label with no more decimals than its step needs.
std::string tick_text(double value, double step);
/// A power of ten: "0.01", "100", "10²²".
std::string decade_text(double value);
/// Rounds an upper end up to the next tick, for axes from zero.
double rounded_up(double value, int about = 4);

/// One or two decimals, no trailing zeros: "12.3".
std::string coordinate(double value);

/// "M x y L x y ..." through the points; a not finite y lifts the pen.
std::string polyline(const std::vector<double>& x, const std::vector<double>& y);
/// Area under a step function down to `base`: value i spans [x[i], x[i + 1]]; x has one more entry.
std::string steps_area(const std::vector<double>& x, const std::vector<double>& y, double base);
/// The step function's upper edge alone.
std::string steps_line(const std::vector<double>& x, const std::vector<double>& y);

class Drawing {
 public:
  /// \param title, description  read aloud in place of the picture
  Drawing(double width, double height, std::string_view title, std::string_view description);

  // `style` is a list of CSS classes of html.hpp; `tip`, where given, is the shape's own <title>.
  Drawing& line(double x1, double y1, double x2, double y2, std::string_view style);
  Drawing& rect(double x, double y, double width, double height, std::string_view style,
                std::string_view tip = {}, double radius = 0);
  Drawing& circle(double x, double y, double radius, std::string_view style,
                  std::string_view tip = {});
  Drawing& path(std::string_view commands, std::string_view style, std::string_view tip = {});
  /// Anchor by class: "end", "middle", else start.
  Drawing& text(double x, double y, std::string_view words, std::string_view style = "label");
  /// Text turned by a quarter, reading upward.
  Drawing& upright(double x, double y, std::string_view words, std::string_view style = "label");

  double width() const noexcept { return width_; }
  double height() const noexcept { return height_; }
  /// The whole element; call once.
  std::string finish() const;

 private:
  double width_, height_;
  std::string body_;
};

/// A frame: horizontal grid lines, tick labels and axis titles that end in their unit.
struct Axes {
  Scale x, y;
  std::string x_title, y_title;  ///< such as "power, MW"; empty: none
  int x_ticks = 6, y_ticks = 4;
  bool x_labels = true;
  /// Labels in place of numbers for x, paired with data positions; empty: numbers.
  std::vector<std::pair<double, std::string>> x_marks;
};
void axes(Drawing& drawing, const Axes& axes);

/// A row of swatches and names; returns the width used.
double legend(Drawing& drawing, double x, double y,
              const std::vector<std::pair<std::string, std::string>>& style_and_name);

}  // namespace carnot::report::svg
