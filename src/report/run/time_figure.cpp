// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/limits.hpp"

#include "report/draw/svg.hpp"
#include "report/run/downsample.hpp"
#include "report/run/figures.hpp"
#include "report/run/words.hpp"

namespace carnot::report {

namespace {

constexpr std::size_t kBuckets = 360;  // a bucket is 2.4 px wide: more cannot be seen
constexpr double kWidth = 960, kLeft = 62, kRight = 944;

double seconds_between(Instant from, Instant to) { return (to - from).time().in(second); }

std::vector<double> sum(std::vector<double> a, const std::vector<double>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
  return a;
}

std::vector<double> mapped(const std::vector<double>& values, const svg::Scale& scale,
                           double factor = 1) {
  std::vector<double> out;
  out.reserve(values.size());
  for (const double v : values) out.push_back(std::isfinite(v) ? scale.at(v * factor) : v);
  return out;
}

double largest(const std::vector<double>& values) {
  double out = 0;
  for (const double v : values) {
    if (std::isfinite(v)) out = std::max(out, v);
  }
  return out;
}

struct Layer {
  std::string style, name;
  std::vector<double> top_w;
};

/// Painted from the highest layer down: each covers the part below it, so one edge each is enough.
void stack(svg::Drawing& d, const std::vector<Layer>& layers, const std::vector<double>& x,
           const svg::Scale& y, double factor) {
  for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
    d.path(svg::steps_area(x, mapped(layer->top_w, y, factor), y.from), layer->style, layer->name);
  }
}

struct TimeAxis {
  svg::Scale scale;
  double per_unit = 1;  ///< seconds
  std::string title;
};

TimeAxis time_axis(const Stage& stage) {
  TimeAxis axis;
  const bool minutes = stage.end_s<3 * 3600.0, days = stage.end_s> 10 * 86400.0;
  axis.per_unit = minutes ? 60.0 : days ? 86400.0 : 3600.0;
  axis.scale = svg::linear(0, stage.end_s / axis.per_unit, kLeft, kRight);
  axis.title = fmt::format("{} since {}",
                           minutes ? "minutes"
                           : days  ? "days"
                                   : "hours",
                           stage.origin.iso8601());
  return axis;
}

/// The strip: colour is the precision, height the throttle.
void mode_strip(svg::Drawing& d, const Buckets& b, const std::vector<double>& x, double top,
                double height, const Facts& facts) {
  std::vector<std::string> names;
  for (const std::string& mode : b.mode) {
    if (!mode.empty() && std::find(names.begin(), names.end(), mode) == names.end()) {
      names.push_back(mode);
    }
  }
  std::sort(names.begin(), names.end(), [&](const std::string& p, const std::string& q) {
    const std::string a = mode_style(facts, p), c = mode_style(facts, q);
    return a != c ? a < c : p < q;
  });
  d.text(kLeft, top - 10, "precision (colour) at throttle (height)", "label");
  std::vector<std::pair<std::string, std::string>> key;
  for (const std::string& name : names) key.emplace_back(mode_style(facts, name), name);
  key.emplace_back("pause", "paused");
  svg::legend(d, 360, top - 10, key);
  d.rect(x.front(), top, x.back() - x.front(), height, "pause");
  const svg::Scale y = svg::linear(0, 1, top + height, top);
  for (const std::string& name : names) {
    // Runs of one mode side by side form one piece of the path; in between the pen is lifted.
    std::string commands;
    for (std::size_t i = 0; i < b.mode.size();) {
      std::size_t end = i;
      while (end < b.mode.size() && b.mode[end] == name) ++end;
      if (end == i) {
        ++i;
        continue;
      }
      std::vector<double> level;
      for (std::size_t k = i; k < end; ++k) level.push_back(y.clipped(b.throttle[k]));
      commands += svg::steps_area(
          {x.begin() + static_cast<long>(i), x.begin() + static_cast<long>(end) + 1}, level,
          y.from);
      i = end;
    }
    d.path(commands, mode_style(facts, name), name);
  }
}

}  // namespace

std::string mode_style(const Facts& facts, const std::string& mode) {
  if (mode.empty()) return "pause";
  std::vector<double> bits;
  double own = -1;
  for (const ModeFact& m : facts.modes) {
    bits.push_back(m.bits);
    if (m.name == mode) own = m.bits;
  }
  std::sort(bits.begin(), bits.end(), std::greater<>());
  bits.erase(std::unique(bits.begin(), bits.end()), bits.end());
  const auto at = std::find(bits.begin(), bits.end(), own);
  return at == bits.end() ? "m3" : fmt::format("m{}", std::min<long>(5, at - bits.begin()));
}

