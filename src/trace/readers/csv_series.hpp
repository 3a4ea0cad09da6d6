// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// From lines to numbers: header, rows, times; and from rows to a trace, gaps seen to. Private to
/// the readers.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "carnot/base/error.hpp"
#include "carnot/base/input/csv_lines.hpp"
#include "carnot/trace/readers/read.hpp"

namespace carnot::inline trace::csv {

/// Up to 50 problems of one file, then a count of the rest.
class Report {
 public:
  explicit Report(std::string file) : file_(std::move(file)) {}
  void add(std::size_t line, std::string_view column, std::string_view allowed);
  bool empty() const noexcept { return count_ == 0; }
  bool full() const noexcept { return count_ >= kMost; }
  void throw_if_any() const;

 private:
  static constexpr std::size_t kMost = 50;
  std::string file_;
  Problems problems_;
  std::size_t count_ = 0;
};

/// Fixed offset from UTC of times that state none.
struct Zone {
  bool stated = false;
  std::int64_t offset_ns = 0;
};
/// Empty, `Z` or `+01:00`. \throws InputError otherwise
Zone parse_zone(std::string_view text);

/// ISO 8601 to nanoseconds, fast for the usual forms; remembers the last date.
class TimeParser {
 public:
  explicit TimeParser(Zone zone) : zone_(zone) {}
  /// False: not a time; `why` then says what is allowed.
  bool parse(std::string_view text, std::int64_t& nanoseconds, std::string& why);

 private:
  Zone zone_;
  bool has_date_ = false;
  char date_[10] = {};
  std::int64_t midnight_ = 0;
};

/// The table's first line, split.
struct Header {
  char separator = ',';
  std::size_t line = 0;
  std::vector<std::string> names;  ///< trimmed, unquoted
};
/// Skips a byte order mark and leading `#` lines. \throws InputError for an empty file
Header read_header(input::Lines& lines);
/// \throws InputError with the nearest name if there is no such column
std::size_t find_column(const Header& header, const std::string& file, std::string_view name);

/// How rows tell their time.
struct TimeColumns {
  enum class Kind { Iso, YearMonthDayPeriod } kind = Kind::Iso;
  std::size_t first = 0;  ///< the ISO column, or Year; Month, Day, Period follow it
  Zone zone;
};

/// Rows as numbers. Row i stands in line first_line + i.
struct Series {
  std::size_t first_line = 0;
  std::string time_name;
  std::vector<std::string> names;
  std::vector<std::int64_t> time;          ///< strictly increasing nanoseconds
  std::vector<std::vector<double>> value;  ///< one vector a column asked for; NaN: missing
};

/// Reads all rows. \throws InputError with all that is wrong
Series read_series(input::Lines& lines, const Header& header, const TimeColumns& time,
                   const std::vector<std::size_t>& columns);

/// value * factor + offset turns a cell into base units.
struct Conversion {
  double factor = 1.0;
  double offset = 0.0;
};

/// What `assemble` has to know beyond the rows.
struct Rules {
  GapPolicy gaps = GapPolicy::Refuse;
  bool ends = false;
  bool trim_ends = false;
  bool allow_negative = true;
};

struct Assembled {
  TraceCore core;
  std::vector<FilledGap> filled;
};

/// One column as a trace. `value` may be a combination of the series' columns.
/// \throws InputError with all gaps, overlaps and negative values
Assembled assemble(const std::string& file, const Series& series, std::string_view column,
                   std::vector<double> value, Conversion conversion, const Rules& rules);

/// "wind.csv: column `wind` [MW], 8784 intervals of 3600 s from ... to ...; 2 gaps filled ..."
std::string describe_source(const std::string& file, std::string_view column, std::string_view unit,
                            const Assembled& assembled, GapPolicy gaps);

}  // namespace carnot::inline trace::csv
