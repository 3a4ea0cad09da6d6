// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Tables on a terminal: columns as wide as their cells, the least worth dropped where it is
/// narrow. Pure functions.

#include <cstddef>
#include <string>
#include <vector>

namespace carnot::report {

struct Column {
  std::string name, unit;
  int worth;  ///< the least go first when the terminal is narrow
  std::vector<std::string> cells;
  bool left = false;

  std::size_t width() const;
};

/// All cells with the same decimals, so that they compare by eye.
std::vector<std::string> aligned_numbers(const std::vector<double>& values, double factor,
                                         int digits = 3);
/// Greatest magnitude among the finite.
double largest_of(const std::vector<double>& values);

/// Names, units and a line a row, each behind its marker of two columns. What does not fit in
/// `width` goes from `table`; the first two columns stay, the first shortened at need.
std::vector<std::string> table_lines(std::vector<Column>& table, std::size_t width,
                                     const std::vector<std::string>& markers);

}  // namespace carnot::report
