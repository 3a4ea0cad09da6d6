// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "carnot/meter/counters/counter.hpp"

namespace carnot::meter {

namespace {

std::uint64_t microjoules(Energy energy) noexcept {
  return static_cast<std::uint64_t>(energy.base() * 1e6);
}

}  // namespace

Step Gauge::advance(Power power, const Stamp& at) noexcept {
  Step step;
  if (started_) {
    const Elapsed passed = elapsed(last_at_, at);
    step.awake = passed.awake;
    step.asleep = passed.asleep;
  }
  if (!(power >= Power{}) || power > spec_.power_cap) {  // NaN too
    step.kind = StepKind::Implausible;
    return step;
  }
  if (started_) {
    step.kind = StepKind::Advance;
    const Energy before = total();
    const Duration covered = std::min(step.awake, spec_.window);
    const Duration between = step.awake - covered;
    total_ += power * covered.time();
    if (step.awake > spec_.longest_hold) {
      step.kind = StepKind::Unsure;
      step.unobserved = between;
    } else {
      total_ += 0.5 * (last_ + power) * between.time();
    }
    step.raw = microjoules(total()) - microjoules(before);
  }
  started_ = true;
  last_ = power;
  highest_ = max(highest_, power);
  last_at_ = at;
  unobserved_ = unobserved_ + step.unobserved;
  return step;
}

void Gauge::restore(Power power, const Stamp& at, Energy total, Duration unobserved) noexcept {
  started_ = true;
  last_ = power;
  last_at_ = at;
  total_ = Sum<Energy>(total);
  unobserved_ = unobserved;
}

}  // namespace carnot::meter
