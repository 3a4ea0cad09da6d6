// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What ties the jobs of a trace to each other: jobs that wait for others, arrays of tasks of which
/// only some may run at once, and how jobs end. The kinds are those of Slurm's `--dependency`:
///
/// | kind | the job may run |
/// |---|---|
/// | after-ok | once the predecessor has ended well; never if it fails |
/// | after-any | once it has ended, however |
/// | after-not-ok | once it has failed; never if it ends well |
/// | after-start | `delay` after it began |
///
/// A job that can never run is **cancelled**, and so are those that wait for it to end well; for
/// the other kinds a cancelled job counts as ended. Values; thread-safe to read.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "carnot/base/instant.hpp"

namespace carnot::inline trace {

struct Workload;

enum class DependencyKind : std::uint8_t { AfterOk, AfterAny, AfterNotOk, AfterStart };
/// "after-ok" and so on.
std::string_view to_text(DependencyKind kind) noexcept;

struct JobDependency {
  std::uint32_t job = 0, predecessor = 0;  ///< indices into `Workload::jobs`
  DependencyKind kind = DependencyKind::AfterOk;
  Duration delay;  ///< after the predecessor's end or begin, >= 0
};

inline constexpr std::uint32_t kNoArray = std::numeric_limits<std::uint32_t>::max();

struct JobLinks {
  std::vector<JobDependency> dependencies;  ///< ascending by job
  std::vector<std::uint32_t> array;         ///< [job], `kNoArray`: none; empty: no job is of one
  std::vector<std::int32_t> at_once;        ///< [array] tasks that may be under way together, >= 1
  std::vector<bool> fails;                  ///< [job] ends badly; empty: none does

  bool of_array(std::size_t job) const noexcept { return !array.empty() && array[job] != kNoArray; }
  bool failing(std::size_t job) const noexcept { return !fails.empty() && fails[job]; }
};

/// Jobs, each after those it waits for. \throws InputError naming the jobs of a cycle (numbers from
/// 1, by arrival), or a dependency out of range
std::vector<std::uint32_t> in_order_of_links(const Workload& workload);

/// [job] whether no policy can run it: what it waits for cannot come.
std::vector<bool> never_run(const Workload& workload);

/// [job] least time from the trace's zero to when it may begin, if nothing ever waits: arrivals,
/// and lengths of predecessors at the fastest of their modes.
std::vector<Duration> earliest_begins(const Workload& workload);

/// Makes deadlines of predecessors as near as those of their successors ask, by estimates; a job
/// never gets less than its own estimate after it may first begin. \return how many were made
/// nearer
std::size_t pass_deadlines_on(Workload& workload);

}  // namespace carnot::inline trace
