// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A job trace: what arrives when, how wide it is and how long it runs. Values; thread-safe to
/// read.
///
/// What a scheduler may know (`JobRequest`) and what only time tells (`Workload::length`) are kept
/// apart, so that honesty is a matter of types.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "carnot/base/instant.hpp"
#include "carnot/base/quantity.hpp"

namespace carnot {

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
  std::string provenance;  ///< file, format, conversions, rows left out: for reports
  std::size_t size() const noexcept { return jobs.size(); }
};

}  // namespace carnot
