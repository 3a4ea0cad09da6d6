// SPDX-License-Identifier: Apache-2.0
// Times of rows: ISO 8601, formats of other orders, several columns, zones with daylight saving.
#include <array>
#include <charconv>
#include <cstring>
#include <limits>

#include <fmt/format.h>

#ifdef CARNOT_HAVE_DATE
#include <date/tz.h>
#endif

#include "carnot/base/error.hpp"

#include "trace/readers/csv_series.hpp"

namespace carnot::inline trace::csv {

const char* const kNoZone =
    "a time with `Z` or an offset such as `+01:00`; or state the zone of the file (`zone`: `Z`, "
    "`+01:00` or `Europe/Berlin`)";

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool two_digits(const char* at, std::int64_t& value) noexcept {
  if (!is_digit(at[0]) || !is_digit(at[1])) return false;
  value = (at[0] - '0') * 10 + (at[1] - '0');
  return true;
}

// `Z`, `+hh`, `+hhmm`, `+hh:mm`; whole text. Seconds east of UTC.
bool parse_offset(std::string_view text, std::int64_t& seconds) noexcept {
  seconds = 0;
  if (text == "Z") return true;
  if (text.size() < 3 || (text[0] != '+' && text[0] != '-')) return false;
  std::int64_t hours = 0, minutes = 0;
  if (!two_digits(text.data() + 1, hours)) return false;
  if (text.size() == 5) {
    if (!two_digits(text.data() + 3, minutes)) return false;
  } else if (text.size() == 6) {
    if (text[3] != ':' || !two_digits(text.data() + 4, minutes)) return false;
  } else if (text.size() != 3) {
    return false;
  }
  if (hours > 23 || minutes > 59) return false;
  seconds = (hours * 3600 + minutes * 60) * (text[0] == '-' ? -1 : 1);
  return true;
}

bool whole_number(std::string_view cell, std::int64_t& value) noexcept {
  if (cell.ends_with(".0")) cell.remove_suffix(2);
  const char* end = cell.data() + cell.size();
  const auto [stop, problem] = std::from_chars(cell.data(), end, value);
  return problem == std::errc{} && stop == end;
}

std::string when(std::int64_t ns) {
  std::string text = Instant::from_unix_nanoseconds(ns).iso8601();
  text.pop_back();  // a clock's time has no Z
  return text;
}

// With room for any offset on both sides.
bool in_calendar(std::int64_t ns) {
  constexpr std::int64_t kDay = 86'400 * kSecond;
  return ns > std::numeric_limits<std::int64_t>::min() + kDay &&
         ns < std::numeric_limits<std::int64_t>::max() - kDay;
}

bool midnight_of(std::int64_t year, std::int64_t month, std::int64_t day, std::int64_t& ns) {
  if (year < 1678 || year > 2261) return false;
  try {
    ns = Instant::from_date(static_cast<int>(year), static_cast<int>(month), static_cast<int>(day))
             .unix_nanoseconds();
    return true;
  } catch (const InputError&) {
    return false;
  }
}

#ifdef CARNOT_HAVE_DATE
const date::time_zone* named_zone(const std::string& name) {
  try {
    return date::locate_zone(name);
  } catch (const std::exception&) {
    return nullptr;
  }
}
#endif

}  // namespace

Zone parse_zone(std::string_view text) {
  Zone zone;
  if (text.empty()) return zone;
  zone.stated = true;
  std::int64_t seconds = 0;
  if (text == "UTC" || text == "GMT" || parse_offset(text, seconds)) {
    zone.offset_ns = seconds * kSecond;
    return zone;
  }
#ifdef CARNOT_HAVE_DATE
  if (text.find('/') != std::string_view::npos && named_zone(std::string(text)) != nullptr) {
    zone.name = text;
    return zone;
  }
  const char* const more = "or a name such as `Europe/Berlin`";
#else
  const char* const more =
      "(names such as `Europe/Berlin` need a build with libhowardhinnant-date-dev)";
#endif
  throw InputError(describe(
      {}, "zone", fmt::format("`Z`, a fixed offset such as `+01:00` {}, found `{}`", more, text)));
}

ZoneClock::ZoneClock(const Zone& zone)
    : zone_(zone), last_ns_(std::numeric_limits<std::int64_t>::min()) {
#ifdef CARNOT_HAVE_DATE
  if (!zone.name.empty()) named_ = named_zone(zone.name);
#endif
}

