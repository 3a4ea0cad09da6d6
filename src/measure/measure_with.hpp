// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// `measure` and `resume_measurement` over a meter of the caller's: for sources that no machine
/// has.

#include <string>

#include "carnot/measure/measure.hpp"
#include "carnot/meter/meter.hpp"

#include "measure/sink.hpp"

namespace carnot::measure::detail {

MeasureResult measure_with(meter::Meter& meter, const MeasureOptions& options,
                           const MeasureHooks& hooks);
MeasureResult resume_with(meter::Meter& meter, const std::string& journal,
                          const MeasureOptions& options, const MeasureHooks& hooks);

/// What a loop that has ended leaves to the caller.
MeasureResult result_of(const ledger::MeasurementEnd& end, MeasureSink& sink,
                        const meter::Meter& meter);

}  // namespace carnot::measure::detail
