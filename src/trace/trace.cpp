// SPDX-License-Identifier: Apache-2.0
#include "carnot/trace/trace.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "carnot/base/error.hpp"

namespace carnot::inline trace {

namespace {

constexpr std::size_t kBlock = 64;
constexpr double kNanosecond = 1e-9;

// high + low += term, keeping the rounding error of each addition (Knuth's two-sum; the sum of
// errors is Neumaier's, ZAMM 54 (1974) 39-51).
template <class Sum>
void add(Sum& sum, double term) noexcept {
  const double high = sum.high + term;
  const double virtual_term = high - sum.high;
  sum.low += (sum.high - (high - virtual_term)) + (term - virtual_term);
  sum.high = high;
}

double seconds(Instant from, Instant to) noexcept {
  return static_cast<double>((to - from).nanoseconds()) * kNanosecond;
}

// Spans are int64 nanoseconds; a difference of two far instants would not fit.
bool span_fits(Instant from, Instant to) noexcept {
  std::int64_t difference = 0;
  return !__builtin_sub_overflow(to.unix_nanoseconds(), from.unix_nanoseconds(), &difference);
}

// start + step * n, refused where the calendar of `Instant` ends.
Instant advance(Instant start, Duration step, std::size_t n) {
  std::int64_t length = 0;
  std::int64_t end = 0;
  if (n > static_cast<std::size_t>(std::numeric_limits<std::int64_t>::max()) ||
      __builtin_mul_overflow(step.nanoseconds(), static_cast<std::int64_t>(n), &length) ||
      __builtin_add_overflow(start.unix_nanoseconds(), length, &end)) {
    throw InputError(
        fmt::format("trace: {} steps of {} s from {} end after the year 2262, the last that can be "
                    "represented",
                    n, step.time().in(second), start.iso8601()));
  }
  return Instant::from_unix_nanoseconds(end);
}

}  // namespace

TraceCore::TraceCore(std::vector<Instant> edges, std::vector<double> mean)
    : edges_(std::move(edges)), mean_(std::move(mean)) {
  if (mean_.empty()) throw InputError("trace: at least one interval is needed, found none");
  if (edges_.size() != mean_.size() + 1) {
    throw InputError(fmt::format("trace: {} means need {} edges, found {}", mean_.size(),
                                 mean_.size() + 1, edges_.size()));
  }
  start_ = edges_.front();
  end_ = edges_.back();
  if (!span_fits(start_, end_)) {
    throw InputError("trace: edges may span at most 292 years");
  }
  bool equal = true;
  for (std::size_t i = 0; i + 1 < edges_.size(); ++i) {
    if (!(edges_[i] < edges_[i + 1])) {
      throw InputError(
          fmt::format("trace: edges must strictly increase; edge {} ({}) does not "
                      "follow edge {} ({})",
                      i + 1, edges_[i + 1].iso8601(), i, edges_[i].iso8601()));
    }
    equal = equal && edges_[i + 1] - edges_[i] == edges_[1] - edges_[0];
  }
  if (equal) {
    step_ = edges_[1] - edges_[0];
    edges_ = {};
  }
  check_and_sum();
}

TraceCore::TraceCore(Instant start, Duration step, std::vector<double> mean)
    : start_(start), step_(step), mean_(std::move(mean)) {
  if (mean_.empty()) throw InputError("trace: at least one interval is needed, found none");
  if (!(step > Duration{})) {
    throw InputError(
        fmt::format("trace: step must be above 0 s, found {} s", step.time().in(second)));
  }
  end_ = advance(start, step, mean_.size());
  check_and_sum();
}

void TraceCore::check_and_sum() {
  const std::size_t n = mean_.size();
  block_.reserve(n / kBlock + 1);
  const double step = step_.time().in(second);
  Sum sum;
  for (std::size_t i = 0; i < n; ++i) {
    if (!std::isfinite(mean_[i])) {
      throw InputError(fmt::format("trace: means must be finite; mean {} (from {}) is {}", i,
                                   edge(i).iso8601(), mean_[i]));
    }
    if (i % kBlock == 0) block_.push_back(sum);
    add(sum, mean_[i] * (edges_.empty() ? step : seconds(edges_[i], edges_[i + 1])));
  }
}

Instant TraceCore::edge(std::size_t i) const noexcept {
  return edges_.empty() ? start_ + step_ * static_cast<std::int64_t>(i) : edges_[i];
}

std::size_t TraceCore::find(Instant at) const noexcept {
  if (edges_.empty()) {
    // Unsigned: the compiler's division is cheaper and at >= start_ here. The difference of two
    // instants up to 584 years apart fits 64 unsigned bits.
    const auto offset = static_cast<std::uint64_t>(at.unix_nanoseconds()) -
                        static_cast<std::uint64_t>(start_.unix_nanoseconds());
    return static_cast<std::size_t>(offset / static_cast<std::uint64_t>(step_.nanoseconds()));
  }
  const auto after = std::upper_bound(edges_.begin(), edges_.end(), at);
  return static_cast<std::size_t>(after - edges_.begin()) - 1;
}

std::size_t TraceCore::index_at(Instant at) const {
  if (at < start_ || !(at < end_)) {
    throw InputError(fmt::format("trace: {} is outside of [{}, {})", at.iso8601(), start_.iso8601(),
                                 end_.iso8601()));
  }
  return find(at);
}

void TraceCore::require_inside(Instant from, Instant to) const {
  if (start_ <= from && from <= to && to <= end_) return;
  throw InputError(fmt::format("trace: from <= to inside [{}, {}] is needed, found [{}, {})",
                               start_.iso8601(), end_.iso8601(), from.iso8601(), to.iso8601()));
}

TraceCore::Sum TraceCore::prefix(std::size_t i, Instant at) const {
  const std::size_t block = i / kBlock;
  Sum sum = block_[block];
  const double step = step_.time().in(second);
  for (std::size_t k = block * kBlock; k < i; ++k) {
    add(sum, mean_[k] * (edges_.empty() ? step : seconds(edges_[k], edges_[k + 1])));
  }
  add(sum, mean_[i] * seconds(edge(i), at));
  return sum;
}

double TraceCore::integral(Instant from, Instant to) const {
  require_inside(from, to);
  if (from == to) return 0.0;
  const std::size_t first = find(from);
  // `to` may be end(), which no interval holds: it closes the last one.
  const std::size_t last = to == end_ ? size() - 1 : find(to);
  if (first == last) return mean_[first] * seconds(from, to);
  const Sum a = prefix(first, from);
  const Sum b = prefix(last, to);
  Sum difference{b.high, 0.0};
  add(difference, -a.high);
  return difference.high + (difference.low + (b.low - a.low));
}

double TraceCore::mean_over(Instant from, Instant to) const {
  require_inside(from, to);
  if (from == to) throw InputError("trace: a mean needs from < to");
  const std::size_t first = find(from);
  // Inside one interval the mean is that interval's, without a rounding through the integral.
  if (to <= edge(first + 1)) return mean_[first];
  return integral(from, to) / seconds(from, to);
}

namespace {

// Walks a trace forward: each call returns the mean over [from, to), `from` never going back.
class Walk {
 public:
  Walk(const TraceCore& trace, Instant from) : trace_(trace), i_(trace.index_at(from)) {
    next_ = trace_.edge(i_ + 1);
  }
  double mean(Instant from, Instant to) {
    const std::span<const double> value = trace_.mean();
    while (next_ <= from) advance_one();
    if (to <= next_) return value[i_];
    struct {
      double high = 0.0, low = 0.0;
    } sum;
    add(sum, value[i_] * seconds(from, next_));
    while (next_ < to) {
      const Instant left = next_;
      advance_one();
      add(sum, value[i_] * seconds(left, std::min(next_, to)));
    }
    return (sum.high + sum.low) / seconds(from, to);
  }

