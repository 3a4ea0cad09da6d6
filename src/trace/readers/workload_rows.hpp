// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Rows of a job trace before they become jobs, and the readers of what clusters and their
/// simulators write. Private to the readers; docs/simulating.md has a table of the formats.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "carnot/trace/readers/workload.hpp"

#include "trace/readers/csv_series.hpp"

namespace carnot::inline trace {

/// A job in seconds (of `arrival_time` and `length`: in the file's own unit).
struct WorkloadRow {
  double arrival = 0.0, length = 0.0;
  double nodes = 1.0;
  double estimate = -1.0, deadline = -1.0;  ///< < 0: not given
  double power = -1.0;                      ///< watt of all its nodes; < 0: not given
  std::size_t line = 0;                     ///< of the file; in JSON the job's number, from 1
  std::uint64_t key = 0;                    ///< what others name it by; 0: nothing
  std::uint64_t array = 0;                  ///< it is a task of; 0: of none
  bool failed = false;                      ///< it ended badly
};

/// That the job of a row waits for another.
struct RowLink {
  std::size_t row = 0;            ///< index into the rows, as read
  std::uint64_t predecessor = 0;  ///< key of a job, or of an array: all its tasks
  DependencyKind kind = DependencyKind::AfterOk;
  double delay = 0.0;  ///< seconds
};

/// Names as numbers, from 1.
class RowKeys {
 public:
  std::uint64_t of(std::string_view name) {
    return known_.try_emplace(std::string(name), known_.size() + 1).first->second;
  }

 private:
  std::unordered_map<std::string, std::uint64_t> known_;
};

/// Ties between rows, as they are read.
struct RowLinks {
  RowKeys keys;
  std::vector<RowLink> links;
  std::map<std::uint64_t, double> at_once;  ///< by array
  std::size_t not_obeyed = 0;               ///< dependencies of kinds that are not known here
};

/// What stands behind `--dependency=`: `afterok:12:13_4+5,after:9+2`, minutes behind `+`; of kinds
/// beyond after, afterok, afterany, afternotok and aftercorr, or joined by `?`, only the number is
/// taken. \param task  of the array that the row belongs to, for aftercorr; empty: none
/// \return false: not of this form
bool read_dependency(std::string_view text, std::size_t row, std::string_view task, RowLinks& to);
/// `12` and `4` of `12_4`; false: no task of an array.
bool split_task(std::string_view id, std::string_view& array, std::string_view& task);
/// Whether a job of this state ended badly: FAILED, TIMEOUT, CANCELLED by 12, NODE_FAIL, ...
bool is_failed_state(std::string_view state);

struct WorkloadRows {
  std::vector<WorkloadRow> rows;
  std::size_t left_out = 0;  ///< without length or nodes
  bool dated = false;        ///< arrivals count from 1970 UTC
  std::string what;          ///< format, units and what was taken how
  RowLinks ties;
};

/// A finite number that is the whole of `text`.
std::optional<double> workload_number(std::string_view text);

/// The cells of a line, out of their quotes; a separator within quotes parts nothing.
void split_cells(std::string_view line, char separator, std::vector<std::string_view>& cells);

/// `[[days-]hours:]minutes:seconds`, as Slurm writes spans; nothing for words such as UNLIMITED.
std::optional<double> slurm_span(std::string_view text);

/// Tables of clusters. The format is the table's own, told by its columns.
///   Slurm: `sacct -P` or `-p` with any of its fields, JobID and a length among them; steps are
///     passed over, each run of a requeued job is a job; ConsumedEnergyRaw gives the power
///   Helios (Q. Hu et al., SC '21): submit_time, duration, node_num, gpu_num
///   Alibaba: batch_task of 2018 and pai_task of 2020 (with or without header), pods of 2023
///     (creation_time, deletion_time)
/// Nothing if the columns are of none of these.
std::optional<WorkloadRows> read_cluster_table(input::Lines& lines, const csv::Header& header,
                                               const WorkloadOptions& options, csv::Report& report);

/// Documents: Batsim's workloads, Philly's cluster_job_log, `sacct --json`.
/// \throws InputError if it is none of them
WorkloadRows read_workload_json(std::string_view text, const std::string& name,
                                const WorkloadOptions& options, csv::Report& report);

}  // namespace carnot::inline trace
