// SPDX-License-Identifier: Apache-2.0
#include "trace/readers/csv_series.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/input/cells.hpp"
#include "carnot/base/limits.hpp"

namespace carnot::inline trace::csv {

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

// A quoted field without its quotes, `""` being `"`. `scratch` holds it where it had doubled ones.
std::string_view unquoted(std::string_view field, std::string& scratch) {
  field = trimmed(field);
  if (field.size() < 2 || field.front() != '"' || field.back() != '"') return field;
  field = field.substr(1, field.size() - 2);
  if (field.find('"') == std::string_view::npos) return trimmed(field);
  scratch.clear();
  for (std::size_t i = 0; i < field.size(); ++i) {
    scratch += field[i];
    if (field[i] == '"') ++i;
  }
  return trimmed(scratch);
}

bool equals_ignoring_case(std::string_view text, std::string_view lower) noexcept {
  return text.size() == lower.size() &&
         std::equal(text.begin(), text.end(), lower.begin(), [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b;
         });
}

// Words of tables for a value that is missing.
constexpr std::array<std::string_view, 15> kMissing{
    "nan", "na",   "null",    "n/a",    "#n/a",    "n/e",  "-",           "--",
    ".",   "none", "missing", "nodata", "no data", "k.a.", "\xE2\x80\x93"};

bool whole_cell(std::string_view cell, double& value) noexcept {
  if (!cell.empty() && cell.front() == '+') cell.remove_prefix(1);
  return read_whole(cell, value) && std::isfinite(value);
}

// Without its separators of thousands, which must leave groups of three, and with a point for its
// decimal sign. Empty: not a number of that form.
std::string plain_number(std::string_view cell, char decimal) {
  std::string plain;
  std::size_t group = 0;
  bool grouped = false, fraction = false;
  for (std::size_t i = 0; i < cell.size(); ++i) {
    const char c = cell[i];
    if (c == decimal && !fraction) {
      if (grouped && group != 3) return {};
      fraction = true;
      plain += '.';
    } else if (!fraction && (c == (decimal == ',' ? '.' : ',') || c == ' ' || c == '\'')) {
      if (group == 0 || group > 3 || (grouped && group != 3)) return {};
      grouped = true;
      group = 0;
    } else {
      plain += c;
      if (c >= '0' && c <= '9') ++group;
    }
  }
  return grouped && !fraction && group != 3 ? std::string{} : plain;
}

std::string when(std::int64_t nanoseconds) {
  return Instant::from_unix_nanoseconds(nanoseconds).iso8601();
}

}  // namespace

bool parse_cell(std::string_view cell, const CellForm& form, double& value) {
  if (form.decimal == '.' && whole_cell(cell, value)) [[likely]]
    return true;
  value = kNaN;
  if (cell.empty()) return true;
  for (const std::string_view word : kMissing)
    if (equals_ignoring_case(cell, word)) return true;
  double number = 0;
  if (const std::string plain = plain_number(cell, form.decimal);
      !plain.empty() && whole_cell(plain, number)) {
    value = number;
    return true;
  }
  return false;
}

std::vector<std::string> split_line(std::string_view line, char separator) {
  std::vector<std::string> fields;
  std::string scratch;
  for (std::size_t from = 0; from <= line.size();) {
    const std::size_t end = cell_end(line, from, separator);
    fields.emplace_back(unquoted(line.substr(from, end - from), scratch));
    from = end + 1;
  }
  return fields;
}

void Report::add(std::size_t line, std::string_view column, std::string_view allowed) {
  if (++count_ <= kMost) problems_.add({file_, line}, column, allowed);
}

void Report::throw_if_any() const {
  if (count_ <= kMost) {
    problems_.throw_if_any();
    return;
  }
  Problems all = problems_;
  all.add({file_, 0}, "", fmt::format("and {} more problems", count_ - kMost));
  all.throw_if_any();
}

Header read_header(input::Lines& lines) {
  std::string_view line;
  bool first = true;
  do {
    if (!lines.next(line)) {
      throw InputError(
          describe({lines.name(), 0}, "", "a header line and rows; the file is empty"));
    }
    if (first) line = without_byte_order_mark(line);
    first = false;
  } while (!line.empty() && line.front() == '#');
  if (trimmed(line).empty()) {
    throw InputError(describe({lines.name(), lines.number()}, "", "a header line with names"));
  }
  Header header;
  header.line = lines.number();
  header.separator = separator_of(line);
  header.names = split_line(line, header.separator);
  return header;
}

std::size_t find_column(const Header& header, const std::string& file, std::string_view name) {
  const auto found = std::find(header.names.begin(), header.names.end(), name);
  if (found != header.names.end()) return static_cast<std::size_t>(found - header.names.begin());
  std::string allowed;
  const std::string near = nearest(name, header.names);
  if (!near.empty()) {
    allowed = fmt::format("a column of the file; did you mean `{}`?", near);
  } else {
    allowed = "one of";
    for (const std::string& known : header.names) {
      if (allowed.size() > 400) {
        allowed += " ...";
        break;
      }
      allowed += fmt::format(" `{}`", known);
    }
  }
  throw InputError(describe({file, header.line}, name, allowed));
}

