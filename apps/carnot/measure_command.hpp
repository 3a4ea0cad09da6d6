// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The parts of `carnot measure`.

#include <atomic>
#include <string>

#include "carnot/measure/measure.hpp"
#include "carnot/report/measure/live.hpp"

#include "command.hpp"
#include "measure_options.hpp"

namespace carnot::app {

/// `--list`: what can be measured here. Returns the exit code.
int list_sensors(const MeasureCommand& c, const Common& common);

/// Measures, reports, and returns the exit code.
int measure_job(const MeasureCommand& c, const Common& common, const StoreWriter& store);

/// `--experiment` and `--sweep`: measures one thing varied. Only in the full program.
int measure_series_job(const MeasureCommand& c, const Common& common);

/// `--live`: redraws in place on standard error, where that is a terminal.
class LiveDisplay {
 public:
  explicit LiveDisplay(bool wanted);
  ~LiveDisplay();
  LiveDisplay(const LiveDisplay&) = delete;
  LiveDisplay& operator=(const LiveDisplay&) = delete;
  bool on() const noexcept { return on_; }
  void draw(const measure::MeasureView& view);

 private:
  bool on_, begun_ = false;
  int lines_ = 0;
  std::int64_t drawn_ns_ = 0;
  measure::LiveTracker tracker_;
};

/// Ctrl-C and SIGTERM while measuring: the command gets them too (from the terminal, or passed on
/// if they were sent to carnot alone) and carnot waits for it; a second one ends carnot at once.
void watch_while_measuring();
/// The process that signals sent to carnot alone are passed on to.
void pass_signals_to(int pid);

}  // namespace carnot::app
