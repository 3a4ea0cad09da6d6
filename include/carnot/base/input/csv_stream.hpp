// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Records of a CSV file (RFC 4180) as it streams by: quoted fields may hold separators, doubled
/// quotes and line ends. Fields are views that live until the next call. gzip is inflated as it is
/// read, a zip of one file before. The header is found by its names, the separator by counting.

#include <cstddef>
#include <deque>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/base/input/csv_lines.hpp"

namespace carnot::inline base {

/// "lineitemusagetype" of "lineItem/UsageType" and "line_item_usage_type": lower case letters and
/// digits alone, so that one name fits the spellings of one column.
std::string folded_name(std::string_view name);

class CsvStream {
 public:
  enum class State { Row, Broken, End };

  /// Takes the lines from the header on.
  /// \throws InputError where there is no header
  explicit CsvStream(input::Lines lines);

  /// The next record. Broken: a quote that does not end, or fields not as many as the header's;
  /// the stream goes on behind it.
  State next();

  std::size_t line() const noexcept { return line_; }  ///< where the record starts, from 1
  const std::vector<std::string>& header() const noexcept { return header_; }
  /// Index of the first of these columns that is there, by folded name; -1: none.
  int find(std::initializer_list<std::string_view> names) const;
  bool has(std::string_view name) const { return find({name}) >= 0; }
  /// Empty for a column of -1, and for NULL as databases write it.
  std::string_view field(int column) const;
  std::size_t fields() const noexcept { return fields_.size(); }
  const std::string& name() const { return lines_.name(); }

 private:
  bool take(std::string_view& line);
  bool cut(std::string_view text);
  bool fits();

  input::Lines lines_;
  char separator_ = ',';
  std::vector<std::string> header_;
  std::map<std::string, int, std::less<>> columns_;
  std::vector<std::string_view> fields_;
  std::vector<std::string> unquoted_;  // fields that had doubled quotes
  std::size_t unquoted_used_ = 0;
  std::string joined_, taken_;       // a record of several lines; a line handed back
  std::deque<std::string> pending_;  // lines read ahead in vain
  std::size_t line_ = 0;
};

}  // namespace carnot::inline base
