// SPDX-License-Identifier: Apache-2.0
// What two snapshots say, and how far off it may be.
#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "carnot/meter/counters/errors.hpp"

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

Power highest(const Domain& domain, const ChannelState& state) {
  const Power cap = domain.is_counter ? domain.counter.power_cap : domain.gauge.power_cap;
  return state.highest > Power{} ? min(state.highest, cap) : cap;
}

/// `figure`, of which up to `early` may have been spent before the interval.
Estimate<Energy> less(const Estimate<Energy>& figure, Energy early, std::string cause) {
  if (early <= Energy{}) return figure;
  const double value = figure.value().in(joule) * (1 - 1e-10);  // rounding must not take it below
  const double taken = (figure.value() - figure.low()).in(joule);
  const double room = std::sqrt(std::max(0.0, value * value - taken * taken));
  return figure + Estimate<Energy>(Energy{}, -min(early, room * joule), Energy{}, figure.origin(),
                                   figure.boundary(), std::move(cause), {});
}

}  // namespace

Duration unobserved_until(const ChannelState& state, const Stamp& at) noexcept {
  return lost(state) ? state.unobserved + since(state.at, at) : state.unobserved;
}

Estimate<Energy> channel_energy(const Domain& domain, const ChannelState& a, const Stamp& at_a,
                                const ChannelState& b, const Stamp& at_b) {
  // A channel may have been read before or after its snapshot. What is missing for that counts as
  // not observed; what is too much may have been spent outside.
  const Duration missing = since(b.at, at_b) + since(at_a, a.at);
  const Duration outside = since(a.at, at_a) + since(at_b, b.at);
  Interval interval{max(b.energy - a.energy, Energy{}), a.at, b.at,
                    b.unobserved - a.unobserved + missing, b.highest};
  const Energy early = highest(domain, a) * outside.time();
  const std::string cause = "age of " + domain.id + " " + std::to_string(at_a.boottime_ns);
  if (domain.is_counter) {
    interval.energy = static_cast<double>(b.total_raw - a.total_raw) * domain.counter.unit;
    const Estimate<Energy> figure =
        less(with_errors(domain.counter, interval, domain.id, domain.boundary), early, cause);
    return less(figure, b.excess, "spike of " + domain.id);
  }
  const Gain gain = interval.energy > Energy{} ? Gain{(b.low - a.low) / interval.energy,
                                                      (b.high - a.high) / interval.energy}
                                               : domain.gauge.gain;
  return less(with_errors(domain.gauge, gain, interval, domain.id, domain.origin, domain.boundary),
              early, cause);
}

RailDoubt rail_doubt(const std::vector<Channel>& channels,
                     const std::vector<Estimate<Energy>>& energies) {
  RailDoubt doubt;
  Energy largest;
  for (std::size_t i = 0; i < channels.size(); ++i) {
    if (channels[i].domain.kind != DomainKind::Rail) continue;
    const Energy energy = energies[i].value();
    if (channels[i].role == Role::Counted) {
      doubt.down += energy;
      largest = max(largest, energy);
    } else if (channels[i].role == Role::Beside && !channels[i].of.empty()) {
      doubt.up += energy;
    }
  }
  doubt.down = doubt.down - largest;
  return doubt;
}

EnergyBetween Meter::energy(const Snapshot& a, const Snapshot& b) const {
  const Implementation& m = *implementation_;
  CARNOT_CHECK(a.channels.size() == m.channels.size() && b.channels.size() == m.channels.size(),
               "snapshots of this meter");
  EnergyBetween result;
  result.length = since(a.at, b.at);
  result.asleep = std::max(
      Duration{}, Duration::nanoseconds(b.at.boottime_ns - a.at.boottime_ns) - result.length);
  result.by_channel.reserve(m.channels.size());
  const std::optional<Standing> model = standing(m.channels, a, b);
  std::vector<const Estimate<Energy>*> counted;
  for (std::size_t i = 0; i < m.channels.size(); ++i) {
    const Domain& domain = m.channels[i].domain;
    std::optional<Domain> confirmed;
    ChannelState from = a.channels[i], to = b.channels[i];
    bool counts = m.channels[i].role == Role::Counted;
    if (model && model->channel == i) {
      from.energy = from.low = from.high = Energy{};
      to.energy = model->value;
      to.low = model->low;
      to.high = model->high;
      counts = true;
      if (model->confirmed) {
        confirmed = domain;
        confirmed->origin = Origin::Measured;
        confirmed->boundary = Boundary::Chip;
      }
    } else if (model && sees_processors(domain) && to.energy <= from.energy) {
      counts = false;  // it said nothing, and its time is counted
    }
    result.by_channel.push_back(
        channel_energy(confirmed ? *confirmed : domain, from, a.at, to, b.at));
    if (!counts) continue;
    counted.push_back(&result.by_channel.back());
    result.unobserved =
        std::max(result.unobserved, unobserved_until(to, b.at) - unobserved_until(from, a.at));
  }
  Boundary widest = counted.empty() ? m.boundary : Boundary::Chip;
  for (const Estimate<Energy>* energy : counted) widest = std::max(widest, energy->boundary());
  result.total = Estimate<Energy>::exact(
      Energy{}, counted.empty() ? m.origin : counted.front()->origin(), widest);
  for (const Estimate<Energy>* energy : counted) result.total = result.total + energy->at(widest);
  const RailDoubt rails = rail_doubt(m.channels, result.by_channel);
  const std::string cause = "rails of unknown scope";
  result.total = less(result.total, rails.down, cause);
  if (rails.up > Energy{})
    result.total = result.total + Estimate<Energy>(Energy{}, Energy{}, rails.up,
                                                   result.total.origin(), widest, cause, {});
  return result;
}

}  // namespace carnot::meter
