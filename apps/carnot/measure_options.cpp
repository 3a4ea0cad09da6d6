// SPDX-License-Identifier: Apache-2.0
#include "measure_options.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>
#include <string_view>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/estimate.hpp"
#include "carnot/base/instant.hpp"
#include "carnot/base/text.hpp"
#include "carnot/measure/attribution/measurement.hpp"

#include "account_options.hpp"
#include "command.hpp"

namespace carnot::app {

namespace {

using meter::HostFacts;

constexpr std::array<std::pair<std::string_view, std::optional<double> HostFacts::*>, 7> kNumbers =
    {{{"tdp_w", &HostFacts::tdp_w},
      {"chips", &HostFacts::chips},
      {"cores", &HostFacts::cores},
      {"threads", &HostFacts::threads},
      {"memory_gb", &HostFacts::memory_gb},
      {"year", &HostFacts::year},
      {"vcpus", &HostFacts::vcpus}}};

/// `text` as a time: a quantity such as '5 min', or a bare number of seconds.
Duration parse_length(const std::string& text) {
  const auto refuse = [&] {
    return InputError(
        fmt::format("--for: a time above 0 such as '10 s' or '5 min', found `{}`", text));
  };
  double seconds = 0;
  try {
    seconds = text.find_first_not_of("0123456789.") == std::string::npos
                  ? parse_number(text)
                  : parse_as<Time>(text).in(second);
  } catch (const InputError&) {
    throw refuse();
  }
  if (!(seconds > 0) || seconds > 1e9) throw refuse();
  return Duration::from(seconds * second);
}

Duration parse_interval(const std::string& text) {
  double milliseconds = 0;
  try {
    milliseconds = parse_number(text);
  } catch (const InputError&) {
  }
  if (!(milliseconds >= 0.1 && milliseconds <= 3.6e6))
    throw InputError(fmt::format("--interval: milliseconds from 0.1 to 3600000, found `{}`", text));
  return Duration::from(milliseconds * 1e-3 * second);
}

void check_combination(const MeasureCommand& c) {
  const int jobs = (c.job.empty() ? 0 : 1) + (c.pid > 0 ? 1 : 0) + (c.cgroup.empty() ? 0 : 1);
  if (jobs > 1) throw UsageError("one of -- COMMAND, --pid and --cgroup at a time");
  if (!c.job.empty() && !c.length.empty())
    throw UsageError("--for: a command is measured until it ends");
  if (!c.resume.empty() && (jobs > 0 || !c.out.empty()))
    throw UsageError(
        "--resume: the journal says what is measured; no command, --pid, --cgroup, --out");
  if (jobs == 0 && c.length.empty() && c.resume.empty() && c.sources.replay_from.empty() && !c.live)
    throw UsageError(
        "what is to be measured? -- COMMAND, --pid N, --cgroup DIR, or the whole machine with "
        "--for '10 s' or --live");
}

/// What would be refused after the measurement is refused before it.
/// \throws InputError, IoError as model::account
void check_accounting(const model::AccountOptions& o) {
  (void)model::account(Estimate<Energy>(), Instant::now(), Duration{}, std::nullopt, o);
}

}  // namespace

HostFacts parse_host_facts(const std::string& text) {
  HostFacts facts;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view part = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
    const std::size_t equals = part.find('=');
    const std::string_view key = part.substr(0, equals);
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1);
    bool known = key == "vendor" && !value.empty();
    if (known) facts.vendor = value;
    for (const auto& [name, member] : kNumbers) {
      if (name != key || value.empty()) continue;
      facts.*member = parse_number(value);
      known = true;
    }
    if (!known)
      throw InputError(
          fmt::format("--host: KEY=VALUE, comma-separated, with tdp_w, chips, cores, "
                      "threads, memory_gb, year, vendor, vcpus; found `{}`",
                      part));
    facts.sources.push_back(fmt::format("{}: --host", key));
  }
  return facts;
}

meter::MeterOptions meter_options(const meter::SourceOptions& sources, const std::string& host) {
  meter::MeterOptions options;
  options.sources = sources;
  options.host = parse_host_facts(host);
  if (const char* password = std::getenv("CARNOT_REDFISH_PASSWORD"))
    options.sources.redfish_password = password;
  return options;
}

