// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// How cells read: missing, a number in one of the ways in which people write them, a date, text.
///
/// A way of writing is a property of a column, decided from all its cells and then kept for other
/// files of the same columns: decimal point or comma, groups of three digits apart by comma, point,
/// blank or apostrophe, one sign of money or share before or behind, dates in one order. It is
/// taken only where every cell that is there reads in it. Where the cells of a column could mean
/// either (`1,234`), other columns of the table decide, then the separator: behind semicolons a
/// comma is decimal.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "learn/data/table.hpp"

namespace carnot::learn {

/// How a cell reads.
enum class CellKind : std::uint8_t {
  Missing,    ///< see is_missing_word
  Number,     ///< finite, magnitude at most 1e30
  NotFinite,  ///< reads as a number that is infinite or out of range
  Text,
};

/// Missing in any column: empty, `?`, `NA`.
bool is_missing(std::string_view cell) noexcept;
/// Missing where the other cells are numbers: besides, in any case, `N/A`, `NaN`, `null`, `none`,
/// `nil`, `-`, `--`, `.`, `missing`, `n.a.`, `\N`, `#N/A` and their like.
bool is_missing_word(std::string_view cell) noexcept;

/// A cell with decimal point and nothing else about it.
CellKind read_cell(std::string_view cell, double& value) noexcept;

enum class DateOrder : std::uint8_t { None, YearFirst, DayFirst, MonthFirst };

struct NumberStyle {
  char decimal = '.';
  char group = '\0';  ///< ',', '.', ' ' (blanks of any width), '\''
  std::string affix;  ///< the sign that stands before or behind every number: `%`, `EUR`
  DateOrder dates = DateOrder::None;  ///< seconds since 1970 UTC

  bool is_plain() const noexcept {
    return decimal == '.' && group == '\0' && affix.empty() && dates == DateOrder::None;
  }
  friend bool operator==(const NumberStyle&, const NumberStyle&) = default;
};

/// In words for the report; empty for a plain one.
std::string describe_style(const NumberStyle& style);

/// A cell in a given style; `value` is set where a Number comes back.
CellKind read_styled(std::string_view cell, const NumberStyle& style, double& value);

/// One column read once.
struct Cells {
  std::vector<double> values;  ///< of every row of the table
  std::vector<CellKind> kinds;
};

/// What the user says of missing cells: words beside the known ones, numbers by value (`-999` is
/// `-999.0` too).
class MissingWords {
 public:
  MissingWords() = default;
  explicit MissingWords(const std::vector<std::string>& words);
  bool holds(std::string_view cell) const noexcept;

 private:
  std::vector<std::string> words_;
  std::vector<double> numbers_;
};

/// Decides and reads.
class ColumnReader {
 public:
  ColumnReader(const Table& table, const MissingWords& missing);

  /// Plain unless every cell that is there reads in another way.
  NumberStyle style(std::size_t column) const;
  Cells cells(std::size_t column, const NumberStyle& style) const;
  /// A missing category: a known word of any column, or one that the user gave.
  bool missing_category(std::string_view cell) const noexcept;

 private:
  const Table& table_;
  const MissingWords& missing_;
  bool decimal_commas_ = false;  ///< some column has a comma that can only be decimal
  bool decimal_points_ = false;
};

}  // namespace carnot::learn
