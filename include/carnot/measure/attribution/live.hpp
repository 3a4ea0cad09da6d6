// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The state of a measurement while it goes on, for whoever draws it: energy and recent power of
/// each domain, of machine and job, and of the job's processes, as RunningAttribution divides them.
/// A tracker is used by one thread at a time.

#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "carnot/base/instant.hpp"
#include "carnot/base/sum.hpp"
#include "carnot/ledger/entry/measurement_entry.hpp"
#include "carnot/measure/attribution/attributor.hpp"
#include "carnot/meter/processes/processes.hpp"

namespace carnot::measure {

struct LiveTrack {
  std::string name, origin;   ///< origin: "measured", "modelled"; empty: as the line above
  std::vector<double> watts;  ///< recent means, oldest first, equal lengths
  double now_w = 0, mean_w = 0, energy_j = 0;
};

struct LiveState {
  std::string job, method;  ///< method empty: the whole machine
  double elapsed_s = 0, cpu_s = 0, meter_cpu_s = 0, point_s = 1;  ///< point: one of `watts`
  LiveTrack machine, own;  ///< own: the job's, empty name if the machine is the job
  std::vector<LiveTrack> domains, processes;  ///< processes: the largest first
};

class LiveTracker {
 public:
  /// \param point  length of one point of the recent means
  explicit LiveTracker(Duration point = Duration::seconds(1));
  /// \throws InputError as RunningAttribution
  void begin(const ledger::MeasurementBegin& begin);
  /// After `begin`. \throws InputError as RunningAttribution
  void sample(const ledger::MeasurementSample& sample);
  /// The job's processes as last looked at; the same look again does nothing.
  void processes(std::span<const meter::ProcessUse> processes);
  LiveState state() const;

 private:
  struct Line {
    std::deque<double> points;  ///< joules of each finished point
    Sum<double> energy;
    double open_j = 0;
    void add(double joules) { energy += joules, open_j += joules; }
    /// Over the open point and the last `closed` ones.
    void spread(double joules, std::size_t closed);
  };
  struct Process {
    std::string name;
    Line line;
    bool alive = true;
  };
  void close_point();
  void take_parts(std::span<const meter::ProcessUse> look, std::span<const ProcessPart> parts);
  LiveTrack track(const Line& line, std::string name, std::string origin) const;

  Duration point_;
  ledger::MeasurementBegin begin_;
  ledger::MeasurementSample first_, last_;
  std::optional<RunningAttribution> attribution_;
  bool started_ = false;
  std::int64_t point_until_ns_ = 0;
  Line machine_, own_;
  std::vector<Line> domains_;
  std::map<std::pair<int, std::uint64_t>, Process> processes_;
  std::size_t points_since_look_ = 0;
};

}  // namespace carnot::measure
