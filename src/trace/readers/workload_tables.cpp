// SPDX-License-Identifier: Apache-2.0
// Tables of jobs that Slurm, Helios and Alibaba write.
#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <unordered_map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "carnot/base/error.hpp"

#include "trace/readers/workload_rows.hpp"

namespace carnot::inline trace {

namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

bool same_word(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

/// What stands where no value is.
bool says_nothing(std::string_view cell) {
  for (const std::string_view word : {"", "Unknown", "None", "N/A", "NaN", "null", "None assigned"})
    if (same_word(cell, word)) return true;
  return false;
}

/// The cells of a row by the names of their columns.
class Columns {
 public:
  Columns(const csv::Header& header, input::Lines& lines, csv::Report& report)
      : header_(header), lines_(lines), report_(report) {}

  /// The first of these names that is there.
  std::size_t find(std::initializer_list<std::string_view> names) const {
    for (const std::string_view name : names)
      for (std::size_t c = 0; c < header_.names.size(); ++c)
        if (same_word(header_.names[c], name)) return c;
    return kNone;
  }
  bool has(std::initializer_list<std::string_view> names) const { return find(names) != kNone; }

  bool next() {
    std::string_view line;
    while (true) {
      if (held_) {
        line = *held_;
      } else if (!lines_.next(line)) {
        return false;
      }
      const bool held = held_.has_value();
      held_.reset();
      if (line.find_first_not_of(" \t") == std::string_view::npos) continue;
      split_cells(line, header_.separator, cells_);
      if (cells_.size() == header_.names.size()) {
        line_ = held ? header_.line : lines_.number();
        return true;
      }
      report_.add(
          lines_.number(), "",
          fmt::format("{} cells as in the header, not {}", header_.names.size(), cells_.size()));
      if (report_.full()) return false;
    }
  }
  /// A file without a header: its first line is a row.
  void hold(std::string line) {
    line_text_ = std::move(line);
    held_ = line_text_;
  }

  std::size_t line() const { return line_; }
  std::string_view text(std::size_t column) const {
    return column == kNone ? std::string_view{} : cells_[column];
  }
  bool empty(std::size_t column) const { return says_nothing(text(column)); }

  /// A number >= 0; -1 where nothing is said.
  double amount(std::size_t column, bool& sound) {
    if (empty(column)) return -1.0;
    const std::optional<double> value = workload_number(text(column));
    if (value && *value >= 0) return *value;
    complain(column, "a number >= 0, or nothing", sound);
    return -1.0;
  }
  void complain(std::size_t column, std::string_view allowed, bool& sound) {
    sound = false;
    report_.add(line_, header_.names[column], allowed);
  }

 private:
  const csv::Header& header_;
  input::Lines& lines_;
  csv::Report& report_;
  std::vector<std::string_view> cells_;
  std::string line_text_;
  std::optional<std::string_view> held_;
  std::size_t line_ = 0;
};

/// Dates of a column, in UTC.
class Dates {
 public:
  explicit Dates(const WorkloadOptions& options)
      : parser_(options.zone.empty() ? csv::Zone{true, 0, {}} : csv::parse_zone(options.zone)),
        zone_(options.zone) {}

  /// Seconds since 1970; NaN where nothing is said.
  double read(Columns& columns, std::size_t column, bool& sound) {
    if (columns.empty(column)) return std::nan("");
    std::int64_t at = 0;
    std::string why;
    if (parser_.parse(columns.text(column), at, why)) return 1e-9 * static_cast<double>(at);
    columns.complain(column, why, sound);
    return std::nan("");
  }
  std::string told() const {
    return zone_.empty() ? "dates without a zone taken as UTC" : "dates in " + zone_;
  }

 private:
  csv::TimeParser parser_;
  std::string zone_;
};

void keep(WorkloadRows& out, const WorkloadRow& row) {
  if (row.length > 0 && row.nodes > 0 && std::isfinite(row.arrival))
    out.rows.push_back(row);
  else
    ++out.left_out;
}

bool enough(const WorkloadRows& out, const WorkloadOptions& options, const csv::Report& report) {
  return report.full() || (options.most > 0 && out.rows.size() >= options.most);
}

// --- Slurm ---

WorkloadRows read_sacct(Columns& columns, const WorkloadOptions& options,
                        const csv::Report& report) {
  WorkloadRows out;
  out.dated = true;
  const std::size_t id = columns.find({"JobID", "JobIDRaw"});
  const std::size_t submit = columns.find({"Submit"});
  const std::size_t eligible = columns.find({"Eligible"});
  const std::size_t start = columns.find({"Start"});
  const std::size_t end = columns.find({"End"});
  const std::size_t raw = columns.find({"ElapsedRaw"});
  const std::size_t elapsed = columns.find({"Elapsed"});
  const std::size_t nodes = columns.find({"AllocNodes", "NNodes", "ReqNodes"});
  const std::size_t cpus = columns.find({"AllocCPUS", "NCPUS", "ReqCPUS"});
  const std::size_t limit_raw = columns.find({"TimelimitRaw"});
  const std::size_t limit = columns.find({"Timelimit"});
  const std::size_t state = columns.find({"State"});
  const std::size_t energy = columns.find({"ConsumedEnergyRaw"});
  const std::size_t after = columns.find({"Dependency"});
  Dates dates(options);
  std::size_t steps = 0;
  std::size_t running = 0;
  std::size_t again = 0;
  bool by_cpus = false;
  SparseStop stop(options.stop);
  std::string last_id;
  while (!enough(out, options, report) && columns.next()) {
    stop.throw_if_requested();
    if (columns.text(id).find('.') != std::string_view::npos) {
      ++steps;
      continue;
    }
    bool sound = true;
    WorkloadRow row;
    row.line = columns.line();
    std::string_view array, task;
    if (split_task(columns.text(id), array, task)) {
      row.array = out.ties.keys.of(array);
      // Tasks that have not begun stand in one row: 12_[5-9%2].
      if (const std::size_t percent = task.find('%'); percent != std::string_view::npos)
        if (const auto most =
                workload_number(task.substr(percent + 1, task.find(']') - percent - 1));
            most && *most >= 1)
          out.ties.at_once[row.array] = *most;
    }
    row.key = out.ties.keys.of(columns.text(id));
    const double submitted = dates.read(columns, submit, sound);
    const double eligible_at = dates.read(columns, eligible, sound);
    const double began = dates.read(columns, start, sound);
    const std::string_view says = columns.text(state);
    if (says.starts_with("RUNNING") || says.starts_with("SUSPENDED")) {
      ++running;
      continue;
    }
    row.arrival = !std::isnan(submitted)     ? submitted
                  : !std::isnan(eligible_at) ? eligible_at
                                             : began;
    row.length = columns.amount(raw, sound);
    if (row.length < 0 && !columns.empty(elapsed)) {
      if (const auto span = slurm_span(columns.text(elapsed)))
        row.length = *span;
      else
        columns.complain(elapsed, "[[days-]hours:]minutes:seconds", sound);
    }
    if (row.length < 0 && end != kNone) row.length = dates.read(columns, end, sound) - began;
    if (std::isnan(row.length)) row.length = 0.0;
    row.nodes = columns.amount(nodes, sound);
    if (row.nodes <= 0 && nodes == kNone) {
      by_cpus = true;
      row.nodes = std::ceil(columns.amount(cpus, sound) / std::max(1, options.cores_per_node));
    }
    if (const double minutes = columns.amount(
            limit_raw == kNone || !workload_number(columns.text(limit_raw)) ? kNone : limit_raw,
            sound);
        minutes > 0)
      row.estimate = 60.0 * minutes;
    else if (const auto span = slurm_span(columns.text(limit)))
      row.estimate = *span > 0 ? *span : -1.0;
    // The field is 2^64 - 2 where nothing was measured, 0 where no plugin measures.
    if (const auto joules = workload_number(columns.text(energy));
        joules && *joules > 0 && *joules < 1e18 && row.length > 0)
      row.power = *joules / row.length;
    row.failed = is_failed_state(says);
    if (sound && row.length > 0 && row.nodes > 0 && std::isfinite(row.arrival) &&
        !columns.empty(after) &&
        !read_dependency(columns.text(after), out.rows.size(), task, out.ties))
      columns.complain(after, "as --dependency takes it, such as afterok:12:13,after:9+5", sound);
    if (!sound) continue;
    again += columns.text(id) == last_id ? 1u : 0u;
    last_id = columns.text(id);
    keep(out, row);
  }
  out.what = "sacct, " + dates.told();
  if (by_cpus)
    out.what += fmt::format("; nodes are processors over {}", std::max(1, options.cores_per_node));
  if (steps > 0) out.what += fmt::format("; {} steps of jobs passed over", steps);
  if (running > 0) out.what += fmt::format("; {} still running left out", running);
  if (again > 0) out.what += fmt::format("; {} further runs of requeued jobs are jobs", again);
  return out;
}

// --- Helios ---

WorkloadRows read_helios(Columns& columns, const WorkloadOptions& options,
                         const csv::Report& report) {
  WorkloadRows out;
  out.dated = true;
  const std::size_t submit = columns.find({"submit_time"});
  const std::size_t length = columns.find({"duration"});
  const std::size_t nodes = columns.find({"node_num"});
  const std::size_t gpus = columns.find({"gpu_num"});
  const std::size_t state = columns.find({"state"});
  Dates dates(options);
  SparseStop stop(options.stop);
  while (!enough(out, options, report) && columns.next()) {
    stop.throw_if_requested();
    bool sound = true;
    WorkloadRow row;
    row.line = columns.line();
    row.arrival = dates.read(columns, submit, sound);
    row.length = columns.amount(length, sound);
    row.nodes = columns.amount(nodes == kNone ? gpus : nodes, sound);
    row.failed = is_failed_state(columns.text(state));
    if (sound) keep(out, row);
  }
  out.what = fmt::format("Helios, {}; nodes are {}", dates.told(),
                         nodes == kNone ? "GPUs" : "as node_num says");
  return out;
}

// --- Alibaba ---

/// 3, 1, 2 of `R3_1_2`: the task's number, then those of the tasks it waits for; empty: the name
/// says nothing (`task_Nzg3`, `MergeTask`).
std::vector<std::uint64_t> task_numbers(std::string_view name) {
  std::vector<std::uint64_t> out;
  while (!name.empty() && (std::isalpha(static_cast<unsigned char>(name.front())) != 0))
    name.remove_prefix(1);
  while (!name.empty()) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error != std::errc{}) break;
    name.remove_prefix(static_cast<std::size_t>(end - name.data()));
    if (!name.empty() && name.front() != '_') break;
    out.push_back(number);
    if (!name.empty()) name.remove_prefix(1);
  }
  return out;
}

