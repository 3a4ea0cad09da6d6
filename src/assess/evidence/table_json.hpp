// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// JSON documents that say what a table says too: they become its rows and are read as such. Rows
/// of messages count from the table's header, which is row 1.
///   `sacct --json` (Slurm 21.08 on; the layouts of its data parsers 0.0.37 to 0.0.41)
///   BoAmps energy reports (github.com/Boavizta/BoAmps), one or a list

#include <cstdint>

#include <nlohmann/json_fwd.hpp>

#include "carnot/assess/evidence/evidence.hpp"

namespace carnot::assess {

/// False: it is neither.
bool read_table_json(const nlohmann::json& document, Evidence& evidence, std::uint16_t file);

}  // namespace carnot::assess
