// SPDX-License-Identifier: Apache-2.0
#include "learn/data/dates.hpp"

#include <array>
#include <charconv>
#include <chrono>

namespace carnot::learn {

namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// Reads a text from its front.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  /// A whole number of `fewest` to `most` digits, no more behind it.
  std::optional<int> number(std::size_t fewest, std::size_t most) {
    std::size_t n = 0;
    while (n < text_.size() && is_digit(text_[n])) ++n;
    if (n < fewest || n > most) return std::nullopt;
    int value = 0;
    std::from_chars(text_.data(), text_.data() + n, value);
    text_.remove_prefix(n);
    digits_ = n;
    return value;
  }
  std::size_t digits() const noexcept { return digits_; }
  char front() const noexcept { return text_.empty() ? '\0' : text_.front(); }
  bool take(char c) {
    if (front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool take(std::string_view word) {
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }
  void blanks() {
    while (take(' ')) {
    }
  }
  bool ended() const noexcept { return text_.empty(); }

 private:
  std::string_view text_;
  std::size_t digits_ = 0;
};

/// The three parts of a date as they stand.
struct Parts {
  std::array<int, 3> numbers{};
  std::array<std::size_t, 3> digits{};
  char apart = '\0';
};

std::optional<Parts> read_parts(Cursor& at) {
  Parts parts;
  for (std::size_t i = 0; i < 3; ++i) {
    const std::optional<int> number = at.number(1, 4);
    if (!number) return std::nullopt;
    parts.numbers[i] = *number;
    parts.digits[i] = at.digits();
    if (i == 2) break;
    const char apart = at.front();
    if (i == 0 ? apart != '-' && apart != '/' && apart != '.' : apart != parts.apart)
      return std::nullopt;
    parts.apart = apart;
    at.take(apart);
  }
  return parts;
}

std::optional<double> read_clock(Cursor& at) {
  const std::optional<int> hour = at.number(1, 2);
  if (!hour || *hour > 24 || !at.take(':')) return std::nullopt;
  const std::optional<int> minute = at.number(2, 2);
  if (!minute || *minute > 59) return std::nullopt;
  double seconds = *hour * 3600.0 + *minute * 60.0;
  if (at.take(':')) {
    const std::optional<int> second = at.number(2, 2);
    if (!second || *second > 60) return std::nullopt;
    seconds += *second;
    if (at.front() == '.' || at.front() == ',') {
      at.take(at.front());
      double unit = 0.1;
      if (!is_digit(at.front())) return std::nullopt;
      for (; is_digit(at.front()); unit /= 10) {
        seconds += unit * (at.front() - '0');
        at.take(at.front());
      }
    }
  }
  at.blanks();
  const bool afternoon = at.take("PM") || at.take("pm");
  if (afternoon || at.take("AM") || at.take("am")) {
    if (*hour < 1 || *hour > 12) return std::nullopt;
    seconds += (afternoon ? 12 : 0) * 3600.0 - (*hour == 12 ? 12 * 3600.0 : 0.0);
  }
  return seconds;
}

/// `Z`, `UTC`, `+01:00`, `-0500`, `+01`; nothing there is UTC.
std::optional<double> read_zone(Cursor& at) {
  at.blanks();
  if (at.ended() || at.take("Z") || at.take("UTC") || at.take("GMT")) return 0.0;
  const bool west = at.front() == '-';
  if (!at.take('+') && !at.take('-')) return std::nullopt;
  const std::optional<int> first = at.number(2, 4);
  if (!first || at.digits() == 3) return std::nullopt;
  int minutes = at.digits() == 4 ? *first / 100 * 60 + *first % 100 : *first * 60;
  if (at.digits() == 2 && at.take(':')) {
    const std::optional<int> rest = at.number(2, 2);
    if (!rest) return std::nullopt;
    minutes += *rest;
  }
  return (west ? -60.0 : 60.0) * minutes;
}

/// Places of year, month and day among the parts.
std::array<std::size_t, 3> places(DateOrder order) noexcept {
  switch (order) {
    case DateOrder::None:
    case DateOrder::YearFirst:
      return {0, 1, 2};
    case DateOrder::DayFirst:
      return {2, 1, 0};
    case DateOrder::MonthFirst:
      return {2, 0, 1};
  }
  return {0, 1, 2};
}

std::optional<double> days_of(const Parts& parts, DateOrder order) {
  const auto [year_at, month_at, day_at] = places(order);
  int year = parts.numbers[year_at];
  const std::size_t digits = parts.digits[year_at];
  if (digits == 2 && order != DateOrder::YearFirst && parts.apart == '/')
    year += year < 70 ? 2000 : 1900;
  else if (digits != 4)
    return std::nullopt;
  if (parts.digits[month_at] > 2 || parts.digits[day_at] > 2) return std::nullopt;
  const std::chrono::year_month_day date{
      std::chrono::year(year), std::chrono::month(static_cast<unsigned>(parts.numbers[month_at])),
      std::chrono::day(static_cast<unsigned>(parts.numbers[day_at]))};
  if (!date.ok()) return std::nullopt;
  return static_cast<double>(std::chrono::sys_days(date).time_since_epoch().count());
}

}  // namespace

std::optional<double> read_date(std::string_view cell, DateOrder order) {
  Cursor at(cell);
  const std::optional<Parts> parts = read_parts(at);
  if (!parts || order == DateOrder::None) return std::nullopt;
  const std::optional<double> days = days_of(*parts, order);
  if (!days) return std::nullopt;
  if (at.ended()) return *days * 86400.0;
  if (!at.take('T') && !at.take(' ') && !at.take(',')) return std::nullopt;
  at.blanks();
  const std::optional<double> clock = read_clock(at);
  if (!clock) return std::nullopt;
  const std::optional<double> zone = read_zone(at);
  if (!zone || !at.ended()) return std::nullopt;
  return *days * 86400.0 + *clock - *zone;
}

DateOrder date_order(const std::vector<std::string_view>& cells) {
  std::size_t counts[4] = {};
  bool first_above_12 = false;
  bool second_above_12 = false;
  for (const std::string_view cell : cells) {
    Cursor at(cell);
    const std::optional<Parts> parts = read_parts(at);
    if (!parts) continue;
    if (parts->digits[0] == 4) {
      ++counts[1];
    } else {
      ++counts[parts->apart == '.' ? 2 : 3];
      first_above_12 = first_above_12 || parts->numbers[0] > 12;
      second_above_12 = second_above_12 || parts->numbers[1] > 12;
    }
  }
  if (counts[1] + counts[2] + counts[3] == 0) return DateOrder::None;
  if (counts[1] >= counts[2] && counts[1] >= counts[3]) return DateOrder::YearFirst;
  if (counts[2] >= counts[3]) return DateOrder::DayFirst;
  return first_above_12 && !second_above_12 ? DateOrder::DayFirst : DateOrder::MonthFirst;
}

}  // namespace carnot::learn