measure::MeasureOptions measure_options(const MeasureCommand& c, const std::string& command_line) {
  check_combination(c);
  if (c.sources.replay_from.empty()) check_accounting(c.accounting);
  measure::MeasureOptions o;
  o.meter = meter_options(c.sources, c.host);
  o.job.command = c.job;
  o.job.pid = c.pid;
  o.job.cgroup = c.cgroup;
  o.job.procfs_root = c.sources.procfs_root;
  if (!c.interval.empty()) o.interval = parse_interval(c.interval);
  if (!c.length.empty()) o.stop_after = parse_length(c.length);
  o.policy = meter::parse_static_policy(c.policy);
  o.command_line = command_line;
  o.show_command = c.show_command;
  o.facts_json = measure::account_facts(c.accounting);
  return o;
}

void add_measure_flags(CLI::App& command, MeasureCommand& c) {
  command.add_option("--pid", c.pid, "Measure this process and what it starts")
      ->check(CLI::Range(1, std::numeric_limits<int>::max()));
  command.add_option("--cgroup", c.cgroup, "Measure this control group (its folder)");
  command.add_option("--for", c.length, "Stop after this time, such as '10 s'");
  command.add_option("--interval", c.interval, "Milliseconds between samples (default: adaptive)");
  command.add_option("--out,-o", c.out, "Write the journal here (default: in the state folder)");
  command.add_flag("--force", c.force, "Replace the journal if it exists");
  command.add_option("--resume", c.resume, "Go on with the journal of an interrupted measurement");
  command.add_flag("--live", c.live, "Show it while it goes on, on a terminal");
  command.add_flag("--list", c.list, "Say what can be measured here, and how to measure more");
  command.add_option("--estimate", c.estimate, "Power model for the hosts of this table (CSV)");
  command.add_option("--experiment", c.experiment,
                     "A series: power against load, energy and memory against batch, energy x time "
                     "against frequency (the clock rate)");
  command.add_option("--sweep", c.sweep,
                     "A series of your own: batch=16,64,256, and {batch} in the command");
  command.add_option("--values", c.values, "Values of --experiment instead of its own");
  command.add_option("--rounds", c.rounds, "Times each value of a series is measured")
      ->check(CLI::Range(1, 1000));
  command.add_option("--html", c.html, "Write the report page here");
  command.add_option("--csv", c.csv, "Write one row an interval here");
  command.add_option("--store", c.store, "Load the measurement into this SQLite file");

  command.add_option("--static-policy", c.policy,
                     "Who pays for power at rest: capacity, busy, whole, none");
  add_account_options(command, c.accounting);

  command.add_flag("--show-command", c.show_command,
                   "Record and show the words of the command, which may hold secrets");
  add_source_flags(command, c.sources, c.host);
}

void add_source_flags(CLI::App& command, meter::SourceOptions& s, std::string& host) {
  command.add_option("--host", host, "Facts for the power model: tdp_w=280,chips=2,...");
  command.add_option("--sysfs-root", s.sysfs_root, "Folder that stands for /sys");
  command.add_option("--procfs-root", s.procfs_root, "Folder that stands for /proc");
  command.add_option("--nvml", s.nvml, "NVML library to load; none: do not look");
  command.add_option("--amd-smi", s.amd_smi, "AMD SMI library to load; none: do not look");
  command.add_flag("--msr", s.msr, "Also try /dev/cpu/N/msr");
  command.add_flag("--ipmi", s.ipmi, "Also ask the BMC through /dev/ipmi0");
  command.add_option("--redfish", s.redfish, "Also ask this Redfish service, such as https://bmc");
  command.add_option("--redfish-user", s.redfish_user,
                     "Its user; password in CARNOT_REDFISH_PASSWORD");
  command.add_option("--external", s.external,
                     "Also read a meter at the plug: a file that grows, or the http address of a "
                     "Shelly, Tasmota or HomeWizard plug");
  command.add_option("--record", s.record_to, "Copy every reading to this file");
  command.add_option("--replay", s.replay_from, "Read these readings instead of the machine's");
}

}  // namespace carnot::app