Stage stage_of(const RunResult& result, const Facts& facts) {
  Stage stage;
  stage.deadline_s = kNaN;
  bool any = false;
  for (const LaneSeries& series : result.series) {
    if (series.start.empty()) continue;
    if (!any || series.start.front() < stage.origin) stage.origin = series.start.front();
    any = true;
  }
  double quality_low = kInfinity, quality_high = -quality_low;
  for (const LaneSeries& series : result.series) {
    const Buckets b = downsample(series, stage.origin, kBuckets);
    if (!b.edge_s.empty()) stage.end_s = std::max(stage.end_s, b.edge_s.back());
    const std::vector<double> hall = sum(sum(b.own_used_w, b.discharged_w), b.grid_w);
    stage.hall_w = std::max(stage.hall_w, largest(hall));
    stage.power_w = std::max(
        stage.power_w, largest(sum(sum(sum(hall, b.charged_w), b.exported_w), b.curtailed_w)));
    stage.loss = std::max(stage.loss, largest(b.loss));
    for (const auto& [at, value] : series.quality) {
      if (!std::isfinite(value)) continue;
      quality_low = std::min(quality_low, value);
      quality_high = std::max(quality_high, value);
    }
  }
  if (std::isfinite(facts.minimum_quality) && std::isfinite(quality_low)) {
    quality_low = std::min(quality_low, facts.minimum_quality);
    quality_high = std::max(quality_high, facts.minimum_quality);
  }
  if (std::isfinite(quality_low)) {
    const double margin = std::max(0.04 * (quality_high - quality_low), 0.002);
    stage.quality_low = quality_low - margin;
    stage.quality_high = quality_high + margin;
  }
  if (!facts.deadline.empty() && any) {
    stage.deadline_s = seconds_between(stage.origin, Instant::parse(facts.deadline, true));
    // A far deadline would squeeze the run itself; then it is only named in the text.
    if (stage.deadline_s > stage.end_s && stage.deadline_s < 1.6 * stage.end_s) {
      stage.end_s = stage.deadline_s;
    }
  }
  return stage;
}

