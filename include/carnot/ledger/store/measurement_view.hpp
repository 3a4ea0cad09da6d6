// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A measurement's entries grouped by kind: the one place that knows their order.
///
///     MeasurementBegin (MeasurementSample | MeasurementProcess | MeasurementGap |
///                       MeasurementWindow)* MeasurementEnd?
///
/// Pure, thread-safe.

#include <vector>

#include "carnot/ledger/entry/entry.hpp"

namespace carnot::ledger {

/// Views into a vector of entries, which must outlive them.
struct MeasurementView {
  const MeasurementBegin* begin = nullptr;
  std::vector<const MeasurementSample*> samples;     ///< each with a channel for each of begin's
  std::vector<const MeasurementProcess*> processes;  ///< in the order met; a process may recur
  std::vector<const MeasurementGap*> gaps;
  std::vector<const MeasurementWindow*> windows;
  const MeasurementEnd* end = nullptr;  ///< null: cut short, or still going
};

/// True if the entries begin a measurement (else a run, or nothing).
bool is_measurement(const std::vector<Entry>& entries) noexcept;

/// \throws InputError naming the first entry out of order, or a sample whose channels are not as
///         many as the measurement's or whose clocks go back
MeasurementView view_measurement(const std::vector<Entry>& entries);

}  // namespace carnot::ledger
