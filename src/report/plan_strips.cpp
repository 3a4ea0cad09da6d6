// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "report/plan_axis.hpp"
#include "report/plan_figures.hpp"
#include "report/words.hpp"

namespace carnot::report {

namespace {

constexpr double kBottomRoom = 50;
constexpr std::size_t kColumns = 336;

/// Means over equal stretches of slots, at most kColumns of them: areas stay the energies they are.
class Stretches {
 public:
  explicit Stretches(std::size_t slots) : slots_(slots), each_((slots + kColumns - 1) / kColumns) {}
  std::vector<double> means(const std::vector<double>& values) const {
    std::vector<double> out;
    for (std::size_t i = 0; i < slots_; i += each_) {
      const std::size_t n = std::min(each_, slots_ - i);
      const auto at = values.begin() + static_cast<std::ptrdiff_t>(i);
      out.push_back(std::accumulate(at, at + static_cast<std::ptrdiff_t>(n), 0.0) /
                    static_cast<double>(n));
    }
    return out;
  }
  /// Where they begin, and where the last ends.
  std::vector<double> edges(const svg::Scale& slot) const {
    std::vector<double> out;
    for (std::size_t i = 0; i < slots_; i += each_) out.push_back(slot.at(static_cast<double>(i)));
    out.push_back(slot.at(static_cast<double>(slots_)));
    return out;
  }

 private:
  std::size_t slots_, each_;
};

struct Layer {
  std::string style, name;
  std::vector<double> values;
};

struct Line {
  std::string style, name;
  std::vector<double> values;
};

/// Panels one under another, all over the same slots.
class Stack {
 public:
  Stack(svg::Drawing& d, const PlanAxis& axis, const Stretches& stretches)
      : d_(d), axis_(axis), edges_(stretches.edges(axis.slot)) {}

  /// Layers on each other, lines over them; \return the panel's foot
  double areas(double top, double height, const std::string& title, std::vector<Layer> layers,
               const std::vector<Line>& lines) {
    double most = 0;
    for (std::size_t i = 0; i < layers.size(); ++i)
      for (std::size_t k = 0; k < layers[i].values.size(); ++k) {
        if (i > 0) layers[i].values[k] += layers[i - 1].values[k];
        most = std::max(most, layers[i].values[k]);
      }
    for (const Line& line : lines)
      for (const double v : line.values) most = std::max(most, v);
    const Unit unit = power_unit(most * 1e3);
    const double factor = 1e3 * unit.factor;
    const svg::Scale y = svg::linear(0, svg::rounded_up(most * factor, 3), top + height, top);
    frame(y, fmt::format("{}, {}", title, unit.name));
    // From the highest down, each covers what is below it.
    for (std::size_t i = layers.size(); i-- > 0;)
      d_.path(svg::steps_area(edges_, scaled(layers[i].values, y, factor), y.from), layers[i].style,
              layers[i].name);
    for (const Line& line : lines)
      d_.path(svg::steps_line(edges_, scaled(line.values, y, factor)), line.style, line.name);
    d_.line(PlanAxis::kLeft, top + height, PlanAxis::kRight, top + height, "axis");
    key(top, layers, lines);
    return top + height;
  }

  double lines(double top, double height, const std::string& title,
               const std::vector<Line>& lines) {
    double low = 0, high = 0;
    for (const Line& line : lines)
      for (const double v : line.values) {
        low = std::min(low, v);
        high = std::max(high, v);
      }
    const svg::Scale y = svg::linear(low < 0 ? -svg::rounded_up(-low, 3) : 0.0,
                                     svg::rounded_up(high, 3), top + height, top);
    frame(y, title);
    d_.line(PlanAxis::kLeft, y.at(0), PlanAxis::kRight, y.at(0), "axis");
    for (const Line& line : lines)
      d_.path(svg::steps_line(edges_, scaled(line.values, y, 1)), line.style, line.name);
    if (lines.size() > 1) key(top, {}, lines);
    return top + height;
  }

