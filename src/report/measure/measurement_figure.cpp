// SPDX-License-Identifier: Apache-2.0
#include "report/measure/measurement_figure.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/limits.hpp"

#include "report/draw/svg.hpp"
#include "report/measure/measurement_words.hpp"
#include "report/run/words.hpp"

namespace carnot::report {

namespace {

constexpr std::size_t kBuckets = 440;  // two pixels each: more cannot be seen
constexpr std::size_t kColours = 6;
constexpr double kWidth = 960, kLeft = 62, kRight = 944;

/// Means over buckets of equal length, weighted by how much of each interval lies inside, so that
/// the area drawn is the energy; NaN where nothing was measured.
class Buckets {
 public:
  explicit Buckets(const measure::Measurement& m) : m_(m) {
    const measure::MeasuredSeries& s = m.series;
    const std::size_t n = std::clamp<std::size_t>(s.at_s.size(), 1, kBuckets);
    for (std::size_t i = 0; i <= n; ++i) {
      edge_s.push_back(m.duration_s * static_cast<double>(i) / static_cast<double>(n));
    }
    // Few intervals are drawn as they are.
    if (s.at_s.size() <= kBuckets) {
      edge_s.assign(s.at_s.begin(), s.at_s.end());
      edge_s.push_back(m.duration_s);
    }
  }

  std::vector<double> mean(const std::vector<double>& values) const {
    const measure::MeasuredSeries& s = m_.series;
    std::vector<double> out(edge_s.size() - 1, 0.0), weight(edge_s.size() - 1, 0.0);
    std::size_t b = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double from = s.at_s[i], to = from + s.length_s[i];
      while (b + 1 < out.size() && edge_s[b + 1] <= from) ++b;
      for (std::size_t k = b; k < out.size() && edge_s[k] < to; ++k) {
        const double inside = std::min(to, edge_s[k + 1]) - std::max(from, edge_s[k]);
        if (!(inside > 0) || !std::isfinite(values[i])) continue;
        out[k] += inside * values[i];
        weight[k] += inside;
      }
    }
    for (std::size_t k = 0; k < out.size(); ++k) {
      out[k] = weight[k] > 0 ? out[k] / weight[k] : kNaN;
    }
    return out;
  }

  std::vector<double> edge_s;

 private:
  const measure::Measurement& m_;
};

std::vector<double> zero_where_unknown(std::vector<double> values) {
  for (double& v : values) v = std::isfinite(v) ? v : 0.0;
  return values;
}

double greatest(const std::vector<double>& values) {
  double top = 0;
  for (const double v : values) top = std::isfinite(v) ? std::max(top, v) : top;
  return top;
}

class Figure {
 public:
  explicit Figure(const measure::Measurement& m)
      : m_(m),
        buckets_(m),
        minutes_(m.duration_s > 600),
        hours_(m.duration_s > 4 * 3600),
        per_unit_(hours_     ? 3600
                  : minutes_ ? 60
                             : 1),
        time_(svg::linear(0, m.duration_s / per_unit_, kLeft, kRight)),
        has_frequency_(greatest(m.series.frequency_hz) > 0),
        top_(m.windows.empty() ? 44 : 68),
        bottom_(top_ + 250),
        cpu_top_(bottom_ + 42),
        cpu_bottom_(cpu_top_ + 80),
        last_(has_frequency_ ? cpu_bottom_ + 42 + 60 : cpu_bottom_),
        drawing_(kWidth, last_ + 50, "Power over time", description()) {
    for (const double edge : buckets_.edge_s) x_.push_back(time_.at(edge / per_unit_));
  }

  std::string draw() {
    power();
    cpus();
    if (has_frequency_) frequency();
    marks();
    return drawing_.finish();
  }

 private:
  std::string description() const {
    return fmt::format("Power of {} over {}: {} on average, {} of the machine.", subject(m_),
                       seconds_in_words(m_.duration_s), watts_in_words(m_.power.value().in(watt)),
                       joules_in_words(m_.machine_energy.value().in(joule)));
  }

