// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "carnot/report/measure/live.hpp"

#include "report/draw/text_columns.hpp"
#include "report/measure/measurement_words.hpp"

namespace carnot::report {

namespace {

constexpr std::size_t kName = 20, kFigure = 10, kOrigin = 10;
constexpr std::size_t kShortestSpark = 6;

class View {
 public:
  View(std::size_t width, std::size_t height, bool colour)
      : width_(width), height_(height), colour_(colour) {
    const std::size_t figures = kName + 3 * kFigure;
    origin_ = width_ >= figures + kOrigin + kShortestSpark + 3;
    const std::size_t used = figures + (origin_ ? kOrigin + 1 : 0) + 2;
    spark_ = width_ >= used + kShortestSpark ? width_ - used : 0;
  }

  std::size_t spark_width() const { return spark_; }
  std::size_t left() const { return height_ - std::min(height_, lines_); }

  void put(const std::string& text, const char* code = "") {
    if (left() == 0) return;
    std::string line = cut(text, width_);
    while (!line.empty() && line.back() == ' ') line.pop_back();
    out_ += colour_ && *code != '\0' && !line.empty() ? code + line + "\x1b[0m" : line;
    out_ += '\n';
    ++lines_;
  }
  /// \param top_w  of the sparkline's scale
  void track(const measure::LiveTrack& t, const std::string& indent, double top_w,
             const char* code = "") {
    std::string line = padded_right(cut(indent + printable(t.name), kName), kName);
    line += padded_left(cut(watts_in_words(t.now_w), kFigure), kFigure);
    line += padded_left(cut(watts_in_words(t.mean_w), kFigure), kFigure);
    line += padded_left(cut(joules_in_words(t.energy_j), kFigure), kFigure);
    if (origin_) line += " " + padded_right(cut(printable(t.origin), kOrigin), kOrigin);
    if (spark_ > 0) line += "  " + spark(t.watts, top_w);
    put(line, code);
  }
  void head(const measure::LiveState& s) {
    std::string line = std::string(kName, ' ') + padded_left("now", kFigure) +
                       padded_left("mean", kFigure) + padded_left("energy", kFigure);
    if (origin_) line += " " + padded_right("origin", kOrigin);
    if (spark_ > 0) {
      line +=
          "  " + cut("last " + seconds_in_words(static_cast<double>(spark_) * s.point_s), spark_);
    }
    put(line, "\x1b[2m");
  }
  std::string take() { return std::move(out_); }

 private:
  std::string spark(const std::vector<double>& watts, double top_w) const {
    constexpr const char* kBars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    const std::size_t shown = std::min(watts.size(), spark_);
    std::string out(spark_ - shown, ' ');
    for (std::size_t i = watts.size() - shown; i < watts.size(); ++i) {
      const double share = top_w > 0 && std::isfinite(watts[i]) ? watts[i] / top_w : 0.0;
      out += kBars[std::clamp(static_cast<int>(share * 8), 0, 7)];
    }
    return out;
  }

  std::size_t width_, height_, lines_ = 0, spark_ = 0;
  bool colour_, origin_ = false;
  std::string out_;
};

double top_of(const measure::LiveTrack& t, std::size_t shown) {
  double top = 0;
  for (std::size_t i = t.watts.size() - std::min(t.watts.size(), shown); i < t.watts.size(); ++i) {
    top = std::max(top, t.watts[i]);
  }
  return top;
}

}  // namespace

std::string live_view(const measure::LiveState& s, int width, int height, bool colour) {
  View view(static_cast<std::size_t>(std::max(width, 40)),
            static_cast<std::size_t>(std::max(height, 4)), colour);
  const std::string what = s.method.empty() ? "the machine" : printable(s.job);
  view.put(
      fmt::format("{}, {}, {} CPU", what, seconds_in_words(s.elapsed_s), seconds_in_words(s.cpu_s)),
      "\x1b[1m");
  view.head(s);
  // One scale for all lines of power, so that heights compare.
  const double top = top_of(s.machine, view.spark_width());
  view.track(s.machine, "", top, "\x1b[1m");
  if (!s.own.name.empty()) view.track(s.own, "", top, "\x1b[1m");
  if (s.domains.size() > 1) {
    for (const measure::LiveTrack& t : s.domains) view.track(t, "  ", top);
  }
  if (!s.processes.empty() && view.left() > 2) {
    view.put("");
    double largest = 0;
    const std::size_t shown = std::min(s.processes.size(), view.left() - 1);
    for (std::size_t i = 0; i < shown; ++i) {
      largest = std::max(largest, top_of(s.processes[i], view.spark_width()));
    }
    for (std::size_t i = 0; i < shown; ++i) view.track(s.processes[i], "  ", largest);
  }
  view.put(fmt::format("carnot itself: {} CPU", seconds_in_words(s.meter_cpu_s)), "\x1b[2m");
  return view.take();
}

}  // namespace carnot::report
