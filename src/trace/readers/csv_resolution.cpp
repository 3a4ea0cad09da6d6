// SPDX-License-Identifier: Apache-2.0
// Files whose resolution changes, that run backwards, or whose times mark ends.
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "carnot/base/error.hpp"

#include "trace/readers/csv_series.hpp"

namespace carnot::inline trace::csv {

namespace {

constexpr double kHour = 3600e9;  // nanoseconds
/// So many rows one difference apart are a resolution, fewer are gaps.
constexpr std::size_t kBlock = 4;
/// A finer raster than this many rows a row of the file is a mistake in a time.
constexpr std::int64_t kMostParts = 1440;

std::string duration_words(std::int64_t ns) {
  const std::int64_t s = ns / 1'000'000'000;
  return s % 3600 == 0 ? fmt::format("{} h", s / 3600)
         : s % 60 == 0 ? fmt::format("{} min", s / 60)
                       : fmt::format("{} s", s);
}

/// [row] length of its own interval, from one row to the next: the resolution of its block. Empty
/// where no block of equal differences stands out.
std::vector<std::int64_t> row_lengths(const std::vector<std::int64_t>& time) {
  const std::size_t n = time.size();
  std::vector<std::int64_t> length(n, 0);
  for (std::size_t i = 0; i + 1 < n;) {
    const std::int64_t step = time[i + 1] - time[i];
    std::size_t end = i + 1;
    while (end + 1 < n && time[end + 1] - time[end] == step) ++end;
    if (end - i >= kBlock)
      for (std::size_t k = i; k < end; ++k) length[k] = step;
    i = end;
  }
  // Rows among gaps have the length of the block before, the first ones that of the block after.
  std::int64_t last = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (length[i] == 0) length[i] = last;
    last = length[i];
  }
  for (std::size_t i = n; i-- > 0;) {
    if (length[i] == 0) length[i] = last;
    last = length[i];
  }
  if (last == 0) return {};
  return length;
}

/// The same where a row's interval reaches from the row before to it: the mirror image.
std::vector<std::int64_t> row_lengths(const std::vector<std::int64_t>& time, bool ends) {
  if (!ends) return row_lengths(time);
  std::vector<std::int64_t> mirrored(time.rbegin(), time.rend());
  for (std::int64_t& t : mirrored) t = time.back() - t;
  std::vector<std::int64_t> length = row_lengths(mirrored);
  std::reverse(length.begin(), length.end());
  return length;
}

}  // namespace

std::string regularise(Series& series, bool ends, std::vector<double>* hours) {
  std::string said;
  if (series.repeated > 0) said += fmt::format("; {} rows stood twice", series.repeated);
  if (series.reversed) said += "; from last to first";
  // Times further apart than 292 years have no difference; who assembles them says so.
  std::int64_t span = 0;
  if (series.time.empty() ||
      __builtin_sub_overflow(series.time.back(), series.time.front(), &span)) {
    if (hours != nullptr) hours->assign(series.time.size(), 1.0);
    return said;
  }
  std::vector<std::int64_t> length = row_lengths(series.time, ends);
  if (length.empty()) {
    if (hours == nullptr) return said;
    // Too few rows for a block: the difference that the shortest of them have.
    std::int64_t step = 0;
    for (std::size_t i = 1; i < series.time.size(); ++i) {
      const std::int64_t difference = series.time[i] - series.time[i - 1];
      step = step == 0 ? difference : std::min(step, difference);
    }
    hours->assign(series.time.size(), static_cast<double>(step) / kHour);
    return said;
  }
  std::int64_t finest = length.front(), coarsest = length.front();
  for (const std::int64_t l : length) {
    finest = std::gcd(finest, l);
    coarsest = std::max(coarsest, l);
  }
  if (hours != nullptr) {
    hours->clear();
    for (const std::int64_t l : length) hours->push_back(static_cast<double>(l) / kHour);
  }
  if (finest == coarsest || coarsest / finest > kMostParts) return said;
  Series fine;
  fine.first_line = series.first_line;
  fine.time_name = series.time_name;
  fine.names = series.names;
  fine.value.resize(series.value.size());
  std::vector<double> fine_hours;
  for (std::size_t i = 0; i < series.time.size(); ++i) {
    const std::int64_t parts = length[i] / finest;
    // Where times mark ends, the interval lies before its time.
    const std::int64_t begin = ends ? series.time[i] - length[i] + finest : series.time[i];
    for (std::int64_t k = 0; k < parts; ++k) {
      fine.time.push_back(begin + k * finest);
      fine.line.push_back(series.line_of(i));
      for (std::size_t c = 0; c < series.value.size(); ++c)
        fine.value[c].push_back(series.value[c][i]);
      if (hours != nullptr) fine_hours.push_back((*hours)[i]);
    }
  }
  series = std::move(fine);
  if (hours != nullptr) *hours = std::move(fine_hours);
  return said + fmt::format("; intervals of {} to {}, put on a raster of {}",
                            duration_words(*std::min_element(length.begin(), length.end())),
                            duration_words(coarsest), duration_words(finest));
}

}  // namespace carnot::inline trace::csv