  std::vector<double> mapped(const std::vector<double>& values, const svg::Scale& y,
                             double factor) const {
    std::vector<double> out;
    for (const double v : values) out.push_back(std::isfinite(v) ? y.at(v * factor) : kNaN);
    return out;
  }

  void gaps(double top, double bottom) {
    for (const measure::MeasuredGap& gap : m_.gaps) {
      const double from = time_.clipped(gap.from_s / per_unit_);
      const double to = time_.clipped(gap.to_s / per_unit_);
      drawing_.rect(from, top, std::max(2.0, to - from), bottom - top, "gap",
                    gap.channel + ": " + gap.why);
    }
  }

  void power() {
    const measure::MeasuredSeries& s = m_.series;
    const std::vector<double> machine = zero_where_unknown(buckets_.mean(s.machine_w));
    const double most = greatest(machine);
    const Unit unit = power_unit(most);
    const svg::Scale y =
        svg::linear(0, svg::rounded_up(most * 1.02 * unit.factor, 4), bottom_, top_);
    svg::axes(drawing_, {time_, y, "", "power, " + unit.name, 8, 4, false, {}});
    std::vector<std::pair<std::string, std::string>> key;
    std::vector<std::pair<std::string, std::vector<double>>> layers;
    std::vector<double> level(machine.size(), 0.0);
    for (std::size_t d = 0; d < m_.domains.size(); ++d) {
      if (m_.domains[d].role != "counted") continue;
      const std::vector<double> own = zero_where_unknown(buckets_.mean(s.by_domain_w[d]));
      for (std::size_t i = 0; i < level.size(); ++i) level[i] += own[i];
      const std::string style = fmt::format("f{}", layers.size() % kColours + 1);
      layers.emplace_back(style, level);
      const bool modelled = m_.domains[d].energy.origin() != Origin::Measured;
      key.emplace_back(style, m_.domains[d].label + (modelled ? ", modelled" : ""));
    }
    // From the highest down: each covers the part below it.
    for (std::size_t i = layers.size(); i-- > 0;) {
      drawing_.path(svg::steps_area(x_, mapped(layers[i].second, y, unit.factor), y.from),
                    layers[i].first, key[i].second);
    }
    if (!m_.job_method.empty()) {
      drawing_.path(
          svg::steps_line(x_, mapped(zero_where_unknown(buckets_.mean(s.job_w)), y, unit.factor)),
          "halo");
      drawing_.path(
          svg::steps_line(x_, mapped(zero_where_unknown(buckets_.mean(s.job_w)), y, unit.factor)),
          "job", "the job");
      key.emplace_back("jobkey", "the job");
    }
    const double fixed = m_.static_power.value().in(watt)*unit.factor;
    if (fixed > 0 && fixed < y.high) {
      drawing_.line(kLeft, y.at(fixed), kRight, y.at(fixed), "static");
      drawing_.text(kRight, y.at(fixed) - 5,
                    fmt::format("static {}", watts_in_words(fixed / unit.factor)), "tick end");
    }
    gaps(top_, bottom_);
    svg::legend(drawing_, kLeft + 130, top_ - 10, key);
    drawing_.line(kLeft, bottom_, kRight, bottom_, "axis");
    windows();
  }

  void windows() {
    double free_from = kLeft;
    for (const measure::MeasuredWindow& w : m_.windows) {
      const double from = time_.clipped(w.from_s / per_unit_);
      const double to = time_.clipped(w.to_s / per_unit_);
      drawing_.line(from, top_ - 36, to, top_ - 36, "rule");
      drawing_.line(from, top_ - 40, from, top_ - 32, "rule");
      drawing_.line(to, top_ - 40, to, top_ - 32, "rule");
      // A name only where there is room for it.
      const double width = 7.5 * static_cast<double>(w.label.size());
      const double middle = (from + to) / 2;
      if (width < to - from + 12 && middle - width / 2 >= free_from) {
        drawing_.text(middle, top_ - 44, w.label, "tick middle");
        free_from = middle + width / 2 + 6;
      }
    }
  }

