// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The part of Octave's language that MATPOWER cases are written in: a function header and
/// assignments of numbers, strings, matrices and cell arrays, with comments (`%`, `#`, blocks) and
/// continuation (`...`). Nothing is executed.

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace carnot::grid {

/// The right side of an assignment. A number is a matrix of one row and column.
struct OctaveValue {
  struct Row {
    std::size_t line = 0;
    std::vector<double> numbers;       ///< of a matrix
    std::vector<std::string> strings;  ///< of a cell array; numbers in it as they are written
  };
  std::size_t line = 0;
  bool is_string = false, is_cell = false;
  std::string text;  ///< of a string
  std::vector<Row> rows;
};

/// By the last part of the name: `bus` for `mpc.bus = ...`. A later assignment replaces an earlier.
/// \throws InputError `name:line: field: what is allowed` at the first thing not understood
std::map<std::string, OctaveValue> parse_octave(std::string_view text, const std::string& name);

}  // namespace carnot::grid
