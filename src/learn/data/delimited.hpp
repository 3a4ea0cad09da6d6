// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Text tables: CSV, TSV and their cousins as RFC 4180 quotes them, read from memory.
///
/// Separator: of comma, tab, semicolon and bar the one that occurs most often in the first line
/// (outside quotes). Header: the first row is one if none of its cells is a number, all differ and
/// none but the first is empty, or if a cell of it is the wanted label's name. A first line
/// `rows,columns,name,name,...` that counts the file truly (as scikit-learn writes) is taken as
/// such and its names are kept. Line ends LF or CR LF; a byte-order mark and blank lines are passed
/// over; blanks around cells go.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace carnot::learn {

struct Table {
  std::string file;
  char separator = ',';
  bool has_header = false;
  std::vector<std::string> names;        ///< one a column; "column 3" where the file has none
  std::vector<std::string> class_names;  ///< from a counting first line, else empty
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::vector<std::string_view> cells;  ///< [rows x columns], trimmed
  std::vector<std::uint32_t> lines;     ///< [rows], 1-based

  std::string_view cell(std::size_t row, std::size_t column) const noexcept {
    return cells[row * columns + column];
  }

  /// What the cells point into.
  std::shared_ptr<const std::string> text;
  std::shared_ptr<std::vector<std::unique_ptr<std::string>>> unescaped;
};

/// \param label  name of the label column if the user gave one; may be empty
/// \throws InputError: empty, no data rows, one column, ragged row, quote without end, zero byte
Table parse_delimited(std::string text, const std::string& file, std::string_view label);

/// How a cell reads.
enum class CellKind : std::uint8_t {
  Missing,    ///< empty, `?`, `NA`
  Number,     ///< finite, magnitude at most 1e30
  NotFinite,  ///< reads as a number that is NaN, infinite or out of range
  Text,
};
CellKind read_cell(std::string_view cell, double& value) noexcept;

}  // namespace carnot::learn
