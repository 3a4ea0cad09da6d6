// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A measurement while it goes on, drawn for a terminal: one line a domain and a process, with
/// watts now, on average, energy so far and a sparkline. `LiveTracker` collects what is drawn,
/// `live_view` draws: a pure function of state and size, at most `height` lines of at most `width`
/// columns, no escape sequences but colour, no cursor movement (that is the caller's).
/// A tracker is used by one thread at a time.

#include <deque>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "carnot/base/sum.hpp"
#include "carnot/ledger/entry/measurement_entry.hpp"
#include "carnot/meter/attribution/attribution.hpp"
#include "carnot/meter/processes/processes.hpp"

namespace carnot::report {

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

/// \param width, height  of the terminal; at least 40 x 4 are used
std::string live_view(const LiveState& state, int width, int height, bool colour);

class LiveTracker {
 public:
  /// \param point  length of one point of the sparklines
  explicit LiveTracker(Duration point = Duration::seconds(1));
  void begin(const ledger::MeasurementBegin& begin);
  void sample(const ledger::MeasurementSample& sample);
  /// The job's processes as last looked at; the same look again does nothing.
  void processes(std::span<const meter::ProcessUse> processes);
  LiveState state() const;

 private:
  struct Line {
    std::deque<double> points;  ///< joules of each finished point
    double energy_j = 0, open_j = 0;
    void add(double joules) { energy_j += joules, open_j += joules; }
    /// Over the open point and the last `closed` ones.
    void spread(double joules, std::size_t closed);
  };
  struct Process {
    std::string name;
    std::int64_t cpu_ns = 0;
    Line line;
    bool alive = true;
  };
  void close_point();
  LiveTrack track(const Line& line, std::string name, std::string origin) const;

  Duration point_;
  ledger::MeasurementBegin begin_;
  ledger::MeasurementSample first_, last_, split_until_;
  bool started_ = false;
  std::int64_t point_until_ns_ = 0;
  meter::StaticPolicy policy_ = meter::StaticPolicy::Capacity;
  meter::StaticPower static_power_;
  Line machine_, own_;
  std::vector<Line> domains_;
  std::map<std::pair<int, std::uint64_t>, Process> processes_;
  double divided_until_j_ = 0, divided_cpu_s_ = 0;
  std::uint64_t look_print_ = 0;
  std::size_t points_since_look_ = 0;
};

}  // namespace carnot::report
