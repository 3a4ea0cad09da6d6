// SPDX-License-Identifier: Apache-2.0
#include "carnot/meter/counters/counter.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <time.h>

#include "carnot/base/error.hpp"

#include "meter/counters/rapl.hpp"

namespace carnot::meter {

namespace {

std::int64_t nanoseconds(clockid_t clock) noexcept {
  timespec t{};
  ::clock_gettime(clock, &t);
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

/// A counter goes on at most so much faster than it was ever seen to, and what is that much faster
/// than ever wants another explanation if there is one.
constexpr double kFaster = 1.5, kUnusual = 3.0;
/// A step back is small if the device could have drawn it in this time.
constexpr Time kLargestStepBack = 1.0 * second;

// Counts of one turn of a 32-bit register with a unit of `unit_nj`, as the kernel converts it.
std::uint64_t turn_of(std::uint64_t unit_nj, Energy count) noexcept {
  return static_cast<std::uint64_t>(
      std::floor(0x1p32 * static_cast<double>(unit_nj) / (count.base() * 1e9)));
}

}  // namespace

Stamp Stamp::now() noexcept { return {nanoseconds(CLOCK_MONOTONIC), nanoseconds(CLOCK_BOOTTIME)}; }

Elapsed elapsed(const Stamp& from, const Stamp& to) noexcept {
  const std::int64_t awake = std::max<std::int64_t>(0, to.monotonic_ns - from.monotonic_ns);
  const std::int64_t asleep = to.boottime_ns - from.boottime_ns - awake;
  return {Duration::nanoseconds(awake), Duration::nanoseconds(asleep < 1'000'000 ? 0 : asleep)};
}

Counter::Counter(const CounterSpec& spec) : spec_(spec) {
  const auto positive = [](double x) { return std::isfinite(x) && x > 0; };
  if (!positive(spec.unit.base())) throw InputError("counter: unit: more than 0 J is needed");
  if (!positive(spec.power_cap.base()))
    throw InputError("counter: power cap: more than 0 W is needed");
  if (spec.step == 0) throw InputError("counter: step: at least one count is needed");
  if (spec.update_period < Duration{}) throw InputError("counter: update period: none below 0 s");
  if (spec.modulus_known && spec.modulus != 0 && spec.modulus / 2 < spec.step)
    throw InputError("counter: modulus: at least two steps are needed");
  if (!spec.modulus_known) {
    range_ = static_cast<double>(turn_of(kRaplUnitsNj.front(), spec.unit)) * spec.unit;
  } else {
    range_ = (spec.modulus == 0 ? 0x1p64 : static_cast<double>(spec.modulus)) * spec.unit;
  }
}

Counter::Turned Counter::turned(std::uint64_t raw, Energy most) const noexcept {
  const auto with = [&](std::uint64_t modulus) -> std::uint64_t {
    if (modulus != 0 && last_raw_ >= modulus) return 0;
    const std::uint64_t counts = raw - last_raw_ + modulus;  // modulus 0: 2^64 by itself
    return static_cast<double>(counts) * spec_.unit <= most ? counts : 0;
  };
  if (spec_.modulus_known) return {with(spec_.modulus), true};
  Turned least;
  for (const std::uint64_t unit_nj : kRaplUnitsNj) {
    const std::uint64_t counts = with(turn_of(unit_nj, spec_.unit));
    if (counts != 0 && least.counts != 0) least.sure = false;
    if (least.counts == 0) least.counts = counts;
  }
  return least;
}

/// Whether the counter is back at the level it left, which explains the value better than the level
/// it is at.
bool Counter::returns(std::uint64_t raw, const Stamp& at, Energy most,
                      Duration still) const noexcept {
  if (!left_.set || raw < left_.raw) return false;
  const Energy step = energy(spec_.step);
  const Duration away = elapsed(left_.at, at).awake;
  if (energy(raw - left_.raw) > spec_.power_cap * (away + spec_.update_period).time() + step)
    return false;
  if (raw < last_raw_) return true;
  const Energy usual =
      highest_ > Power{}
          ? min(most, kUnusual * highest_ * (still + spec_.update_period).time() + step)
          : most;
  return energy(raw - last_raw_) > usual;
}

/// Remembers the level that the counter is about to leave.
void Counter::leave() noexcept {
  left_.set = true;
  left_.raw = last_raw_;
  left_.total = total_raw_;
  left_.at = last_at_;
}

/// What a smaller value than the last means.
void Counter::fall(std::uint64_t raw, Energy most, Duration still, Step& step) noexcept {
  if (const Turned turn = turned(raw, most); turn.counts != 0) {
    below_mark_ = false;
    step.kind = turn.sure ? StepKind::Turn : StepKind::Unsure;
    step.raw = turn.counts;
    if (!turn.sure) step.unobserved = step.awake;
    return;
  }
  step.unobserved = step.awake;
  const Energy step_energy = energy(spec_.step);
  const Energy seen =
      highest_ > Power{}
          ? min(most, kFaster * highest_ * (still + spec_.update_period).time() + step_energy)
          : most;
  if (raw <= last_raw_ / 2 && energy(raw) <= seen) {
    leave();
    below_mark_ = false;
    step.kind = StepKind::Reset;
    step.raw = raw;
  } else if (energy(last_raw_ - raw) <= max(most, spec_.power_cap * kLargestStepBack)) {
    if (!below_mark_) mark_ = last_raw_;
    below_mark_ = true;
    step.kind = StepKind::Back;
  } else {
    leave();
    below_mark_ = false;
    step.kind = StepKind::Implausible;
  }
}

Step Counter::advance(std::uint64_t raw, const Stamp& at) noexcept {
  Step step;
  if (!started_) {
    started_ = true;
    last_raw_ = raw;
    last_at_ = moved_at_ = at;
    return step;
  }
  const Elapsed passed = elapsed(last_at_, at);
  step.awake = passed.awake;
  step.asleep = passed.asleep;
  const Duration still = elapsed(moved_at_, at).awake;
  const Energy most = spec_.power_cap * (still + spec_.update_period).time() + energy(spec_.step);
  if (returns(raw, at, most, still)) {
    const std::uint64_t since = raw - left_.raw, counted = total_raw_ - left_.total;
    step.kind = StepKind::Advance;
    step.raw = since > counted ? since - counted : 0;
    left_.set = below_mark_ = false;
  } else if (raw < last_raw_) {
    fall(raw, most, still, step);
  } else if (below_mark_ && raw <= mark_) {
    step.kind = StepKind::Back;
    step.unobserved = step.awake;
  } else {
    step.kind = StepKind::Advance;
    step.raw = raw - (below_mark_ ? mark_ : last_raw_);
    // Up to the mark it counted what is not added; at a level it jumped to it may only be stuck.
    const bool only_jumped = left_.set && total_raw_ == left_.total;
    if (below_mark_ || (only_jumped && step.raw == 0)) step.unobserved = step.awake;
    below_mark_ = false;
    if (energy(step.raw) > most) {
      leave();
      step.kind = StepKind::Implausible;
      step.raw = 0;
      step.unobserved = step.awake;
    }
  }
  if (step.kind != StepKind::Implausible && step.kind != StepKind::Back) {
    if (spec_.power_cap * step.awake.time() > range_) {
      step.kind = StepKind::Unsure;
      step.unobserved = step.awake;
    } else if (step.unobserved == Duration{} && step.awake > Duration{} &&
               step.awake >= spec_.update_period * 10) {
      highest_ = max(highest_, energy(step.raw) / still.time());
    }
  }
  total_raw_ += step.raw;
  unobserved_ = unobserved_ + step.unobserved;
  if (raw != last_raw_) moved_at_ = at;
  last_raw_ = raw;
  last_at_ = at;
  return step;
}

void Counter::restore(std::uint64_t raw, const Stamp& at, std::uint64_t total_raw,
                      Duration unobserved) noexcept {
  started_ = true;
  last_raw_ = raw;
  last_at_ = moved_at_ = at;
  total_raw_ = total_raw;
  unobserved_ = unobserved;
  below_mark_ = left_.set = false;
}

Duration Counter::longest_interval() const noexcept {
  if (spec_.modulus_known && spec_.modulus == 0) return Duration{};
  return Duration::from(min(0.5 * range_ / spec_.power_cap, 3650.0 * day));
}

}  // namespace carnot::meter
