// SPDX-License-Identifier: Apache-2.0
#include "carnot/trace/readers/workload.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <unordered_map>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/input/csv_lines.hpp"
#include "carnot/base/input/input_file.hpp"
#include "carnot/base/input/unpack.hpp"

#include "trace/readers/csv_series.hpp"
#include "trace/readers/workload_rows.hpp"

namespace carnot::inline trace {

namespace {

constexpr double kLongest = 4e9;        // seconds: 126 years
constexpr double kSurelySeconds = 1e5;  // of an arrival: 11 years if these were hours
constexpr double kMostNodes = 1e7;
constexpr std::size_t kSwfFields = 18;
constexpr std::string_view kDependencies =
    "afterok:ID, afterany:ID, afternotok:ID or after:ID[+minutes], separated by ; or a quoted "
    "comma";

bool blank(char c) { return c == ' ' || c == '\t'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

class Reader {
 public:
  Reader(std::string_view text, const std::string& name, const WorkloadOptions& options)
      : lines_(input::Lines::of_text(text, name)),
        report_(name),
        options_(options),
        stop_(options.stop) {
    workload_.provenance = name;
  }

  enum class Shape { Swf, Table, Json };

  Workload read(Shape shape, std::string_view json = {}) {
    switch (shape) {
      case Shape::Swf:
        read_swf();
        break;
      case Shape::Table:
        read_table();
        break;
      case Shape::Json:
        take(read_workload_json(json, lines_.name(), options_, report_));
    }
    report_.throw_if_any();
    if (rows_.empty())
      throw InputError(describe({lines_.name(), 0}, "", "at least one job that ran"));
    fill();
    report_.throw_if_any();
    return std::move(workload_);
  }

 private:
  bool full() const {
    return report_.full() || (options_.most > 0 && rows_.size() >= options_.most);
  }

  // --- Standard Workload Format ---

  /// `; MaxNodes: 4`, before the first job.
  void read_swf_header(std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !rows_.empty()) return;
    const std::string_view key = trimmed(line.substr(1, colon - 1));
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (key == "TimeZoneString") {
      zone_ = value;
      return;
    }
    const std::optional<double> number_of =
        workload_number(value.substr(0, value.find_first_of(" \t(")));
    if (!number_of) return;
    if (key == "UnixStartTime" && *number_of > 0 && *number_of < 1e11)
      workload_.start = Instant::from_unix_seconds(static_cast<std::int64_t>(*number_of));
    if (key == "MaxNodes") header_nodes_ = *number_of;
    if (key == "MaxProcs") header_processors_ = *number_of;
  }

  /// Processors of a node: as told, else as the header says.
  double processors_of_a_node() const {
    if (options_.cores_per_node > 0) return options_.cores_per_node;
    const double each = header_nodes_ > 0 ? header_processors_ / header_nodes_ : 0.0;
    return each >= 1.0 && each == std::floor(each) ? each : 1.0;
  }

  void read_swf() {
    std::string_view line;
    while (!full() && lines_.next(line)) {
      stop_.throw_if_requested();
      if (lines_.number() == 1 && line.substr(0, 3) == "\xef\xbb\xbf") line.remove_prefix(3);
      line = trimmed(line);
      if (!line.empty() && line.front() == ';') read_swf_header(line);
      line = trimmed(line.substr(0, line.find(';')));
      if (line.empty()) continue;
      std::array<double, kSwfFields> field{};
      std::size_t found = 0;
      bool sound = true;
      while (!line.empty()) {
        const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
        if (found < kSwfFields) {
          const std::optional<double> value = workload_number(line.substr(0, end));
          if (!value) {
            report_.add(lines_.number(), fmt::format("field {}", found + 1), "a number");
            sound = false;
          }
          field[found] = value.value_or(0.0);
        }
        ++found;
        line = trimmed(line.substr(end));
      }
      if (found != kSwfFields) {
        report_.add(lines_.number(), "", fmt::format("18 fields, not {}", found));
        sound = false;
      }
      if (!sound) continue;
      const double nodes = field[4] > 0 ? field[4] : field[7];
      if (field[3] <= 0 || nodes <= 0) {
        ++left_out_;
        continue;
      }
      // Another job, and the time to think between its end and this one's submission.
      if (field[16] > 0 && no_circle(static_cast<std::uint64_t>(std::max(0.0, field[0])),
                                     static_cast<std::uint64_t>(field[16])))
        ties_.links.push_back({rows_.size(), static_cast<std::uint64_t>(field[16]),
                               DependencyKind::AfterAny, std::max(0.0, field[17])});
      rows_.push_back({field[1], field[3], std::ceil(nodes / processors_of_a_node()),
                       field[8] > 0 ? field[8] : -1.0, -1.0, -1.0, lines_.number(),
                       static_cast<std::uint64_t>(std::max(0.0, field[0])), 0,
                       field[10] == 0.0 || field[10] == 5.0});
    }
    note("Standard Workload Format, seconds");
    if (const double each = processors_of_a_node(); each > 1.0)
      workload_.provenance += fmt::format("; {:g} processors a node, {}", each,
                                          options_.cores_per_node > 0 ? "as told" : "as it says");
    if (circles_ > 0)
      workload_.provenance += fmt::format(
          "; {} waits that would go round in a circle are left out, the later in the file",
          circles_);
    if (workload_.start)
      workload_.provenance += fmt::format("; began {}{}", workload_.start->iso8601(),
                                          zone_.empty() ? "" : " (local time " + zone_ + ")");
  }

  /// What happened cannot have gone round: of a log's links the one that would close a circle with
  /// those before it in the file is left out. Each job has one predecessor, so that a walk finds
  /// it.
  bool no_circle(std::uint64_t job, std::uint64_t predecessor) {
    forward_ = forward_ || predecessor >= job;
    if (forward_) {
      std::uint64_t at = predecessor;
      for (auto next = precedes_.find(at); at != job && next != precedes_.end();
           next = precedes_.find(at))
        at = next->second;
      if (at == job) {
        ++circles_;
        return false;
      }
    }
    precedes_[job] = predecessor;
    return true;
  }

  // --- tables ---

  void read_table() {
    const csv::Header header = csv::read_header(lines_);
    const auto has = [&](std::string_view name) {
      return std::find(header.names.begin(), header.names.end(), name) != header.names.end();
    };
    WorkloadFormat format = options_.format;
    if (format == WorkloadFormat::Detect) {
      if (has("arrival_s"))
        format = WorkloadFormat::Seconds;
      else if (has("arrival_time"))
        format = WorkloadFormat::ArrivalLengthCpus;
      else if (has("timestamp"))
        format = WorkloadFormat::TimestampDurationGpus;
    }
    if (format == WorkloadFormat::Detect || format == WorkloadFormat::Cluster) {
      std::optional<WorkloadRows> rows = read_cluster_table(lines_, header, options_, report_);
      if (!rows)
        throw InputError(describe(
            {lines_.name(), header.line}, "",
            "the columns arrival_s,runtime_s,nodes; arrival_time,length,cpus; "
            "timestamp,duration,num_gpus; those of sacct -P (JobID, Submit, Elapsed, NNodes), "
            "Helios or Alibaba; or the Standard Workload Format"));
      take(std::move(*rows));
      return;
    }
    switch (format) {
      case WorkloadFormat::Seconds:
        read_columns(header,
                     {"arrival_s", "runtime_s", "nodes", "deadline_s", "power_w", "estimate_s"});
        note("seconds");
        break;
      case WorkloadFormat::ArrivalLengthCpus:
        read_columns(header, {"arrival_time", "length", "cpus", "", "", ""});
        if (report_.empty()) convert_unit();
        break;
      default:
        read_columns(header, {"timestamp", "duration", "num_gpus", "", "", ""});
        note("dates and seconds");
    }
  }

  void take(WorkloadRows&& rows) {
    rows_ = std::move(rows.rows);
    left_out_ = rows.left_out;
    dated_ = rows.dated;
    ties_ = std::move(rows.ties);
    note(rows.what);
  }

  // Names of arrival, length, nodes and, where there may be such, deadline, power, estimate.
  void read_columns(const csv::Header& header, const std::array<std::string_view, 6>& names) {
    constexpr std::size_t kNone = static_cast<std::size_t>(-1);
    std::array<std::size_t, 6> column{};
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto found = std::find(header.names.begin(), header.names.end(), names[i]);
      column[i] = i < 3 ? csv::find_column(header, lines_.name(), names[i])
                  : names[i].empty() || found == header.names.end()
                      ? kNone
                      : static_cast<std::size_t>(found - header.names.begin());
    }
    dated_ = names[0] == "timestamp";
    const auto optional_column = [&](std::string_view name) {
      const auto found = std::find(header.names.begin(), header.names.end(), name);
      return found == header.names.end() || names[0] != "arrival_s"
                 ? kNone
                 : static_cast<std::size_t>(found - header.names.begin());
    };
    const std::size_t id = optional_column("id"), after = optional_column("dependency");
    const std::size_t array = optional_column("array"), at_once = optional_column("at_once");
    const std::size_t outcome = optional_column("outcome");
    csv::TimeParser dates(csv::Zone{true, 0});
    std::string_view line;
    std::vector<std::string_view> cells;
    while (!full() && lines_.next(line)) {
      stop_.throw_if_requested();
      if (trimmed(line).empty()) continue;
      split_cells(line, header.separator, cells);
      if (cells.size() != header.names.size()) {
        report_.add(
            lines_.number(), "",
            fmt::format("{} cells as in the header, not {}", header.names.size(), cells.size()));
        continue;
      }
      WorkloadRow row;
      row.line = lines_.number();
      bool sound = true;
      const auto take = [&](std::size_t i, double least, double& to, std::string_view allowed) {
        if (column[i] == kNone || (i >= 3 && cells[column[i]].empty())) return;
        const std::optional<double> value = workload_number(cells[column[i]]);
        if (value && *value >= least)
          to = *value;
        else
          sound = false, report_.add(row.line, names[i], allowed);
      };
      if (dated_) {
        std::int64_t at = 0;
        std::string why;
        if (dates.parse(cells[column[0]], at, why))
          row.arrival = 1e-9 * static_cast<double>(at);
        else
          sound = false, report_.add(row.line, names[0], why);
      } else {
        take(0, 0.0, row.arrival, "a number >= 0");
      }
      take(1, 0.0, row.length, "a number >= 0");
      take(2, 0.0, row.nodes, "a whole number >= 0");
      take(3, row.arrival, row.deadline, "a number not below the arrival");
      take(4, 0.0, row.power, "a number >= 0");
      take(5, 1e-9, row.estimate, "a number above 0");
      const auto cell = [&](std::size_t c) { return c == kNone ? std::string_view{} : cells[c]; };
      if (!cell(id).empty()) row.key = ties_.keys.of(cell(id));
      if (!cell(array).empty()) row.array = ties_.keys.of(cell(array));
      if (!cell(at_once).empty()) {
        const std::optional<double> most = workload_number(cell(at_once));
        if (!most || *most < 1 || *most > 1e9 || *most != std::floor(*most))
          sound = false, report_.add(row.line, "at_once", "a whole number of tasks, 1 or more");
        else if (row.array == 0)
          sound = false, report_.add(row.line, "at_once", "only beside an array");
        else
          ties_.at_once[row.array] = *most;
      }
      if (const std::string_view end = cell(outcome); end == "failed")
        row.failed = true;
      else if (!end.empty() && end != "ok")
        sound = false, report_.add(row.line, "outcome", "ok, failed or nothing");
      const bool runs = sound && row.length > 0 && row.nodes > 0;
      if (runs && !cell(after).empty() && !read_dependency(cell(after), rows_.size(), {}, ties_))
        sound = false, report_.add(row.line, "dependency", kDependencies);
      if (!sound) continue;
      if (row.length <= 0 || row.nodes <= 0)
        ++left_out_;
      else
        rows_.push_back(row);
    }
  }

