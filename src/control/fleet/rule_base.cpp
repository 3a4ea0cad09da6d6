// SPDX-License-Identifier: Apache-2.0
#include "control/fleet/rule_base.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "carnot/base/limits.hpp"

namespace carnot::control {

namespace {

// Whole seconds come out whole, so that equals stay equal.
double seconds(Duration d) { return static_cast<double>(d.nanoseconds()) / 1e9; }

/// Integral of the cost over [from, to), both within its steps, and of its size.
struct Integral {
  double sum = 0, magnitude = 0;
};
Integral integral(const StepCost& cost, Instant from, Instant to) {
  Integral of;
  for (Instant at = from; at < to;) {
    const std::int64_t i = (at - cost.start) / cost.step;
    const Instant next = std::min(to, cost.start + cost.step * (i + 1));
    const double part = cost.value[static_cast<std::size_t>(i)] * seconds(next - at);
    of.sum += part;
    of.magnitude += std::abs(part);
    at = next;
  }
  return of;
}

}  // namespace

std::vector<std::uint32_t> ranks(const std::vector<double>& values) {
  std::vector<std::uint32_t> order(values.size()), rank(values.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return values[a] < values[b]; });
  double magnitude = 0.0;
  for (const double value : values)
    if (std::isfinite(value)) magnitude = std::max(magnitude, std::abs(value));
  std::uint32_t next = 0;
  for (std::size_t k = 0, first = 0; k < order.size(); ++k) {
    if (clearly_less(values[order[first]], values[order[k]], magnitude)) {
      first = k;
      ++next;
    }
    rank[order[k]] = next;
  }
  return rank;
}

StepCost steps(const ForecastView& view, Instant from, Instant to) {
  StepCost cost;
  cost.step = view.step;
  const std::int64_t first = (from - view.start) / view.step;
  cost.start = view.start + view.step * first;
  const auto last = static_cast<std::int64_t>(view.mean.size()) - 1;
  for (std::int64_t i = first; view.start + view.step * i < to; ++i)
    cost.value.push_back(view.mean[static_cast<std::size_t>(std::clamp<std::int64_t>(i, 0, last))]);
  return cost;
}

Timing cheapest_pieces(const StepCost& cost, Instant from, Instant to, Duration length) {
  const std::vector<std::uint32_t> rank = ranks(cost.value);
  std::vector<std::uint32_t> order(cost.value.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return rank[a] < rank[b]; });
  Timing timing;
  Duration left = length;
  for (const std::uint32_t i : order) {
    if (left <= Duration{} || cost.value[i] == kInfinity) break;
    const Instant begin = std::max(from, cost.start + cost.step * i);
    const Instant end =
        std::min({to, cost.start + cost.step * (static_cast<std::int64_t>(i) + 1), begin + left});
    if (end <= begin) continue;
    timing.pieces.push_back({begin, end});
    timing.cost += cost.value[i] * seconds(end - begin);
    left = left - (end - begin);
  }
  if (left > Duration{}) return {};
  std::sort(timing.pieces.begin(), timing.pieces.end(),
            [](const Piece& a, const Piece& b) { return a.from < b.from; });
  std::size_t kept = 0;  // touching ones become one
  for (std::size_t i = 1; i < timing.pieces.size(); ++i)
    if (timing.pieces[i].from == timing.pieces[kept].to)
      timing.pieces[kept].to = timing.pieces[i].to;
    else
      timing.pieces[++kept] = timing.pieces[i];
  if (!timing.pieces.empty()) timing.pieces.resize(kept + 1);
  return timing;
}

Timing cheapest_window(const StepCost& cost, Instant from, Instant to, Duration length) {
  Timing best;
  if (to - from < length) return best;
  std::vector<Instant> starts{from, to - length};
  for (std::size_t i = 0; i <= cost.value.size(); ++i) {
    const Instant edge = cost.start + cost.step * static_cast<std::int64_t>(i);
    for (const Instant start : {edge, edge - length})
      if (start > from && start < to - length) starts.push_back(start);
  }
  std::sort(starts.begin(), starts.end());
  for (const Instant start : starts) {
    const Integral of = integral(cost, start, start + length);
    if (of.sum == kInfinity) continue;
    if (best.pieces.empty() || clearly_less(of.sum, best.cost, of.magnitude + std::abs(best.cost)))
      best = {{{start, start + length}}, of.sum};
  }
  return best;
}

Timing cheapest_timing(const StepCost& cost, Instant from, Instant to, Duration work,
                       Duration overhead, bool stoppable) {
  if (stoppable && overhead <= Duration{}) return cheapest_pieces(cost, from, to, work);
  const Timing window = cheapest_window(cost, from, to, work + overhead);
  if (!stoppable) return window;
  for (std::size_t n = 2; n <= cost.value.size();) {
    Timing timing = cheapest_pieces(cost, from, to, work + overhead * static_cast<std::int64_t>(n));
    if (timing.pieces.empty()) break;
    if (timing.pieces.size() > n) {
      n = timing.pieces.size();
      continue;
    }
    const bool useful = std::all_of(timing.pieces.begin(), timing.pieces.end(),
                                    [&](const Piece& p) { return p.to - p.from > overhead; });
    if (useful && (window.pieces.empty() || timing.cost < window.cost)) return timing;
    break;
  }
  return window;
}

void plan_pieces(const World& world, JobIndex job, SiteIndex site, std::uint8_t mode,
                 const std::vector<Piece>& pieces) {
  std::vector<PlannedRun> runs;
  runs.reserve(pieces.size());
  for (const Piece& piece : pieces) runs.push_back({piece.from, piece.to, site, mode});
  world.commands.plan(job, runs);
}

}  // namespace carnot::control
