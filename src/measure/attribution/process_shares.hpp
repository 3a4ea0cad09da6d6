// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Which process of a job spent its energy, from all the looks of a measurement (ProcessDivider).
/// CPU time that no process shows is "unseen": processes that came and went between two looks, and
/// the tail of a file cut short. Pure functions.

#include <vector>

#include "carnot/ledger/store/measurement_view.hpp"
#include "carnot/measure/attribution/measurement.hpp"

namespace carnot::measure {

struct ProcessShares {
  std::vector<MeasuredProcess> rows;  ///< largest first
  double unseen_j = 0, unseen_cpu_s = 0;
  double waiting_j = 0;  ///< of spans in which nobody used the CPU
};

/// \param until_j    [sample] energy to divide, cumulative
/// \param cpu_until_s  [sample] CPU time it was spent by, cumulative
/// rows + unseen_j + waiting_j = until_j.back()
ProcessShares process_shares(const ledger::MeasurementView& view,
                             const std::vector<double>& until_j,
                             const std::vector<double>& cpu_until_s);

}  // namespace carnot::measure
