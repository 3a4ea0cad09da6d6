// SPDX-License-Identifier: Apache-2.0
#include "report/run/downsample.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "carnot/base/limits.hpp"

namespace carnot::report {

namespace {

double seconds_between(Instant from, Instant to) { return (to - from).time().in(second); }

/// What one bucket gathers before it is closed.
struct Gathering {
  double exported = 0, own = 0, charged = 0, discharged = 0, grid = 0, curtailed = 0, throttle = 0;
  double loss = 0, loss_time = 0;
  std::map<std::string, double> mode_time;

  void add(const LaneSeries& s, std::size_t i) {
    const double t = s.length_s[i];
    exported += s.exported_w[i] * t;
    own += s.own_used_w[i] * t;
    charged += s.charged_w[i] * t;
    discharged += s.discharged_w[i] * t;
    grid += s.grid_w[i] * t;
    curtailed += s.curtailed_w[i] * t;
    throttle += s.mode[i].empty() ? 0.0 : s.throttle[i] * t;
    mode_time[s.mode[i]] += t;
    if (std::isfinite(s.loss[i])) {
      loss += s.loss[i] * t;
      loss_time += t;
    }
  }

  void close(Buckets& out, double from, double to) const {
    const double length = to - from;
    out.edge_s.push_back(to);
    out.exported_w.push_back(exported / length);
    out.own_used_w.push_back(own / length);
    out.charged_w.push_back(charged / length);
    out.discharged_w.push_back(discharged / length);
    out.grid_w.push_back(grid / length);
    out.curtailed_w.push_back(curtailed / length);
    out.throttle.push_back(throttle / length);
    out.loss.push_back(loss_time > 0 ? loss / loss_time : kNaN);
    const auto longest =
        std::max_element(mode_time.begin(), mode_time.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    out.mode.push_back(longest == mode_time.end() ? "" : longest->first);
  }
};

}  // namespace

Buckets downsample(const LaneSeries& series, Instant origin, std::size_t most) {
  Buckets out;
  const std::size_t n = series.start.size();
  if (n == 0) return out;
  const std::size_t stride = (n + most - 1) / most;
  out.edge_s.push_back(seconds_between(origin, series.start[0]));
  for (std::size_t first = 0; first < n; first += stride) {
    const std::size_t end = std::min(n, first + stride);
    Gathering gathering;
    for (std::size_t i = first; i < end; ++i) gathering.add(series, i);
    // Up to the next slot's start, so that buckets tile the time.
    const double to =
        end < n ? seconds_between(origin, series.start[end])
                : seconds_between(origin, series.start[end - 1]) + series.length_s[end - 1];
    gathering.close(out, out.edge_s.back(), to);
  }
  return out;
}

}  // namespace carnot::report
