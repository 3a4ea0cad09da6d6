// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// From lines to numbers: header, rows, times; and from rows to a trace, gaps seen to. Private to
/// the readers.

#include <algorithm>
#include <cstdint>
#include <optional>
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

/// Offset from UTC of times that state none: fixed, or as a named zone's clocks had it.
struct Zone {
  bool stated = false;
  std::int64_t offset_ns = 0;
  std::string name{};  ///< of a named zone; else empty
};
/// Empty, `Z`, `+01:00` or a name of the time zone database. \throws InputError otherwise
Zone parse_zone(std::string_view text);

/// What a time lacks that states no zone where the file has none.
extern const char* const kNoZone;

/// Turns what clocks showed into UTC, row after row: an hour that exists twice is the later one
/// where the row before was in the earlier one already.
class ZoneClock {
 public:
  explicit ZoneClock(const Zone& zone);
  /// False: clocks never showed that; `why` then says so.
  bool to_utc(std::int64_t local_ns, std::int64_t& utc_ns, std::string& why);
  bool stated() const noexcept { return zone_.stated; }

 private:
  Zone zone_;
  const void* named_ = nullptr;  // date::time_zone
  std::int64_t last_ns_;
};

/// ISO 8601 to nanoseconds, fast for the usual forms; remembers the last date.
class TimeParser {
 public:
  explicit TimeParser(const Zone& zone) : clock_(zone), zone_(zone) {}
  /// False: not a time; `why` then says what is allowed.
  bool parse(std::string_view text, std::int64_t& nanoseconds, std::string& why);

 private:
  ZoneClock clock_;
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
  bool ragged = false;             ///< rows may have more or fewer fields than the header
};
/// How cells are written.
struct CellForm {
  char decimal = '.';
};
/// A cell: a finite number, or NaN where it is missing. False: neither.
bool parse_cell(std::string_view cell, const CellForm& form, double& value);
/// The fields of a line, unquoted and trimmed.
std::vector<std::string> split_line(std::string_view line, char separator);
/// Skips a byte order mark and leading `#` lines. \throws InputError for an empty file
Header read_header(input::Lines& lines);
/// \throws InputError with the nearest name if there is no such column
std::size_t find_column(const Header& header, const std::string& file, std::string_view name);

/// How rows tell their time.
struct TimeColumns {
  enum class Kind {
    Iso,
    YearMonthDayPeriod,
    Text,   ///< `format` in one column, or in two joined by a blank
    Epoch,  ///< whole `unit_ns` since 1970
    Hour,   ///< a date, then the number of the hour or period of `unit_ns`
    Parts,  ///< Year, Month, Day, Hour, Minute
  } kind = Kind::Iso;
  std::size_t first = 0;  ///< the ISO column, or Year; Month, Day, Period follow it
  Zone zone;
  std::vector<std::size_t> columns{};  ///< of the other kinds
  std::string format{};                ///< Text, and the date of Hour
  std::int64_t unit_ns = 1'000'000'000;
  bool from_one = false;  ///< Hour: the first is 1
};

/// The times of rows, of any kind but YearMonthDayPeriod.
class RowTimes {
 public:
  explicit RowTimes(const TimeColumns& columns)
      : columns_(columns), iso_(columns.zone), clock_(columns.zone) {}
  /// \param fields  the cells of `TimeColumns::columns`, of `first` for Iso
  bool parse(const std::vector<std::string_view>& fields, std::int64_t& ns, std::string& why);

 private:
  bool hour(const std::vector<std::string_view>& fields, std::int64_t& ns, std::string& why);
  bool parts(const std::vector<std::string_view>& fields, std::int64_t& ns, std::string& why);
  TimeColumns columns_;
  TimeParser iso_;
  ZoneClock clock_;
  std::string joined_;
};

/// What clocks showed, by a format of `CsvOptions::time_format`; of an interval `A - B` the first.
struct ClockTime {
  std::int64_t local_ns = 0;
  std::optional<std::int64_t> offset_ns{};  ///< where the text states it
};
std::optional<ClockTime> match_time(std::string_view format, std::string_view text);

/// Rows as numbers.
struct Series {
  std::size_t first_line = 0;
  std::vector<std::size_t> line{};  ///< of each row; empty: first_line + row
  std::size_t line_of(std::size_t row) const {
    return line.empty() ? first_line + row : line[std::min(row, line.size() - 1)];
  }
  std::size_t repeated = 0;  ///< rows that stood twice and count once
  bool reversed = false;     ///< the file runs from last to first
  std::string time_name;
  std::vector<std::string> names;
  std::vector<std::int64_t> time;          ///< strictly increasing nanoseconds
  std::vector<std::vector<double>> value;  ///< one vector a column asked for; NaN: missing
};

/// Reads all rows. \throws InputError with all that is wrong
Series read_series(input::Lines& lines, const Header& header, const TimeColumns& time,
                   const std::vector<std::size_t>& columns, const CellForm& form = {},
                   RepeatPolicy repeats = RepeatPolicy::Refuse);

/// Puts a series whose resolution changes on the raster of the finest; turns one that runs
/// backwards round; makes times that mark ends mark starts. `hours` gets the length of each row's
/// own interval where it is asked for. -> what was done, for the provenance
std::string regularise(Series& series, bool ends, std::vector<double>* hours);

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
  NegativePolicy negative = NegativePolicy::Allow;
  Duration longest_gap{};
  std::optional<Instant> needed_from{}, needed_to{};
};

struct Assembled {
  TraceCore core;
  std::vector<FilledGap> filled;
  std::size_t zeroed = 0;    ///< negative values that count as 0
  std::size_t left_out = 0;  ///< rows beyond gaps outside of what is needed
};

/// One column as a trace. `value` may be a combination of the series' columns.
/// \throws InputError with all gaps, overlaps and negative values
Assembled assemble(const std::string& file, const Series& series, std::string_view column,
                   std::vector<double> value, Conversion conversion, const Rules& rules);

/// "wind.csv: column `wind` [MW], 8784 intervals of 3600 s from ... to ...; 2 gaps filled ..."
std::string describe_source(const std::string& file, std::string_view column, std::string_view unit,
                            const Assembled& assembled, GapPolicy gaps);

}  // namespace carnot::inline trace::csv
