// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// How far off an energy over an interval may be, 90 %, each error a cause of its own:
///
///  - the sensor's gain: one cause for all intervals of a sensor, so it does not average out;
///  - the ends: a reading is up to one step of the counter and one update period behind;
///  - unobserved time, at up to the highest power seen;
///  - sampling: a sensor that looks only a share of the time misses what happens between its looks.
///
/// Before any power was seen the highest is what the hardware can draw. Together they never take
/// an energy below zero. Nothing is filled in. Pure, thread-safe. Source: JCGM 100:2008.

#include <string>

#include "carnot/base/estimate.hpp"
#include "carnot/meter/counters/counter.hpp"

namespace carnot::meter {

/// What is known about the time between two readings of one counter or gauge.
struct Interval {
  Energy energy;        ///< as counted or integrated
  Stamp from, to;       ///< of the two readings
  Duration unobserved;  ///< within
  Power highest;        ///< mean power of the busiest steps so far; 0: none seen
};

/// `interval.energy` with its errors, causes named after `id` (gain) and `id` with the times of the
/// interval (all others).
Estimate<Energy> with_errors(const CounterSpec& spec, const Interval& interval,
                             const std::string& id, Boundary boundary);
/// \param gain  of these readings; the power model's differs from interval to interval
Estimate<Energy> with_errors(const GaugeSpec& spec, const Gain& gain, const Interval& interval,
                             const std::string& id, Origin origin, Boundary boundary);

}  // namespace carnot::meter
