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

/// The same; without the line of units where no column has one.
std::string plain_table(std::vector<Column> table, const std::vector<std::string>& markers,
                        std::size_t room, bool colour);

/// A plain table that is filled row by row; columns to the left are worth more.
class RowTable {
 public:
  /// \param left  columns that are words
  explicit RowTable(std::vector<std::string> heads, std::vector<std::size_t> left = {0});
  void row(std::vector<std::string> cells, bool marked = false);
  std::string text(std::size_t room, bool colour) const;
  bool empty() const noexcept { return markers_.empty(); }

 private:
  std::vector<Column> columns_;
  std::vector<std::string> markers_;
};

}  // namespace carnot::report
