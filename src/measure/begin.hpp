// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// How a measurement begins: what its first entry says of machine, meter and job.

#include <cstdint>
#include <string>

#include "carnot/ledger/entry/entry.hpp"
#include "carnot/measure/measure.hpp"
#include "carnot/meter/meter.hpp"

namespace carnot::measure::detail {

/// Joules of one count of a gauge's integral.
inline constexpr double kGaugeUnit_j = 1e-6;

/// \param job  null for the whole machine
/// \throws InputError if options.facts_json is no JSON object
ledger::MeasurementBegin begin_of(const meter::Meter& meter, const meter::Job* job,
                                  const MeasureOptions& options);

/// Of the kernel that is running; empty where it cannot be read.
std::string boot_id(const std::string& procfs_root);
/// When a process started, in ticks after boot; 0: there is none of this number.
std::uint64_t start_ticks(int pid, const std::string& procfs_root);

}  // namespace carnot::measure::detail
