// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Text on a terminal with emphasis, where it has colours. Pure functions.

#include <string>
#include <vector>

#include "report/draw/table.hpp"

namespace carnot::report {

std::string strong(const std::string& text, bool colour);
std::string soft(const std::string& text, bool colour);

/// The lines of a table (report/draw/table.hpp), heads soft, rows marked "> " strong.
std::string text_table(std::vector<Column> table, const std::vector<std::string>& markers,
                       std::size_t room, bool colour);

}  // namespace carnot::report
