// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "carnot/learn/knobs/precision.hpp"

namespace carnot::learn {
/// The rows of a table as CSV text, in the order of OperationKind, then MemoryLevel. `file` is only
/// for messages. \throws InputError naming each line that breaks a rule
std::vector<CostRow> parse_energy_table(std::string_view text, const std::string& file);
}  // namespace carnot::learn
