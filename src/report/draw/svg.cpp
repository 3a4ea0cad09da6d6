// SPDX-License-Identifier: Apache-2.0
#include "report/draw/svg.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/error.hpp"

namespace carnot::report {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// Length of the sound UTF-8 sequence at `text[i]`, 0 if there is none.
std::size_t sequence_length(std::string_view text, std::size_t i) {
  const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(text[k]); };
  const unsigned lead = byte(i);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || i + length > text.size()) return 0;
  for (std::size_t k = 1; k < length; ++k) {
    if ((byte(i + k) & 0xC0U) != 0x80U) return 0;
  }
  const unsigned second = byte(i + 1);
  const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool out_of_range = (lead == 0xED && second > 0x9F) || (lead == 0xF4 && second > 0x8F);
  const bool control = lead == 0xC2 && second < 0xA0;  // C1: terminals and parsers differ on them
  return overlong || out_of_range || control ? 0 : length;
}

}  // namespace

std::string escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = sequence_length(text, i);
    if (length == 0) {
      out += kReplacement;
      ++i;
      continue;
    }
    if (length > 1) {
      out += text.substr(i, length);
      i += length;
      continue;
    }
    const char c = text[i++];
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        if ((static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7F) {
          out += kReplacement;
        } else {
          out += c;
        }
    }
  }
  return out;
}

namespace {
/// "10²⁹"
std::string power_of_ten(int exponent) {
  constexpr const char* kDigits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string out = "10";
  for (const char c : fmt::format("{}", exponent)) out += c == '-' ? "⁻" : kDigits[c - '0'];
  return out;
}
}  // namespace

std::string figure_text(double value, int digits) {
  if (!std::isfinite(value)) return "n/a";
  if (value == 0.0) return "0";
  const double size = std::abs(value);
  if (size >= 999'999.5 || size < 1e-3) {
    std::string text = fmt::format("{:.{}e}", value, std::max(0, digits - 1));
    const std::size_t e = text.find('e');
    std::string mantissa = text.substr(0, e);
    if (mantissa.find('.') != std::string::npos) {
      while (mantissa.back() == '0') mantissa.pop_back();
      if (mantissa.back() == '.') mantissa.pop_back();
    }
    return fmt::format("{}×{}", mantissa, power_of_ten(std::stoi(text.substr(e + 1))));
  }
  const int decimals =
      std::max(0, digits - 1 - static_cast<int>(std::floor(std::log10(size) + 1e-12)));
  std::string text = fmt::format("{:.{}f}", value, decimals);
  if (decimals == 0) {
    const std::size_t first = text[0] == '-' ? 1 : 0;
    for (std::size_t i = text.size(); i > first + 3; i -= 3) text.insert(i - 3, 1, ',');
  }
  return text;
}

}  // namespace carnot::report

namespace carnot::report::svg {

double Scale::at(double value) const {
  const double share =
      logarithmic ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
  return from + share * (to - from);
}

double Scale::clipped(double value) const { return at(std::clamp(value, low, high)); }

Scale linear(double low, double high, double from, double to) {
  if (!std::isfinite(low) || !std::isfinite(high)) return {0, 1, from, to, false};
  if (!(high > low)) {
    const double margin = std::max(std::abs(low) * 0.5, 0.5);
    return {low - margin, low + margin, from, to, false};
  }
  return {low, high, from, to, false};
}

Scale logarithmic(double low, double high, double from, double to) {
  const auto sound = [](double v) { return std::isfinite(v) && v > 0; };
  if (!sound(low) || !sound(high)) return {1, 10, from, to, true};
  if (!(high > low * 1.0001)) return {low / 2, high * 2, from, to, true};
  return {low, high, from, to, true};
}

namespace {

double step_for(double span, int about) {
  const double raw = span / std::max(1, about);
  const double decade = std::pow(10.0, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 2.5, 5.0}) {
    if (factor * decade >= raw * 0.999) return factor * decade;
  }
  return 10.0 * decade;
}

}  // namespace

std::string decade_text(double value) {
  const double exponent = std::floor(std::log10(value) + 1e-9);
  const double mantissa = value / std::pow(10.0, exponent);
  int digits = 1;  // as few as say what the value is
  for (double scaled = mantissa; digits < 5 && std::abs(scaled - std::round(scaled)) > 1e-6;
       scaled *= 10)
    ++digits;
  if (exponent >= -2 && exponent <= 4) return figure_text(value, digits);
  const std::string power = power_of_ten(static_cast<int>(exponent));
  return std::abs(mantissa - 1.0) < 1e-6 ? power : figure_text(mantissa, digits) + "×" + power;
}

