// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The same command measured several times with one thing varied: load, batch size, clock rate or
/// whatever the command takes. What the three experiments of the energy texts show (power against
/// load, memory and energy against batch size, energy x time against clock rate) are three series.
///
/// Values are visited in an order that is shuffled by the seed, round by round, so that a machine
/// that warms up or a neighbour that wakes does not draw a trend; results come back in the order of
/// the values. Between two measurements the machine is left alone for `settle`.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "carnot/base/stop.hpp"
#include "carnot/measure/measure.hpp"

namespace carnot::measure {

struct SeriesOptions {
  /// One measurement; `{}` or `{name}` in the words of job.command becomes the value. No journal:
  /// entries are kept in memory.
  MeasureOptions base;
  std::string name;                 ///< of what varies: "batch"
  std::vector<std::string> values;  ///< at least one
  int repeats = 1;                  ///< rounds, >= 1
  Duration settle;
  std::uint64_t seed = 1;
  bool clock_rate = false;  ///< values are clock rates in Hz to be set before each measurement
  /// Called before each measurement with how many are done, of how many; false: stop.
  std::function<bool(int done, int of, const std::string& value)> progress;
  MeasureHooks hooks;  ///< of each measurement
  StopToken stop{};    ///< likewise; asked after each, which then is left out: it was cut short
};

struct SeriesPoint {
  std::string value;
  int round = 0;
  MeasureResult result;
};

struct SeriesResult {
  std::string name;
  std::uint64_t seed = 1;
  std::vector<SeriesPoint> points;  ///< by value in the order given, then round
  bool stopped = false;             ///< before all was measured
};

/// \throws InputError (no value, a command without the placeholder), DeviceError (clock rate not
///         ours to set), and what `measure` throws. A command that fails is a point with its
///         outcome, not an error.
SeriesResult measure_series(const SeriesOptions& options);

}  // namespace carnot::measure