WorkloadRows read_alibaba(Columns& columns, const WorkloadOptions& options,
                          const csv::Report& report) {
  WorkloadRows out;
  const bool pods = columns.has({"deletion_time"});
  const std::size_t submit = columns.find({"creation_time", "start_time"});
  const std::size_t begin = columns.find({"scheduled_time", "start_time", "creation_time"});
  const std::size_t end = columns.find({"deletion_time", "end_time"});
  const std::size_t gpus = columns.find({"num_gpu"});
  const std::size_t instances = columns.find({"inst_num"});
  const std::size_t job = columns.find({"job_name"}), task = columns.find({"task_name"});
  const std::size_t state = columns.find({"status"});
  std::unordered_map<std::uint64_t, double> submitted;  // [job] its first task's begin
  std::vector<std::uint64_t> job_of;                    // [row that waits, or is waited for]
  SparseStop stop(options.stop);
  while (!enough(out, options, report) && columns.next()) {
    stop.throw_if_requested();
    bool sound = true;
    WorkloadRow row;
    row.line = columns.line();
    row.arrival = columns.amount(submit, sound);
    const double began = columns.amount(begin, sound);
    const double ended = columns.amount(end, sound);
    row.length = began >= 0 && ended > began ? ended - began : 0.0;
    // What never began stands at 0.
    if (!pods && began <= 0) row.length = 0.0;
    row.nodes =
        pods ? std::max(1.0, columns.amount(gpus, sound)) : columns.amount(instances, sound);
    row.failed = columns.text(state) == "Failed";
    const std::vector<std::uint64_t> numbers =
        pods || job == kNone ? std::vector<std::uint64_t>() : task_numbers(columns.text(task));
    const bool keeps = sound && row.length > 0 && row.nodes > 0 && std::isfinite(row.arrival);
    std::uint64_t owner = 0;
    if (keeps && !numbers.empty()) {
      owner = out.ties.keys.of(columns.text(job));
      const auto key = [&](std::uint64_t number) {
        return out.ties.keys.of(fmt::format("{}/{}", columns.text(job), number));
      };
      row.key = key(numbers.front());
      for (std::size_t i = 1; i < numbers.size(); ++i)
        out.ties.links.push_back({out.rows.size(), key(numbers[i]), DependencyKind::AfterOk, 0.0});
      const auto [at, fresh] = submitted.try_emplace(owner, row.arrival);
      if (!fresh) at->second = std::min(at->second, row.arrival);
    }
    if (!sound) continue;
    keep(out, row);
    if (keeps) job_of.push_back(owner);
  }
  // Tasks are handed in with their job; when they really began is what the trace's cluster made.
  for (std::size_t i = 0; i < out.rows.size(); ++i)
    if (job_of[i] != 0) out.rows[i].arrival = submitted[job_of[i]];
  out.what = pods ? "Alibaba pods, seconds; nodes are GPUs, at least 1"
                  : "Alibaba tasks, seconds; nodes are instances; tasks whose names say so "
                    "(R3_1_2 waits for 1 and 2) arrive with their job and wait for each other";
  return out;
}