  void convert_unit() {
    double unit = options_.time_unit.time().in(second);
    const bool given = unit > 0;
    if (!given) {
      bool fraction = false;
      double last = 0.0;
      for (const WorkloadRow& row : rows_) {
        fraction = fraction || row.arrival != std::floor(row.arrival) ||
                   row.length != std::floor(row.length);
        last = std::max(last, row.arrival);
      }
      if (last > kSurelySeconds)
        unit = 1.0;
      else if (fraction)
        unit = 3600.0;
      else if (!rows_.empty())
        throw InputError(describe({lines_.name(), rows_.front().line}, "arrival_time",
                                  "hours or seconds, which this file does not tell: say the unit "
                                  "of time"));
    }
    for (WorkloadRow& row : rows_) {
      row.arrival *= unit;
      row.length *= unit;
    }
    note(fmt::format("times in units of {} s ({})", unit, given ? "as stated" : "by their values"));
  }

  // --- jobs ---

  /// Rows that name each other become jobs that wait. \param job_of  [row as read] its job
  void tie(const std::vector<std::uint32_t>& job_of) {
    const std::vector<WorkloadRow>& as_read = rows_;
    JobLinks& links = workload_.links;
    bool arrays = false, failures = false;
    for (const WorkloadRow& row : as_read) {
      arrays = arrays || row.array != 0;
      failures = failures || row.failed;
    }
    std::unordered_map<std::uint64_t, std::vector<std::uint32_t>> named;  // jobs of a key
    std::map<std::uint64_t, std::uint32_t> array_of;
    if (arrays) links.array.assign(workload_.size(), kNoArray);
    if (failures) {
      links.fails.resize(workload_.size());
      for (std::size_t i = 0; i < as_read.size(); ++i)
        if (as_read[i].failed) links.fails[job_of[i]] = true;
    }
    for (std::size_t i = 0; i < as_read.size(); ++i) {
      const WorkloadRow& row = as_read[i];
      if (row.key != 0 && !ties_.links.empty()) named[row.key].assign(1, job_of[i]);
    }
    for (std::size_t i = 0; i < as_read.size(); ++i) {
      const WorkloadRow& row = as_read[i];
      if (row.array == 0) continue;
      if (!ties_.links.empty()) named[row.array].push_back(job_of[i]);
      const auto most = ties_.at_once.find(row.array);
      if (most == ties_.at_once.end()) continue;
      const auto [at, fresh] =
          array_of.try_emplace(row.array, static_cast<std::uint32_t>(links.at_once.size()));
      if (fresh) links.at_once.push_back(static_cast<std::int32_t>(std::min(most->second, 1e9)));
      links.array[job_of[i]] = at->second;
    }
    std::size_t not_there = 0;
    for (const RowLink& link : ties_.links) {
      const auto found = named.find(link.predecessor);
      if (found == named.end()) {
        ++not_there;
        continue;
      }
      if (link.delay > kLongest) {
        report_.add(as_read[link.row].line, "dependency", "delays of at most 4e9 s");
        continue;
      }
      for (const std::uint32_t job : found->second)
        links.dependencies.push_back(
            {job_of[link.row], job, link.kind, Duration::from(link.delay * second)});
    }
    std::stable_sort(links.dependencies.begin(), links.dependencies.end(),
                     [](const JobDependency& a, const JobDependency& b) { return a.job < b.job; });
    report_.throw_if_any();
    try {
      in_order_of_links(workload_);
    } catch (const InputError& error) {
      throw InputError(describe({lines_.name(), 0}, "", error.what()));
    }
    if (!links.dependencies.empty())
      workload_.provenance +=
          fmt::format("; {} dependencies between jobs", links.dependencies.size());
    if (not_there > 0)
      workload_.provenance +=
          fmt::format("; {} dependencies on jobs that are not in it count as met", not_there);
    if (ties_.not_obeyed > 0)
      workload_.provenance +=
          fmt::format("; {} dependencies of other kinds (singleton, any of several) are not obeyed",
                      ties_.not_obeyed);
    if (!links.at_once.empty())
      workload_.provenance +=
          fmt::format("; {} arrays with a limit of tasks at once", links.at_once.size());
  }

