// SPDX-License-Identifier: Apache-2.0
// From rows to a trace: the common step, gaps, overlaps, missing cells, signs.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"

#include "trace/readers/csv_series.hpp"

namespace carnot::inline trace::csv {

namespace {

// A hole wider than this is a mistake in a time, not a hole.
constexpr std::int64_t kWidestGap = 10'000'000;

Instant instant(std::int64_t nanoseconds) { return Instant::from_unix_nanoseconds(nanoseconds); }
double in_seconds(std::int64_t nanoseconds) { return static_cast<double>(nanoseconds) * 1e-9; }

// The difference most rows share (Boyer & Moore's majority vote); zero if none has a majority.
std::int64_t common_step(const std::vector<std::int64_t>& time) {
  std::int64_t candidate = 0;
  std::size_t votes = 0;
  for (std::size_t i = 1; i < time.size(); ++i) {
    const std::int64_t difference = time[i] - time[i - 1];
    if (votes == 0) candidate = difference;
    votes += difference == candidate ? 1 : static_cast<std::size_t>(-1);
  }
  std::size_t count = 0;
  for (std::size_t i = 1; i < time.size(); ++i) {
    if (time[i] - time[i - 1] == candidate) ++count;
  }
  return 2 * count >= time.size() - 1 ? candidate : 0;
}

class Assembly {
 public:
  Assembly(const std::string& file, const Series& series, std::string_view column,
           std::vector<double> value, const Rules& rules)
      : series_(series), column_(column), value_(std::move(value)), rules_(rules), report_(file) {}

  Assembled run(Conversion conversion) {
    if (series_.time.size() < 2) {
      report_.add(series_.line_of(0), series_.time_name,
                  "at least two rows, whose times are one step apart");
      report_.throw_if_any();
    }
    // 292 years fit a difference.
    std::int64_t span = 0;
    if (__builtin_sub_overflow(series_.time.back(), series_.time.front(), &span)) {
      report_.add(0, series_.time_name, "times that span at most 292 years");
      report_.throw_if_any();
    }
    step_ = common_step(series_.time);
    if (step_ == 0) {
      report_.add(0, series_.time_name,
                  "times one common step apart; here no difference has a majority");
      report_.throw_if_any();
    }
    find_ends();
    keep_needed(conversion);
    lay_out(conversion);
    report_.throw_if_any();
    std::int64_t start = series_.time[first_];
    if (rules_.ends && __builtin_sub_overflow(start, step_, &start)) {
      report_.add(0, series_.time_name, "times after the year 1678");
      report_.throw_if_any();
    }
    fill(start);
    report_.throw_if_any();
    return {TraceCore(instant(start), Duration::nanoseconds(step_), std::move(value_)),
            std::move(filled_), zeroed_, left_out_};
  }

 private:
  // Rows [first_, last_) are read; empty ones are cut off both ends where that is wanted.
  void find_ends() {
    last_ = value_.size();
    if (!rules_.trim_ends) return;
    while (last_ > first_ && std::isnan(value_[last_ - 1])) --last_;
    while (first_ < last_ && std::isnan(value_[first_])) ++first_;
    if (first_ == last_) {
      report_.add(series_.line_of(0), column_, "at least one number; all cells are empty");
      report_.throw_if_any();
    }
  }

  // Whether a series cannot be carried on from row i - 1 to row i.
  bool breaks(std::size_t i, Conversion conversion) const {
    const std::int64_t difference = series_.time[i] - series_.time[i - 1];
    const bool filled = rules_.gaps != GapPolicy::Refuse;
    if (difference != step_ && (!filled || difference % step_ != 0 || too_long(difference - step_)))
      return true;
    if (std::isnan(value_[i])) return !filled;
    return rules_.negative == NegativePolicy::Refuse &&
           value_[i] * conversion.factor + conversion.offset < 0;
  }

  bool too_long(std::int64_t gap_ns) const {
    return rules_.longest_gap > Duration{} && gap_ns > rules_.longest_gap.nanoseconds();
  }

