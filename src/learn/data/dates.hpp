// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Dates in cells: `2024-03-01`, `2024/3/1 12:30:05.5`, `2024-03-01T12:30Z`, `01.03.2024 12:30`,
/// `3/14/2024 5:30 PM`, `3/14/24`. Gregorian; without a zone the time is taken as UTC.

#include <optional>
#include <string_view>
#include <vector>

#include "learn/data/numbers.hpp"

namespace carnot::learn {

/// Seconds since 1970-01-01T00:00Z; nothing if the cell is no date in this order.
std::optional<double> read_date(std::string_view cell, DateOrder order);

/// The order in which most of the cells are dates. Between points the day comes first; between
/// strokes a first part above 12 says so, a second above 12 says month first, and without either it
/// is month first.
DateOrder date_order(const std::vector<std::string_view>& cells);

}  // namespace carnot::learn