 private:
  static std::vector<double> scaled(std::vector<double> values, const svg::Scale& y,
                                    double factor) {
    for (double& v : values) v = y.clipped(v * factor);
    return values;
  }
  void frame(const svg::Scale& y, const std::string& title) {
    const std::vector<double> levels = svg::ticks(y, 3);
    const double step = levels.size() > 1 ? levels[1] - levels[0] : y.high - y.low;
    for (const double level : levels) {
      d_.line(PlanAxis::kLeft, y.at(level), PlanAxis::kRight, y.at(level), "gridline");
      d_.text(PlanAxis::kLeft - 8, y.at(level) + 4, svg::tick_text(level, step), "tick end");
    }
    d_.text(PlanAxis::kLeft, y.to - 10, title, "label");
  }
  /// Names at the right of the panel's title.
  void key(double top, const std::vector<Layer>& layers, const std::vector<Line>& lines) {
    std::vector<std::pair<std::string, std::string>> names;
    for (const Layer& layer : layers) names.emplace_back(layer.style, layer.name);
    double letters = 0;
    for (const auto& [style, name] : names) letters += 32 + 7.3 * static_cast<double>(name.size());
    for (const Line& line : lines) letters += 42 + 7.3 * static_cast<double>(line.name.size());
    double x = PlanAxis::kRight - letters;
    x += svg::legend(d_, x, top - 10, names);
    for (const Line& line : lines) {
      d_.line(x, top - 14, x + 20, top - 14, line.style);
      d_.text(x + 26, top - 10, line.name, "tick");
      x += 42 + 7.3 * static_cast<double>(line.name.size());
    }
  }

  svg::Drawing& d_;
  const PlanAxis& axis_;
  std::vector<double> edges_;
};

/// EUR per MWh of IT energy at site `s` when it is bought, carbon and PUE in it.
std::vector<double> bought(const plan::Problem& problem, std::size_t s) {
  std::vector<double> out;
  for (std::size_t t = 0; t < problem.sites[s].pue.size(); ++t)
    out.push_back(1e3 * problem.grid_cost(s, t) * problem.sites[s].pue[t]);
  return out;
}

}  // namespace

std::string mode_class(std::size_t mode) {
  return fmt::format("m{}", std::min<std::size_t>(mode, 5));
}

std::string plan_strips(const PlanReport& report, std::size_t s) {
  const plan::Problem& problem = report.file.problem;
  const plan::PlanSite& given = problem.sites[s];
  const PlanSiteReport& site = report.sites[s];
  const auto slots = static_cast<std::size_t>(problem.slots);
  const Stretches stretches(slots);
  const PlanAxis axis = plan_axis(problem);
  constexpr double kPower = 150, kModes = 110, kPrice = 90, kCarbon = 64, kGap = 46;
  const double height = 40 + kPower + kModes + kPrice + kCarbon + 3 * kGap + kBottomRoom;
  svg::Drawing d(
      PlanAxis::kRight + 16, height, "Power, modes, prices and carbon of " + site.name,
      fmt::format("{}: {} of own power used, {} unused, {} from the grid, for {} of IT "
                  "work, {:.0f} % of what the hall could do.",
                  site.name, energy_text(site.own.in(joule)), energy_text(site.curtailed.in(joule)),
                  energy_text(site.grid.in(joule)), energy_text(site.it.in(joule)),
                  100 * (site.it / site.capacity)));
  Stack stack(d, axis, stretches);
  double foot = stack.areas(40, kPower, "power of the site",
                            {{"own", "own, used", stretches.means(site.series.own_kw)},
                             {"grid", "grid", stretches.means(site.series.grid_kw)},
                             {"curtailed", "own, unused", stretches.means(site.series.unused_kw)}},
                            {});
  std::vector<Layer> modes;
  for (std::size_t m = 0; m < site.series.mode_kw.size(); ++m)
    modes.push_back(
        {mode_class(m), fmt::format("mode {}", m + 1), stretches.means(site.series.mode_kw[m])});
  foot = stack.areas(foot + kGap, kModes, "IT power", modes,
                     {{"limit", "capacity", stretches.means(given.capacity_kw)}});
  std::vector<double> shadow;
  const bool priced = report.file.plan.price.size() == problem.sites.size() * slots;
  for (std::size_t t = 0; priced && t < slots; ++t)
    shadow.push_back(1e3 * report.file.plan.price[s * slots + t]);
  std::vector<Line> prices{
      {"s2", "grid, with carbon and PUE", stretches.means(bought(problem, s))}};
  if (priced) prices.push_back({"s1", "shadow price", stretches.means(shadow)});
  foot = stack.lines(foot + kGap, kPrice, "EUR a MWh of IT energy", prices);
  foot = stack.lines(foot + kGap, kCarbon, "carbon intensity of the grid, g/kWh",
                     {{"s3", "grid", stretches.means(given.carbon_g_per_kwh)}});
  axis.draw(d, foot);
  return d.finish();
}

}  // namespace carnot::report