  // What lies beyond a break outside of the time needed is of no concern.
  void keep_needed(Conversion conversion) {
    if (!rules_.needed_from || !rules_.needed_to) return;
    const std::int64_t shift = rules_.ends ? step_ : 0;
    const auto row_at = [&](Instant at) {
      return static_cast<std::size_t>(std::upper_bound(series_.time.begin(), series_.time.end(),
                                                       at.unix_nanoseconds() + shift) -
                                      series_.time.begin());
    };
    std::size_t from = row_at(*rules_.needed_from), to = row_at(*rules_.needed_to);
    from = std::clamp(from == 0 ? 0 : from - 1, first_, last_ - 1);
    // What is needed reaches into a gap: the row after it tells.
    if (to > 0 && to < last_ &&
        rules_.needed_to->unix_nanoseconds() + shift > series_.time[to - 1] + step_)
      ++to;
    to = std::clamp(to, from + 1, last_);
    std::size_t low = from;
    while (low > first_ && !breaks(low, conversion) && !std::isnan(value_[low - 1])) --low;
    while (to < last_ && !breaks(to, conversion)) ++to;
    while (to > from + 1 && to < last_ && std::isnan(value_[to - 1])) --to;
    left_out_ = (low - first_) + (last_ - to);
    first_ = low;
    last_ = to;
  }

  // Values in base units on the raster of the common step, gaps as kNaN.
  void lay_out(Conversion conversion) {
    std::vector<double> laid;
    const bool in_place = first_ == 0 && regular();
    longest_cells_ = rules_.longest_gap.nanoseconds() / step_;
    if (!in_place) laid.reserve(last_ - first_);
    for (std::size_t i = first_; i < last_ && !report_.full(); ++i) {
      if (i > first_) check_step(i, laid);
      double& value = value_[i];
      if (std::isnan(value)) {
        if (rules_.gaps == GapPolicy::Refuse) {
          report_.add(series_.line_of(i), column_,
                      "a finite number; the cell is empty (gaps: hold or linear would fill it)");
        }
      } else {
        value = value * conversion.factor + conversion.offset;
        if (value < 0.0 && rules_.negative == NegativePolicy::Zero) {
          value = 0.0;
          ++zeroed_;
        }
        if (value < 0.0 && rules_.negative == NegativePolicy::Refuse) {
          report_.add(series_.line_of(i), column_,
                      "0 or more (negative: zero or allow would take it)");
        }
        if (!std::isfinite(value)) {
          report_.add(series_.line_of(i), column_, "a number whose base units are finite");
        }
      }
      if (!in_place) laid.push_back(value);
    }
    if (in_place) {
      value_.resize(last_);
    } else {
      value_ = std::move(laid);
    }
  }

  bool regular() const {
    for (std::size_t i = 1; i < last_; ++i) {
      if (series_.time[i] - series_.time[i - 1] != step_) return false;
    }
    return true;
  }

  void check_step(std::size_t i, std::vector<double>& laid) {
    const std::int64_t before = series_.time[i - 1];
    const std::int64_t difference = series_.time[i] - before;
    if (difference == step_) return;
    const std::size_t line = series_.line_of(i);
    if (difference < step_) {
      report_.add(line, series_.time_name,
                  fmt::format("{} or later, a step of {} s after the row before; the rows overlap",
                              instant(before + step_).iso8601(), in_seconds(step_)));
      return;
    }
    // With times at ends, the hole begins where the row before ends.
    const std::int64_t shift = rules_.ends ? step_ : 0;
    const std::string from = instant(before + step_ - shift).iso8601();
    const std::string to = instant(series_.time[i] - shift).iso8601();
    if (rules_.gaps == GapPolicy::Refuse) {
      report_.add(line, series_.time_name,
                  fmt::format("no gap; [{}, {}) is missing (gaps: hold or linear would fill it)",
                              from, to));
    } else if (difference % step_ != 0) {
      report_.add(line, series_.time_name,
                  fmt::format("a whole number of steps of {} s after the row before; the gap [{}, "
                              "{}) is not",
                              in_seconds(step_), from, to));
    } else if (too_long(difference - step_)) {
      report_.add(line, series_.time_name,
                  fmt::format("no gap of more than {} h; [{}, {}) is missing",
                              rules_.longest_gap.time().in(hour), from, to));
    } else if (difference / step_ > kWidestGap) {
      report_.add(
          line, series_.time_name,
          fmt::format("gaps of at most {} steps; [{}, {}) is longer", kWidestGap, from, to));
    } else {
      laid.insert(laid.end(), static_cast<std::size_t>(difference / step_ - 1), kNaN);
    }
  }

