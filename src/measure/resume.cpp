// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include "carnot/base/error.hpp"
#include "carnot/ledger/store/measurement_view.hpp"

#include "measure/begin.hpp"
#include "measure/loop.hpp"
#include "measure/measure_with.hpp"

namespace carnot::measure::detail {

namespace {

using SampleChannel = ledger::MeasurementSample::Channel;

/// Whether the group was made for the job, and counts nothing but it.
bool made_by_meter(const ledger::MeasurementBegin& begin) {
  return begin.job_method == name(meter::JobMethod::CgroupV2) ||
         begin.job_method == name(meter::JobMethod::CgroupV1);
}

/// The recorded process or group, if it is still there.
std::optional<meter::JobOptions> still_there(const ledger::MeasurementBegin& begin, bool same_boot,
                                             meter::JobOptions options) {
  if (!same_boot) return std::nullopt;
  options.command.clear();
  std::error_code none;
  if (!begin.cgroup.empty() && std::filesystem::is_directory(begin.cgroup, none)) {
    options.cgroup = begin.cgroup;
    options.from_start = made_by_meter(begin);  // its counter began with the measurement
    return options;
  }
  if (begin.pid <= 0 || start_ticks(begin.pid, options.procfs_root) != begin.pid_start_ticks)
    return std::nullopt;
  options.pid = begin.pid;
  return options;
}

/// The last sample as the meter's own state, to be differenced with.
meter::Snapshot snapshot_of(const ledger::MeasurementBegin& begin,
                            const ledger::MeasurementSample& last) {
  meter::Snapshot snapshot;
  snapshot.at = {last.monotonic_ns, last.boottime_ns};
  for (std::size_t i = 0; i < last.channels.size(); ++i) {
    const SampleChannel& c = last.channels[i];
    const ledger::MeasurementChannel& channel = begin.channels[i];
    meter::ChannelState& state = snapshot.channels.emplace_back();
    state.total_raw = c.total;
    state.raw = c.raw;
    state.energy = static_cast<double>(c.total) * channel.unit_j * joule;
    state.low = channel.gain_low * state.energy;
    state.high = channel.gain_high * state.energy;
    state.at = snapshot.at;
    state.unobserved = Duration::nanoseconds(c.unobserved_ns);
    state.status = static_cast<meter::PollStatus>(c.status);
    state.last_step = static_cast<meter::StepKind>(c.step);
  }
  return snapshot;
}

/// Lets the meter go on from the recorded counters. False if they are not the same ones.
bool counters_go_on(meter::Meter& meter, const ledger::MeasurementBegin& begin,
                    const ledger::MeasurementSample& last) {
  std::vector<std::string> ids;
  for (const ledger::MeasurementChannel& channel : begin.channels) ids.push_back(channel.id);
  const auto& channels = meter.channels();
  const bool same = std::equal(ids.begin(), ids.end(), channels.begin(), channels.end(),
                               [](const auto& id, const auto& c) { return id == c.domain.id; });
  if (same) meter.restore(ids, snapshot_of(begin, last));
  return same;
}

/// What the job and carnot had used goes on in any case.
MeasureBase base_of(const ledger::MeasurementSample& last) {
  MeasureBase base = fresh_base(last.channels.size());
  base.add.job_cpu_ns = last.job_cpu_ns;
  base.add.job_disk_read_b = last.job_disk_read_b;
  base.add.job_disk_write_b = last.job_disk_write_b;
  base.add.job_peak_rss_b = last.job_peak_rss_b;
  base.add.meter_cpu_ns = last.meter_cpu_ns;
  return base;
}

/// After a restart of the machine its clocks and counts began anew too. The time it was off is on
/// CLOCK_BOOTTIME alone.
void rebase_machine(MeasureBase& base, const ledger::MeasurementBegin& begin,
                    const ledger::MeasurementSample& last, const meter::Snapshot& now,
                    std::uint64_t net_b) {
  const std::int64_t by_the_clock =
      begin.boottime_ns + Instant::now().unix_nanoseconds() - begin.started.unix_nanoseconds();
  ledger::MeasurementSample& add = base.add;
  add.monotonic_ns = last.monotonic_ns - now.at.monotonic_ns;
  add.boottime_ns = std::max(last.boottime_ns, by_the_clock) - now.at.boottime_ns;
  add.machine_busy_ns = last.machine_busy_ns - now.machine.busy_ns;
  add.machine_idle_ns = last.machine_idle_ns - now.machine.idle_ns;
  add.machine_steal_ns = last.machine_steal_ns - now.machine.steal_ns;
  add.machine_net_b = last.machine_net_b - net_b;
}

/// Counters that began anew, or are others than before: nothing that passed meanwhile is counted.
void rebase_channels(MeasureBase& base, const ledger::MeasurementBegin& begin,
                     const ledger::MeasurementSample& last, const meter::Snapshot& now,
                     const std::vector<meter::Channel>& channels) {
  const std::int64_t away = base.add.monotonic_ns + now.at.monotonic_ns - last.monotonic_ns;
  for (std::size_t i = 0; i < begin.channels.size(); ++i) {
    SampleChannel& add = base.add.channels[i];
    const ledger::MeasurementChannel& recorded = begin.channels[i];
    add = last.channels[i];
    const auto found = std::find_if(channels.begin(), channels.end(), [&](const auto& c) {
      return c.domain.id == recorded.id && c.domain.is_counter == recorded.is_counter;
    });
    if (found == channels.end()) {
      base.channel[i].reset();  // the loop adds the time of each sample
      add.unobserved_ns += base.add.monotonic_ns - last.monotonic_ns;
      continue;
    }
    base.channel[i] = static_cast<std::size_t>(found - channels.begin());
    const meter::ChannelState& state = now.channels[*base.channel[i]];
    add.total -= recorded_total(state, recorded.is_counter);
    add.unobserved_ns += away - state.unobserved.nanoseconds();
  }
}

/// The job ended while nobody looked: so does the measurement, with the last sample.
MeasureResult end_unseen(const ledger::MeasurementSample& last, MeasureSink& sink,
                         const meter::Meter& meter) {
  sink.append(ledger::MeasurementGap{last.boottime_ns, last.boottime_ns, "",
                                     "the meter was stopped here and the job ended unseen"});
  const ledger::MeasurementEnd end{last.monotonic_ns, last.boottime_ns, "detached", 0};
  sink.append(end);
  return result_of(end, sink, meter);
}

}  // namespace

MeasureResult resume_with(meter::Meter& meter, const std::string& path,
                          const MeasureOptions& options, const MeasureHooks& hooks) {
  ledger::JournalContents contents;
  ledger::JournalWriter writer = ledger::JournalWriter::resume(path, contents);
  if (!ledger::is_measurement(contents.entries))
    throw InputError(path + ": nothing to resume: it holds no measurement");
  const ledger::MeasurementView view = ledger::view_measurement(contents.entries);
  if (view.end) throw InputError(path + ": nothing to resume: the measurement has ended");
  if (view.samples.empty())
    throw InputError(path + ": nothing to resume: it was interrupted before its first sample");
  const ledger::MeasurementBegin begin = *view.begin;
  const ledger::MeasurementSample last = *view.samples.back();
  MeasureSink sink(std::move(writer), options.keep_entries, options.sync_every);
  if (options.keep_entries) sink.entries() = std::move(contents.entries);

  const meter::SourceOptions& roots = options.meter.sources;
  const std::string now_boot = boot_id(roots.procfs_root);
  const bool same_boot = !now_boot.empty() && now_boot == begin.boot_id;
  std::optional<meter::Job> job;
  if (!begin.job_method.empty()) {
    const auto found = still_there(begin, same_boot, options.job);
    if (!found) return end_unseen(last, sink, meter);
    job.emplace(meter::Job::open(*found));
  }

  MeasureBase base = base_of(last);
  if (!begin.cgroup.empty() && made_by_meter(begin)) base.add.job_cpu_ns = 0;
  const bool exact = same_boot && counters_go_on(meter, begin, last);
  const meter::Snapshot now = meter.sample();
  if (!same_boot) {
    meter::MachineMeter machine(roots.procfs_root, roots.sysfs_root);
    rebase_machine(base, begin, last, now, machine.traffic().net_b);
  }
  if (!exact) rebase_channels(base, begin, last, now, meter.channels());
  sink.append(ledger::MeasurementGap{
      last.boottime_ns, base.add.boottime_ns + now.at.boottime_ns, "",
      exact ? "the meter was not running: energy is counted, but not who spent it"
            : "the meter was not running and counters did not go on: nothing is counted"});
  MeasureLoop loop({meter, job ? &*job : nullptr, roots.sysfs_root, roots.procfs_root}, options,
                   hooks, begin, base, sink);
  loop.sample(true);
  if (job) job->release();
  ledger::MeasurementEnd end = loop.run();
  if (job) end.outcome = name(meter::JobOutcome::Detached);  // its exit code went to another
  sink.append(end);
  sink.finish();
  return result_of(end, sink, meter);
}

}  // namespace carnot::measure::detail
