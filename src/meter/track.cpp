// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>

#include <fmt/format.h>

#include "meter/meter_state.hpp"

namespace carnot::meter {

namespace {

std::variant<Counter, Gauge> sum_of(const Domain& domain) {
  if (domain.is_counter) return Counter(domain.counter);
  return Gauge(domain.gauge);
}

}  // namespace

// What holds a running processor, or all of a machine, draws more than nothing.
Track::Track(const Domain& domain)
    : sum(sum_of(domain)),
      zero_is_silence_(!domain.is_counter &&
                       (domain.kind == DomainKind::Package || domain.kind == DomainKind::Module ||
                        domain.kind == DomainKind::Platform || domain.kind == DomainKind::Node ||
                        domain.kind == DomainKind::Battery)) {}

void Track::take(const Reading& reading) {
  state.status = reading.status;
  state.error = reading.error;
  word = Word::Unreadable;
  if (reading.status != PollStatus::Ok) return;
  if (zero_is_silence_ && reading.power == Power{}) {
    word = Word::Zero;
    state.status = PollStatus::Retry;
    state.error = ENODATA;
    return;
  }
  if (!read) {
    read = true;
    if (state.at != Stamp{}) before_first = elapsed(state.at, reading.at).awake;
  }
  if (Counter* counter = std::get_if<Counter>(&sum)) {
    settle(counter->advance(reading.raw, reading.at), reading);
    show(*counter);
    return;
  }
  Gauge& gauge = std::get<Gauge>(sum);
  const Energy before = gauge.total();
  // What lies between the last word and this one was counted by another.
  if (covered && reading.power >= Power{} && reading.power <= gauge.spec().power_cap)
    gauge.restore(reading.power, reading.at, before, gauge.unobserved());
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

void Track::show(const Counter& counter) {
  state.total_raw = counter.total_raw();
  state.raw = counter.last_raw();
  state.energy = counter.total();
  state.low = counter.spec().gain.low * state.energy;
  state.high = counter.spec().gain.high * state.energy;
  state.unobserved = counter.unobserved() + before_first;
  state.highest = max(state.highest, counter.highest());
  state.excess = counter.excess() + reset_doubt;
}

void Track::settle(const Step& step, const Reading& reading) {
  state.last_step = step.kind;
  word = Word::Plausible;
  if (step.kind == StepKind::Implausible) {
    word = Word::Beyond;
  } else if (std::holds_alternative<Counter>(sum) && step.raw == 0) {
    // Below its high-water mark it moves and adds nothing.
    const bool moves = step.kind == StepKind::Back && reading.raw != state.raw;
    word = moves ? Word::Plausible : Word::Still;
  }
  if (const Counter* counter = std::get_if<Counter>(&sum); counter && step.kind == StepKind::Reset)
    reset_doubt += static_cast<double>(step.raw) * counter->spec().unit;
  if (word == Word::Plausible) {
    spoke = true;
    spoke_at = reading.at;
  }
  // A gauge's value that cannot be is no reading.
  if (word != Word::Beyond || std::holds_alternative<Counter>(sum)) state.at = reading.at;
}

void Track::cover(const Stamp& at) {
  covered = true;
  state.last_step = StepKind::Silent;
  if (at.monotonic_ns > state.at.monotonic_ns) state.at = at;
}

Energy Track::deduct(Energy energy) {
  Counter* const counter = std::get_if<Counter>(&sum);
  if (!counter || energy <= Energy{}) return {};
  const Energy unit = counter->spec().unit;
  const std::uint64_t counts =
      std::min(counter->total_raw(), static_cast<std::uint64_t>(std::floor(energy / unit)));
  counter->restore(counter->last_raw(), counter->last_at(), counter->total_raw() - counts,
                   counter->unobserved());
  show(*counter);
  return static_cast<double>(counts) * unit;
}

std::string silence_in_words(const Domain& domain, const Track& track) {
  const ChannelState& state = track.state;
  switch (track.word) {
    case Track::Word::Still:
      return "its counter stands still";
    case Track::Word::Zero:
      return "it answers 0 W, which is no reading of a machine that runs";
    case Track::Word::Beyond:
      return "it answers an error value: more than any such device can draw";
    default:
      break;
  }
  if (domain.kind == DomainKind::Battery && state.error == ENODATA)
    return "it is on mains, where it says nothing of the machine";
  return state.error > 0 ? fmt::format("it cannot be read ({})", std::strerror(state.error))
                         : "it gives no reading";
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
  covered = false;
}

}  // namespace carnot::meter
