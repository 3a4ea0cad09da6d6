// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The open windows of one thread over one meter, and the energy of the slices between their starts
/// and stops.

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <sys/types.h>
#include <time.h>

#include "carnot/meter/meter.hpp"

namespace carnot::meter {

/// CPU time of a thread, of its process, and of that with all it started, in seconds.
struct CpuTimes {
  double thread_s = 0, process_s = 0, family_s = 0;
};

/// What a window's sum is made of; `low` and `high` bound what is not known of accelerators.
struct Share {
  Energy value, low, high;
  Share& operator+=(const Share& other);
};

/// One open window, as its thread sees it.
struct OpenWindow {
  Scope scope = Scope::Process;
  StaticPolicy policy = StaticPolicy::Capacity;
  Share own;
  Energy exclusive;
  double cpu_s = 0;
};

class ThreadWindows {
 public:
  /// Those of the calling thread over this meter.
  static std::shared_ptr<ThreadWindows> of_this_thread(Meter& meter);

  /// Ends the slice that runs, if any window is open, then begins the next with `window` open too.
  /// \param at  receives the moment
  void open(OpenWindow& window, Snapshot& at);
  /// Ends the slice that runs and closes the window.
  void close(OpenWindow& window, Snapshot& at);
  /// Ends the slice that runs.
  void look(Snapshot& at);
  /// Closes a window without a reading.
  void abandon(OpenWindow& window);

 private:
  ThreadWindows(Meter& meter, clockid_t clock) : meter_(&meter), clock_(clock) {}
  void end_slice();
  CpuTimes cpu_times();
  Share share(Scope scope, StaticPolicy policy, const CpuTimes& used) const;

  Meter* meter_;
  clockid_t clock_;  // of the thread
  std::mutex mutex_;
  std::vector<OpenWindow*> open_;  // oldest first
  Snapshot last_, next_;           // bounds of the slice
  CpuTimes cpu_;                   // at `last_`
  std::vector<int> descendants_;   // alive at `last_`
  pid_t pid_ = 0;
};

/// Busy CPU time of the machine between two snapshots: by the kernel's ticks where there were
/// enough of them, else by the share of late.
double busy_seconds(const Snapshot& a, const Snapshot& b, double own_s);
/// How far off it may be, in seconds: [low, high].
struct BusyBounds {
  double low = 0, high = 0;
};
BusyBounds busy_bounds(const Snapshot& a, const Snapshot& b, double own_s);

}  // namespace carnot::meter
