// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Who spent a measurement's energy, all of it at hand: static power learned over all steps, then
/// each step divided (Attributor), then the job's part of each span between two looks at its
/// processes (process_shares.hpp). Pure functions.

#include <vector>

#include "carnot/base/estimate.hpp"
#include "carnot/measure/attribution/measurement.hpp"
#include "carnot/meter/attribution/attribution.hpp"

#include "measure/attribution/channel_energy.hpp"
#include "measure/attribution/process_shares.hpp"

namespace carnot::measure {

struct Attribution {
  Estimate<Power> static_power;
  double static_j = 0;   ///< of the machine
  Estimate<Energy> job;  ///< shares the machine's error causes
  // The machine's energy that is no process' of the job:
  double others_j = 0;       ///< other processes
  double idle_j = 0;         ///< static energy of nobody
  double accelerator_j = 0;  ///< of accelerators, not the job's
  double unattributed_j = 0;
  double unknown_accelerator_j = 0;  ///< of `accelerator_j`, what may be the job's
  std::vector<double> job_j;         ///< [interval]
  std::vector<double> job_until_j;   ///< [sample], cumulative
  ProcessShares processes;           ///< of the job's energy; whole machine: of its dynamic energy
};

/// \param machine  all counted energy of `energy`
Attribution attribute(const ledger::MeasurementView& view, const MeasuredEnergy& energy,
                      const Estimate<Energy>& machine, meter::StaticPolicy policy);

/// Joules of the job until `at_ns`, pro rata inside an interval.
double job_until(const ledger::MeasurementView& view, const Attribution& attribution,
                 std::int64_t at_ns);

}  // namespace carnot::measure
