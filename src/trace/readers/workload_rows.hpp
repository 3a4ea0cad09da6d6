// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Rows of a job trace before they become jobs, and the readers of what clusters and their
/// simulators write. Private to the readers; docs/simulating.md has a table of the formats.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
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
};

struct WorkloadRows {
  std::vector<WorkloadRow> rows;
  std::size_t left_out = 0;  ///< without length or nodes
  bool dated = false;        ///< arrivals count from 1970 UTC
  std::string what;          ///< format, units and what was taken how
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