bool ZoneClock::to_utc(std::int64_t local_ns, std::int64_t& utc_ns, std::string& why) {
  if (!zone_.stated) {
    why = kNoZone;
    return false;
  }
  utc_ns = local_ns - zone_.offset_ns;
#ifdef CARNOT_HAVE_DATE
  if (named_ != nullptr) {
    using std::chrono::nanoseconds;
    const auto* const zone = static_cast<const date::time_zone*>(named_);
    const date::local_time<nanoseconds> local{nanoseconds{local_ns}};
    const date::local_info info = zone->get_info(local);
    if (info.result == date::local_info::nonexistent) {
      why = fmt::format("a time that clocks in {} showed; they skipped {}", zone_.name,
                        when(local_ns));
      return false;
    }
    utc_ns = local_ns - std::chrono::duration_cast<nanoseconds>(info.first.offset).count();
    if (info.result == date::local_info::ambiguous && utc_ns <= last_ns_)
      utc_ns = local_ns - std::chrono::duration_cast<nanoseconds>(info.second.offset).count();
  }
#endif
  last_ns_ = utc_ns;
  return true;
}

bool TimeParser::parse(std::string_view text, std::int64_t& nanoseconds, std::string& why) {
  constexpr const char* kAllowed = "a time such as `2020-01-01T00:05Z` or `2020-01-01 00:05+01:00`";
  // A date alone, then year, month and day again by the cache below.
  const bool date_only = text.size() == 10;
  if (text.size() < 10 || (!date_only && text.size() < 16)) {
    why = kAllowed;
    return false;
  }
  if (!has_date_ || std::memcmp(text.data(), date_, sizeof date_) != 0) {
    has_date_ = false;
    try {
      midnight_ = Instant::parse(text.substr(0, 10), true).unix_nanoseconds();
    } catch (const InputError&) {
      why = kAllowed;
      return false;
    }
    std::memcpy(date_, text.data(), sizeof date_);
    has_date_ = true;
  }
  std::int64_t of_day = 0;
  std::string_view rest;
  if (!date_only) {
    std::int64_t hours = 0, minutes = 0, seconds = 0, fraction = 0;
    const bool shaped = (text[10] == 'T' || text[10] == ' ') && text[13] == ':' &&
                        two_digits(text.data() + 11, hours) &&
                        two_digits(text.data() + 14, minutes);
    rest = text.substr(16);
    bool seconds_shaped = true;
    if (rest.size() >= 3 && rest[0] == ':') {
      seconds_shaped = two_digits(rest.data() + 1, seconds);
      rest.remove_prefix(3);
      if (rest.size() >= 2 && rest[0] == '.' && is_digit(rest[1])) {
        std::int64_t scale = kSecond;
        rest.remove_prefix(1);
        while (!rest.empty() && is_digit(rest[0])) {
          scale /= 10;  // beyond nanoseconds digits are dropped
          fraction += (rest[0] - '0') * scale;
          rest.remove_prefix(1);
        }
      }
    }
    if (!shaped || !seconds_shaped || hours > 23 || minutes > 59 || seconds > 59) {
      why = kAllowed;
      return false;
    }
    of_day = ((hours * 60 + minutes) * 60 + seconds) * kSecond + fraction;
  }
  std::int64_t offset_ns = zone_.offset_ns;
  if (!rest.empty()) {
    std::int64_t offset_s = 0;
    if (!parse_offset(rest, offset_s)) {
      why = kAllowed;
      return false;
    }
    offset_ns = offset_s * kSecond;
  } else if (!zone_.stated) {
    why = kNoZone;
    return false;
  } else if (!zone_.name.empty()) {
    std::int64_t local = 0;
    if (!__builtin_add_overflow(midnight_, of_day, &local) && in_calendar(local))
      return clock_.to_utc(local, nanoseconds, why);
    why = "a time in the years 1678 to 2261";
    return false;
  }
  if (__builtin_add_overflow(midnight_, of_day - offset_ns, &nanoseconds)) {
    why = "a time in the years 1678 to 2261";
    return false;
  }
  return true;
}

