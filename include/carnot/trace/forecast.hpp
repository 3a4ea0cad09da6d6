// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a policy may know of the future. A forecast made at `now` is a function of the past alone
/// (values of intervals that ended at or before `now`) and of documents issued beforehand (a
/// day-ahead forecast file); never of the truth ahead. Swapping the future leaves every forecast
/// unchanged.
///
/// Model (stated error, growing with lead time h):
///
///     x^(now + h) = clip( m(now + h) + a(h) (x(now) - m(now)) + b(h) (m(now) - m(now + h)) )
///
/// m is the reference: the day-ahead file where there is one, else the climatology of the past
/// (mean by hour of day over the last `memory`, shrunk to the overall mean), else the last mean.
/// The second term carries today's surprise on, the third doubts the change that the reference
/// announces: a = b = 1 is persistence, a = b = 0 the reference. Lead times run from the middle of
/// the last interval observed to the middle of the step.
///
/// a, b and sd(h), the root mean square of this formula's own past errors, are fitted by least
/// squares on hourly means at leads of 1, 2, 3, 6, 12, 24 and 48 h (exponentially forgotten over
/// `memory`), interpolated between, and fitted anew once a day. Before two days have passed the
/// stated prior is used: a(h) = rho^h, b = 0, sd(h)^2 = s^2 (1 - rho^(2h)).
/// Source: Nielsen, Joensen, Madsen, Landberg, Holst, "A new reference for wind power forecasting",
/// Wind Energy 1 (1998) 29-34, whose weight by lead is a(h); b(h) is our addition for documents.
/// One forecaster serves one run in time order: `observe` then `forecast`. Not thread-safe.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "carnot/base/instant.hpp"
#include "carnot/trace/trace.hpp"

namespace carnot::inline trace {

/// What a signal is thought to be from `start` on, step by step, in base units. An empty `mean`:
/// there is no forecast. Whoever hands out a view says how long its spans live.
struct ForecastView {
  Instant start;                            ///< of the first step ahead
  Duration step = Duration::seconds(3600);  ///< of each, > 0
  std::span<const double> mean;             ///< shape [horizon]
  std::span<const double> sd;               ///< shape [horizon], non-decreasing; empty: not stated
  std::span<const double> sum = {};  ///< shape [horizon + 1], integral in base units x s up to each
                                     ///< edge, less any constant; empty: summed when asked for
  bool empty() const noexcept { return mean.empty(); }
  Instant end() const noexcept { return start + step * static_cast<std::int64_t>(mean.size()); }
  /// Before the start as the first step, from the end on as the last. Needs a forecast.
  double at(Instant when) const noexcept;
  /// Over [from, to), beyond both ends with the outermost steps; O(1) with `sum`, else O(horizon).
  /// Needs a forecast.
  double integral(Instant from, Instant to) const noexcept;

 private:
  double integral_to(Instant when) const noexcept;  // from an edge of its own choosing
};

class Forecaster {
 public:
  struct Options {
    Duration step = Duration::seconds(3600);  ///< step of the forecast
    std::size_t horizon = 48;                 ///< steps ahead
    double low = 0.0;                         ///< clip, base units
    double high = 1e300;                      ///< clip, base units (installed capacity)
    double prior_rho_per_hour = 0.93;         ///< before enough is seen
    double prior_sd = 0.0;                    ///< of the residual; 0: (high - low) / 4 when finite
    Duration memory = Duration::seconds(30 * 86400);  ///< climatology window
    Duration refresh = Duration::seconds(3600);  ///< a forecast is remade this often, else shifted
  };

  /// \param history    what happened before the run starts; may be empty
  /// \param reference  a forecast document issued beforehand that covers the run, or none
  Forecaster(Options options, std::optional<TraceCore> history, std::optional<TraceCore> reference);

  /// Tells the mean over [from, from + length), now past. Calls must be in time order.
  void observe(Instant from, Duration length, double mean);

  /// The view from `now`; the first step starts at `now`. Valid until the next call. O(horizon)
  /// when remade, O(1) when the last one is younger than `refresh` (then it starts at that
  /// instant).
  ForecastView forecast(Instant now);

  Forecaster(Forecaster&&) noexcept;
  Forecaster& operator=(Forecaster&&) noexcept;
  ~Forecaster();

  double rho_per_hour() const noexcept;  ///< a(1 h) as used now
  double residual_sd() const noexcept;   ///< of x - m, as used now

 private:
  struct State;  // running sums only: a year of observations costs constant memory
  std::unique_ptr<State> state_;
};

}  // namespace carnot::inline trace
