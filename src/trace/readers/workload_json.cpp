// SPDX-License-Identifier: Apache-2.0
// Job traces that are JSON documents: Batsim, Philly, Slurm.
#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "carnot/base/error.hpp"

#include "trace/readers/workload_rows.hpp"

namespace carnot::inline trace {

namespace {

using nlohmann::json;

/// A number or a word that is one; -1 where there is none.
double amount(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) return -1.0;
  if (found->is_number()) return found->get<double>();
  if (found->is_string()) return workload_number(found->get_ref<const std::string&>()).value_or(-1);
  // Slurm of 23 on: {"set": true, "infinite": false, "number": 60}
  if (found->is_object() && found->value("set", false) && !found->value("infinite", false))
    return amount(*found, "number");
  return -1.0;
}

std::string word(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) return "";
  if (found->is_string()) return found->get<std::string>();
  if (found->is_array() && !found->empty() && found->front().is_string())
    return found->front().get<std::string>();
  return found->is_number() ? found->dump() : "";
}

// --- Batsim ---

/// Seconds of a profile: a delay, or delays one after the other, some number of times.
double profile_length(const json& profiles, const std::string& name, int depth) {
  const auto found = profiles.find(name);
  if (found == profiles.end() || !found->is_object() || depth > 8) return std::nan("");
  const std::string type = word(*found, "type");
  if (type == "delay") return amount(*found, "delay");
  if (type != "composed" && type != "sequence") return std::nan("");
  const auto parts = found->find("seq");
  if (parts == found->end() || !parts->is_array()) return std::nan("");
  double sum = 0.0;
  for (const json& part : *parts)
    sum += part.is_string()
               ? profile_length(profiles, part.get_ref<const std::string&>(), depth + 1)
               : std::nan("");
  const double repeat = std::max(amount(*found, "repeat"), amount(*found, "nb"));
  return sum * (repeat > 0 ? repeat : 1.0);
}

WorkloadRows read_batsim(const json& document, csv::Report& report) {
  WorkloadRows out;
  const json empty = json::object();
  const json& profiles = document.contains("profiles") ? document["profiles"] : empty;
  std::map<std::string, std::size_t> without_length;
  std::size_t killed = 0;
  std::size_t number = 0;
  for (const json& job : document["jobs"]) {
    ++number;
    if (!job.is_object()) {
      report.add(number, "jobs", "objects with subtime, res and profile");
      continue;
    }
    WorkloadRow row;
    row.line = number;
    row.arrival = std::max(amount(job, "subtime"), amount(job, "submission_time"));
    row.nodes = std::max(amount(job, "res"), amount(job, "requested_resources"));
    if (row.arrival < 0) report.add(number, "subtime", "a number of seconds >= 0");
    if (row.nodes <= 0) report.add(number, "res", "a whole number of resources, 1 or more");
    const std::string profile = word(job, "profile");
    row.length = profiles.is_object() ? profile_length(profiles, profile, 0) : std::nan("");
    if (std::isnan(row.length) || row.length <= 0) {
      const auto found = profiles.find(profile);
      ++without_length[found == profiles.end() || !found->is_object() ? "unknown"
                                                                      : word(*found, "type")];
      ++out.left_out;
      continue;
    }
    row.estimate = std::max(amount(job, "walltime"), amount(job, "requested_time"));
    if (row.estimate <= 0) row.estimate = -1.0;
    if (row.estimate > 0 && row.estimate < row.length) {
      row.length = row.estimate;
      ++killed;
    }
    out.rows.push_back(row);
  }
  out.what = "Batsim, seconds";
  if (killed > 0) out.what += fmt::format("; {} ended at their walltime", killed);
  for (const auto& [type, count] : without_length)
    out.what +=
        fmt::format("; {} of profile type `{}`, whose length needs a platform", count, type);
  return out;
}

// --- Philly ---

/// Reads "2017-10-07 01:04:42"; NaN for "None", null and what is missing.
double date(csv::TimeParser& parser, const json& object, const char* key) {
  const std::string text = word(object, key);
  std::int64_t at = 0;
  std::string why;
  if (text.empty() || text == "None" || !parser.parse(text, at, why)) return std::nan("");
  return 1e-9 * static_cast<double>(at);
}