std::string tick_text(double value, double step) {
  if (std::abs(value) >= 1e6 || step < 1e-4) return figure_text(value, 3);
  int decimals = 0;
  double scaled = step;
  while (decimals < 4 && std::abs(scaled - std::round(scaled)) > 1e-6 * scaled) {
    scaled *= 10;
    ++decimals;
  }
  return fmt::format("{:.{}f}", value == 0.0 ? 0.0 : value, decimals);
}

namespace {

/// Those of a short span, where tens alone would leave the reader with one or none.
std::vector<double> short_span_ticks(const Scale& scale) {
  constexpr std::size_t kFewest = 3;
  const double first = std::floor(std::log10(scale.low)), last = std::ceil(std::log10(scale.high));
  for (const std::initializer_list<double> mantissas :
       {std::initializer_list<double>{1, 3}, {1, 2, 5}, {1, 1.5, 2, 3, 5, 7}}) {
    std::vector<double> out;
    for (double e = first; e <= last; e += 1)
      for (const double mantissa : mantissas)
        if (const double tick = mantissa * std::pow(10.0, e);
            tick >= scale.low * (1 - 1e-9) && tick <= scale.high * (1 + 1e-9))
          out.push_back(tick);
    if (out.size() >= kFewest) return out;
  }
  return ticks({scale.low, scale.high, scale.from, scale.to, false}, 8);
}

}  // namespace

std::vector<double> ticks(const Scale& scale, int about) {
  std::vector<double> out;
  if (scale.logarithmic) {
    if (std::floor(std::log10(scale.high) + 1e-9) - std::ceil(std::log10(scale.low) - 1e-9) < 2)
      return short_span_ticks(scale);
    const int first = static_cast<int>(std::ceil(std::log10(scale.low) - 1e-9));
    const int last = static_cast<int>(std::floor(std::log10(scale.high) + 1e-9));
    const int stride = std::max(1, (last - first + about) / std::max(1, about));
    for (int e = first; e <= last; e += stride) out.push_back(std::pow(10.0, e));
    return out;
  }
  const double step = step_for(scale.high - scale.low, about);
  const double first = std::ceil(scale.low / step - 1e-9);
  const double last = std::floor(scale.high / step + 1e-9);
  for (double k = first; k <= last && out.size() < 64; k += 1) out.push_back(k * step);
  return out;
}

double rounded_up(double value, int about) {
  if (!(value > 0) || !std::isfinite(value)) return 1.0;
  const double step = step_for(value, about);
  return std::ceil(value / step - 1e-9) * step;
}

std::string coordinate(double value) {
  CARNOT_CHECK(std::isfinite(value), "a figure's coordinate must be finite");
  std::string text = fmt::format("{:.1f}", value);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text == "-0" ? std::string("0") : text;
}

std::string polyline(const std::vector<double>& x, const std::vector<double>& y) {
  CARNOT_CHECK(x.size() == y.size(), "a line needs as many x as y");
  std::string out;
  bool down = false;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!std::isfinite(y[i])) {
      down = false;
      continue;
    }
    out += fmt::format("{}{} {}", down ? "L" : "M", coordinate(x[i]), coordinate(y[i]));
    down = true;
  }
  return out;
}

namespace {

void append_steps(std::string& out, const std::vector<double>& x, const std::vector<double>& y) {
  CARNOT_CHECK(x.size() == y.size() + 1, "a step function needs one x more than y");
  std::string last;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const std::string level = coordinate(y[i]);
    if (level == last) continue;
    if (out.empty()) {
      out += fmt::format("M{} {}", coordinate(x[0]), level);
    } else {
      out += i > 0 ? fmt::format("H{}V{}", coordinate(x[i]), level) : fmt::format("V{}", level);
    }
    last = level;
  }
  out += fmt::format("H{}", coordinate(x.back()));
}

}  // namespace

std::string steps_area(const std::vector<double>& x, const std::vector<double>& y, double base) {
  if (y.empty()) return {};
  std::string out = fmt::format("M{} {}", coordinate(x[0]), coordinate(base));
  append_steps(out, x, y);
  out += fmt::format("V{}Z", coordinate(base));
  return out;
}

std::string steps_line(const std::vector<double>& x, const std::vector<double>& y) {
  std::string out;
  if (!y.empty()) append_steps(out, x, y);
  return out;
}

Drawing::Drawing(double width, double height, std::string_view title, std::string_view description)
    : width_(width), height_(height) {
  body_ = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" viewBox=\"0 0 {0} {1}\" "
      "width=\"{0}\" height=\"{1}\" aria-label=\"{2}\">\n<title>{2}</title>\n<desc>{3}</desc>\n",
      coordinate(width), coordinate(height), escape(title), escape(description));
}

