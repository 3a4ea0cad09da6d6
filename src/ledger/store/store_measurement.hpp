// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A measurement's rows of the store.

#include <string>

#include <sqlite3.h>

#include "carnot/ledger/store/measurement_view.hpp"

namespace carnot::ledger::detail {

/// Inserts it under `run_id`; the caller holds the transaction. \throws InputError, IoError
void load_measurement(sqlite3* database, const std::string& path, const std::string& run_id,
                      const MeasurementView& measurement);

}  // namespace carnot::ledger::detail
