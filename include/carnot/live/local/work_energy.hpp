// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Joules of followed work, many times a second, from sensors that tell more slowly or not at all.
///
/// Between two readings of a sensor the work is taken to spend
///
///     dE = B dt + k dC               C: CPU time of the work
///
/// When the sensor has moved, what it says replaces what was taken: the difference goes into the
/// answers of the next second or so, so that over any longer time the joules are the sensor's, and
/// k follows it. B is the power at rest where the whole machine is followed, else 0. The sensor
/// sees the machine; a job's part of it is
///
///     E_job = max(0, E - rest dt) C_job / C_machine
///
/// Without a sensor k is a figure of the power model, or stated, and stays. Not thread-safe.

#include <functional>
#include <memory>
#include <string>

#include "carnot/base/estimate.hpp"
#include "carnot/base/quantity.hpp"
#include "carnot/meter/counters/counter.hpp"

namespace carnot::live {

class WorkEnergy {
 public:
  virtual ~WorkEnergy() = default;
  /// Joules since the last call; below zero where a sensor takes back what had been taken.
  /// \param now    >= that of the last call; the first call begins
  /// \param cpu_s  of the work since the last call, >= 0
  virtual Energy advance(const meter::Stamp& now, double cpu_s) = 0;
  /// All so far.
  virtual Estimate<Energy> total() const = 0;
  virtual Power per_cpu() const noexcept = 0;  ///< k now
  virtual std::string words() const = 0;       ///< how the joules are known, for people
};

/// k and nothing else. \param words  where `per_cpu` is from
std::unique_ptr<WorkEnergy> energy_of_cpu_time(const Estimate<Power>& per_cpu, std::string words);

/// A sensor's cumulative reading of the machine.
struct SensorReading {
  Energy energy, low, high;
  double busy_cpu_s = 0;  ///< of the machine
  Power rest;             ///< what it draws at rest, as far as known
};

struct SensorOptions {
  bool whole_machine = false;
  Time every = 0.1 * second;    ///< between readings
  Power per_cpu = 10.0 * watt;  ///< k until the sensor has told
  Origin origin = Origin::Measured;
  Boundary boundary = Boundary::Chip;
  std::string words;  ///< which sensor
};
std::unique_ptr<WorkEnergy> energy_by_sensor(std::function<SensorReading()> read,
                                             const SensorOptions& options);

}  // namespace carnot::live