WorkloadRows read_philly(const json& document, const WorkloadOptions& options,
                         csv::Report& report) {
  WorkloadRows out;
  out.dated = true;
  csv::TimeParser parser(options.zone.empty() ? csv::Zone{true, 0, {}}
                                              : csv::parse_zone(options.zone));
  std::size_t number = 0;
  std::size_t retried = 0;
  for (const json& job : document) {
    ++number;
    if (!job.is_object()) {
      report.add(number, "job", "an object with submitted_time and attempts");
      continue;
    }
    WorkloadRow row;
    row.line = number;
    row.arrival = date(parser, job, "submitted_time");
    row.nodes = 0.0;
    std::size_t runs = 0;
    const auto attempts = job.find("attempts");
    if (attempts != job.end() && attempts->is_array())
      for (const json& attempt : *attempts) {
        if (!attempt.is_object()) continue;
        const double began = date(parser, attempt, "start_time");
        const double ended = date(parser, attempt, "end_time");
        if (std::isnan(began) || std::isnan(ended) || ended <= began) continue;
        if (std::isnan(row.arrival)) row.arrival = began;
        row.length += ended - began;
        ++runs;
        double gpus = 0.0;
        if (const auto detail = attempt.find("detail");
            detail != attempt.end() && detail->is_array())
          for (const json& host : *detail)
            if (host.is_object() && host.contains("gpus") && host["gpus"].is_array())
              gpus += static_cast<double>(host["gpus"].size());
        row.nodes = std::max(row.nodes, gpus);
      }
    retried += runs > 1 ? 1u : 0u;
    if (row.length > 0 && row.nodes > 0 && std::isfinite(row.arrival))
      out.rows.push_back(row);
    else
      ++out.left_out;
  }
  out.what = fmt::format(
      "Philly, dates {}; nodes are GPUs; {} jobs of several attempts run for "
      "their sum",
      options.zone.empty() ? "without a zone taken as UTC" : "in " + options.zone, retried);
  return out;
}

// --- Slurm ---

WorkloadRows read_slurm(const json& document, csv::Report& report) {
  WorkloadRows out;
  out.dated = true;
  std::size_t running = 0;
  std::size_t number = 0;
  for (const json& job : document["jobs"]) {
    ++number;
    if (!job.is_object()) continue;
    const json empty = json::object();
    const json& time = job.contains("time") && job["time"].is_object() ? job["time"] : empty;
    const json& state = job.contains("state") && job["state"].is_object() ? job["state"] : empty;
    const std::string now = word(state, "current");
    if (now == "RUNNING" || now == "SUSPENDED") {
      ++running;
      continue;
    }
    WorkloadRow row;
    row.line = number;
    row.arrival = amount(time, "submission");
    row.length = amount(time, "elapsed");
    row.nodes = amount(job, "allocation_nodes");
    const double minutes = amount(time, "limit");
    if (minutes > 0) row.estimate = 60.0 * minutes;
    row.failed = is_failed_state(now);
    std::string task;
    if (const auto array = job.find("array"); array != job.end() && array->is_object()) {
      const double of = amount(*array, "job_id"), number_in = amount(*array, "task_id");
      if (of > 0 && number_in >= 0) {
        row.array = out.ties.keys.of(fmt::format("{:.0f}", of));
        task = fmt::format("{:.0f}", number_in);
        row.key = out.ties.keys.of(fmt::format("{:.0f}_{}", of, task));
        const json* at = &*array;
        for (const char* key : {"limits", "max", "running"}) {
          const auto next = at->find(key);
          at = next != at->end() && next->is_object() ? &*next : &empty;
        }
        if (const double most = amount(*at, "tasks"); most >= 1) out.ties.at_once[row.array] = most;
      }
    }
    if (row.key == 0 && !word(job, "job_id").empty())
      row.key = out.ties.keys.of(word(job, "job_id"));
    if (row.length > 0 && row.nodes > 0 && row.arrival > 0 &&
        !read_dependency(word(job, "dependency"), out.rows.size(), task, out.ties))
      report.add(number, "dependency", "as --dependency takes it, such as afterok:12:13");
    if (row.length > 0 && row.nodes > 0 && row.arrival > 0)
      out.rows.push_back(row);
    else
      ++out.left_out;
  }
  out.what = "sacct, seconds since 1970";
  if (running > 0) out.what += fmt::format("; {} still running left out", running);
  return out;
}

bool is_job_with(const json& jobs, const char* key) {
  return jobs.is_array() && !jobs.empty() && jobs.front().is_object() && jobs.front().contains(key);
}

}  // namespace

WorkloadRows read_workload_json(std::string_view text, const std::string& name,
                                const WorkloadOptions& options, csv::Report& report) {
  json document;
  try {
    document = json::parse(text);
  } catch (const json::parse_error& error) {
    const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(error.byte, text.size()));
    const auto line = 1 + static_cast<std::size_t>(std::count(text.begin(), end, '\n'));
    throw InputError(describe({name, line}, "",
                              "JSON: a Batsim workload, Philly's job log or "
                              "what sacct --json writes"));
  }
  if (document.is_array() && (document.empty() || is_job_with(document, "attempts")))
    return read_philly(document, options, report);
  if (document.is_object() && document.contains("jobs") && document["jobs"].is_array()) {
    if (document.contains("profiles") || is_job_with(document["jobs"], "subtime"))
      return read_batsim(document, report);
    if (is_job_with(document["jobs"], "time")) return read_slurm(document, report);
  }
  throw InputError(describe({name, 1}, "",
                            "a Batsim workload (jobs, profiles), Philly's job log (a list of jobs "
                            "with attempts) or what sacct --json writes (jobs with time)"));
}

}  // namespace carnot::inline trace
