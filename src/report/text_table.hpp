// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Tables for a terminal: two lines of heads, columns that go when there is no room. Pure
/// functions.

#include <cstddef>
#include <string>
#include <vector>

namespace carnot::report {

struct TextColumn {
  std::string name, unit;
  int worth = 0;  ///< the least go first when the terminal is narrow
  std::vector<std::string> cells;
  bool left = false;

  std::size_t width() const;
};

/// All cells with the same decimals, so that they compare by eye.
std::vector<std::string> aligned_numbers(const std::vector<double>& values, double factor,
                                         int digits = 3);
/// Greatest magnitude of the finite ones; 0 if there are none.
double largest_of(const std::vector<double>& values);

/// What fits `room` columns: the least worthy columns gone, the first shortened as a last resort.
std::vector<TextColumn> fitted(std::vector<TextColumn> table, std::size_t room);

/// The table's lines, heads included.
/// \param markers  two columns before each row, "> " for the row that is drawn strong
std::string text_table(const std::vector<TextColumn>& table,
                       const std::vector<std::string>& markers, std::size_t room, bool colour);

std::string strong(const std::string& text, bool colour);
std::string soft(const std::string& text, bool colour);

}  // namespace carnot::report