namespace {

// One row's wanted fields.
class RowSplitter {
 public:
  RowSplitter(const Header& header, const std::vector<std::size_t>& wanted)
      : separator_(header.separator),
        count_(header.names.size()),
        slot_(count_, kNone),
        fields_(wanted.size()),
        scratch_(wanted.size()) {
    for (std::size_t i = 0; i < wanted.size(); ++i) slot_[wanted[i]] = i;
    last_wanted_ = *std::max_element(wanted.begin(), wanted.end());
  }
  /// The number of fields in the line; those wanted are in `field(i)`.
  std::size_t split(std::string_view line) {
    const bool quotes = std::memchr(line.data(), '"', line.size()) != nullptr;
    std::size_t index = 0;
    std::size_t from = 0;
    for (;; ++index) {
      const std::size_t end = quotes ? cell_end(line, from, separator_) : plain_end(line, from);
      if (index < count_ && slot_[index] != kNone) {
        const std::string_view raw = line.substr(from, end - from);
        fields_[slot_[index]] = quotes ? unquoted(raw, scratch_[slot_[index]]) : trimmed(raw);
      }
      if (end == line.size()) break;
      from = end + 1;
      if (!quotes && index >= last_wanted_) {
        // Nothing more is wanted: only the count matters.
        const std::string_view rest = line.substr(from);
        return index + 2 +
               static_cast<std::size_t>(std::count(rest.begin(), rest.end(), separator_));
      }
    }
    return index + 1;
  }
  std::string_view field(std::size_t i) const noexcept { return fields_[i]; }

 private:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  std::size_t plain_end(std::string_view line, std::size_t from) const noexcept {
    while (from < line.size() && line[from] != separator_) ++from;
    return from;
  }
  char separator_;
  std::size_t count_, last_wanted_ = 0;
  std::vector<std::size_t> slot_;  // where a wanted column's field goes
  std::vector<std::string_view> fields_;
  std::vector<std::string> scratch_;
};

// Year, Month, Day as midnight, Period kept beside it in the low digits until the step is known.
bool parse_date_period(const RowSplitter& row, std::int64_t& midnight, int& period,
                       std::string& why) {
  int year = 0, month = 0, day_of_month = 0;
  if (!read_whole(row.field(0), year) || !read_whole(row.field(1), month) ||
      !read_whole(row.field(2), day_of_month) || !read_whole(row.field(3), period) || period < 1 ||
      period > 86'400) {
    why = "whole numbers Year, Month, Day and Period >= 1";
    return false;
  }
  try {
    midnight = Instant::from_date(year, month, day_of_month).unix_nanoseconds();
  } catch (const InputError& error) {
    why = error.what();
    return false;
  }
  return true;
}

// Periods of a day: the largest seen, which must be a usual count, so that a file that breaks off
// within its only day is not read at the wrong step. Turns midnights and periods into times.
void place_periods(const std::string& file, std::vector<std::int64_t>& time,
                   const std::vector<int>& period) {
  const int periods = *std::max_element(period.begin(), period.end());
  constexpr std::array kUsual{1, 24, 48, 96, 144, 288, 1440};
  if (std::find(kUsual.begin(), kUsual.end(), periods) == kUsual.end()) {
    throw InputError(describe(
        {file, 0}, "Period",
        fmt::format("up to 1, 24, 48, 96, 144, 288 or 1440 a day; the largest is {}", periods)));
  }
  const std::int64_t step = 86'400 * kSecond / periods;
  for (std::size_t i = 0; i < time.size(); ++i) {
    if (__builtin_add_overflow(time[i], step * (period[i] - 1), &time[i])) {
      throw InputError(describe({file, 0}, "Year", "the years 1678 to 2261"));
    }
  }
}

// Whether the row read last is of the time of the one before and need not stand on its own: because
// it says the same, or by `repeats`. It is then taken off.
bool count_once(Series& series, RepeatPolicy repeats) {
  const std::size_t n = series.time.size();
  if (n < 2 || series.time[n - 1] != series.time[n - 2]) return false;
  const bool same = std::all_of(series.value.begin(), series.value.end(), [n](const auto& column) {
    return column[n - 1] == column[n - 2] ||
           (std::isnan(column[n - 1]) && std::isnan(column[n - 2]));
  });
  if (!same && repeats == RepeatPolicy::Refuse) return false;
  series.time.pop_back();
  for (auto& column : series.value) {
    double& kept = column[n - 2];
    const double again = column[n - 1];
    if (std::isnan(kept) || (repeats == RepeatPolicy::Last && !std::isnan(again))) {
      kept = again;
    } else if (repeats == RepeatPolicy::Mean && !std::isnan(again)) {
      kept = 0.5 * (kept + again);
    }
    column.pop_back();
  }
  ++series.repeated;
  return true;
}

void check_order(const Series& series, Report& report) {
  for (std::size_t i = 1; i < series.time.size() && !report.full(); ++i) {
    if (series.time[i] > series.time[i - 1]) continue;
    report.add(series.line_of(i), series.time_name,
               fmt::format("a time after that of the row before, {}; {} {}",
                           when(series.time[i - 1]), when(series.time[i]),
                           series.time[i] == series.time[i - 1]
                               ? "stands twice (repeats: first, last or mean would take it)"
                               : "goes back"));
  }
}

}  // namespace

