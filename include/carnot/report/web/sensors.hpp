// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What of this machine can be read, what not and why, and the command that mends it: the document
/// of `GET /api/v1/sensors`, carnot.sensors/1 with the state of each domain beside it.
/// Pure, thread-safe.

#include <string>

#include "carnot/ledger/entry/measurement_entry.hpp"
#include "carnot/meter/meter.hpp"

namespace carnot::report {

/// \param last  sample of this meter
std::string sensors_json(const meter::Meter& meter, const ledger::MeasurementSample& last);

}  // namespace carnot::report
