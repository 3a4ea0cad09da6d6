// SPDX-License-Identifier: Apache-2.0
#include "measure/begin.hpp"

#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"
#include "carnot/base/shareable.hpp"
#include "carnot/base/version.hpp"

namespace carnot::measure::detail {

namespace {

using Json = nlohmann::ordered_json;

ledger::MeasurementChannel recorded(const meter::Channel& channel) {
  const meter::Domain& domain = channel.domain;
  ledger::MeasurementChannel c;
  c.id = domain.id;
  c.label = domain.label;
  c.source = domain.source;
  c.kind = name(domain.kind);
  c.role = name(channel.role);
  c.of = channel.of;
  c.origin = name(domain.origin);
  c.boundary = name(domain.boundary);
  c.socket = domain.socket;
  c.device = domain.device;
  c.is_counter = domain.is_counter;
  const meter::Gain& gain = domain.is_counter ? domain.counter.gain : domain.gauge.gain;
  c.gain_low = gain.low;
  c.gain_high = gain.high;
  if (domain.is_counter) {
    c.unit_j = domain.counter.unit.in(joule);
    c.step = domain.counter.step;
    c.update_period_ns = domain.counter.update_period.nanoseconds();
    c.power_cap_w = domain.counter.power_cap.in(watt);
  } else {
    c.unit_j = kGaugeUnit_j;
    c.update_period_ns = domain.gauge.update_period.nanoseconds();
    c.power_cap_w = domain.gauge.power_cap.in(watt);
  }
  return c;
}

/// A word as a shell reads it back, for people.
std::string shown(const std::string& word) {
  if (!word.empty() && word.find_first_of(" \t\n\"'\\$`*?;&|<>()") == std::string::npos)
    return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + '\'';
}

std::string job_words(const meter::JobOptions& job, bool whole) {
  if (!job.command.empty()) {
    if (!whole) return shareable_program(job.command);
    std::string words;
    for (const std::string& word : job.command) words += (words.empty() ? "" : " ") + shown(word);
    return words;
  }
  if (job.pid > 0) return fmt::format("pid {}", job.pid);
  return job.cgroup.empty() ? "machine" : "cgroup " + job.cgroup;
}

std::string facts_of(const meter::Meter& meter, const std::string& given) {
  Json facts = given.empty() ? Json::object() : Json::parse(given, nullptr, false);
  if (!facts.is_object()) throw InputError("facts_json: a JSON object is wanted");
  Json& notes = facts["notes"] = Json::array();
  for (const meter::Note& note : meter.notes())
    notes.push_back({{"what", note.what}, {"why", note.why}, {"remedy", note.remedy}});
  if (const meter::StaticPower rest = meter.static_power(); rest.is_given()) {
    const Estimate<Power> power = rest.value();
    facts["static_power_w"] = {{"value", power.value().in(watt)},
                               {"low", power.low().in(watt)},
                               {"high", power.high().in(watt)}};
  }
  for (const meter::Channel& channel : meter.channels()) {
    if (channel.role != meter::Role::StandIn || !channel.domain.at_rest) continue;
    const meter::PowerBand& rest = *channel.domain.at_rest;
    facts["stand_in_static_power_w"] = {
        {"value", rest.value.in(watt)}, {"low", rest.low.in(watt)}, {"high", rest.high.in(watt)}};
  }
  Json& reasons = facts["reasons"] = Json::object();
  for (const meter::Channel& channel : meter.channels())
    if (!channel.reason.empty()) reasons[channel.domain.id] = channel.reason;
  return facts.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string contents(const std::string& path) {
  try {
    return read_file(path);
  } catch (const IoError&) {
    return "";
  }
}

}  // namespace

std::string boot_id(const std::string& procfs_root) {
  std::string id = contents(procfs_root + "/sys/kernel/random/boot_id");
  while (!id.empty() && id.back() == '\n') id.pop_back();
  return id;
}

std::uint64_t start_ticks(int pid, const std::string& procfs_root) {
  const std::string stat = contents(fmt::format("{}/{}/stat", procfs_root, pid));
  std::size_t at = stat.rfind(')');  // the name before it may hold anything
  constexpr int kFieldsBefore = 20;  // from the state, field 3, to starttime, field 22
  for (int i = 0; i < kFieldsBefore && at != std::string::npos; ++i) at = stat.find(' ', at + 1);
  std::uint64_t ticks = 0;
  if (at != std::string::npos)
    std::from_chars(stat.data() + at + 1, stat.data() + stat.size(), ticks);
  return ticks;
}

ledger::MeasurementBegin begin_of(const meter::Meter& meter, const meter::Job* job,
                                  const MeasureOptions& options) {
  const std::string& procfs_root = options.meter.sources.procfs_root;
  ledger::MeasurementBegin begin;
  begin.carnot_version = kVersion;
  begin.command = options.command_line;
  begin.job = job_words(options.job, options.show_command);
  begin.static_policy = name(options.policy);
  begin.boot_id = boot_id(procfs_root);
  begin.started = Instant::now();
  const meter::Stamp now = meter.clock().now();
  begin.monotonic_ns = now.monotonic_ns;
  begin.boottime_ns = now.boottime_ns;
  if (job) {
    begin.job_method = name(job->method());
    begin.pid = job->pid();
    if (job->pid() > 0) begin.pid_start_ticks = start_ticks(job->pid(), options.job.procfs_root);
    begin.cgroup = job->cgroup();
  }
  begin.facts_json = facts_of(meter, options.facts_json);
  for (const meter::Channel& channel : meter.channels())
    begin.channels.push_back(recorded(channel));
  return begin;
}

}  // namespace carnot::measure::detail
