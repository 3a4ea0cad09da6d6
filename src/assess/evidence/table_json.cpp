// SPDX-License-Identifier: Apache-2.0
#include "assess/evidence/table_json.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "carnot/base/instant.hpp"

#include "assess/evidence/cells.hpp"
#include "assess/evidence/readers.hpp"

namespace carnot::assess {

namespace {

using Json = nlohmann::json;

const Json& at(const Json& object, std::string_view key) {
  static const Json kNothing;
  if (!object.is_object()) return kNothing;
  const auto found = object.find(std::string(key));
  return found == object.end() ? kNothing : *found;
}

/// What can stand in a cell: without bars, quotes and line ends.
std::string cell(std::string text) {
  for (char& c : text)
    if (c == '|' || c == '"' || static_cast<unsigned char>(c) < 0x20) c = ' ';
  return text;
}

std::string text_of(const Json& value) {
  return value.is_string() ? cell(value.get<std::string>()) : std::string();
}

/// A number, or Slurm's {"set": true, "infinite": false, "number": 3}.
std::optional<double> number_in(const Json& value) {
  if (value.is_number()) return value.get<double>();
  if (value.is_string()) return number_of(value.get_ref<const std::string&>());
  if (!value.is_object() || at(value, "set") == false || at(value, "infinite") == true)
    return std::nullopt;
  return at(value, "number").is_number() ? number_in(at(value, "number")) : std::nullopt;
}

std::string number_text(const Json& value) {
  const auto number = number_in(value);
  return number ? fmt::format("{:.15g}", *number) : std::string();
}

/// "2024-09-18T22:00:00Z"; empty for what has not been.
std::string moment(const Json& value) {
  const auto seconds = number_in(value);
  if (!seconds || !(*seconds > 0) || *seconds > 4.2e9) return "";
  return Instant::from_unix_seconds(static_cast<std::int64_t>(*seconds)).iso8601();
}

/// A state is a word, or since 0.0.40 a list of words.
std::string state_of(const Json& job) {
  const Json& state = at(at(job, "state"), "current");
  if (state.is_array() && !state.empty()) return text_of(state.front());
  return text_of(state.is_null() ? at(job, "job_state") : state);
}

/// "cpu=64,gres/gpu=8" of a list of {type, name, count}; `joules` receives what is energy.
std::string tres_of(const Json& list, std::optional<double>& joules) {
  std::string out;
  if (!list.is_array()) return out;
  for (const Json& one : list) {
    const std::string type = text_of(at(one, "type")), name = text_of(at(one, "name"));
    const auto count = number_in(at(one, "count"));
    if (type.empty() || !count || !(*count > 0)) continue;
    // The largest unsigned numbers stand for "not known".
    if (type == "energy" && *count < 1e18) joules = *count;
    if (!out.empty()) out += ',';
    out += fmt::format("{}{}{}={:.15g}", type, name.empty() ? "" : "/", name, *count);
  }
  return out;
}

/// Of the step with most: one that runs as long as its job counts the whole of its nodes, and
/// several that run at once count the same joules.
std::optional<double> energy_of_steps(const Json& steps) {
  std::optional<double> most;
  if (!steps.is_array()) return most;
  for (const Json& step : steps) {
    const auto joules = number_in(at(at(at(step, "statistics"), "energy"), "consumed"));
    if (joules && *joules > 0 && *joules < 1e18) most = std::max(most.value_or(0), *joules);
  }
  return most;
}

std::string sacct_row(const Json& job) {
  std::string id = number_text(at(job, "job_id"));
  const Json& array = at(job, "array");
  const auto array_id = number_in(at(array, "job_id")), task = number_in(at(array, "task_id"));
  const std::string raw = id;
  if (array_id && *array_id > 0 && task) id = fmt::format("{:.15g}_{:.15g}", *array_id, *task);
  const Json& time = at(job, "time");
  std::optional<double> joules;
  const Json& tres = at(job, "tres");
  const std::string allocated = tres_of(at(tres, "allocated"), joules);
  if (!joules) joules = energy_of_steps(at(job, "steps"));
  const auto cpu_seconds = number_in(at(at(time, "total"), "seconds"));
  std::string cpu_time;
  if (cpu_seconds && *cpu_seconds > 0 && *cpu_seconds < 1e12)
    cpu_time = fmt::format("00:00:{:.15g}", *cpu_seconds);
  return fmt::format("{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}\n", id, raw, state_of(job),
                     moment(at(time, "start")), moment(at(time, "end")),
                     number_text(at(time, "elapsed")), text_of(at(job, "nodes")),
                     number_text(at(job, "allocation_nodes")), cpu_time, allocated,
                     joules ? fmt::format("{:.15g}", *joules) : "",
                     text_of(at(at(job, "comment"), "administrator")), text_of(at(job, "cluster")),
                     text_of(at(job, "partition")));
}

void read_as_table(const std::string& text, Evidence& e, std::uint16_t file,
                   void (*read)(CsvStream&, Evidence&, std::uint16_t)) {
  CsvStream table(input::Lines::of_text(text, e.files[file].name));
  read(table, e, file);
}

/// Components of a kind: how many, and the first one's name.
std::pair<double, std::string> components(const Json& report, std::string_view kind) {
  double count = 0;
  std::string name;
  const Json& list = at(at(report, "infrastructure"), "components");
  if (list.is_array())
    for (const Json& one : list) {
      std::string type = text_of(at(one, "componentType"));
      if (type.empty()) type = text_of(at(one, "componentName"));
      if (lower_case(type) != kind) continue;
      count += number_in(at(one, "nbComponent")).value_or(1);
      if (name.empty()) name = text_of(at(one, "manufacturer"));
      const std::string model = text_of(at(one, "componentModel"));
      if (!model.empty() && name.find(model) == name.npos)
        name += (name.empty() ? "" : " ") + model;
    }
  return {count, name};
}

/// A row a measure. The report's moment is that of its writing, a measure's that of its beginning.
std::string boamps_rows(const Json& report) {
  std::string out;
  const Json& header = at(report, "header");
  const auto written = seconds_of(text_of(at(header, "reportDatetime")));
  const auto [gpus, gpu] = components(report, "gpu");
  const auto [cpus, cpu] = components(report, "cpu");
  const Json& measures = at(report, "measures");
  std::size_t number = 0;
  for (const Json& one : measures.is_array() ? measures : Json::array()) {
    const auto length = number_in(at(one, "measurementDuration"));
    std::optional<std::int64_t> end;
    if (const auto began = seconds_of(text_of(at(one, "measurementDateTime"))); began && length)
      end = static_cast<std::int64_t>(*began) + static_cast<std::int64_t>(*length);
    else if (written)
      end = *written;
    std::string id = text_of(at(header, "reportId"));
    if (!id.empty()) id += fmt::format(" {}", ++number);
    out += fmt::format("{}|{}|{}|{}|{}||{}|{}|{:g}|{}|{:g}\n", id,
                       end ? Instant::from_unix_seconds(*end).iso8601() : "",
                       text_of(at(at(report, "task"), "taskStage")),
                       number_text(at(one, "measurementDuration")), "",
                       number_text(at(one, "powerConsumption")),
                       text_of(at(at(report, "environment"), "country")), gpus, gpu, cpus);
  }
  return out;
}

bool is_boamps(const Json& report) {
  return at(report, "header").is_object() && at(report, "measures").is_array() &&
         at(report, "task").is_object();
}

}  // namespace

bool read_table_json(const Json& document, Evidence& e, std::uint16_t file) {
  const Json& jobs = at(document, "jobs");
  if (jobs.is_array() &&
      (jobs.empty() ? at(document, "meta").is_object()
                    : at(jobs[0], "job_id").is_number() && at(jobs[0], "time").is_object())) {
    e.files[file].format = "sacct";
    std::string text =
        "JobID|JobIDRaw|State|Start|End|ElapsedRaw|NodeList|NNodes|TotalCPU|AllocTRES|"
        "ConsumedEnergyRaw|AdminComment|Cluster|Partition\n";
    for (const Json& job : jobs) text += sacct_row(job);
    read_as_table(text, e, file, read_sacct);
    return true;
  }
  const bool many = document.is_array() && !document.empty() && is_boamps(document[0]);
  if (!many && !is_boamps(document)) return false;
  e.files[file].format = "BoAmps";
  std::string text =
      "run_id|timestamp|project_name|duration|emissions|hostname|energy_consumed|country_name|"
      "gpu_count|gpu_model|cpu_count\n";
  for (const Json& report : many ? document : Json::array({document})) text += boamps_rows(report);
  read_as_table(text, e, file, read_emissions);
  return true;
}

}  // namespace carnot::assess
