// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Records of a CSV text (RFC 4180): quoted fields may hold commas, quotes and line ends.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace carnot::report {

class CsvRecords {
 public:
  /// \param text  must outlive this; a byte-order mark at its start is skipped
  explicit CsvRecords(std::string_view text);
  /// The next record that is not an empty line; false after the last.
  /// \throws InputError "line N: ..." for a quote that is not closed or text after a closing one
  bool next(std::vector<std::string>& fields);
  std::size_t line() const noexcept { return line_; }  ///< where the last record starts, from 1

 private:
  std::string field();

  std::string_view text_;
  std::size_t at_ = 0, line_ = 0, next_line_ = 1;
};

}  // namespace carnot::report
