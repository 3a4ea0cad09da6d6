// SPDX-License-Identifier: Apache-2.0
#include "carnot/measure/attribution/sample_splitter.hpp"

#include <algorithm>

#include "carnot/base/error.hpp"
#include "carnot/base/sum.hpp"

#include "measure/attribution/clock_ticks.hpp"

namespace carnot::measure {

namespace {

constexpr double kShortestStep = 10 * kTick;

}  // namespace

bool counts(const ledger::MeasurementChannel& channel) noexcept {
  return channel.role == "counted" || channel.role == "stand-in";
}

SampleSplitter::SampleSplitter(const ledger::MeasurementBegin& begin)
    : whole_machine_(begin.job_method.empty()) {
  for (const ledger::MeasurementChannel& c : begin.channels) {
    channels_.push_back({c.unit_j, counts(c), c.kind == "gpu", c.role == "stand-in"});
  }
}

const Step* SampleSplitter::sample(const ledger::MeasurementSample& now) {
  if (now.channels.size() != channels_.size()) {
    throw InputError("a sample has as many channels as its measurement");
  }
  const bool is_first = !started_;
  if (!is_first) add(now);
  started_ = true;
  last_ = now;
  return !is_first && step_.length_s >= kShortestStep ? close() : nullptr;
}

const Step* SampleSplitter::rest() { return open() > 0 ? close() : nullptr; }

void SampleSplitter::add(const ledger::MeasurementSample& now) {
  if (closed_) {
    const std::size_t next = step_.first + step_.intervals.size();
    std::vector<Step::Interval> room = std::move(step_.intervals);
    room.clear();
    step_ = {};
    step_.first = next;
    step_.intervals = std::move(room);
    closed_ = false;
  }
  const double busy = grown_s(last_.machine_busy_ns, now.machine_busy_ns);
  const double job = whole_machine_ ? busy : grown_s(last_.job_cpu_ns, now.job_cpu_ns);
  step_.length_s += kSecond * static_cast<double>(now.monotonic_ns - last_.monotonic_ns);
  step_.use.busy_s += busy;
  step_.use.capacity_s += busy + grown_s(last_.machine_idle_ns, now.machine_idle_ns) +
                          grown_s(last_.machine_steal_ns, now.machine_steal_ns);
  step_.use.job_s += job;
  Sum<double> counted;
  for (std::size_t c = 0; c < channels_.size(); ++c) {
    const Channel& channel = channels_[c];
    if (!channel.counted) continue;
    const ledger::MeasurementSample::Channel &before = last_.channels[c], &after = now.channels[c];
    const double joules = after.total > before.total
                              ? channel.unit_j * static_cast<double>(after.total - before.total)
                              : 0.0;
    counted += joules;
    if (channel.accelerator) {
      step_.accelerator_j += joules;
      step_.job_accelerator_j += joules * std::clamp(after.share, 0.0, 1.0);
      step_.unknown_accelerator_j += joules * std::clamp(-after.share, 0.0, 1.0);
    } else {
      step_.host_j += joules;
      const bool stands_in = channel.stands_in && joules > 0;
      step_.stood_in = step_.stood_in || stands_in;
      step_.whole = step_.whole && after.unobserved_ns <= before.unobserved_ns && !stands_in;
    }
  }
  step_.intervals.push_back({counted.value(), job});
}

const Step* SampleSplitter::close() {
  // A job's group counts to the nanosecond, the machine in ticks: what the job used was used.
  step_.use.busy_s = std::max(step_.use.busy_s, step_.use.job_s);
  step_.use.capacity_s = std::max(step_.use.capacity_s, step_.use.busy_s);
  closed_ = true;
  return &step_;
}

void learn(meter::StaticPower& power, const Step& step) noexcept {
  if (!step.whole || step.length_s < kShortestStep / 2 || !(step.use.capacity_s > 0)) return;
  power.add(step.use.busy_s / step.use.capacity_s, step.host_j / step.length_s * watt,
            Duration::from(step.length_s * second));
}

meter::Split split(const Step& step, Power static_power, meter::StaticPolicy policy) noexcept {
  return meter::split(step.host_j * joule, static_power, Duration::from(step.length_s * second),
                      step.use, policy);
}

double job_joules(const Step& step, const meter::Split& parts,
                  meter::StaticPolicy policy) noexcept {
  const double accelerators =
      policy == meter::StaticPolicy::Whole ? step.accelerator_j : step.job_accelerator_j;
  return parts.job_static.in(joule) + parts.job_dynamic.in(joule) + accelerators;
}

}  // namespace carnot::measure