 private:
  void advance_one() {
    ++i_;
    next_ = trace_.edge(i_ + 1);
  }
  const TraceCore& trace_;
  std::size_t i_;
  Instant next_;
};

}  // namespace

void TraceCore::means_over(Instant start, Duration step, std::span<double> out) const {
  if (!(step > Duration{})) throw InputError("trace: step must be above 0 s");
  if (out.empty()) return;
  require_inside(start, advance(start, step, out.size()));
  Walk walk(*this, start);
  Instant from = start;
  for (double& mean : out) {
    const Instant to = from + step;
    mean = walk.mean(from, to);
    from = to;
  }
}

TraceCore TraceCore::resampled(std::vector<Instant> edges) const {
  if (edges.size() < 2) throw InputError("trace: resampling needs at least two edges");
  for (std::size_t i = 0; i < edges.size(); ++i) {
    if (edges[i] < start_ || end_ < edges[i]) {
      throw InputError(fmt::format("trace: edge {} ({}) is outside of [{}, {}]", i,
                                   edges[i].iso8601(), start_.iso8601(), end_.iso8601()));
    }
    if (i > 0 && !(edges[i - 1] < edges[i])) {
      throw InputError(fmt::format("trace: edges must strictly increase; edge {} ({}) does not", i,
                                   edges[i].iso8601()));
    }
  }
  std::vector<double> mean(edges.size() - 1);
  Walk walk(*this, edges.front());
  for (std::size_t i = 0; i < mean.size(); ++i) mean[i] = walk.mean(edges[i], edges[i + 1]);
  return TraceCore(std::move(edges), std::move(mean));
}

TraceCore TraceCore::resampled(Instant start, Duration step, std::size_t n) const {
  if (!(step > Duration{})) throw InputError("trace: step must be above 0 s");
  // Before allocating: a mistaken n must not cost memory.
  require_inside(start, advance(start, step, n));
  std::vector<double> mean(n);
  means_over(start, step, mean);
  return TraceCore(start, step, std::move(mean));
}

TraceCore TraceCore::affine(double factor, double offset) const {
  std::vector<double> mean(mean_);
  for (double& m : mean) m = factor * m + offset;
  return edges_.empty() ? TraceCore(start_, step_, std::move(mean))
                        : TraceCore(edges_, std::move(mean));
}

TraceCore TraceCore::shifted(Duration shift) const {
  std::int64_t ignored = 0;
  if (__builtin_add_overflow(start_.unix_nanoseconds(), shift.nanoseconds(), &ignored) ||
      __builtin_add_overflow(end_.unix_nanoseconds(), shift.nanoseconds(), &ignored)) {
    throw InputError("trace: the shift leaves the years 1678 to 2262");
  }
  TraceCore moved(*this);
  moved.start_ = start_ + shift;
  moved.end_ = end_ + shift;
  for (Instant& edge : moved.edges_) edge = edge + shift;
  return moved;
}

}  // namespace carnot::inline trace
