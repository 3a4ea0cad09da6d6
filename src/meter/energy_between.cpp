// SPDX-License-Identifier: Apache-2.0
// What two snapshots say, and how far off it may be.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "meter/meter_state.hpp"

namespace carnot::meter {

namespace {

Duration since(const Stamp& earlier, const Stamp& later) {
  return Duration::nanoseconds(
      std::max<std::int64_t>(0, later.monotonic_ns - earlier.monotonic_ns));
}

bool lost(const ChannelState& state) {
  return state.status == PollStatus::Ended || state.status == PollStatus::Broken;
}

Power cap(const Domain& domain) {
  return domain.is_counter ? domain.counter.power_cap : domain.gauge.power_cap;
}

/// Highest power a channel may have had: the highest seen, before that what the hardware can draw.
Power highest(const Domain& domain, const ChannelState& state) {
  return state.highest > Power{} ? min(state.highest, cap(domain)) : cap(domain);
}

/// Energy that had been spent at `at` and was not yet in the total: a step of the counter, and up
/// to an update period and the age of the reading at the highest power.
Energy not_yet_shown(const Domain& domain, const ChannelState& state, const Stamp& at) {
  const Duration age = since(state.at, at);
  if (domain.is_counter) {
    return static_cast<double>(domain.counter.step) * domain.counter.unit +
           highest(domain, state) * (domain.counter.update_period + age).time();
  }
  const Time lag = domain.gauge.update_period.time() + 0.5 * domain.gauge.window.time();
  return highest(domain, state) * (lag + age.time());
}

/// Energy a sensor that looks `duty` of the time did not see: each look stands for a share of time
/// in which power was anywhere up to the highest; looks are taken as independent.
Energy between_looks(const Domain& domain, const ChannelState& b, Duration length) {
  if (domain.is_counter || domain.gauge.duty >= 1.0) return Energy{};
  const double period = std::max(domain.gauge.update_period.time().in(second), 1e-3);
  const double looks = std::max(1.0, length.time().in(second) / period);
  return (1.0 - domain.gauge.duty) * 0.5 * highest(domain, b) * length.time() / std::sqrt(looks);
}

/// A figure that is zero and may be as low as -down and as high as up.
Estimate<Energy> error_of(const Domain& domain, Energy down, Energy up, std::string cause) {
  return {Energy{}, -down, up, domain.origin, domain.boundary, std::move(cause), {domain.source}};
}

std::string end_cause(const Domain& domain, const Stamp& at) {
  return fmt::format("end {} {}", domain.id, at.boottime_ns);
}

/// Share of the downward errors that leaves the lower bound at zero or above: energy is never
/// handed back.
double kept_above_zero(Energy value, std::initializer_list<Energy> downs) {
  double squares = 0;
  for (const Energy down : downs) squares += down.in(joule)*down.in(joule);
  const double width = std::sqrt(squares);
  return width > value.in(joule) ? value.in(joule) / width * (1 - 1e-12) : 1.0;
}

}  // namespace

Duration unobserved_until(const ChannelState& state, const Stamp& at) noexcept {
  return lost(state) ? state.unobserved + since(state.at, at) : state.unobserved;
}

Estimate<Energy> channel_energy(const Domain& domain, const ChannelState& a, const Stamp& at_a,
                                const ChannelState& b, const Stamp& at_b) {
  const Energy value = domain.is_counter
                           ? static_cast<double>(b.total_raw - a.total_raw) * domain.counter.unit
                           : max(b.energy - a.energy, Energy{});
  const Energy low = min(b.low - a.low, value);
  const Energy high = max(b.high - a.high, value);
  // A counter shows late, never early; a gauge that looks back may err either way.
  const double early = domain.is_counter ? 0.0 : 1.0;
  const Energy start = not_yet_shown(domain, a, at_a);
  const Energy end = not_yet_shown(domain, b, at_b);
  const Energy unseen = between_looks(domain, b, since(at_a, at_b));
  const double kept = kept_above_zero(value, {value - low, start, early * end, unseen});

  Estimate<Energy> result(value, value - kept * (value - low), high, domain.origin, domain.boundary,
                          fmt::format("gain {}", domain.id), {domain.source});
  result = result + error_of(domain, kept * early * end, end, end_cause(domain, at_b)) -
           error_of(domain, early * start, kept * start, end_cause(domain, at_a));
  const Duration unobserved = b.unobserved - a.unobserved;
  if (unobserved > Duration{}) {
    result = result + error_of(domain, Energy{}, highest(domain, b) * unobserved.time(),
                               fmt::format("unobserved {}", domain.id));
  }
  if (unseen > Energy{}) {
    result = result + error_of(domain, kept * unseen, unseen, fmt::format("looks {}", domain.id));
  }
  return result;
}

EnergyBetween Meter::energy(const Snapshot& a, const Snapshot& b) const {
  const Implementation& m = *implementation_;
  CARNOT_CHECK(a.channels.size() == m.channels.size() && b.channels.size() == m.channels.size(),
               "snapshots of this meter");
  EnergyBetween result;
  result.length = since(a.at, b.at);
  result.asleep = std::max(
      Duration{}, Duration::nanoseconds(b.at.boottime_ns - a.at.boottime_ns) - result.length);
  result.total = Estimate<Energy>::exact(Energy{}, m.origin, m.boundary);
  result.by_channel.reserve(m.channels.size());
  for (std::size_t i = 0; i < m.channels.size(); ++i) {
    const ChannelState& from = a.channels[i];
    const ChannelState& to = b.channels[i];
    result.by_channel.push_back(channel_energy(m.channels[i].domain, from, a.at, to, b.at));
    if (m.channels[i].role != Role::Counted) continue;
    result.total = result.total + result.by_channel.back().at(m.boundary);
    result.unobserved =
        std::max(result.unobserved, unobserved_until(to, b.at) - unobserved_until(from, a.at));
  }
  return result;
}

}  // namespace carnot::meter
