// SPDX-License-Identifier: Apache-2.0
#include "carnot/measure/attribution/measurement.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/sum.hpp"
#include "carnot/ledger/store/measurement_view.hpp"

#include "measure/attribution/attribute.hpp"
#include "measure/attribution/channel_energy.hpp"
#include "measure/attribution/clock_ticks.hpp"
#include "measure/attribution/facts.hpp"

namespace carnot::measure {

namespace {

constexpr double kConserved = 1e-9;  // relative

double seconds_since(std::int64_t at_ns, std::int64_t origin_ns) {
  return kSecond * static_cast<double>(at_ns - origin_ns);
}

void take_words(Measurement& m, const ledger::MeasurementView& view) {
  const ledger::MeasurementBegin& begin = *view.begin;
  m.carnot_version = begin.carnot_version;
  m.command = begin.command;
  m.job = begin.job;
  m.job_method = begin.job_method;
  m.static_policy = begin.static_policy;
  m.started = begin.started.iso8601();
  m.complete = view.end != nullptr;
  m.outcome = m.complete ? view.end->outcome : "unfinished";
  m.exit_code = m.complete ? view.end->exit_code : 0;
  m.samples = view.samples.size();
  const std::int64_t origin =
      view.samples.empty() ? begin.boottime_ns : view.samples.front()->boottime_ns;
  for (const ledger::MeasurementGap* gap : view.gaps) {
    m.gaps.push_back({seconds_since(gap->from_boottime_ns, origin),
                      seconds_since(gap->to_boottime_ns, origin), gap->channel, gap->why});
  }
  m.notes = recorded_notes(begin.facts_json);
  if (!m.complete) {
    m.notes.emplace_back("it was cut short: figures are up to the last sample", "");
  }
}

void take_use(Measurement& m, const ledger::MeasurementView& view) {
  if (view.samples.empty()) return;
  const ledger::MeasurementSample &first = *view.samples.front(), &last = *view.samples.back();
  m.duration_s = seconds_since(last.boottime_ns, first.boottime_ns);
  m.meter_cpu_s = kSecond * static_cast<double>(last.meter_cpu_ns);
  m.cpu_s = m.job_method.empty() ? seconds_since(last.machine_busy_ns, first.machine_busy_ns)
                                 : kSecond * static_cast<double>(last.job_cpu_ns);
  m.peak_rss_b = last.job_peak_rss_b;
  m.disk_read_b = last.job_disk_read_b;
  m.disk_write_b = last.job_disk_write_b;
  m.net_b = last.machine_net_b > first.machine_net_b ? last.machine_net_b - first.machine_net_b : 0;
}

/// Channels in the order shown: counted ones first. A stand-in that was not needed is not shown.
std::vector<std::size_t> shown_order(const MeasuredEnergy& energy) {
  std::vector<std::size_t> order;
  for (const bool counted : {true, false}) {
    for (std::size_t c = 0; c < energy.channels().size(); ++c) {
      const ChannelEnergy& channel = energy.channels()[c];
      if (channel.counted() == counted && (counted || !channel.stands_in())) order.push_back(c);
    }
  }
  return order;
}

void take_domains(Measurement& m, const ledger::MeasurementView& view, const MeasuredEnergy& energy,
                  std::int64_t from_ns, std::int64_t to_ns) {
  const std::map<std::string, std::string> reasons = recorded_reasons(view.begin->facts_json);
  for (const std::size_t c : shown_order(energy)) {
    const ledger::MeasurementChannel& channel = view.begin->channels[c];
    const ChannelEnergy& own = energy.channels()[c];
    const auto recorded = reasons.find(channel.id);
    std::string role = channel.role, reason = recorded == reasons.end() ? "" : recorded->second;
    if (own.stands_in()) {
      role = "counted";
      reason = "the sensors of the processors said nothing for a time";
    } else if (role == "counted" && !own.counted()) {
      role = "beside";
      reason = "it said nothing: the power model counts";
    }
    m.domains.push_back({channel.id, channel.label, channel.kind, role, channel.source, reason,
                         own.between(from_ns, to_ns, own.boundary())});
  }
}

void take_rows(Measurement& m, const Attribution& parts) {
  const ProcessShares& shares = parts.processes;
  const bool whole_machine = m.job_method.empty();
  m.processes = shares.rows;
  const auto add = [&](const char* name, double cpu_s, double joules) {
    if (joules > 0 || cpu_s > 0) m.processes.push_back({0, name, cpu_s, joules * joule});
  };
  if (!whole_machine) {
    add("ended unseen", shares.unseen_cpu_s, shares.unseen_j);
    add("job, waiting", 0, shares.waiting_j);
    add("other processes", 0, parts.others_j);
  }
  add("accelerators, not the job's", 0, parts.accelerator_j);
  add("idle machine", 0, parts.idle_j);
  Sum<Energy> named;
  for (const MeasuredProcess& row : m.processes) named += row.energy;
  const Energy total = m.machine_energy.value();
  const Energy stated =
      (whole_machine ? shares.unseen_j + shares.waiting_j : parts.unattributed_j) * joule;
  // The row that makes the sum exact is also known by itself: the two must agree.
  const Energy rest = total - named.value();
  CARNOT_CHECK(abs(rest - stated) <= kConserved * total,
               fmt::format("attribution conserves energy: {} J are left, {} J unattributed",
                           rest.in(joule), stated.in(joule)));
  m.processes.push_back(
      {0, "unattributed", whole_machine ? shares.unseen_cpu_s : 0.0, max(rest, Energy{})});
}

void take_series(Measurement& m, const ledger::MeasurementView& view, const MeasuredEnergy& energy,
                 const Attribution& parts) {
  const std::vector<std::size_t> order = shown_order(energy);
  MeasuredSeries& s = m.series;
  s.by_domain_w.resize(order.size());
  for (std::size_t i = 0; i < energy.intervals(); ++i) {
    const double length = energy.awake_s(i);
    if (!(length > 0)) continue;
    const ledger::MeasurementSample &a = *view.samples[i], &b = *view.samples[i + 1];
    const double busy = grown_s(a.machine_busy_ns, b.machine_busy_ns);
    const double capacity = busy + grown_s(a.machine_idle_ns, b.machine_idle_ns) +
                            grown_s(a.machine_steal_ns, b.machine_steal_ns);
    const double machine_w = energy.counted_joules(i) / length;
    s.at_s.push_back(energy.start_s(i));
    s.length_s.push_back(length);
    s.machine_w.push_back(machine_w);
    s.static_w.push_back(std::min(machine_w, parts.static_power.value().in(watt)));
    s.job_w.push_back(parts.job_j[i] / length);
    s.busy_share.push_back(capacity > 0 ? busy / capacity : 0.0);
    s.job_cpus.push_back((m.job_method.empty() ? busy : grown_s(a.job_cpu_ns, b.job_cpu_ns)) /
                         length);
    s.frequency_hz.push_back(b.frequency_hz);
    for (std::size_t d = 0; d < order.size(); ++d) {
      s.by_domain_w[d].push_back(energy.channels()[order[d]].joules(i) / length);
    }
  }
}

/// The job's power over time, for carbon by the hour.
std::optional<TraceCore> job_power(const ledger::MeasurementView& view, const Attribution& parts) {
  std::vector<Instant> edges;
  std::vector<double> mean;
  for (std::size_t i = 0; i + 1 < view.samples.size(); ++i) {
    const std::int64_t from = view.samples[i]->boottime_ns, to = view.samples[i + 1]->boottime_ns;
    if (to <= from) continue;
    const auto instant = [&](std::int64_t at) {
      return view.begin->started + Duration::nanoseconds(at - view.begin->boottime_ns);
    };
    if (edges.empty()) edges.push_back(instant(from));
    edges.push_back(instant(to));
    mean.push_back(parts.job_j[i] / seconds_since(to, from));
  }
  if (mean.empty()) return std::nullopt;
  return TraceCore(std::move(edges), std::move(mean));
}

}  // namespace

Measurement summarise_measurement(const std::vector<ledger::Entry>& entries,
                                  const model::AccountOptions& options) {
  const ledger::MeasurementView view = ledger::view_measurement(entries);
  Measurement m;
  take_words(m, view);
  take_use(m, view);
  const meter::StaticPolicy policy = meter::parse_static_policy(m.static_policy);
  const MeasuredEnergy energy(view);
  const std::int64_t from_ns = view.samples.empty() ? 0 : view.samples.front()->boottime_ns;
  const std::int64_t to_ns = view.samples.empty() ? 0 : view.samples.back()->boottime_ns;
  m.machine_energy = energy.between(from_ns, to_ns);
  const Attribution parts = attribute(view, energy, m.machine_energy, policy);
  m.energy = parts.job;
  if (m.duration_s > 0) m.power = Estimate<Power>((1.0 / m.duration_s * m.energy).core());
  m.static_power = parts.static_power;
  m.static_energy = min(parts.static_j * joule, m.machine_energy.value());
  m.dynamic_energy = m.machine_energy.value() - m.static_energy;
  if (parts.unknown_accelerator_j > 0)
    m.notes.emplace_back(
        "accelerators: they name processes that cannot be told here (a container without the "
        "host's process numbers, MIG, MPS): the job's part is from 0 to all that those spent",
        "docker run --pid=host ..., or --static-policy whole if the job has the machine to itself");
  take_domains(m, view, energy, from_ns, to_ns);
  take_rows(m, parts);
  for (const ledger::MeasurementWindow* w : view.windows) {
    m.windows.push_back(
        {w->label, seconds_since(w->from_boottime_ns, from_ns),
         seconds_since(w->to_boottime_ns, from_ns),
         energy.between(w->from_boottime_ns, w->to_boottime_ns),
         (job_until(view, parts, w->to_boottime_ns) - job_until(view, parts, w->from_boottime_ns)) *
             joule});
  }
  take_series(m, view, energy, parts);
  m.account =
      model::account(m.energy, view.begin->started, Duration::from(m.duration_s * second),
                     options.carbon_trace.empty() ? std::nullopt : job_power(view, parts), options);
  if (m.duration_s > 0)
    m.facility_power = Estimate<Power>((1.0 / m.duration_s * m.account.facility).core());
  return m;
}

}  // namespace carnot::measure