namespace {

constexpr std::array<std::string_view, 12> kMonths{"jan", "feb", "mar", "apr", "may", "jun",
                                                   "jul", "aug", "sep", "oct", "nov", "dec"};

// Digits at `at`, at most `most` of them and at least one.
bool take_number(std::string_view text, std::size_t& at, std::size_t least, std::size_t most,
                 std::int64_t& value) {
  std::size_t count = 0;
  value = 0;
  while (count < most && at < text.size() && is_digit(text[at])) {
    value = value * 10 + (text[at++] - '0');
    ++count;
  }
  return count >= least;
}

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

struct Parts {
  std::int64_t year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0, fraction = 0;
  bool twelve = false, afternoon = false;
  std::optional<std::int64_t> offset_ns{};
};

bool take_fraction(std::string_view text, std::size_t& at, std::int64_t& fraction) {
  if (at + 1 >= text.size() || (text[at] != '.' && text[at] != ',') || !is_digit(text[at + 1]))
    return true;
  std::int64_t scale = kSecond;
  for (++at; at < text.size() && is_digit(text[at]); ++at) {
    scale /= 10;
    fraction += (text[at] - '0') * scale;
  }
  return true;
}

bool take(char directive, std::string_view text, std::size_t& at, Parts& p) {
  switch (directive) {
    case 'Y':
      return take_number(text, at, 4, 4, p.year);
    case 'y':
      if (!take_number(text, at, 2, 2, p.year)) return false;
      p.year += p.year < 70 ? 2000 : 1900;
      return true;
    case 'm':
      return take_number(text, at, 1, 2, p.month);
    case 'd':
      return take_number(text, at, 1, 2, p.day);
    case 'I':
      p.twelve = true;
      return take_number(text, at, 1, 2, p.hour);
    case 'H':
      return take_number(text, at, 1, 2, p.hour);
    case 'M':
      return take_number(text, at, 2, 2, p.minute);
    case 'S':
      return take_number(text, at, 2, 2, p.second) && take_fraction(text, at, p.fraction);
    case 'b': {
      if (at + 3 > text.size()) return false;
      const std::string word{lower(text[at]), lower(text[at + 1]), lower(text[at + 2])};
      for (std::size_t m = 0; m < kMonths.size(); ++m)
        if (word == kMonths[m]) p.month = static_cast<std::int64_t>(m) + 1;
      if (word != kMonths[static_cast<std::size_t>(p.month - 1)]) return false;
      at += 3;
      return true;
    }
    case 'p':
      if (at + 2 > text.size() || lower(text[at + 1]) != 'm') return false;
      p.afternoon = lower(text[at]) == 'p';
      if (!p.afternoon && lower(text[at]) != 'a') return false;
      at += 2;
      return true;
    case 'z': {
      std::int64_t seconds = 0;
      std::size_t end = at;
      while (end < text.size() && text[end] != ' ') ++end;
      if (!parse_offset(text.substr(at, end - at), seconds)) return false;
      p.offset_ns = seconds * kSecond;
      at = end;
      return true;
    }
    case '%':
      return at < text.size() && text[at++] == '%';
    default:
      return false;
  }
}

// What may follow a time: its zone in words, and the end of its interval.
bool finish(std::string_view rest, Parts& p) {
  const auto strip = [&rest] {
    while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
    while (!rest.empty() && rest.back() == ' ') rest.remove_suffix(1);
  };
  strip();
  for (const std::string_view word : {"(UTC)", "UTC", "(GMT)", "GMT", "Z"}) {
    if (!rest.ends_with(word)) continue;
    rest.remove_suffix(word.size());
    p.offset_ns = 0;
    strip();
    break;
  }
  if (rest.empty()) return true;
  for (const std::string_view dash : {"-", "\xE2\x80\x93", "/"})
    if (rest.starts_with(dash) && rest.size() > 8) return true;  // the interval's end
  return false;
}

}  // namespace

