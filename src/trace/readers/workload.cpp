// SPDX-License-Identifier: Apache-2.0
#include "carnot/trace/readers/workload.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <optional>

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
      if (field[16] > 0) ++follow_;
      rows_.push_back({field[1], field[3], std::ceil(nodes / processors_of_a_node()),
                       field[8] > 0 ? field[8] : -1.0, -1.0, -1.0, lines_.number()});
    }
    note("Standard Workload Format, seconds");
    if (const double each = processors_of_a_node(); each > 1.0)
      workload_.provenance += fmt::format("; {:g} processors a node, {}", each,
                                          options_.cores_per_node > 0 ? "as told" : "as it says");
    if (workload_.start)
      workload_.provenance += fmt::format("; began {}{}", workload_.start->iso8601(),
                                          zone_.empty() ? "" : " (local time " + zone_ + ")");
    if (follow_ > 0)
      workload_.provenance += fmt::format(
          "; {} that wait for another job (fields 17, 18) arrive when it is written, and do not "
          "wait",
          follow_);
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

  void note(std::string_view words) {
    workload_.provenance += fmt::format(": {} jobs, {}", rows_.size(), words);
    if (left_out_ > 0)
      workload_.provenance += fmt::format("; {} without length or nodes left out", left_out_);
  }

  void fill() {
    std::stable_sort(rows_.begin(), rows_.end(), [](const WorkloadRow& a, const WorkloadRow& b) {
      return a.arrival < b.arrival;
    });
    // Dates count from the first of them; other times from zero, so that hours of the day stay.
    const double first =
        dated_ ? std::floor(rows_.front().arrival) : std::min(0.0, rows_.front().arrival);
    if (workload_.start) workload_.start = *workload_.start + Duration::from(first * second);
    if (dated_) workload_.start = Instant::from_unix_seconds(std::llround(first));
    std::size_t cut = 0;
    workload_.jobs.reserve(rows_.size());
    workload_.length.reserve(rows_.size());
    for (const WorkloadRow& row : rows_) {
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
      }
      job.estimate =
          row.estimate > 0 ? std::max(span(row.estimate), Duration::nanoseconds(1)) : length;
      job.allowed = row.deadline >= 0 ? span(row.deadline - row.arrival) : kNoDeadline;
      if (row.power >= 0) job.power_mw = static_cast<std::int32_t>(std::llround(node_mw));
      workload_.jobs.push_back(job);
      workload_.length.push_back(length);
    }
    if (cut > 0) workload_.provenance += fmt::format("; {} ended at their time limit", cut);
  }

  input::Lines lines_;
  csv::Report report_;
  const WorkloadOptions& options_;
  SparseStop stop_;
  std::vector<WorkloadRow> rows_;
  std::size_t left_out_ = 0, follow_ = 0;
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
