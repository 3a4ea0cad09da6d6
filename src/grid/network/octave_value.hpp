// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Values of the small part of Octave's language that MATPOWER cases are written in, and its
/// arithmetic: matrices of numbers, strings, and cell arrays that are only carried along.

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace carnot::grid {

/// The right side of an assignment. A number is a matrix of one row and column. Rows of a literal
/// may differ in length; such a one can be read, not computed with.
struct OctaveValue {
  struct Row {
    std::size_t line = 0;
    std::vector<double> numbers;       ///< of a matrix
    std::vector<std::string> strings;  ///< of a cell array; numbers in it as they are written
  };
  std::size_t line = 0;
  bool is_string = false, is_cell = false;
  bool is_truth = false;  ///< of a comparison: as an index it selects
  std::string text{};     ///< of a string
  std::vector<Row> rows{};
  /// What keeps it from being known, as what would be allowed; empty if it is known.
  std::string fault{};

  bool is_number() const { return rows.size() == 1 && rows.front().numbers.size() == 1; }
  std::size_t columns() const { return rows.empty() ? 0 : rows.front().numbers.size(); }
};

OctaveValue octave_number(double value, std::size_t line);
OctaveValue octave_matrix(std::size_t rows, std::size_t columns, double value, std::size_t line);

/// \throws NotUnderstood unless it is a matrix whose rows are equally long
void need_matrix(const OctaveValue& value);

/// Element by element; one that has a single row, or column, serves all of the other's.
/// \throws NotUnderstood where sizes do not go together
OctaveValue octave_each(const OctaveValue& a, const OctaveValue& b,
                        const std::function<double(double, double)>& of);
OctaveValue octave_each(OctaveValue a, const std::function<double(double)>& of);
OctaveValue octave_transposed(const OctaveValue& a);

/// Places along one side that an index names, from 0. \param size  of that side, for truth values
/// \throws NotUnderstood for what is no whole number above 0
std::vector<std::size_t> octave_places(const OctaveValue& index, std::size_t size);

/// A function by its name, such as `sin` or `size`. \throws NotUnderstood
OctaveValue octave_call(std::string_view name, const std::vector<OctaveValue>& arguments,
                        std::size_t line);

/// MATPOWER's names of columns: `idx_bus`, `idx_brch`, `idx_gen`, `idx_cost`, in the order in which
/// the function of that name gives them; empty for other names.
struct OctaveConstant {
  std::string_view name;
  double value = 0.0;
};
std::vector<OctaveConstant> octave_constants(std::string_view function);

}  // namespace carnot::grid
