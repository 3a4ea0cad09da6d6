// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Measuring a command, a process tree, a control group or the machine: meter and job sampled
/// together, every sample in the journal, until the job ends or the caller says stop.
///
/// The interval between samples adapts: it starts at 10 ms, doubles while power and load stand
/// still (up to 1 s) and halves when they move; never longer than the counters allow
/// (`Meter::longest_interval`). The carnot process's own CPU time is part of every sample.
///
/// Killed at any moment, the journal holds all but the current interval; `resume_measurement` goes
/// on: counters kept counting, so in the same boot the energy of the time in between is exact and
/// marked as a gap of attribution. No signals, no lock files but the journal's own, no sockets.

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "carnot/base/instant.hpp"
#include "carnot/ledger/entry/entry.hpp"
#include "carnot/meter/meter.hpp"

namespace carnot::measure {

struct MeasureOptions {
  meter::MeterOptions meter;
  meter::JobOptions job;             ///< no command, pid or cgroup: the whole machine
  std::optional<Duration> interval;  ///< fixed; empty: adaptive
  std::optional<Duration> stop_after;
  meter::StaticPolicy policy = meter::StaticPolicy::Capacity;
  std::string journal;  ///< empty: entries are only kept in memory
  Duration sync_every =
      Duration::seconds(10);  ///< fdatasync; a killed process loses nothing anyway
  std::string command_line;   ///< of carnot, for the ledger
  bool show_command = false;  ///< record the job's words; else its name and how many they are
  std::string facts_json;     ///< accounting options, for the report
  bool keep_entries = true;   ///< in `MeasureResult::entries`; else only the journal has them, up
                              ///< to where it could be written
};

/// What a caller sees after every sample (live view, exporter); valid during the call.
struct MeasureView {
  const ledger::MeasurementBegin& begin;
  const ledger::MeasurementSample& sample;
  const meter::Meter& meter;
  std::span<const meter::ProcessUse> processes;  ///< of the job, as last looked
};

struct MeasureHooks {
  std::function<void(const MeasureView&)> on_sample;  ///< may be empty
  std::function<bool()> stop;                         ///< asked between samples; true: stop looking
};

struct MeasureResult {
  meter::JobOutcome outcome = meter::JobOutcome::Finished;
  int exit_code = 0;
  std::vector<ledger::Entry> entries;  ///< all, or (keep_entries false) those the journal has not
  std::vector<meter::Note> notes;      ///< of the meter, and what went wrong with the journal
};

/// \throws InputError, IoError, DeviceError; the job is never left stopped
MeasureResult measure(const MeasureOptions& options, const MeasureHooks& hooks = {});

/// Goes on with an interrupted measurement: attaches to its process or group if alive, appends.
/// \throws InputError if the journal holds none, or an ended one
MeasureResult resume_measurement(const std::string& journal, const MeasureOptions& options,
                                 const MeasureHooks& hooks = {});

}  // namespace carnot::measure
