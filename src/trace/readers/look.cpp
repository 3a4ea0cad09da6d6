// SPDX-License-Identifier: Apache-2.0
#include "carnot/trace/readers/look.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/base/sum.hpp"

#include "trace/readers/csv_layout.hpp"
#include "trace/readers/csv_unit.hpp"

namespace carnot::inline trace {

namespace {

constexpr std::size_t kCourse = 60;

std::vector<double> course_of(const std::vector<double>& values) {
  std::vector<double> course;
  const std::size_t parts = std::min(kCourse, values.size());
  for (std::size_t k = 0; k < parts; ++k) {
    const std::size_t from = k * values.size() / parts, to = (k + 1) * values.size() / parts;
    Sum<double> sum;
    std::size_t count = 0;
    for (std::size_t i = from; i < to; ++i)
      if (!std::isnan(values[i])) sum += values[i], ++count;
    course.push_back(count == 0 ? kNaN : sum.value() / static_cast<double>(count));
  }
  return course;
}

void describe_column(LookedAtColumn& column, const std::vector<double>& values) {
  Sum<double> sum;
  std::size_t count = 0;
  column.least = kInfinity;
  column.most = -kInfinity;
  for (const double v : values) {
    if (std::isnan(v)) {
      ++column.missing;
      continue;
    }
    ++count;
    sum += v;
    column.least = std::min(column.least, v);
    column.most = std::max(column.most, v);
    if (v < 0) ++column.negative;
  }
  column.numeric = count > 0;
  column.mean = count == 0 ? kNaN : sum.value() / static_cast<double>(count);
  column.course = course_of(values);
}

/// What a column is by its unit; price before power, as EUR/MWh is no MWh.
void name_quantity(LookedAtColumn& column, const csv::Layout& layout, const CsvOptions& options) {
  const std::pair<const char*, Dimension> known[] = {{"price", EnergyPrice::kDimension},
                                                     {"carbon", CarbonIntensity::kDimension},
                                                     {"power", Power::kDimension},
                                                     {"temperature", Temperature::kDimension},
                                                     {"speed", Speed::kDimension}};
  const std::size_t c = column.number - 1;
  std::vector<std::string> places{column.name};
  if (!layout.below.empty()) places.push_back("[" + layout.below[c] + "]");
  if (!layout.units.empty()) places.push_back("[" + layout.units[c] + "]");
  for (const std::string& place : places)
    for (const auto& [name, dimension] : known)
      if (const auto unit = csv::unit_in_header(place, dimension, options.euro_per_dollar)) {
        column.quantity = name;
        column.unit = *unit;
        return;
      }
}

std::string form_of(const csv::TimeColumns& time) {
  switch (time.kind) {
    case csv::TimeColumns::Kind::Text:
      return time.format;
    case csv::TimeColumns::Kind::Epoch:
      return time.unit_ns == 1'000'000'000 ? "seconds since 1970" : "milliseconds since 1970";
    case csv::TimeColumns::Kind::Hour:
      return fmt::format("{}, and the number of the {} from {}", time.format,
                         time.unit_ns == 3'600'000'000'000 ? "hour" : "period",
                         time.from_one ? 1 : 0);
    case csv::TimeColumns::Kind::Parts:
      return "year, month, day, hour, minute";
    default:
      return "ISO 8601";
  }
}

std::string zone_of(const csv::Zone& zone) {
  if (!zone.stated) return "";
  if (!zone.name.empty()) return zone.name;
  if (zone.offset_ns == 0) return "UTC";
  const std::int64_t minutes = std::abs(zone.offset_ns) / 60'000'000'000;
  return fmt::format("{}{:02d}:{:02d}", zone.offset_ns < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

void find_steps(LookedAtSeries& look, const std::vector<std::int64_t>& time) {
  std::int64_t span = 0;
  if (__builtin_sub_overflow(time.back(), time.front(), &span))
    throw InputError(describe({look.file, 0}, "", "times that span at most 292 years"));
  std::map<std::int64_t, std::size_t> count;
  for (std::size_t i = 1; i < time.size(); ++i) ++count[time[i] - time[i - 1]];
  std::int64_t step = 0;
  std::size_t most = 0;
  for (const auto& [difference, n] : count)
    if (n > most) step = difference, most = n;
  look.step = Duration::nanoseconds(2 * most + 1 >= time.size() ? step : 0);
  csv::Series stretches;
  stretches.time = time;
  std::vector<double> hours;
  csv::regularise(stretches, look.times_end, &hours);
  if (hours.empty()) return;
  const auto [least, greatest] = std::minmax_element(hours.begin(), hours.end());
  look.finest = Duration::from(*least * hour);
  look.coarsest = Duration::from(*greatest * hour);
}

// Holes are found where no stretch goes on: wider than the widest step.
void find_gaps(LookedAtSeries& look, const std::vector<std::int64_t>& time) {
  const std::int64_t widest = std::max(look.coarsest.nanoseconds(), look.step.nanoseconds());
  if (widest <= 0) return;
  const std::int64_t shift = look.times_end ? widest : 0;
  for (std::size_t i = 1; i < time.size(); ++i)
    if (time[i] - time[i - 1] > widest)
      look.gaps.push_back({Instant::from_unix_nanoseconds(time[i - 1] + widest - shift),
                           Instant::from_unix_nanoseconds(time[i] - shift)});
}

// Whether the times of the file carry their zone themselves.
bool states_zone(const std::vector<std::string>& row, const csv::Layout& layout) {
  std::vector<std::string_view> cells;
  for (const std::size_t c : layout.time.columns)
    cells.emplace_back(c < row.size() ? std::string_view(row[c]) : std::string_view());
  std::int64_t ns = 0;
  std::string why;
  return csv::RowTimes(layout.time).parse(cells, ns, why);
}

LookedAtSeries look(const std::function<input::Lines()>& open, const CsvOptions& options) {
  LookedAtSeries result;
  csv::Layout layout;
  {
    input::Lines first = open();
    layout = csv::find_layout(first, options);
  }
  input::Lines lines = open();
  result.file = lines.name();
  std::string_view line;
  while (lines.number() < layout.header.line && lines.next(line)) {
  }
  // Columns whose first cell is no number are words.
  std::vector<std::size_t> values;
  std::vector<std::string> first_row;
  {
    input::Lines rows = open();
    while (rows.number() < layout.header.line && rows.next(line)) {
    }
    std::vector<std::string> cells;
    if (rows.next(line)) cells = csv::split_line(line, layout.header.separator);
    for (std::size_t c = 0; c < layout.header.names.size(); ++c) {
      if (layout.is_time(c)) continue;
      LookedAtColumn column;
      column.number = c + 1;
      column.name = layout.header.names[c];
      name_quantity(column, layout, options);
      double value = 0;
      if (c < cells.size() && csv::parse_cell(cells[c], layout.form, value)) values.push_back(c);
      result.columns.push_back(std::move(column));
    }
    first_row = std::move(cells);
  }
  // Whatever is not stated is shown as if it were UTC, and said to be missing.
  csv::TimeColumns time = layout.time;
  if (!time.zone.stated) {
    result.zone_missing = !states_zone(first_row, layout);
    time.zone.stated = true;
  }
  const csv::Series series =
      csv::read_series(lines, layout.header, time, values, layout.form, RepeatPolicy::First);
  result.separator = layout.header.separator;
  result.decimal = layout.form.decimal;
  result.header_line = layout.header.line;
  for (const std::size_t c : layout.time.columns)
    result.time_columns.push_back(layout.header.names[c]);
  result.time_form = form_of(layout.time);
  result.zone = zone_of(layout.time.zone);
  result.times_end = layout.ends;
  result.rows = series.time.size();
  result.first = Instant::from_unix_nanoseconds(series.time.front());
  result.last = Instant::from_unix_nanoseconds(series.time.back());
  result.repeated = series.repeated;
  result.reversed = series.reversed;
  find_steps(result, series.time);
  find_gaps(result, series.time);
  for (std::size_t k = 0; k < values.size(); ++k)
    for (LookedAtColumn& column : result.columns)
      if (column.number == values[k] + 1) describe_column(column, series.value[k]);
  return result;
}

}  // namespace

LookedAtSeries look_at_series(const std::string& path, const CsvOptions& options) {
  return look([&path] { return input::Lines::of_file(path); }, options);
}

LookedAtSeries look_at_text(std::string_view text, const std::string& name,
                            const CsvOptions& options) {
  return look([&] { return input::Lines::of_text(text, name); }, options);
}

}  // namespace carnot::inline trace