/// The columns of files that Alibaba ships without a header, by what stands in the first row.
std::vector<std::string> alibaba_columns(const std::vector<std::string>& first) {
  constexpr std::array<std::string_view, 8> kStates = {
      "Terminated", "Failed", "Running", "Waiting", "Cancelled", "Ready", "Interrupted", "Unknown"};
  const auto state = [&](std::size_t i) {
    return std::find(kStates.begin(), kStates.end(), first[i]) != kStates.end();
  };
  if (first.size() == 9 && state(4))
    return {"task_name",  "inst_num", "job_name", "task_type", "status",
            "start_time", "end_time", "plan_cpu", "plan_mem"};
  if (first.size() == 10 && state(3))
    return {"job_name", "task_name", "inst_num", "status",   "start_time",
            "end_time", "plan_cpu",  "plan_mem", "plan_gpu", "gpu_type"};
  return {};
}

}  // namespace

std::optional<double> workload_number(std::string_view text) {
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

void split_cells(std::string_view line, char separator, std::vector<std::string_view>& cells) {
  const auto trimmed = [](std::string_view text) {
    const auto blank = [](char c) { return c == ' ' || c == '\t'; };
    while (!text.empty() && blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && blank(text.back())) text.remove_suffix(1);
    return text;
  };
  cells.clear();
  for (std::size_t at = 0; at <= line.size();) {
    std::size_t end = at;
    for (bool quoted = false; end < line.size() && (quoted || line[end] != separator); ++end)
      quoted = quoted != (line[end] == '"');
    std::string_view cell = trimmed(line.substr(at, end - at));
    if (cell.size() >= 2 && cell.front() == '"' && cell.back() == '"')
      cell = trimmed(cell.substr(1, cell.size() - 2));
    cells.push_back(cell);
    at = end + 1;
  }
}

std::optional<double> slurm_span(std::string_view text) {
  double days = 0.0;
  bool with_days = false;
  if (const std::size_t dash = text.find('-'); dash != std::string_view::npos) {
    const std::optional<double> value = workload_number(text.substr(0, dash));
    if (!value || *value < 0) return std::nullopt;
    days = *value;
    with_days = true;
    text.remove_prefix(dash + 1);
  }
  std::vector<double> parts;
  while (true) {
    const std::size_t colon = std::min(text.find(':'), text.size());
    const std::optional<double> value = workload_number(text.substr(0, colon));
    if (!value || *value < 0 || parts.size() == 3) return std::nullopt;
    parts.push_back(*value);
    if (colon == text.size()) break;
    text.remove_prefix(colon + 1);
  }
  // Behind days the first part is hours; alone, two parts are minutes and seconds.
  double seconds = 0.0;
  if (with_days || parts.size() == 3) {
    const double units[] = {3600.0, 60.0, 1.0};
    for (std::size_t i = 0; i < parts.size(); ++i) seconds += units[i] * parts[i];
  } else if (parts.size() == 2) {
    seconds = 60.0 * parts[0] + parts[1];
  } else {
    return std::nullopt;
  }
  return 86400.0 * days + seconds;
}

std::optional<WorkloadRows> read_cluster_table(input::Lines& lines, const csv::Header& header,
                                               const WorkloadOptions& options,
                                               csv::Report& report) {
  csv::Header named = header;
  const std::vector<std::string> shipped = alibaba_columns(header.names);
  if (!shipped.empty()) named.names = shipped;
  Columns columns(named, lines, report);
  if (!shipped.empty())
    columns.hold(fmt::format("{}", fmt::join(header.names, std::string(1, header.separator))));
  if (columns.has({"JobID", "JobIDRaw"}) && columns.has({"Elapsed", "ElapsedRaw", "End"}))
    return read_sacct(columns, options, report);
  if (columns.has({"submit_time"}) && columns.has({"duration"}) &&
      columns.has({"node_num", "gpu_num"}))
    return read_helios(columns, options, report);
  if ((columns.has({"creation_time"}) && columns.has({"deletion_time"})) ||
      (columns.has({"start_time"}) && columns.has({"end_time"}) && columns.has({"inst_num"})))
    return read_alibaba(columns, options, report);
  return std::nullopt;
}

}  // namespace carnot::inline trace