namespace {
std::string closed(std::string_view element, std::string_view tip) {
  if (tip.empty()) return "/>\n";
  return fmt::format("><title>{}</title></{}>\n", escape(tip), element);
}
}  // namespace

Drawing& Drawing::line(double x1, double y1, double x2, double y2, std::string_view style) {
  body_ += fmt::format("<line class=\"{}\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>\n", style,
                       coordinate(x1), coordinate(y1), coordinate(x2), coordinate(y2));
  return *this;
}

Drawing& Drawing::rect(double x, double y, double width, double height, std::string_view style,
                       std::string_view tip, double radius) {
  body_ += fmt::format("<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"", style,
                       coordinate(x), coordinate(y), coordinate(std::max(0.0, width)),
                       coordinate(std::max(0.0, height)));
  if (radius > 0) body_ += fmt::format(" rx=\"{}\"", coordinate(radius));
  body_ += closed("rect", tip);
  return *this;
}

Drawing& Drawing::circle(double x, double y, double radius, std::string_view style,
                         std::string_view tip) {
  body_ += fmt::format("<circle class=\"{}\" cx=\"{}\" cy=\"{}\" r=\"{}\"", style, coordinate(x),
                       coordinate(y), coordinate(radius));
  body_ += closed("circle", tip);
  return *this;
}

Drawing& Drawing::path(std::string_view commands, std::string_view style, std::string_view tip) {
  if (commands.empty()) return *this;
  body_ += fmt::format("<path class=\"{}\" d=\"{}\"", style, commands) + closed("path", tip);
  return *this;
}

Drawing& Drawing::text(double x, double y, std::string_view words, std::string_view style) {
  body_ += fmt::format("<text class=\"{}\" x=\"{}\" y=\"{}\">{}</text>\n", style, coordinate(x),
                       coordinate(y), escape(words));
  return *this;
}

Drawing& Drawing::upright(double x, double y, std::string_view words, std::string_view style) {
  body_ += fmt::format("<text class=\"{}\" transform=\"translate({} {}) rotate(-90)\">{}</text>\n",
                       style, coordinate(x), coordinate(y), escape(words));
  return *this;
}

std::string Drawing::finish() const { return fmt::format("{}</svg>", body_); }

void axes(Drawing& drawing, const Axes& a) {
  const double left = std::min(a.x.from, a.x.to), right = std::max(a.x.from, a.x.to);
  const double top = std::min(a.y.from, a.y.to), bottom = std::max(a.y.from, a.y.to);
  const std::vector<double> levels = ticks(a.y, a.y_ticks);
  const double y_step = levels.size() > 1 ? levels[1] - levels[0] : std::abs(a.y.high - a.y.low);
  for (const double level : levels) {
    const double y = a.y.at(level);
    drawing.line(left, y, right, y, "gridline");
    drawing.text(left - 8, y + 4, a.y.logarithmic ? decade_text(level) : tick_text(level, y_step),
                 "tick end");
  }
  drawing.line(left, bottom, right, bottom, "axis");
  if (!a.x_marks.empty()) {
    for (const auto& [position, name] : a.x_marks) {
      const double x = a.x.at(position);
      drawing.line(x, bottom, x, bottom + 4, "axis");
      if (a.x_labels) drawing.text(x, bottom + 18, name, "tick middle");
    }
  } else {
    const std::vector<double> marks = ticks(a.x, a.x_ticks);
    const double step = marks.size() > 1 ? marks[1] - marks[0] : std::abs(a.x.high - a.x.low);
    for (const double mark : marks) {
      const double x = a.x.at(mark);
      drawing.line(x, bottom, x, bottom + 4, "axis");
      if (a.x_labels) {
        drawing.text(x, bottom + 18, a.x.logarithmic ? decade_text(mark) : tick_text(mark, step),
                     "tick middle");
      }
    }
  }
  if (!a.x_title.empty()) {
    drawing.text((left + right) / 2, bottom + (a.x_labels ? 38 : 20), a.x_title, "label middle");
  }
  if (!a.y_title.empty()) drawing.text(left, top - 10, a.y_title, "label");
}

double legend(Drawing& drawing, double x, double y,
              const std::vector<std::pair<std::string, std::string>>& style_and_name) {
  double at = x;
  for (const auto& [style, name] : style_and_name) {
    drawing.rect(at, y - 9, 11, 11, style, {}, 2);
    drawing.text(at + 16, y, name, "tick");
    std::size_t letters = 0;
    for (const char c : name) letters += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    at += 16 + 7.3 * static_cast<double>(letters) + 16;
  }
  return at - x;
}

}  // namespace carnot::report::svg