std::string time_figure(const LaneResult& lane, const LaneSeries& series, const Facts& facts,
                        const Stage& stage) {
  const Buckets b = downsample(series, stage.origin, kBuckets);
  if (b.mode.empty()) return {};
  const bool zoom = stage.power_w > 3 * stage.hall_w && stage.hall_w > 0;
  const bool has_loss = stage.loss > 0, has_quality = !series.quality.empty();
  const double site_top = 58, site_bottom = site_top + (zoom ? 150 : 210);
  const double hall_top = site_bottom + (zoom ? 40 : 0), hall_bottom = hall_top + (zoom ? 130 : 0);
  const double strip_top = hall_bottom + 42, strip_bottom = strip_top + 34;
  const double loss_top = strip_bottom + 42, loss_bottom = loss_top + (has_loss ? 100 : -42);
  const double quality_top = loss_bottom + 42;
  const double quality_bottom = quality_top + (has_quality ? 100 : -42);
  const double height = quality_bottom + 50;

  svg::Drawing d(
      kWidth, height, "Power, precision, loss and quality over time: " + lane.policy,
      fmt::format("Stacked power of {}: {} of own power used by computing, {} through the battery, "
                  "{} from the grid, {} exported, {} curtailed over {}.",
                  lane.policy, energy_text((lane.own_energy - lane.battery_energy).in(joule)),
                  energy_text(lane.battery_energy.in(joule)),
                  energy_text(lane.grid_energy.in(joule)), energy_text(lane.exported.in(joule)),
                  energy_text(lane.curtailed.in(joule)), time_text(lane.duration.in(second))));
  const TimeAxis time = time_axis(stage);
  const std::vector<double> x = mapped(b.edge_s, time.scale, 1 / time.per_unit);

  std::vector<Layer> layers;
  std::vector<double> level(b.mode.size(), 0.0);
  const auto add = [&](const char* style, const char* name, const std::vector<double>& power) {
    level = sum(level, power);
    if (largest(power) > 0) layers.push_back({style, name, level});
  };
  add("own", "computing from own power", b.own_used_w);
  add("battery", "computing from battery", b.discharged_w);
  add("grid", "computing from grid", b.grid_w);
  const std::size_t computing = layers.size();
  add("charged", "charging", b.charged_w);
  add("exported", "exported", b.exported_w);
  add("curtailed", "curtailed", b.curtailed_w);

  std::vector<std::pair<std::string, std::string>> key;
  for (const Layer& layer : layers) key.emplace_back(layer.style, layer.name);
  svg::legend(d, kLeft, 20, key);

  const auto panel = [&](double top, double bottom, double most_w, std::size_t count,
                         const std::string& title) {
    const Unit unit = power_unit(most_w);
    const svg::Scale y = svg::linear(0, svg::rounded_up(most_w * unit.factor, 4), bottom, top);
    svg::Axes a{time.scale, y, "", fmt::format("{}, {}", title, unit.name), 8, 4, false, {}};
    svg::axes(d, a);
    stack(d, {layers.begin(), layers.begin() + static_cast<long>(std::min(count, layers.size()))},
          x, y, unit.factor);
    d.line(kLeft, bottom, kRight, bottom, "axis");
  };
  panel(site_top, site_bottom, stage.power_w, layers.size(),
        zoom ? "site power" : "power of the site and its hall");
  if (zoom) panel(hall_top, hall_bottom, stage.hall_w, computing, "of it, computing");

  mode_strip(d, b, x, strip_top, strip_bottom - strip_top, facts);

  double last = strip_bottom;
  if (has_loss) {
    const svg::Scale y = svg::linear(0, svg::rounded_up(stage.loss, 3), loss_bottom, loss_top);
    svg::axes(d, {time.scale, y, "", "training loss, bits per label", 8, 3, false, {}});
    std::vector<double> middle;
    for (std::size_t i = 0; i + 1 < x.size(); ++i) middle.push_back((x[i] + x[i + 1]) / 2);
    d.path(svg::polyline(middle, mapped(b.loss, y)), "s1", "training loss");
    last = loss_bottom;
  }
  if (has_quality) {
    const double factor = metric_factor(lane.quality_metric);
    const svg::Scale y = svg::linear(stage.quality_low * factor, stage.quality_high * factor,
                                     quality_bottom, quality_top);
    svg::axes(
        d, {time.scale, y, "", "held-out " + metric_words(lane.quality_metric), 8, 3, false, {}});
    std::vector<double> px, py;
    const std::size_t stride = std::max<std::size_t>(1, series.quality.size() / 120);
    for (std::size_t i = 0; i < series.quality.size(); ++i) {
      if (i % stride != 0 && i + 1 != series.quality.size()) continue;
      const auto& [at, value] = series.quality[i];
      px.push_back(time.scale.clipped(seconds_between(stage.origin, at) / time.per_unit));
      py.push_back(std::isfinite(value) ? y.clipped(value * factor) : value);
    }
    d.path(svg::polyline(px, py), "s3", "quality on held-out data");
    for (std::size_t i = 0; px.size() <= 40 && i < px.size(); ++i) {
      if (std::isfinite(py[i])) d.circle(px[i], py[i], 3, "f3");
    }
    if (std::isfinite(facts.minimum_quality) && facts.minimum_quality > 0) {
      const double floor = y.clipped(facts.minimum_quality * factor);
      d.line(kLeft, floor, kRight, floor, "rule dash");
      d.text(kRight, floor - 5, "floor " + quality_text(lane.quality_metric, facts.minimum_quality),
             "tick end");
    }
    last = quality_bottom;
  }
  const bool deadline = std::isfinite(stage.deadline_s) && stage.deadline_s > 0 &&
                        stage.deadline_s <= stage.end_s * 1.0001;
  if (deadline) {
    const double at = time.scale.clipped(stage.deadline_s / time.per_unit);
    d.line(at, site_top - 6, at, last, "rule dash");
    d.text(at, site_top - 10, "deadline", "tick end");
  }
  // One time axis under all panels.
  const std::vector<double> marks = svg::ticks(time.scale, 8);
  const double step = marks.size() > 1 ? marks[1] - marks[0] : 1.0;
  for (const double mark : marks) {
    d.line(time.scale.at(mark), last, time.scale.at(mark), last + 4, "axis");
    d.text(time.scale.at(mark), last + 18, svg::tick_text(mark, step), "tick middle");
  }
  d.text((kLeft + kRight) / 2, last + 38, time.title, "label middle");
  return d.finish();
}

}  // namespace carnot::report
