// SPDX-License-Identifier: Apache-2.0
#include "carnot/meter/counters/errors.hpp"

#include <algorithm>
#include <cmath>
#include <string>

namespace carnot::meter {

namespace {

// The terms together take an energy no lower than zero.
Estimate<Energy> with_terms(const Interval& interval, const Gain& gain, Energy ends, Energy missed,
                            Power highest, Origin origin, Boundary boundary,
                            const std::string& id) {
  const Energy value = interval.energy;
  const Energy gain_down = (1.0 - std::min(1.0, gain.low)) * value;
  const double down = std::hypot(gain_down.in(joule), ends.in(joule), missed.in(joule));
  const double kept = down > value.in(joule) ? value.in(joule) / down * (1 - 1e-9) : 1.0;
  const std::string when = " " + std::to_string(interval.from.boottime_ns) + "-" +
                           std::to_string(interval.to.boottime_ns);
  Estimate<Energy> figure(value, value - kept * gain_down, std::max(1.0, gain.high) * value, origin,
                          boundary, "gain of " + id, {id});
  const auto add = [&](Energy lower, Energy upper, const std::string& cause) {
    if (upper <= Energy{}) return;
    figure = figure + Estimate<Energy>(Energy{}, -kept * lower, upper, origin, boundary, cause, {});
  };
  add(ends, ends, "ends of " + id + when);
  add(missed, missed, "sampling of " + id + when);
  add(Energy{}, interval.unobserved.time() * highest, "unobserved of " + id + when);
  return figure;
}

Power mean_power(const Interval& interval) {
  const Duration awake = elapsed(interval.from, interval.to).awake;
  return awake > Duration{} ? interval.energy / awake.time() : Power{};
}

Power highest_of(const Interval& interval, Power cap) {
  const Power seen = max(interval.highest, min(mean_power(interval), cap));
  return seen > Power{} ? seen : cap;
}

}  // namespace

Estimate<Energy> with_errors(const CounterSpec& spec, const Interval& interval,
                             const std::string& id, Boundary boundary) {
  const Power highest = highest_of(interval, spec.power_cap);
  const Energy ends =
      static_cast<double>(spec.step) * spec.unit + spec.update_period.time() * highest;
  return with_terms(interval, spec.gain, ends, Energy{}, highest, Origin::Measured, boundary, id);
}

Estimate<Energy> with_errors(const GaugeSpec& spec, const Gain& gain, const Interval& interval,
                             const std::string& id, Origin origin, Boundary boundary) {
  const Power highest = highest_of(interval, spec.power_cap);
  const Energy ends = (spec.update_period + spec.window).time() * highest;
  // The sensor looks `duty` of each period; what it does not see may differ from what it sees by as
  // much as the power is known to swing. Periods are taken as independent.
  Energy missed;
  if (spec.duty < 1.0 && spec.update_period > Duration{}) {
    const Duration awake = elapsed(interval.from, interval.to).awake;
    const double periods = std::max(1.0, awake.time() / spec.update_period.time());
    const Power swing = highest - min(mean_power(interval), highest);
    missed = (1.0 - spec.duty) / std::sqrt(periods) * (swing * awake.time());
  }
  return with_terms(interval, gain, ends, missed, highest, origin, boundary, id);
}

}  // namespace carnot::meter