Series read_series(input::Lines& lines, const Header& header, const TimeColumns& time,
                   const std::vector<std::size_t>& columns, const CellForm& form,
                   RepeatPolicy repeats) {
  const bool iso = time.kind == TimeColumns::Kind::Iso;
  const bool periods = time.kind == TimeColumns::Kind::YearMonthDayPeriod;
  std::vector<std::size_t> wanted;
  if (iso || periods) {
    for (std::size_t k = 0; k < (iso ? 1u : 4u); ++k) wanted.push_back(time.first + k);
  } else {
    wanted = time.columns;
  }
  const std::size_t time_fields = wanted.size();
  wanted.insert(wanted.end(), columns.begin(), columns.end());
  const std::size_t needed = *std::max_element(wanted.begin(), wanted.end()) + 1;
  Series series;
  series.first_line = header.line + 1;
  series.time_name = header.names[time.first].empty() ? "time" : header.names[time.first];
  for (const std::size_t column : columns) series.names.push_back(header.names[column]);
  series.value.resize(columns.size());

  Report report(lines.name());
  RowSplitter row(header, wanted);
  TimeParser times(time.zone);
  RowTimes row_times(time);
  std::vector<std::string_view> time_cells(time_fields);
  std::vector<int> period;
  std::string why;
  std::string_view line;
  std::size_t blank_line = 0;
  while (!report.full() && lines.next(line)) {
    if (line.empty()) {
      if (blank_line == 0) blank_line = lines.number();
      continue;
    }
    if (blank_line != 0) {
      // Words below the table are no rows of it.
      if (split_line(line, header.separator).size() != header.names.size()) break;
      report.add(blank_line, "", "a row; blank lines may only stand at the end");
      break;
    }
    const std::size_t found = row.split(line);
    if (found < needed || (found != header.names.size() && !header.ragged)) {
      report.add(lines.number(), "",
                 fmt::format("{} fields, as the header has; found {}", header.names.size(), found));
      continue;  // the file is refused in the end, so rows and lines may fall out of step
    }
    std::int64_t at = 0;
    int row_period = 0;
    bool good = false;
    if (iso) {
      good = times.parse(row.field(0), at, why);
    } else if (periods) {
      good = parse_date_period(row, at, row_period, why);
    } else {
      for (std::size_t k = 0; k < time_fields; ++k) time_cells[k] = row.field(k);
      good = row_times.parse(time_cells, at, why);
    }
    if (!good) report.add(lines.number(), series.time_name, why);
    if (!good && why == kNoZone) break;  // so it is with all of them
    for (std::size_t k = 0; k < columns.size(); ++k) {
      double value = kNaN;
      const std::string_view cell = row.field(time_fields + k);
      if (!parse_cell(cell, form, value)) {
        report.add(lines.number(), series.names[k],
                   fmt::format("a finite number, found `{}`", cell.substr(0, 40)));
      }
      series.value[k].push_back(value);
    }
    series.time.push_back(at);
    if (periods) period.push_back(row_period);
    if (!periods && count_once(series, repeats)) {
      // From here on rows and lines are out of step.
      if (series.line.empty())
        for (std::size_t k = 0; k < series.time.size(); ++k)
          series.line.push_back(series.first_line + k);
    } else if (series.repeated > 0) {
      series.line.push_back(lines.number());
    }
  }
  if (series.time.empty() && report.empty()) {
    report.add(0, "", "rows below the header; there are none");
  }
  report.throw_if_any();
  if (periods) place_periods(lines.name(), series.time, period);
  if (series.time.size() > 2 && series.time.front() > series.time.back() &&
      std::is_sorted(series.time.rbegin(), series.time.rend())) {
    if (series.line.empty())
      for (std::size_t k = 0; k < series.time.size(); ++k)
        series.line.push_back(series.first_line + k);
    std::reverse(series.line.begin(), series.line.end());
    std::reverse(series.time.begin(), series.time.end());
    for (auto& column : series.value) std::reverse(column.begin(), column.end());
    series.reversed = true;
  }
  check_order(series, report);
  report.throw_if_any();
  return series;
}

}  // namespace carnot::inline trace::csv