  void note(std::string_view words) {
    workload_.provenance += fmt::format(": {} jobs, {}", rows_.size(), words);
    if (left_out_ > 0)
      workload_.provenance += fmt::format("; {} without length or nodes left out", left_out_);
  }

  void fill() {
    std::vector<std::uint32_t> order(rows_.size());  // [job] its row as read
    std::iota(order.begin(), order.end(), 0U);
    std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
      return rows_[a].arrival < rows_[b].arrival;
    });
    const double least = rows_[order.front()].arrival;
    // Dates count from the first of them; other times from zero, so that hours of the day stay.
    const double first = dated_ ? std::floor(least) : std::min(0.0, least);
    if (workload_.start) workload_.start = *workload_.start + Duration::from(first * second);
    if (dated_) workload_.start = Instant::from_unix_seconds(std::llround(first));
    std::size_t cut = 0;
    workload_.jobs.reserve(rows_.size());
    workload_.length.reserve(rows_.size());
    for (const std::uint32_t read : order) {
      const WorkloadRow& row = rows_[read];
      const bool whole = row.nodes == std::floor(row.nodes) && row.nodes <= kMostNodes;
      if (!whole) report_.add(row.line, "nodes", "a whole number up to 10 million");
      const double after = row.arrival - first;
      const bool short_enough = after <= kLongest && row.length <= kLongest &&
                                row.estimate <= kLongest && row.deadline - first <= kLongest;
      if (!short_enough) report_.add(row.line, "times", "at most 4e9 s from the first arrival");
      const double node_mw = 1e3 * row.power / row.nodes;
      if (node_mw > 2e9) report_.add(row.line, "power_w", "at most 2 MW a node");
      if (!whole || !short_enough || node_mw > 2e9) continue;
      const auto span = [](double seconds) { return Duration::from(seconds * second); };
      JobRequest job;
      job.arrival = span(after);
      job.nodes = static_cast<std::int32_t>(row.nodes);
      Duration length = std::max(span(row.length), Duration::nanoseconds(1));
      if (options_.kill_at_estimate && row.estimate > 0 && span(row.estimate) < length) {
        length = std::max(span(row.estimate), Duration::nanoseconds(1));
        ++cut;
        cut_.push_back(workload_.jobs.size());
      }
      job.estimate =
          row.estimate > 0 ? std::max(span(row.estimate), Duration::nanoseconds(1)) : length;
      job.allowed = row.deadline >= 0 ? span(row.deadline - row.arrival) : kNoDeadline;
      if (row.power >= 0) job.power_mw = static_cast<std::int32_t>(std::llround(node_mw));
      workload_.jobs.push_back(job);
      workload_.length.push_back(length);
    }
    if (cut > 0) workload_.provenance += fmt::format("; {} ended at their time limit", cut);
    report_.throw_if_any();
    std::vector<std::uint32_t> job_of(order.size());
    for (std::uint32_t j = 0; j < order.size(); ++j) job_of[order[j]] = j;
    tie(job_of);
    if (!cut_.empty()) {
      workload_.links.fails.resize(workload_.size());
      for (const std::size_t job : cut_) workload_.links.fails[job] = true;
    }
  }

  input::Lines lines_;
  csv::Report report_;
  const WorkloadOptions& options_;
  SparseStop stop_;
  std::vector<WorkloadRow> rows_;
  std::size_t left_out_ = 0;
  RowLinks ties_;
  std::unordered_map<std::uint64_t, std::uint64_t> precedes_;  // of SWF: a job's predecessor
  bool forward_ = false;  // one of them stands later in the file, by its number
  std::size_t circles_ = 0;
  std::vector<std::size_t> cut_;  // jobs that end at their limit
  std::string zone_;
  double header_nodes_ = 0.0, header_processors_ = 0.0;
  bool dated_ = false;
  Workload workload_;
};

