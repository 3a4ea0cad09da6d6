// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The state of a running measurement for a monitoring system.
///
/// Counters never decrease: not while running, and not across a restart that goes on from the
/// journal. Processes are capped: at most `most_processes` have a row of their own, everything else
/// is the row "other" (accelerators too: nobody knows whose they were); all rows together are the
/// machine's dynamic energy. A process enters with what it spends from then on; when it leaves, its
/// energy moves to "other". Rows stand for the time up to the last look at the processes, divided
/// as RunningAttribution does. `MetricsCollector` is used by one thread at a time.

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "carnot/base/instant.hpp"
#include "carnot/ledger/entry/entry.hpp"
#include "carnot/measure/attribution/attributor.hpp"
#include "carnot/meter/processes/processes.hpp"

namespace carnot::measure {

struct MetricsState {
  std::string carnot_version;
  Instant created;  ///< when the counters began
  struct Domain {
    std::string id, label, source, kind, role, origin, boundary;
    double energy_j = 0, power_w = 0, unobserved_s = 0;
  };
  std::vector<Domain> domains;
  double static_j = 0, dynamic_j = 0;  ///< of the counted domains; sum to their energy
  double static_w = 0;                 ///< learned so far
  std::string static_origin;
  struct Process {
    int pid = 0;
    std::string name;
    double energy_j = 0, cpu_s = 0;
    Instant created;
  };
  std::vector<Process> processes;
  double other_j = 0, other_cpu_s = 0;
  struct Group {
    std::string path;
    double energy_j = 0;
    Instant created;
  };
  std::vector<Group> groups;
  std::string location;  ///< of the intensity; empty: no carbon is shown
  double carbon_g = 0, carbon_g_per_kwh = 0;
  double machine_cpu_s = 0, meter_cpu_s = 0;
  std::uint64_t samples = 0, gaps = 0;
};

struct MetricsOptions {
  std::size_t most_processes = 50;
  std::string location;         ///< shown; the caller looked its intensity up
  double carbon_g_per_kwh = 0;  ///< 0: no carbon; facility overhead is the caller's to include
};

/// Turns samples and looks at processes into a MetricsState. Fed from a journal's entries it stands
/// where the measurement that wrote them stood.
class MetricsCollector {
 public:
  explicit MetricsCollector(MetricsOptions options);

  /// Totals of measurements before this one, to go on from; before `begin`.
  void restore(const MetricsState& before);
  void begin(const ledger::MeasurementBegin& begin);
  /// \throws InputError for a sample whose channels are not as many as the beginning's
  void sample(const ledger::MeasurementSample& sample);
  /// All processes as they are now; divides what was spent since the last look. The same look again
  /// does nothing.
  void processes(std::span<const meter::ProcessUse> now, Instant at);
  /// CPU time of control groups, cumulative since each was made; divides the same energy.
  void groups(std::span<const std::pair<std::string, std::int64_t>> cpu_ns, Instant at);
  void gap() { ++state_.gaps; }
  /// Every entry in order.
  void replay(const std::vector<ledger::Entry>& entries);

  const MetricsState& state() const noexcept { return state_; }

 private:
  struct Seen {
    std::uint64_t start_ticks = 0, look = 0;
    double recent_j = 0;  ///< fades by half a look
    bool has_row = false;
  };
  void take_domains(const ledger::MeasurementSample& now);
  void take_parts(std::span<const meter::ProcessUse> now, std::span<const ProcessPart> parts);
  void retire();
  void promote(std::span<const meter::ProcessUse> now, Instant at);

  MetricsOptions options_;
  MetricsState state_, before_;
  ledger::MeasurementBegin begin_;
  ledger::MeasurementSample first_, last_;
  std::optional<RunningAttribution> attribution_;
  double grouped_until_j_ = 0, cpu_at_groups_s_ = 0;
  std::uint64_t look_ = 0;
  Instant looked_;
  std::unordered_map<int, Seen> seen_;  ///< by pid
  struct MetGroup {
    std::int64_t cpu_ns = 0;
    double energy_j = 0;
    Instant met;
  };
  std::map<std::string, MetGroup> groups_;
};

}  // namespace carnot::measure
