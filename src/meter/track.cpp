// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "meter/meter_state.hpp"

namespace carnot::meter {

namespace {

std::variant<Counter, Gauge> sum_of(const Domain& domain) {
  if (domain.is_counter) return Counter(domain.counter);
  return Gauge(domain.gauge);
}

}  // namespace

Track::Track(const Domain& domain) : sum(sum_of(domain)) {}

void Track::take(const Reading& reading) {
  state.status = reading.status;
  state.error = reading.error;
  if (reading.status != PollStatus::Ok) return;
  if (!read) {
    read = true;
    if (state.at != Stamp{}) before_first = elapsed(state.at, reading.at).awake;
  }
  if (Counter* counter = std::get_if<Counter>(&sum)) {
    settle(counter->advance(reading.raw, reading.at), reading);
    state.total_raw = counter->total_raw();
    state.raw = counter->last_raw();
    state.energy = counter->total();
    state.low = counter->spec().gain.low * state.energy;
    state.high = counter->spec().gain.high * state.energy;
    state.unobserved = counter->unobserved() + before_first;
    state.highest = max(state.highest, counter->highest());
    return;
  }
  Gauge& gauge = std::get<Gauge>(sum);
  const Energy before = gauge.total();
  settle(gauge.advance(reading.power, reading.at), reading);
  // A reading without an error of its own has the sensor's.
  const bool own = reading.gain.low != 1.0 || reading.gain.high != 1.0;
  const Gain gain = own ? reading.gain : gauge.spec().gain;
  const Energy step = gauge.total() - before;
  state.raw = static_cast<std::uint64_t>(std::llround(gauge.last().in(1e-6 * watt)));
  state.energy = gauge.total();
  state.low += gain.low * step;
  state.high += gain.high * step;
  state.unobserved = gauge.unobserved() + before_first;
  state.highest = max(state.highest, gauge.highest());
}

void Track::settle(const Step& step, const Reading& reading) {
  state.last_step = step.kind;
  state.at = reading.at;
}

void Track::restore(const ChannelState& last) {
  if (Counter* counter = std::get_if<Counter>(&sum)) {
    counter->restore(last.raw, last.at, last.total_raw, last.unobserved);
  } else {
    std::get<Gauge>(sum).restore(static_cast<double>(last.raw) * 1e-6 * watt, last.at, last.energy,
                                 last.unobserved);
  }
  state = last;
  before_first = {};
  read = true;
}

}  // namespace carnot::meter
