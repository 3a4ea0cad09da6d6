// SPDX-License-Identifier: Apache-2.0
#include "report/measure/attribute.hpp"

#include <algorithm>
#include <cmath>

#include "carnot/base/sum.hpp"

#include "report/measure/measurement_facts.hpp"
#include "report/measure/process_shares.hpp"

namespace carnot::report {

namespace {

constexpr double kSecond = 1e-9;
constexpr double kTick = 0.01;        // of /proc: 100 a second on every Linux
constexpr double kStep = 10 * kTick;  // shorter, and ticks say more than load

/// Consecutive intervals, long enough that CPU ticks can be trusted.
struct Step {
  std::size_t first = 0, last = 0;  ///< intervals [first, last)
  double length_s = 0;
  meter::CpuUse use;
  double host_j = 0;         ///< counted, accelerators left out
  double accelerator_j = 0;  ///< counted
  double job_accelerator_j = 0;
  double unknown_accelerator_j = 0;  ///< may be the job's, too
  bool whole = true;                 ///< nothing of the host unobserved
};

double grown(std::int64_t earlier, std::int64_t later) {
  return kSecond * static_cast<double>(std::max<std::int64_t>(0, later - earlier));
}

std::vector<Step> steps_of(const ledger::MeasurementView& view, const MeasuredEnergy& energy,
                           bool whole_machine) {
  std::vector<Step> steps;
  for (std::size_t i = 0; i < energy.intervals(); ++i) {
    if (steps.empty() || steps.back().length_s >= kStep) {
      steps.emplace_back();
      steps.back().first = i;
    }
    Step& step = steps.back();
    step.last = i + 1;
    step.length_s += energy.awake_s(i);
    const ledger::MeasurementSample &a = *view.samples[i], &b = *view.samples[i + 1];
    const double busy = grown(a.machine_busy_ns, b.machine_busy_ns);
    step.use.busy_s += busy;
    step.use.capacity_s += busy + grown(a.machine_idle_ns, b.machine_idle_ns) +
                           grown(a.machine_steal_ns, b.machine_steal_ns);
    step.use.job_s += whole_machine ? busy : grown(a.job_cpu_ns, b.job_cpu_ns);
    for (const ChannelEnergy& channel : energy.channels()) {
      if (!channel.counted()) continue;
      const double joules = channel.joules(i);
      if (channel.accelerator()) {
        step.accelerator_j += joules;
        step.job_accelerator_j += joules * channel.share(i);
        step.unknown_accelerator_j += joules * channel.unknown_share(i);
      } else {
        step.host_j += joules;
        step.whole = step.whole && !channel.unobserved(i) && !(channel.stands_in() && joules > 0);
      }
    }
  }
  // A job's group counts to the nanosecond, the machine in ticks: what the job used was used.
  for (Step& step : steps) {
    step.use.busy_s = std::max(step.use.busy_s, step.use.job_s);
    step.use.capacity_s = std::max(step.use.capacity_s, step.use.busy_s);
  }
  return steps;
}

meter::StaticPower learn(const std::vector<Step>& steps) {
  meter::StaticPower power;
  for (const Step& step : steps) {
    if (!step.whole || step.length_s < kStep / 2 || !(step.use.capacity_s > 0)) continue;
    power.add(step.use.busy_s / step.use.capacity_s, step.host_j / step.length_s * watt,
              Duration::from(step.length_s * second));
  }
  return power;
}

meter::Split split(const Step& step, Power static_power, meter::StaticPolicy policy) {
  return meter::split(step.host_j * joule, static_power, Duration::from(step.length_s * second),
                      step.use, policy);
}

double job_part(const Step& step, const meter::Split& parts, meter::StaticPolicy policy) {
  const double accelerators =
      policy == meter::StaticPolicy::Whole ? step.accelerator_j : step.job_accelerator_j;
  return parts.job_static.in(joule) + parts.job_dynamic.in(joule) + accelerators;
}

/// What the job's energy would be at another static power.
double job_at(const std::vector<Step>& steps, Power static_power, meter::StaticPolicy policy) {
  Sum<double> job;
  for (const Step& step : steps) {
    job += job_part(step, split(step, static_power, policy), policy);
  }
  return job.value();
}

/// A tick at each end of CPU time that is read in ticks, at the dynamic power of a busy second.
double ticks_j(const std::vector<Step>& steps, const ledger::MeasurementView& view,
               double dynamic_j) {
  if (view.begin->job_method.starts_with("cgroup")) return 0.0;
  Sum<double> busy;
  for (const Step& step : steps) busy += step.use.busy_s;
  return busy.value() > 0 ? std::sqrt(2.0) * kTick * dynamic_j / busy.value() : 0.0;
}

/// The job's share of busy CPU time.
double cpu_share(const std::vector<Step>& steps) {
  Sum<double> job, busy;
  for (const Step& step : steps) job += step.use.job_s, busy += step.use.busy_s;
  return busy.value() > 0 ? std::min(1.0, job.value() / busy.value()) : 0.0;
}

/// \param cpu_share  divides what may have gone unseen where nothing was seen
Estimate<Energy> job_estimate(double job_j, double cpu_share, const Estimate<Energy>& machine,
                              double static_low_j, double static_high_j, double tick_j) {
  const double total = machine.value().in(joule);
  const double part = total > 0 ? std::clamp(job_j / total, 0.0, 1.0) : cpu_share;
  Estimate<Energy> job = part * machine;
  double used = (job.value() - job.low()).in(joule);
  const auto widen = [&](double down, double up, const char* cause) {
    down = within(job_j, used, down);
    used = std::hypot(used, down);
    job = job + Estimate<Energy>(Energy{}, -down * joule, up * joule, machine.origin(),
                                 machine.boundary(), cause, {});
  };
  widen(job_j - std::min(static_low_j, job_j), std::max(static_high_j, job_j) - job_j,
        "static power");
  widen(tick_j, tick_j, "clock ticks");
  return job;
}

}  // namespace

Attribution attribute(const ledger::MeasurementView& view, const MeasuredEnergy& energy,
                      const Estimate<Energy>& machine, meter::StaticPolicy policy) {
  const bool whole_machine = view.begin->job_method.empty();
  const std::vector<Step> steps = steps_of(view, energy, whole_machine);
  Attribution out;
  const meter::StaticPower learned = learn(steps);
  auto known = recorded_static_power(view.begin->facts_json);
  // Where the stand-in alone has counted, power at rest is the model's too.
  if (!known && learned.samples() == 0 &&
      std::any_of(energy.channels().begin(), energy.channels().end(),
                  [](const auto& c) { return c.stands_in() && c.counted(); }))
    known = recorded_static_power(view.begin->facts_json, "stand_in_static_power_w");
  out.static_power = known.value_or(learned).value(energy.boundary());
  out.job_j.assign(energy.intervals(), 0.0);
  out.job_until_j.assign(view.samples.size(), 0.0);
  // What the processes divide, and by which CPU time; both cumulative.
  std::vector<double> divided_j(view.samples.size(), 0.0), cpu_s(view.samples.size(), 0.0);
  Sum<double> static_j, dynamic, others, idle, accelerators, unattributed, job, divided, cpu;
  for (const Step& step : steps) {
    const meter::Split parts = split(step, out.static_power.value(), policy);
    const double step_j = step.host_j + step.accelerator_j;
    double mine = job_part(step, parts, policy), shared = mine;
    static_j += parts.static_energy.in(joule);
    dynamic += parts.dynamic_energy.in(joule);
    if (whole_machine) {
      mine = step_j;
      shared = parts.dynamic_energy.in(joule);
      idle += parts.static_energy.in(joule);
      accelerators += step.accelerator_j;
    } else {
      others += parts.others.in(joule);
      idle += parts.idle.in(joule);
      unattributed += parts.unattributed.in(joule);
      if (policy != meter::StaticPolicy::Whole) {
        accelerators += step.accelerator_j - step.job_accelerator_j;
      }
    }
    for (std::size_t i = step.first; i < step.last; ++i) {
      const double part = step_j > 0 ? energy.counted_joules(i) / step_j : 0.0;
      out.job_j[i] = part * mine;
      job += part * mine;
      divided += part * shared;
      const ledger::MeasurementSample &a = *view.samples[i], &b = *view.samples[i + 1];
      cpu += whole_machine ? grown(a.machine_busy_ns, b.machine_busy_ns)
                           : grown(a.job_cpu_ns, b.job_cpu_ns);
      out.job_until_j[i + 1] = job.value();
      divided_j[i + 1] = divided.value();
      cpu_s[i + 1] = cpu.value();
    }
  }
  out.static_j = static_j.value();
  out.others_j = others.value();
  out.idle_j = idle.value();
  out.accelerator_j = accelerators.value();
  out.unattributed_j = unattributed.value();
  out.job = machine;
  if (!whole_machine) {
    const double low = job_at(steps, out.static_power.low(), policy);
    const double high = job_at(steps, out.static_power.high(), policy);
    out.job = job_estimate(job.value(), cpu_share(steps), machine, std::min(low, high),
                           std::max(low, high), ticks_j(steps, view, dynamic.value()));
    Sum<double> unknown;
    for (const Step& step : steps) unknown += step.unknown_accelerator_j;
    out.unknown_accelerator_j = policy == meter::StaticPolicy::Whole ? 0.0 : unknown.value();
    if (out.unknown_accelerator_j > 0)
      out.job = out.job + Estimate<Energy>(Energy{}, Energy{}, out.unknown_accelerator_j * joule,
                                           machine.origin(), machine.boundary(),
                                           "accelerators: whose they are", {});
  }
  out.processes = process_shares(view, divided_j, cpu_s);
  return out;
}

double job_until(const ledger::MeasurementView& view, const Attribution& attribution,
                 std::int64_t at_ns) {
  const auto& samples = view.samples;
  if (samples.empty() || at_ns <= samples.front()->boottime_ns) return 0.0;
  if (at_ns >= samples.back()->boottime_ns) return attribution.job_until_j.back();
  const auto after =
      std::upper_bound(samples.begin(), samples.end(), at_ns,
                       [](std::int64_t t, const auto* s) { return t < s->boottime_ns; });
  const auto i = static_cast<std::size_t>(after - samples.begin());
  const double share = static_cast<double>(at_ns - samples[i - 1]->boottime_ns) /
                       static_cast<double>(samples[i]->boottime_ns - samples[i - 1]->boottime_ns);
  return std::lerp(attribution.job_until_j[i - 1], attribution.job_until_j[i], share);
}

}  // namespace carnot::report