  void cpus() {
    const measure::MeasuredSeries& s = m_.series;
    const std::vector<double> job = zero_where_unknown(buckets_.mean(s.job_cpus));
    std::vector<double> busy = zero_where_unknown(buckets_.mean(s.busy_share));
    for (double& share : busy) share *= 100;
    const double most = svg::rounded_up(greatest(job) * 1.02, 3);
    const svg::Scale y = svg::linear(0, most, cpu_bottom_, cpu_top_);
    svg::axes(
        drawing_,
        {time_, y, "", m_.job_method.empty() ? "CPUs busy" : "CPUs of the job", 8, 2, false, {}});
    drawing_.path(svg::steps_area(x_, mapped(job, y, 1), y.from), "f3",
                  "CPUs kept busy by the job");
    const svg::Scale share = svg::linear(0, 100, cpu_bottom_, cpu_top_);
    drawing_.path(svg::steps_line(x_, mapped(busy, share, 1)), "static", "machine busy");
    svg::legend(drawing_, kLeft + 130, cpu_top_ - 10, {{"statickey", "machine busy, 0 to 100 %"}});
    gaps(cpu_top_, cpu_bottom_);
    drawing_.line(kLeft, cpu_bottom_, kRight, cpu_bottom_, "axis");
  }

  void frequency() {
    const double top = cpu_bottom_ + 42;
    const std::vector<double> hz = buckets_.mean(m_.series.frequency_hz);
    const svg::Scale y = svg::linear(0, svg::rounded_up(greatest(hz) * 1e-9 * 1.02, 2), last_, top);
    svg::axes(drawing_, {time_, y, "", "mean clock, GHz", 8, 2, false, {}});
    std::vector<double> middle;
    for (std::size_t i = 0; i + 1 < x_.size(); ++i) middle.push_back((x_[i] + x_[i + 1]) / 2);
    drawing_.path(svg::polyline(middle, mapped(hz, y, 1e-9)), "s1", "mean clock of the CPUs");
  }

  void marks() {
    const std::vector<double> at = svg::ticks(time_, 8);
    const double step = at.size() > 1 ? at[1] - at[0] : 1.0;
    for (const double mark : at) {
      drawing_.line(time_.at(mark), last_, time_.at(mark), last_ + 4, "axis");
      drawing_.text(time_.at(mark), last_ + 18, svg::tick_text(mark, step), "tick middle");
    }
    drawing_.text((kLeft + kRight) / 2, last_ + 38,
                  fmt::format("{} since {}",
                              hours_     ? "hours"
                              : minutes_ ? "minutes"
                                         : "seconds",
                              m_.started),
                  "label middle");
  }

  const measure::Measurement& m_;
  Buckets buckets_;
  bool minutes_, hours_;
  double per_unit_;
  svg::Scale time_;
  bool has_frequency_;
  double top_, bottom_, cpu_top_, cpu_bottom_, last_;
  svg::Drawing drawing_;
  std::vector<double> x_;
};

}  // namespace

std::string_view measurement_figure_css() {
  return "svg .job,svg .halo{fill:none;stroke:var(--ink);stroke-width:2}"
         "svg .halo{stroke:var(--paper);stroke-width:4.5;opacity:.8}svg .jobkey{fill:var(--ink)}"
         "svg .static{fill:none;stroke:var(--ink);stroke-width:1.2;stroke-dasharray:6 4;opacity:.7}"
         "svg .statickey{fill:var(--soft)}svg .gap{fill:var(--grid);opacity:.35}"
         ".remedy{margin:.2em 0 1em}";
}

std::string measurement_figure(const measure::Measurement& m) {
  if (m.series.at_s.empty() || !(m.duration_s > 0)) return {};
  return Figure(m).draw();
}

}  // namespace carnot::report
