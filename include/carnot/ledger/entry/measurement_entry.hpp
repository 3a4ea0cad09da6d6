// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Entries of a measurement: what `carnot measure` writes while it looks.
///
/// One measurement file is
///     MeasurementBegin  (MeasurementSample | MeasurementProcess | MeasurementGap |
///                        MeasurementWindow)*  MeasurementEnd?
/// Samples carry cumulative integers as the hardware counts them, so any two of them give the exact
/// energy of the time between, a file cut anywhere is a shorter measurement, and a meter that was
/// killed can go on (the counters did). Nothing derived is stored. Values; thread-safe to read.

#include <cstdint>
#include <string>
#include <vector>

#include "carnot/base/instant.hpp"

namespace carnot::ledger {

/// One domain of the meter, as it was found. Words are those of meter/counters/source.hpp and
/// meter/counters/resolver.hpp.
struct MeasurementChannel {
  std::string id, label, source, kind, role, of, origin, boundary;
  int socket = -1, device = -1;
  bool is_counter = true;
  double unit_j = 0;  ///< of one count; gauges: 1e-6 (their integral is stored in microjoules)
  double gain_low = 1, gain_high = 1;
  std::uint64_t step = 1;
  std::int64_t update_period_ns = 0;
  double power_cap_w = 0;
  bool operator==(const MeasurementChannel&) const = default;
};

struct MeasurementBegin {
  std::string carnot_version;
  std::string command;        ///< of carnot
  std::string job;            ///< what is measured, in words: the command, "pid 4711", "machine"
  std::string job_method;     ///< "cgroup v2", "tree", ...; empty: whole machine
  std::string static_policy;  ///< "capacity", ...
  std::string boot_id;        ///< counters go on across a restart of the meter only in one boot
  Instant started;            ///< wall clock
  std::int64_t monotonic_ns = 0, boottime_ns = 0;  ///< of `started`
  std::int32_t pid = 0;                            ///< of the command
  std::uint64_t pid_start_ticks = 0;
  std::string cgroup;
  std::string facts_json;  ///< host facts, notes, location, accounting options
  std::vector<MeasurementChannel> channels;
  bool operator==(const MeasurementBegin&) const = default;
};

/// Cumulative; fixed size for a given number of channels. Where each count starts differs, so what
/// happened in a measurement is the difference to its first sample (which is taken before the
/// command runs); only job_cpu_ns, job_*_b and meter_cpu_ns are of the measurement as they stand.
/// Across a restart of the machine the counts go on from where they stood, the time it was off is
/// on `boottime_ns` alone, as if the machine had slept.
struct MeasurementSample {
  std::int64_t monotonic_ns = 0, boottime_ns = 0;
  /// Since the machine started, all CPUs together.
  std::int64_t machine_busy_ns = 0, machine_idle_ns = 0, machine_steal_ns = 0;
  std::int64_t job_cpu_ns = 0;    ///< since the command began, or was attached to
  std::int64_t meter_cpu_ns = 0;  ///< carnot's own, of all processes that measured
  std::uint64_t job_disk_read_b = 0, job_disk_write_b = 0, job_peak_rss_b = 0;
  std::uint64_t machine_net_b = 0;  ///< since the machine started, all interfaces but loopback
  double frequency_hz = 0;          ///< mean over CPUs; 0: not readable
  struct Channel {
    std::uint64_t total = 0;  ///< counts since the meter was opened, exact
    std::uint64_t raw = 0;    ///< as the hardware shows it; of a stand-in: what a counter confirmed
    std::int64_t unobserved_ns = 0;
    /// Accelerators: the job's share of busy time since the last sample; below 0: not known, and at
    /// most so much.
    double share = 0;
    std::uint8_t status = 0;            ///< PollStatus
    std::uint8_t step = 0;              ///< StepKind
    float gain_low = 1, gain_high = 1;  ///< of gauges whose error depends on the state
    bool operator==(const Channel&) const = default;
  };
  std::vector<Channel> channels;
  bool operator==(const MeasurementSample&) const = default;
};

/// One process of the job, cumulative; written when it is met and when its use moved.
struct MeasurementProcess {
  std::int64_t boottime_ns = 0;
  std::int32_t pid = 0;
  std::uint64_t start_ticks = 0;
  std::string name;
  std::int64_t cpu_ns = 0;
  bool alive = true;
  bool operator==(const MeasurementProcess&) const = default;
};

/// A time for which some figure is not known.
struct MeasurementGap {
  std::int64_t from_boottime_ns = 0, to_boottime_ns = 0;
  std::string channel;  ///< id; empty: the meter itself
  std::string why;
  bool operator==(const MeasurementGap&) const = default;
};

/// A named span inside the measurement (a phase, a window), after it ended.
struct MeasurementWindow {
  std::int64_t from_boottime_ns = 0, to_boottime_ns = 0;
  std::string label;
  bool operator==(const MeasurementWindow&) const = default;
};

struct MeasurementEnd {
  std::int64_t monotonic_ns = 0, boottime_ns = 0;
  std::string outcome;  ///< "finished" | "failed" | "killed" | "detached"
  std::int32_t exit_code = 0;
  bool operator==(const MeasurementEnd&) const = default;
};

}  // namespace carnot::ledger
