// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A job trace: what arrives when, how wide it is and how long it runs; and its readers. Values;
/// thread-safe to read.
///
/// What a scheduler may know (`JobRequest`) and what only time tells (`Workload::length`) are kept
/// apart, so that honesty is a matter of types.
///
/// Formats, told apart by their first lines (docs/simulating.md):
///   Standard Workload Format: 18 numbers a line, comments after `;`, of the header UnixStartTime,
///     TimeZoneString, MaxNodes and MaxProcs (Feitelson, Tsafrir, Krakov,
///     "Experience with using the Parallel Workloads Archive", JPDC 74 (2014))
///   `arrival_s,runtime_s,nodes[,deadline_s][,power_w][,estimate_s]`
///   `arrival_time,length,cpus`: hours or seconds, which the file does not say
///   `timestamp,duration,num_gpus`: a date and time, seconds
///   tables of clusters: what `sacct -P` writes, Helios, Alibaba (2018, 2020, 2023)
///   Jobs that wait for others, and arrays: job_links.hpp
///   JSON: workloads of Batsim, Philly's job log, what `sacct --json` writes
/// Plain, gzip or a zip archive of one file. Reading is one pass, linear in the file.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/base/instant.hpp"
#include "carnot/base/quantity.hpp"
#include "carnot/base/stop.hpp"
#include "carnot/trace/readers/job_links.hpp"

namespace carnot::inline trace {

/// Another way to do a job: on more or fewer nodes, at another speed or power.
struct JobMode {
  std::int32_t nodes = 0;    ///< 0: as many as the job asks for
  double speed = 1.0;        ///< work a second, over that of the job's first mode; > 0
  double power_share = 1.0;  ///< of the job's power a node, >= 0
};

/// What is known of a job when it arrives.
struct JobRequest {
  Duration arrival;            ///< since the trace's start, >= 0
  Duration estimate;           ///< of its length, as given at submission; > 0
  Duration allowed;            ///< deadline after arrival; `kNoDeadline`: none
  std::int32_t nodes = 1;      ///< in its first mode, >= 1
  std::int32_t power_mw = -1;  ///< milliwatt a node while it runs; < 0: the site's node_peak
  std::uint32_t origin = std::numeric_limits<std::uint32_t>::max();  ///< site it was sent to
  std::uint32_t modes = 0;  ///< index into `Workload::mode_sets`
  bool stoppable = true;    ///< may be suspended and moved
};
inline constexpr Duration kNoDeadline =
    Duration::nanoseconds(std::numeric_limits<std::int64_t>::max());

/// Jobs 0 ... size() - 1 by arrival; those of one instant in the file's order.
struct Workload {
  std::vector<JobRequest> jobs;
  std::vector<Duration> length;  ///< [job] of undisturbed running in the first mode, >= 0
  /// The modes of a job; the first is how the trace ran it. Set 0: that mode alone.
  std::vector<std::vector<JobMode>> mode_sets{{JobMode{}}};
  JobLinks links{};                ///< who waits for whom
  std::string provenance;          ///< file, format, conversions, rows left out: for reports
  std::optional<Instant> start{};  ///< when the trace's zero was, if it says so
  std::size_t size() const noexcept { return jobs.size(); }
};

enum class WorkloadFormat {
  Detect,
  Swf,
  Seconds,
  ArrivalLengthCpus,
  TimestampDurationGpus,
  Cluster,  ///< told by its columns
  Json,     ///< told by its keys
};
/// "auto", "swf", "csv", "gaia", "philly", "sacct", "helios", "alibaba", "batsim", "philly-json".
/// \throws InputError naming them
WorkloadFormat workload_format(std::string_view name);

struct WorkloadOptions {
  WorkloadFormat format = WorkloadFormat::Detect;
  /// Of `arrival_time` and `length`. Zero: hours if some value has a fraction, seconds if the last
  /// arrival is above 100,000; a file that is neither is refused.
  Duration time_unit;
  std::size_t most = 0;  ///< jobs to read; 0: all
  StopToken stop{};
  /// Of the Standard Workload Format, whose jobs ask for processors; 0: as its header says
  /// (MaxProcs over MaxNodes), else one.
  std::int32_t cores_per_node = 0;
  /// Of dates that state none: empty (UTC, which `provenance` says), `+01:00`, or a name of the
  /// time zone database.
  std::string zone{};
  bool kill_at_estimate = false;  ///< a job ends at its time limit, as clusters enforce it
};

/// Jobs without a length or nodes (-1 or 0 in the Standard Workload Format) are left out and
/// counted in `provenance`. Times count from the trace's zero, dates from the first of them.
/// \throws InputError
/// `file:line: field: what is allowed`, up to 50 together; InputFileError; Stopped
Workload read_workload(const std::string& path, const WorkloadOptions& options = {});
/// The same from bytes in memory; `name` stands in messages.
Workload parse_workload(std::string_view bytes, const std::string& name,
                        const WorkloadOptions& options = {});

}  // namespace carnot::inline trace