std::optional<ClockTime> match_time(std::string_view format, std::string_view text) {
  Parts p;
  std::size_t at = 0;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] == '%' && i + 1 < format.size()) {
      if (!take(format[++i], text, at, p)) return std::nullopt;
    } else if (format[i] == ' ') {
      if (at < text.size() && text[at] != ' ') {
        if (i + 2 < format.size() && format[i + 1] == '%' && format[i + 2] == 'p') continue;
        return std::nullopt;
      }
      while (at < text.size() && text[at] == ' ') ++at;
    } else if (at < text.size() && text[at] == format[i]) {
      ++at;
    } else {
      return std::nullopt;
    }
  }
  if (!finish(text.substr(std::min(at, text.size())), p)) return std::nullopt;
  if (p.twelve) {
    if (p.hour < 1 || p.hour > 12) return std::nullopt;
    p.hour = p.hour % 12 + (p.afternoon ? 12 : 0);
  }
  const bool midnight = p.hour == 24 && p.minute == 0 && p.second == 0;
  if ((p.hour > 23 && !midnight) || p.minute > 59 || p.second > 59) return std::nullopt;
  ClockTime time;
  if (!midnight_of(p.year, p.month, p.day, time.local_ns)) return std::nullopt;
  time.local_ns += ((p.hour * 60 + p.minute) * 60 + p.second) * kSecond + p.fraction;
  time.offset_ns = p.offset_ns;
  return time;
}

bool RowTimes::parse(const std::vector<std::string_view>& fields, std::int64_t& ns,
                     std::string& why) {
  switch (columns_.kind) {
    case TimeColumns::Kind::Epoch: {
      std::int64_t count = 0;
      if (whole_number(fields[0], count) && !__builtin_mul_overflow(count, columns_.unit_ns, &ns))
        return true;
      why = "a whole number of seconds or milliseconds since 1970";
      return false;
    }
    case TimeColumns::Kind::Text: {
      std::string_view text = fields[0];
      if (fields.size() > 1) {
        joined_.assign(fields[0]).append(" ").append(fields[1]);
        text = joined_;
      }
      const std::optional<ClockTime> time = match_time(columns_.format, text);
      if (!time) {
        why =
            fmt::format("a time of the form `{}`, found `{}`", columns_.format, text.substr(0, 40));
        return false;
      }
      if (time->offset_ns) {
        ns = time->local_ns - *time->offset_ns;
        return true;
      }
      return clock_.to_utc(time->local_ns, ns, why);
    }
    case TimeColumns::Kind::Hour:
      return hour(fields, ns, why);
    case TimeColumns::Kind::Parts:
      return parts(fields, ns, why);
    case TimeColumns::Kind::Iso:
    case TimeColumns::Kind::YearMonthDayPeriod:
      break;
  }
  return iso_.parse(fields[0], ns, why);
}

// A date, and which hour or period of the day. Periods count from the day's true beginning, so that
// a day of 23 or 25 hours has 46 or 50 half hours; an hour of a clock may be left out or stand
// twice.
bool RowTimes::hour(const std::vector<std::string_view>& fields, std::int64_t& ns,
                    std::string& why) {
  const std::optional<ClockTime> date = match_time(columns_.format, fields[0]);
  std::string_view number = fields[1];
  if (const std::size_t colon = number.find(':'); colon != std::string_view::npos)
    number = number.substr(0, colon);
  std::int64_t period = 0;
  if (!date || !whole_number(number, period) || period < (columns_.from_one ? 1 : 0) ||
      period > 300) {
    why =
        fmt::format("a date of the form `{}` and the number of an hour or period, found `{}`, `{}`",
                    columns_.format, fields[0].substr(0, 30), fields[1].substr(0, 30));
    return false;
  }
  if (columns_.from_one) --period;
  if (columns_.unit_ns < 3600 * kSecond || columns_.zone.name.empty()) {
    if (!clock_.to_utc(date->local_ns, ns, why)) return false;
    ns += period * columns_.unit_ns;
    return true;
  }
  return clock_.to_utc(date->local_ns + period * columns_.unit_ns, ns, why);
}

bool RowTimes::parts(const std::vector<std::string_view>& fields, std::int64_t& ns,
                     std::string& why) {
  std::array<std::int64_t, 5> part{0, 1, 1, 0, 0};
  bool good = true;
  for (std::size_t i = 0; i < fields.size(); ++i) good = good && whole_number(fields[i], part[i]);
  std::int64_t local = 0;
  if (!good || part[3] < 0 || part[3] > 24 || part[4] < 0 || part[4] > 59 ||
      !midnight_of(part[0], part[1], part[2], local)) {
    why = "whole numbers: year, month, day, hour, minute";
    return false;
  }
  return clock_.to_utc(local + (part[3] * 60 + part[4]) * 60 * kSecond, ns, why);
}

}  // namespace carnot::inline trace::csv
