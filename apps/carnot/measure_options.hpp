// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What `carnot measure` was asked.

#include <optional>
#include <string>
#include <vector>

#include "carnot/measure/measure.hpp"
#include "carnot/model/footprint/accounting.hpp"

namespace CLI {
class App;
}

namespace carnot::app {

struct MeasureCommand {
  std::vector<std::string> job;
  int pid = 0;
  std::string cgroup, length, interval, out, resume, policy = "capacity", host;
  std::string html, csv, store, estimate;
  std::string experiment, sweep, values;
  int rounds = 1;
  bool force = false, live = false, list = false, show_command = false;
  meter::SourceOptions sources;
  model::AccountOptions accounting;

  bool attaches() const { return pid > 0 || !cgroup.empty(); }
  bool has_job() const { return !job.empty() || attaches(); }
};

/// Flags of `carnot measure`.
void add_measure_flags(CLI::App& command, MeasureCommand& c);

/// Flags that say which sensors are asked and what the power model is told; `host` is the text of
/// --host.
void add_source_flags(CLI::App& command, meter::SourceOptions& sources, std::string& host);

/// What is asked of the sensors, and how the password of a BMC is handed over.
/// \throws InputError naming the keys of --host
meter::MeterOptions meter_options(const meter::SourceOptions& sources, const std::string& host);

/// What the library is asked; `journal` is left empty.
/// \throws UsageError for options that do not go together, InputError for values
measure::MeasureOptions measure_options(const MeasureCommand& c, const std::string& command_line);

/// "key=value,key=value" of --host. \throws InputError naming the keys there are
meter::HostFacts parse_host_facts(const std::string& text);

}  // namespace carnot::app
