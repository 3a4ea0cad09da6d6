// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What Slurm's commands print, as values. A line that does not read as it should is counted and
/// left out, never guessed at: whoever is not understood is not touched. Pure functions;
/// thread-safe.

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/base/instant.hpp"

namespace carnot::live {

/// A job as `squeue` shows it.
struct SlurmJob {
  std::string id;     ///< as commands take it: 35, or 32_3 of an array
  std::string raw;    ///< 33: the number of an array's element
  std::string state;  ///< PENDING, RUNNING, ...
  std::string reason;
  std::string user, partition, nodes_text, comment, name;
  std::int32_t nodes = 0;
  std::optional<Instant> begins;  ///< start, or the earliest
  std::optional<Instant> submitted;
  std::int32_t restarts = 0;
  bool requeueable = true, batch = true, heterogeneous = false;
  std::optional<Duration> limit;  ///< none: unlimited

  bool pending() const noexcept { return state == "PENDING"; }
  bool running() const noexcept { return state == "RUNNING"; }
  bool suspended() const noexcept { return state == "SUSPENDED" || state == "STOPPED"; }
  /// Still on its nodes though it works no more, or not yet.
  bool in_between() const noexcept {
    return state == "COMPLETING" || state == "CONFIGURING" || state == "SIGNALING" ||
           state == "STAGE_OUT" || state == "RESIZING" || state == "REQUEUED" ||
           state == "REQUEUE_FED" || state == "REQUEUE_HOLD" || state == "SPECIAL_EXIT";
  }
  /// It will not run again.
  bool over() const noexcept { return !pending() && !running() && !suspended() && !in_between(); }
};

struct SlurmJobs {
  std::vector<SlurmJob> jobs;
  std::size_t not_understood = 0;
};

/// The words of `squeue` that `parse_jobs` reads the answer to.
std::vector<std::string> squeue_words();
SlurmJobs parse_jobs(std::string_view text);

/// `sbatch --parsable`: `35` or `35;cluster`. None: it printed no id.
std::optional<std::string> parse_submitted(std::string_view text);

/// The controller's clock, from `sdiag`.
std::optional<Instant> parse_controller_time(std::string_view text);

struct SlurmNodes {
  std::set<std::string> idle, busy, down;  ///< disjoint; busy: some job holds it, or part of it
  std::size_t not_understood = 0;
};
std::vector<std::string> sinfo_words();
SlurmNodes parse_nodes(std::string_view text);

/// `a[1-3,05],b` as its names, at most a million. None: not a list of nodes.
std::optional<std::vector<std::string>> expand_nodes(std::string_view text);

/// The same; nothing where it is no list.
std::vector<std::string> nodes_named(std::string_view text);

/// `2026-11-30T17:33:20`, in UTC. None: `N/A`, `Unknown` or anything else.
std::optional<Instant> parse_slurm_time(std::string_view text);
/// The same back, whole seconds, rounded up.
std::string slurm_time(Instant at);
/// `1-02:03:04`, `02:03:04`, `03:04`, minutes; none: `UNLIMITED` and what is no limit.
std::optional<Duration> parse_limit(std::string_view text);

/// Reservations' names, from `scontrol -o show reservation`.
std::vector<std::string> parse_reservations(std::string_view text);

}  // namespace carnot::live
