// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The mean of a quantity over n >= 1 consecutive intervals; interval i is [edges[i], edges[i +
/// 1]). Means, not point samples: an energy counter measures means exactly, and cutting or merging
/// intervals conserves the integral, sum_i mean[i] * (edges[i + 1] - edges[i]).
/// Integrals come from compensated prefix sums kept every 64 intervals, so they cost O(log n) and
/// lose nothing over long traces.
/// Start here; then trace/readers/read.hpp (files), trace/weather/generate.hpp (weather),
/// trace/forecast.hpp. A value: immutable once built, cheap to move, safe to read from many
/// threads.

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "carnot/base/estimate.hpp"
#include "carnot/base/instant.hpp"
#include "carnot/base/quantity.hpp"

namespace carnot::inline trace {

/// The untyped trace: means in coherent base units. `Trace<Q>` gives it its dimension.
class TraceCore {
 public:
  /// \param edges  shape [n + 1], strictly increasing
  /// \param mean   shape [n], finite
  /// \throws InputError naming the first index that breaks a rule above
  TraceCore(std::vector<Instant> edges, std::vector<double> mean);
  /// Equal steps from `start`. \throws InputError unless step > 0, n >= 1, all finite
  TraceCore(Instant start, Duration step, std::vector<double> mean);

  std::size_t size() const noexcept { return mean_.size(); }
  Instant begin() const noexcept { return start_; }
  Instant end() const noexcept { return end_; }
  Instant edge(std::size_t i) const noexcept;                      ///< i <= size()
  std::span<const double> mean() const noexcept { return mean_; }  ///< shape [n]
  /// The common step, or zero where steps differ.
  Duration step() const noexcept { return step_; }

  /// Index of the interval that holds `at`. O(1) for equal steps, else O(log n).
  /// \throws InputError unless begin() <= at < end()
  std::size_t index_at(Instant at) const;
  double at(Instant at) const { return mean_[index_at(at)]; }

  /// Integral in base units x seconds over [from, to), end intervals pro rata.
  /// \throws InputError unless begin() <= from <= to <= end()
  double integral(Instant from, Instant to) const;
  double mean_over(Instant from, Instant to) const;  ///< integral / length; from < to
  /// Means over `out.size()` equal steps from `start` into `out`; no allocation, O(intervals met).
  /// \throws InputError unless step > 0 and all steps lie inside [begin(), end())
  void means_over(Instant start, Duration step, std::span<double> out) const;

  /// The same signal on other intervals; conserves the integral over their span to 1e-12 relative.
  /// \param edges  shape [m + 1], strictly increasing, inside this trace's span
  /// \throws InputError naming the first edge out of order or out of span
  TraceCore resampled(std::vector<Instant> edges) const;
  /// Resampled to equal steps from `start`, n of them.
  TraceCore resampled(Instant start, Duration step, std::size_t n) const;

  /// Same intervals, each mean mapped by factor * mean + offset.
  TraceCore affine(double factor, double offset) const;
  /// The signal moved in time by `shift` (for starting a year's trace elsewhere).
  TraceCore shifted(Duration shift) const;

 private:
  // A sum in two doubles, high + low, exact to about 1e-32 of its terms.
  struct Sum {
    double high = 0.0, low = 0.0;
  };
  void check_and_sum();
  std::size_t find(Instant at) const noexcept;  // the interval; begin() <= at < end()
  Sum prefix(std::size_t i, Instant at) const;  // integral over [begin(), at), at in interval i
  void require_inside(Instant from, Instant to) const;

  Instant start_, end_;
  Duration step_;               // zero: edges_ holds them
  std::vector<Instant> edges_;  // n + 1, empty for equal steps
  std::vector<double> mean_;    // n
  std::vector<Sum> block_;      // block_[b]: integral of the first 64 b intervals
};

/// A trace of `Q` (a Quantity, or double for dimensionless signals).
template <class Q>
class Trace {
 public:
  explicit Trace(TraceCore core) : core_(std::move(core)) {}
  const TraceCore& core() const noexcept { return core_; }
  std::size_t size() const noexcept { return core_.size(); }
  Instant begin() const noexcept { return core_.begin(); }
  Instant end() const noexcept { return core_.end(); }
  Q operator[](std::size_t i) const noexcept { return make(core_.mean()[i]); }
  Q at(Instant t) const { return make(core_.at(t)); }
  Q mean_over(Instant from, Instant to) const { return make(core_.mean_over(from, to)); }
  /// For Trace<Power>: Energy.
  auto integral(Instant from, Instant to) const { return make(core_.integral(from, to)) * second; }
  Trace resampled(Instant start, Duration step, std::size_t n) const {
    return Trace(core_.resampled(start, step, n));
  }

 private:
  static Q make(double v) noexcept {
    if constexpr (requires { Q::from_base(v); }) {
      return Q::from_base(v);
    } else {
      return v;
    }
  }
  TraceCore core_;
};

}  // namespace carnot::inline trace
