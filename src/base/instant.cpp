// SPDX-License-Identifier: Apache-2.0
#include "carnot/base/instant.hpp"

#include <chrono>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "carnot/base/error.hpp"

namespace carnot::inline base {

namespace {

constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;
constexpr std::int64_t kSecondsPerDay = 86'400;
constexpr std::int64_t kNanosecondsPerDay = kSecondsPerDay * kNanosecondsPerSecond;

constexpr std::int64_t floor_divide(std::int64_t a, std::int64_t b) noexcept {
  return a / b - ((a % b != 0 && (a < 0) != (b < 0)) ? 1 : 0);
}

/// In [0, b); never overflows, unlike a - floor_divide(a, b) * b. Precondition: b > 0.
constexpr std::int64_t floor_remainder(std::int64_t a, std::int64_t b) noexcept {
  const std::int64_t r = a % b;
  return r < 0 ? r + b : r;
}

constexpr bool is_leap(std::int64_t year) noexcept {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

constexpr int days_in_month(std::int64_t year, int month) noexcept {
  if (month == 2) return is_leap(year) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

// Years here begin on 1 March, so that the leap day is the last of its year and the months before
// it have the fixed pattern 31 30 31 30 31 | 31 30 31 30 31 | 31: (153 m + 2) / 5 days.
constexpr std::int64_t kDaysBeforeEpoch = 719'468;  // from 0000-03-01 to 1970-01-01

constexpr std::int64_t days_from_date(std::int64_t year, int month, int day) noexcept {
  const std::int64_t y = month <= 2 ? year - 1 : year;
  const std::int64_t months_since_march = (month + 9) % 12;
  const std::int64_t day_of_year = (153 * months_since_march + 2) / 5 + day - 1;
  return 365 * y + floor_divide(y, 4) - floor_divide(y, 100) + floor_divide(y, 400) + day_of_year -
         kDaysBeforeEpoch;
}

struct Date {
  std::int64_t year;
  int month;
  int day;
};

constexpr Date date_from_days(std::int64_t days) noexcept {
  constexpr std::int64_t kDaysPerCycle = 146'097;  // 400 years
  const std::int64_t shifted = days + kDaysBeforeEpoch;
  const std::int64_t cycle = floor_divide(shifted, kDaysPerCycle);
  const std::int64_t d = shifted - cycle * kDaysPerCycle;  // [0, 146096]
  // Take out the leap days that have gone by: one each 1460, but one each 36524, but the last.
  const std::int64_t year_of_cycle = (d - d / 1460 + d / 36'524 - d / 146'096) / 365;
  const std::int64_t day_of_year =
      d - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
  const std::int64_t m = (5 * day_of_year + 2) / 153;
  const int day = static_cast<int>(day_of_year - (153 * m + 2) / 5) + 1;
  const int month = static_cast<int>(m < 10 ? m + 3 : m - 9);
  return {cycle * 400 + year_of_cycle + (month <= 2 ? 1 : 0), month, day};
}

static_assert(days_from_date(1970, 1, 1) == 0);
static_assert(days_from_date(2000, 3, 1) == 11'017);
static_assert(date_from_days(11'016).month == 2 && date_from_days(11'016).day == 29);

/// Exact, or nothing if 64 bits of nanoseconds cannot hold it.
std::optional<Instant> from_parts(std::int64_t seconds, std::int64_t nanoseconds) noexcept {
  if (seconds < 0 && nanoseconds > 0) {
    // Approach the lower end from above: the whole seconds alone may lie outside.
    seconds += 1;
    nanoseconds -= kNanosecondsPerSecond;
  }
  std::int64_t total = 0;
  if (__builtin_mul_overflow(seconds, kNanosecondsPerSecond, &total) ||
      __builtin_add_overflow(total, nanoseconds, &total))
    return std::nullopt;
  return Instant::from_unix_nanoseconds(total);
}

/// Walks over a text; each step says whether it fitted.
class Cursor {
 public:
  explicit Cursor(std::string_view text) noexcept : rest_(text) {}
  bool done() const noexcept { return rest_.empty(); }
  bool next_is_digit() const noexcept {
    return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9';
  }
  bool take(char c) noexcept {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  /// Exactly `count` decimal digits.
  bool digits(int count, int& value) noexcept {
    value = 0;
    for (int i = 0; i < count; ++i) {
      if (!next_is_digit()) return false;
      value = value * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    return true;
  }

 private:
  std::string_view rest_;
};

[[noreturn]] void refuse(std::string_view text, std::string_view why) {
  throw InputError(
      fmt::format("expected an instant such as `2020-01-01`, `2020-01-01T00:05Z` or "
                  "`2020-01-01T00:05:00.25+01:00`, found `{}`: {}",
                  text, why));
}

/// One to nine digits after the point, as nanoseconds.
bool fraction(Cursor& cursor, std::int64_t& nanoseconds) noexcept {
  std::int64_t scale = kNanosecondsPerSecond;
  nanoseconds = 0;
  while (cursor.next_is_digit()) {
    int digit = 0;
    cursor.digits(1, digit);
    scale /= 10;
    if (scale == 0) return false;
    nanoseconds += digit * scale;
  }
  return scale != kNanosecondsPerSecond;
}

/// Seconds east of UTC: `Z`, `+hh`, `+hhmm`, `+hh:mm`.
bool offset(Cursor& cursor, std::int64_t& seconds) noexcept {
  seconds = 0;
  if (cursor.take('Z')) return true;
  std::int64_t sign = 1;
  if (cursor.take('-')) {
    sign = -1;
  } else if (!cursor.take('+')) {
    return false;
  }
  int hours = 0;
  int minutes = 0;
  if (!cursor.digits(2, hours)) return false;
  if (!cursor.done()) {
    cursor.take(':');
    if (!cursor.digits(2, minutes)) return false;
  }
  if (hours > 23 || minutes > 59) return false;
  seconds = sign * (hours * 3600 + minutes * 60);
  return true;
}

}  // namespace

Duration Duration::from(Time t) noexcept {
  // Whole seconds apart, so that the product with 1e9 rounds only the fraction.
  const double s = t.in(second);
  const double whole = std::trunc(s);
  return nanoseconds(static_cast<std::int64_t>(whole) * kNanosecondsPerSecond +
                     std::llround((s - whole) * 1e9));
}

Instant Instant::from_date(int year, int month, int day_of_month) {
  const bool exists =
      month >= 1 && month <= 12 && day_of_month >= 1 && day_of_month <= days_in_month(year, month);
  if (!exists)
    throw InputError(fmt::format("there is no day {:04}-{:02}-{:02}", year, month, day_of_month));
  const auto instant = from_parts(days_from_date(year, month, day_of_month) * kSecondsPerDay, 0);
  if (!instant)
    throw InputError(fmt::format("year {} is outside the range of instants, 1678 to 2262", year));
  return *instant;
}

Instant Instant::parse(std::string_view text, bool assume_utc) {
  Cursor cursor(text);
  int year = 0;
  int month = 0;
  int day_of_month = 0;
  if (!cursor.digits(4, year) || !cursor.take('-') || !cursor.digits(2, month) ||
      !cursor.take('-') || !cursor.digits(2, day_of_month))
    refuse(text, "a date is year-month-day, 4-2-2 digits");
  if (month < 1 || month > 12 || day_of_month < 1 || day_of_month > days_in_month(year, month))
    refuse(text, "there is no such day");

  std::int64_t seconds = days_from_date(year, month, day_of_month) * kSecondsPerDay;
  std::int64_t nanoseconds = 0;
  if (!cursor.done()) {
    if (!cursor.take('T') && !cursor.take(' ')) refuse(text, "`T` or a space follows the date");
    int hours = 0;
    int minutes = 0;
    int whole_seconds = 0;
    if (!cursor.digits(2, hours) || !cursor.take(':') || !cursor.digits(2, minutes))
      refuse(text, "a time is hours:minutes or hours:minutes:seconds, two digits each");
    if (cursor.take(':')) {
      if (!cursor.digits(2, whole_seconds)) refuse(text, "seconds have two digits");
      if (cursor.take('.') && !fraction(cursor, nanoseconds))
        refuse(text, "a fraction of a second has one to nine digits");
    }
    if (hours > 23 || minutes > 59 || whole_seconds > 59)
      refuse(text, "the time of day runs from 00:00:00 to 23:59:59 (no leap seconds)");
    std::int64_t east = 0;
    if (cursor.done()) {
      if (!assume_utc) refuse(text, "a time needs `Z` or an offset such as `+01:00`");
    } else if (!offset(cursor, east)) {
      refuse(text, "an offset is `Z` or `+hh:mm`, up to 23:59");
    }
    if (!cursor.done()) refuse(text, "nothing may follow");
    seconds += hours * 3600 + minutes * 60 + whole_seconds - east;
  }
  const auto instant = from_parts(seconds, nanoseconds);
  if (!instant) refuse(text, "instants run from 1678 to 2262");
  return *instant;
}

Instant Instant::now() noexcept {
  using std::chrono::duration_cast;
  return from_unix_nanoseconds(
      duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count());
}

std::string Instant::iso8601() const {
  const std::int64_t days = floor_divide(nanoseconds_, kNanosecondsPerDay);
  const std::int64_t in_day = floor_remainder(nanoseconds_, kNanosecondsPerDay);
  const Date date = date_from_days(days);
  const std::int64_t seconds = in_day / kNanosecondsPerSecond;
  std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", date.year, date.month,
                                 date.day, seconds / 3600, seconds / 60 % 60, seconds % 60);
  const std::int64_t nanoseconds = in_day % kNanosecondsPerSecond;
  if (nanoseconds != 0) {
    text += fmt::format(".{:09}", nanoseconds);
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text + 'Z';
}

Instant::Calendar Instant::calendar() const noexcept {
  const std::int64_t days = floor_divide(nanoseconds_, kNanosecondsPerDay);
  const std::int64_t in_day = floor_remainder(nanoseconds_, kNanosecondsPerDay);
  const Date date = date_from_days(days);
  return {static_cast<int>(date.year), date.month, date.day,
          static_cast<int>(days - days_from_date(date.year, 1, 1)),
          static_cast<double>(in_day) / 3.6e12};
}

}  // namespace carnot::inline base
