// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A running measurement as OpenMetrics text, and the state it is drawn from.
///
/// Every series carries where its number comes from (`source`, `origin`, `boundary`, `role`), so
/// that a modelled watt cannot be taken for a measured one. Counters never decrease: not while
/// running, and not across a restart that goes on from the journal. Processes are capped: at most
/// `most_processes` have a row of their own, everything else is the row "other"; all rows together
/// are the machine's dynamic energy. A process enters with what it spends from then on; when it
/// leaves, its energy moves to "other"; a series that returns says so by its `_created` time. Rows
/// stand for the time up to the last look at the processes.
///
/// Formats: OpenMetrics 1.0.0 (2020). Pure; `MetricsCollector` is used by one thread at a time.

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "carnot/base/instant.hpp"
#include "carnot/base/sum.hpp"
#include "carnot/ledger/entry/entry.hpp"
#include "carnot/meter/attribution/attribution.hpp"
#include "carnot/meter/processes/processes.hpp"

namespace carnot::report {

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

/// The exposition, ending in "# EOF". Content type: `kOpenMetricsType`.
std::string openmetrics(const MetricsState& state);
inline constexpr std::string_view kOpenMetricsType =
    "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// CPU time of control groups (version 2) down to `depth`, at most `most` of them; empty where that
/// file system is not mounted at `root` or below it.
std::vector<std::pair<std::string, std::int64_t>> control_group_use(const std::string& root,
                                                                    int depth, std::size_t most);

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
    std::int64_t cpu_ns = 0;
    double recent_j = 0;  ///< fades by half a look
    bool has_row = false;
  };
  void take_domains(const ledger::MeasurementSample& now);
  void split(const ledger::MeasurementSample& now);
  void retire();
  void promote(std::span<const meter::ProcessUse> now, Instant at);

  MetricsOptions options_;
  MetricsState state_, before_;
  ledger::MeasurementBegin begin_;
  ledger::MeasurementSample first_, last_, split_until_;
  meter::StaticPower static_power_;
  Sum<double> static_j_, dynamic_j_;
  double divided_until_j_ = 0, grouped_until_j_ = 0;
  double cpu_at_look_s_ = 0, cpu_at_groups_s_ = 0;
  std::uint64_t look_ = 0, look_print_ = 0;
  std::unordered_map<int, Seen> seen_;  ///< by pid
  struct MetGroup {
    std::int64_t cpu_ns = 0;
    double energy_j = 0;
    Instant met;
  };
  std::map<std::string, MetGroup> groups_;
};

}  // namespace carnot::report