/// The first line that says something is a comment after `;`, or numbers apart by blanks.
bool looks_like_swf(std::string_view text) {
  if (text.substr(0, 3) == "\xef\xbb\xbf") text.remove_prefix(3);
  const std::size_t at = text.find_first_not_of(" \t\r\n");
  if (at == std::string_view::npos) return false;
  const char c = text[at];
  if (c == ';') return true;
  const std::string_view line = text.substr(at, text.find_first_of("\r\n", at) - at);
  return (c == '-' || (c >= '0' && c <= '9')) &&
         line.substr(0, line.find(';')).find_first_of(",|") == std::string_view::npos;
}

}  // namespace

WorkloadFormat workload_format(std::string_view name) {
  if (name == "auto") return WorkloadFormat::Detect;
  if (name == "swf") return WorkloadFormat::Swf;
  if (name == "csv") return WorkloadFormat::Seconds;
  if (name == "gaia") return WorkloadFormat::ArrivalLengthCpus;
  if (name == "philly") return WorkloadFormat::TimestampDurationGpus;
  if (name == "sacct" || name == "helios" || name == "alibaba") return WorkloadFormat::Cluster;
  if (name == "batsim" || name == "philly-json") return WorkloadFormat::Json;
  throw InputError(
      fmt::format("format `{}`: auto, swf, csv, gaia, philly, sacct, helios, alibaba, "
                  "batsim or philly-json",
                  name));
}

