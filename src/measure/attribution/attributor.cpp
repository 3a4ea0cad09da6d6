// SPDX-License-Identifier: Apache-2.0
#include "carnot/measure/attribution/attributor.hpp"

#include <algorithm>
#include <utility>

#include "measure/attribution/clock_ticks.hpp"
#include "measure/attribution/facts.hpp"

namespace carnot::measure {

namespace {

/// A hash (FNV-1a, Fowler, Noll and Vo 1991) of who was seen and with how much CPU time: tells a
/// new look from the same one handed over again.
std::uint64_t look_hash(std::span<const meter::ProcessUse> look) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325U;
  const auto add = [&](std::uint64_t value) { hash = (hash ^ value) * 0x100000001b3U; };
  for (const meter::ProcessUse& p : look) {
    add(static_cast<std::uint64_t>(p.pid));
    add(p.start_ticks);
    add(static_cast<std::uint64_t>(p.cpu_ns));
    add(p.alive ? 1 : 0);
  }
  return hash;
}

}  // namespace

Attributor::Attributor(const ledger::MeasurementBegin& begin)
    : whole_machine_(begin.job_method.empty()),
      policy_(meter::parse_static_policy(begin.static_policy)) {}

std::span<const IntervalShare> Attributor::add(const Step& step, Power static_power) {
  const meter::Split parts = split(step, static_power, policy_);
  const double step_j = step.host_j + step.accelerator_j;
  double mine = job_joules(step, parts, policy_), shared = mine;
  static_ += parts.static_energy.in(joule);
  dynamic_ += parts.dynamic_energy.in(joule);
  if (whole_machine_) {
    mine = step_j;
    shared = parts.dynamic_energy.in(joule);
    idle_ += parts.static_energy.in(joule);
    accelerator_ += step.accelerator_j;
  } else {
    others_ += parts.others.in(joule);
    idle_ += parts.idle.in(joule);
    unattributed_ += parts.unattributed.in(joule);
    if (policy_ != meter::StaticPolicy::Whole) {
      accelerator_ += step.accelerator_j - step.job_accelerator_j;
    }
  }
  shares_.clear();
  for (const Step::Interval& interval : step.intervals) {
    const double part = step_j > 0 ? interval.counted_j / step_j : 0.0;
    job_ += part * mine;
    divided_ += part * shared;
    cpu_ += interval.cpu_s;
    last_ = {part * mine, job_.value(), divided_.value(), cpu_.value()};
    shares_.push_back(last_);
  }
  return shares_;
}

ProcessDivider::ProcessDivider(const ledger::MeasurementBegin& begin)
    : attached_(begin.job_method.empty() || begin.job_method == "pid" ||
                begin.job_method == "cgroup"),
      began_ns_(begin.boottime_ns) {}

std::size_t ProcessDivider::Hash::operator()(const Key& key) const noexcept {
  const std::uint64_t mixed =
      (key.start_ticks ^ (static_cast<std::uint64_t>(key.pid) << 32U)) * 0x9e3779b97f4a7c15U;
  return static_cast<std::size_t>(mixed ^ (mixed >> 29U));
}

std::size_t ProcessDivider::see(int pid, std::uint64_t start_ticks, std::int64_t cpu_ns) {
  if (std::exchange(ended_, false)) {
    parts_.clear();
    ++look_;
  }
  const auto [place, met] = known_.try_emplace({pid, start_ticks});
  Known& known = place->second;
  if (met) {
    // Its CPU time before the measurement is not ours.
    const bool older = attached_ && static_cast<std::int64_t>(start_ticks) < began_ns_ / kTickNs;
    known = {met_++, older ? cpu_ns : 0, 0};
  }
  if (sets_clocks_) known.cpu_ns = std::max(known.cpu_ns, cpu_ns);
  parts_.push_back({known.number, grown_s(known.cpu_ns, cpu_ns), Energy{}});
  known.cpu_ns = std::max(known.cpu_ns, cpu_ns);
  known.look = look_;
  return known.number;
}

std::span<const ProcessPart> ProcessDivider::divide(double energy_j, double cpu_s) {
  if (std::exchange(ended_, true)) {
    parts_.clear();
    ++look_;
  }
  sets_clocks_ = false;
  touched_.clear();
  weights_.clear();
  Sum<double> seen;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    if (!(parts_[i].cpu_s > 0)) continue;
    touched_.push_back(i);
    weights_.push_back(parts_[i].cpu_s);
    seen += parts_[i].cpu_s;
  }
  const double unseen = std::max(0.0, cpu_s - seen.value());
  if (seen.value() + unseen > 0) {
    weights_.push_back(unseen);
    divided_.assign(weights_.size(), Energy{});
    meter::divide(energy_j * joule, weights_, divided_);
    for (std::size_t i = 0; i < touched_.size(); ++i) parts_[touched_[i]].energy = divided_[i];
    unseen_ += divided_.back();
    unseen_cpu_ += unseen;
  } else {
    waiting_ += energy_j;
  }
  return parts_;
}

void ProcessDivider::forget_absent() {
  if (known_.size() == parts_.size()) return;
  std::erase_if(known_, [&](const auto& entry) { return entry.second.look != look_; });
}

RunningAttribution::RunningAttribution(const ledger::MeasurementBegin& begin)
    : splitter_(begin),
      attributor_(begin),
      divider_(begin),
      static_power_(
          recorded_static_power(begin.facts_json, "static_power_w").value_or(meter::StaticPower{})),
      stand_in_power_(recorded_static_power(begin.facts_json, "stand_in_static_power_w")) {}

std::span<const IntervalShare> RunningAttribution::sample(const ledger::MeasurementSample& now) {
  const Step* const step = splitter_.sample(now);
  if (step == nullptr) return {};
  learn(static_power_, *step);
  stood_in_ = stood_in_ || step->stood_in;
  const std::span<const IntervalShare> shares = attributor_.add(*step, static_power().watts());
  accelerator_ += step->accelerator_j;
  ended_.assign(shares.begin(), shares.end());
  return ended_;
}

const meter::StaticPower& RunningAttribution::static_power() const noexcept {
  const bool unknown = static_power_.samples() == 0 && !static_power_.is_given();
  return unknown && stood_in_ && stand_in_power_ ? *stand_in_power_ : static_power_;
}

void RunningAttribution::settle(const TakeParts& take) {
  if (splitter_.open() > 0) return;
  for (const Waiting& w : std::exchange(waiting_, {})) {
    divide(w.look, ended_[w.interval - 1], take);
  }
}

void RunningAttribution::look(std::span<const meter::ProcessUse> now, const TakeParts& take) {
  const std::uint64_t hash = look_hash(now);
  if (now.empty() || look_hash_ == hash) return;
  look_hash_ = hash;
  if (const std::size_t open = splitter_.open(); open > 0) {
    waiting_.push_back({open, {now.begin(), now.end()}});
  } else {
    divide(now, attributor_.last(), take);
  }
}

void RunningAttribution::divide(std::span<const meter::ProcessUse> now, const IntervalShare& until,
                                const TakeParts& take) {
  for (const meter::ProcessUse& p : now) divider_.see(p.pid, p.start_ticks, p.cpu_ns);
  const std::span<const ProcessPart> parts = divider_.divide(
      until.divided_until_j - std::exchange(divided_until_j_, until.divided_until_j),
      until.cpu_until_s - std::exchange(cpu_until_s_, until.cpu_until_s));
  divider_.forget_absent();
  take(now, parts);
}

}  // namespace carnot::measure
