// SPDX-License-Identifier: Apache-2.0
#include "measure/attribution/attribute.hpp"

#include <algorithm>
#include <cmath>

#include "carnot/base/sum.hpp"
#include "carnot/measure/attribution/attributor.hpp"

#include "measure/attribution/clock_ticks.hpp"
#include "measure/attribution/facts.hpp"
#include "measure/attribution/process_shares.hpp"

namespace carnot::measure {

namespace {

std::vector<Step> steps_of(const ledger::MeasurementView& view) {
  SampleSplitter splitter(*view.begin);
  std::vector<Step> steps;
  for (const ledger::MeasurementSample* sample : view.samples) {
    if (const Step* step = splitter.sample(*sample)) steps.push_back(*step);
  }
  if (const Step* step = splitter.rest()) steps.push_back(*step);
  return steps;
}

meter::StaticPower learned(const std::vector<Step>& steps) {
  meter::StaticPower power;
  for (const Step& step : steps) learn(power, step);
  return power;
}

/// What the job's energy would be at another static power.
double job_at(const std::vector<Step>& steps, Power static_power, meter::StaticPolicy policy) {
  Sum<double> job;
  for (const Step& step : steps) {
    job += job_joules(step, split(step, static_power, policy), policy);
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
  const std::vector<Step> steps = steps_of(view);
  Attribution out;
  const meter::StaticPower from_load = learned(steps);
  auto known = recorded_static_power(view.begin->facts_json, "static_power_w");
  // Where the stand-in alone has counted, power at rest is the model's too.
  if (!known && from_load.samples() == 0 &&
      std::any_of(steps.begin(), steps.end(), [](const Step& step) { return step.stood_in; }))
    known = recorded_static_power(view.begin->facts_json, "stand_in_static_power_w");
  out.static_power = known.value_or(from_load).value(energy.boundary());
  out.job_j.assign(energy.intervals(), 0.0);
  out.job_until_j.assign(view.samples.size(), 0.0);
  // What the processes divide, and by which CPU time; both cumulative.
  std::vector<double> divided_j(view.samples.size(), 0.0), cpu_s(view.samples.size(), 0.0);
  Attributor attributor(*view.begin);
  for (const Step& step : steps) {
    std::size_t i = step.first;
    for (const IntervalShare& share : attributor.add(step, out.static_power.value())) {
      out.job_j[i++] = share.job_j;
      out.job_until_j[i] = share.job_until_j;
      divided_j[i] = share.divided_until_j;
      cpu_s[i] = share.cpu_until_s;
    }
  }
  out.static_j = attributor.static_j();
  out.others_j = attributor.others_j();
  out.idle_j = attributor.idle_j();
  out.accelerator_j = attributor.accelerator_j();
  out.unattributed_j = attributor.unattributed_j();
  out.job = machine;
  if (!whole_machine) {
    const double low = job_at(steps, out.static_power.low(), policy);
    const double high = job_at(steps, out.static_power.high(), policy);
    out.job = job_estimate(attributor.job_j(), cpu_share(steps), machine, std::min(low, high),
                           std::max(low, high), ticks_j(steps, view, attributor.dynamic_j()));
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

}  // namespace carnot::measure