Workload parse_workload(std::string_view bytes, const std::string& name,
                        const WorkloadOptions& options) {
  std::string unzipped;
  if (is_zip(bytes)) bytes = unzipped = unzip(bytes, name);
  std::string_view begin = bytes;
  std::string inflated;
  if (bytes.substr(0, 2) == "\x1f\x8b") {
    // The first line, to see what it is; the rest is inflated again as it is read.
    input::Lines lines = input::Lines::of_text(bytes, name);
    std::string_view line;
    while (lines.next(line) && trimmed(line).empty()) {
    }
    begin = inflated = line;
  }
  const bool detect = options.format == WorkloadFormat::Detect;
  const std::size_t at = begin.find_first_not_of(" \t\r\n\xef\xbb\xbf");
  if (options.format == WorkloadFormat::Json ||
      (detect && at != std::string_view::npos && (begin[at] == '{' || begin[at] == '['))) {
    std::string whole;
    input::Lines lines = input::Lines::of_text(bytes, name);
    for (std::string_view line; lines.next(line); whole += '\n') whole += line;
    if (whole.starts_with("\xef\xbb\xbf")) whole.erase(0, 3);
    return Reader("", name, options).read(Reader::Shape::Json, whole);
  }
  const bool swf = options.format == WorkloadFormat::Swf || (detect && looks_like_swf(begin));
  return Reader(bytes, name, options).read(swf ? Reader::Shape::Swf : Reader::Shape::Table);
}

Workload read_workload(const std::string& path, const WorkloadOptions& options) {
  const std::string bytes = read_input(path);
  return parse_workload(bytes, path, options);
}

}  // namespace carnot::inline trace