  void fill(std::int64_t start) {
    const std::size_t n = value_.size();
    for (std::size_t i = 0; i < n;) {
      if (!std::isnan(value_[i])) {
        ++i;
        continue;
      }
      std::size_t end = i;
      while (end < n && std::isnan(value_[end])) ++end;
      const bool hold = rules_.gaps == GapPolicy::Hold;
      if (longest_cells_ > 0 && static_cast<std::int64_t>(end - i) > longest_cells_) {
        report_.add(0, column_,
                    fmt::format("no gap of more than {} h; [{}, {}) is missing",
                                rules_.longest_gap.time().in(hour),
                                instant(start + step_ * static_cast<std::int64_t>(i)).iso8601(),
                                instant(start + step_ * static_cast<std::int64_t>(end)).iso8601()));
        return;
      }
      if (i == 0 || (end == n && !hold)) {
        report_.add(0, column_, "numbers on both sides of a gap; it reaches the end of the file");
        return;
      }
      for (std::size_t k = i; k < end; ++k) {
        const double share = static_cast<double>(k - i + 1) / static_cast<double>(end - i + 1);
        value_[k] = hold ? value_[i - 1] : value_[i - 1] + share * (value_[end] - value_[i - 1]);
      }
      filled_.push_back({instant(start + step_ * static_cast<std::int64_t>(i)),
                         instant(start + step_ * static_cast<std::int64_t>(end))});
      i = end;
    }
  }

  const Series& series_;
  std::string_view column_;
  std::vector<double> value_;
  Rules rules_;
  Report report_;
  std::int64_t step_ = 0;
  std::size_t first_ = 0, last_ = 0;
  std::vector<FilledGap> filled_;
  std::size_t zeroed_ = 0, left_out_ = 0;
  std::int64_t longest_cells_ = 0;
};

}  // namespace

Assembled assemble(const std::string& file, const Series& series, std::string_view column,
                   std::vector<double> value, Conversion conversion, const Rules& rules) {
  return Assembly(file, series, column, std::move(value), rules).run(conversion);
}

std::string describe_source(const std::string& file, std::string_view column, std::string_view unit,
                            const Assembled& assembled, GapPolicy gaps) {
  const TraceCore& core = assembled.core;
  std::string text =
      fmt::format("{}: column `{}`{}, {} intervals of {} s from {} to {}", file, column,
                  unit.empty() ? "" : fmt::format(" [{}]", unit), core.size(),
                  core.step().time().in(second), core.begin().iso8601(), core.end().iso8601());
  if (!assembled.filled.empty()) {
    text += fmt::format("; {} gap{} filled ({})", assembled.filled.size(),
                        assembled.filled.size() == 1 ? "" : "s",
                        gaps == GapPolicy::Hold ? "hold" : "linear");
  }
  if (assembled.zeroed > 0)
    text += fmt::format("; {} negative value{} counted as 0", assembled.zeroed,
                        assembled.zeroed == 1 ? "" : "s");
  if (assembled.left_out > 0)
    text += fmt::format("; {} row{} beyond gaps left out", assembled.left_out,
                        assembled.left_out == 1 ? "" : "s");
  return text;
}

}  // namespace carnot::inline trace::csv
