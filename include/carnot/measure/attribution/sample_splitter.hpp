// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Samples of a measurement, cut into steps of which energy can be divided by CPU time.
///
/// The machine's busy time comes in ticks of 10 ms, so an interval of few ticks says little about
/// load. Consecutive intervals are put together until they last ten ticks (100 ms) awake; that is a
/// step. It is the one way from samples to energy here: a summary feeds all samples it has, a live
/// view and an exporter feed each as it comes, and all see the same steps to the last bit.
/// Values; one thread at a time.

#include <cstddef>
#include <vector>

#include "carnot/base/quantity.hpp"
#include "carnot/ledger/entry/measurement_entry.hpp"
#include "carnot/meter/attribution/attribution.hpp"

namespace carnot::measure {

/// Consecutive intervals, each from one sample to the next.
struct Step {
  struct Interval {
    double counted_j = 0;  ///< of all counted channels
    double cpu_s = 0;      ///< the job's CPU time; the machine's busy time if there is no job
  };
  std::size_t first = 0;  ///< number of the first interval, from the beginning
  std::vector<Interval> intervals;
  double length_s = 0;               ///< awake
  meter::CpuUse use;                 ///< job_s <= busy_s <= capacity_s
  double host_j = 0;                 ///< counted, accelerators left out
  double accelerator_j = 0;          ///< counted
  double job_accelerator_j = 0;      ///< the job's share of it
  double unknown_accelerator_j = 0;  ///< of others or of the job: nobody here can tell
  bool stood_in = false;             ///< the power model counted, in place of silent sensors
  bool whole = true;  ///< nothing of the host went unobserved or was modelled instead
};

/// Whether a channel's total is part of the sum. A stand-in's total is what it counted.
bool counts(const ledger::MeasurementChannel& channel) noexcept;

class SampleSplitter {
 public:
  explicit SampleSplitter(const ledger::MeasurementBegin& begin);

  /// Takes the next sample. \return the step that it ends, valid until the next call; null: it ends
  /// none. \throws InputError for a sample whose channels are not as many as the beginning's
  const Step* sample(const ledger::MeasurementSample& now);
  /// What is left at the end: the step that is still open, however short; null: there is none.
  const Step* rest();

  /// Intervals of the step that is still open.
  std::size_t open() const noexcept { return closed_ ? 0 : step_.intervals.size(); }

 private:
  struct Channel {
    double unit_j = 0;
    bool counted = false, accelerator = false, stands_in = false;
  };
  void add(const ledger::MeasurementSample& now);
  const Step* close();

  std::vector<Channel> channels_;
  bool whole_machine_;
  bool started_ = false, closed_ = false;
  ledger::MeasurementSample last_;
  Step step_;
};

/// Takes a step for the power at rest, if it is long enough and nothing went unobserved in it.
void learn(meter::StaticPower& power, const Step& step) noexcept;

/// The host's energy of a step, split.
meter::Split split(const Step& step, Power static_power, meter::StaticPolicy policy) noexcept;

/// The job's joules of a step: its parts of the host and of accelerators. \param parts  of `split`
double job_joules(const Step& step, const meter::Split& parts, meter::StaticPolicy policy) noexcept;

}  // namespace carnot::measure
