// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A table of text cells, whatever file it came from, and how it is read.
///
/// What a file is, its content says: delimited text (delimited.hpp), ARFF (arff.hpp), LibSVM
/// (libsvm.hpp). UTF-16 is taken as the text it is, a zip archive of one file as that file;
/// anything else that is known by its first bytes (Parquet, NumPy, workbooks, other packers, JSON,
/// HTML) is refused by its name and with the way out.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/learn/data/dataset.hpp"

namespace carnot::learn {

/// What a file itself says a column is.
enum class ColumnKind : std::uint8_t { Unknown, Category, Number };

struct Table {
  static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

  std::string file;
  char separator = ',';  ///< ' ' for runs of blanks
  bool has_header = false;
  std::vector<std::string> names;        ///< one a column; "column 3" where the file has none
  std::vector<std::string> class_names;  ///< from a counting first line, else empty
  std::vector<ColumnKind> kinds;         ///< one a column, or empty: nothing is said
  std::size_t usual_label = kNone;       ///< the column that files of this kind mean by label
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::vector<std::string_view> cells;  ///< [rows x columns], trimmed
  std::vector<std::uint32_t> lines;     ///< [rows], 1-based

  std::string_view cell(std::size_t row, std::size_t column) const noexcept {
    return cells[row * columns + column];
  }
  ColumnKind kind(std::size_t column) const noexcept {
    return kinds.empty() ? ColumnKind::Unknown : kinds[column];
  }

  /// What the cells point into.
  std::shared_ptr<const std::string> text;
  std::shared_ptr<std::vector<std::unique_ptr<std::string>>> unescaped;
};

/// Most cells of one table: their views alone take 16 bytes each.
inline constexpr std::size_t kGreatestCells = std::size_t{1} << 28;

/// The table in `bytes`, by its content.
/// \param label  name of the label column if the user gave one; may be empty
/// \throws InputError `file:line: field: what is allowed`
Table read_table(std::string bytes, const std::string& file, std::string_view label,
                 HeaderRow header = HeaderRow::Found);

/// The first names, and how many more: a message stays readable for a million columns.
std::string some_names(const std::vector<std::string>& names);

}  // namespace carnot::learn
