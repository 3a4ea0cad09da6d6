// SPDX-License-Identifier: Apache-2.0
#include "carnot/measure/measure.hpp"

#include <cstdio>
#include <utility>

#include "carnot/base/error.hpp"

#include "measure/begin.hpp"
#include "measure/loop.hpp"
#include "measure/measure_with.hpp"
#include "measure/sink.hpp"

namespace carnot::measure {

namespace {

bool has_job(const meter::JobOptions& job) {
  return !job.command.empty() || job.pid > 0 || !job.cgroup.empty();
}

meter::JobOutcome outcome_named(const std::string& text) {
  for (const auto outcome : {meter::JobOutcome::Finished, meter::JobOutcome::Failed,
                             meter::JobOutcome::Killed, meter::JobOutcome::Detached})
    if (name(outcome) == text) return outcome;
  throw InternalError("no outcome is called " + text);
}

}  // namespace

MeasureResult detail::result_of(const ledger::MeasurementEnd& end, MeasureSink& sink,
                                const meter::Meter& meter) {
  MeasureResult result;
  result.outcome = outcome_named(end.outcome);
  result.exit_code = end.exit_code;
  result.entries = std::move(sink.entries());
  result.notes = meter.notes();
  if (!sink.trouble().empty())
    result.notes.push_back({"journal", sink.trouble() + "; the rest was kept in memory", ""});
  return result;
}

MeasureResult detail::measure_with(meter::Meter& meter, const MeasureOptions& options,
                                   const MeasureHooks& hooks) {
  if (options.stop_after && *options.stop_after <= Duration{})
    throw InputError("stop_after: must be positive");
  const meter::SourceOptions& roots = options.meter.sources;
  // All that can fail fails before the command starts.
  AdaptiveInterval(options.interval, meter.longest_interval());
  meter::MachineMeter(roots.procfs_root, roots.sysfs_root);
  std::optional<ledger::JournalWriter> journal;
  if (!options.journal.empty())
    journal =
        ledger::JournalWriter::create(options.journal, ledger::JournalWriter::Durable::WhenSynced);
  std::optional<meter::Job> job;
  try {
    if (has_job(options.job)) job.emplace(meter::Job::open(options.job));
  } catch (...) {
    if (journal) std::remove(options.journal.c_str());  // ours, and empty
    throw;
  }

  const ledger::MeasurementBegin begin = begin_of(meter, job ? &*job : nullptr, options);
  MeasureSink sink(std::move(journal), options.keep_entries, options.sync_every);
  sink.append(begin);
  MeasureLoop loop({meter, job ? &*job : nullptr, roots.sysfs_root, roots.procfs_root}, options,
                   hooks, begin, fresh_base(begin.channels.size()), sink);
  loop.sample(true);
  meter.begin();
  if (job) job->release();
  const ledger::MeasurementEnd end = loop.run();
  sink.append(end);
  sink.finish();
  return result_of(end, sink, meter);
}

MeasureResult measure(const MeasureOptions& options, const MeasureHooks& hooks) {
  meter::Meter meter = meter::Meter::open(options.meter);
  return detail::measure_with(meter, options, hooks);
}

MeasureResult resume_measurement(const std::string& journal, const MeasureOptions& options,
                                 const MeasureHooks& hooks) {
  meter::Meter meter = meter::Meter::open(options.meter);
  return detail::resume_with(meter, journal, options, hooks);
}

}  // namespace carnot::measure
