// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Points in time and differences between them, exact: integer nanoseconds of UTC since
/// 1970-01-01T00:00:00Z (leap seconds are not counted, as in POSIX). Range: years 1678 to 2262.
/// `Instant` is a point, `Duration` a difference; `Duration::time()` leaves for floating `Time`.

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "carnot/base/quantity.hpp"

namespace carnot::inline base {

/// An exact difference of instants.
class Duration {
 public:
  constexpr Duration() noexcept = default;
  static constexpr Duration nanoseconds(std::int64_t n) noexcept {
    Duration d;
    d.nanoseconds_ = n;
    return d;
  }
  static constexpr Duration seconds(std::int64_t s) noexcept {
    return nanoseconds(s * 1'000'000'000);
  }
  /// Nearest whole nanosecond of a floating time. Precondition: |t| < 292 years.
  static Duration from(Time t) noexcept;

  constexpr std::int64_t nanoseconds() const noexcept { return nanoseconds_; }
  constexpr Time time() const noexcept {
    return (static_cast<double>(nanoseconds_) * 1e-9) * second;
  }
  constexpr auto operator<=>(const Duration&) const noexcept = default;
  friend constexpr Duration operator+(Duration a, Duration b) noexcept {
    return nanoseconds(a.nanoseconds_ + b.nanoseconds_);
  }
  friend constexpr Duration operator-(Duration a, Duration b) noexcept {
    return nanoseconds(a.nanoseconds_ - b.nanoseconds_);
  }
  friend constexpr Duration operator*(Duration a, std::int64_t n) noexcept {
    return nanoseconds(a.nanoseconds_ * n);
  }
  /// Whole times `b` fits into `a`, rounded toward minus infinity. Precondition: b > 0.
  friend constexpr std::int64_t operator/(Duration a, Duration b) noexcept {
    const std::int64_t q = a.nanoseconds_ / b.nanoseconds_;
    return q - ((a.nanoseconds_ % b.nanoseconds_ != 0 && a.nanoseconds_ < 0) ? 1 : 0);
  }

 private:
  std::int64_t nanoseconds_ = 0;
};

/// A point in time, UTC.
class Instant {
 public:
  constexpr Instant() noexcept = default;  ///< the epoch
  static constexpr Instant from_unix_nanoseconds(std::int64_t n) noexcept {
    Instant i;
    i.nanoseconds_ = n;
    return i;
  }
  static constexpr Instant from_unix_seconds(std::int64_t s) noexcept {
    return from_unix_nanoseconds(s * 1'000'000'000);
  }
  /// Midnight UTC of a proleptic Gregorian date. \throws InputError if there is no such day
  static Instant from_date(int year, int month, int day_of_month);

  /// ISO 8601: `2020-01-01`, `2020-01-01T00:05Z`, `2020-01-01T00:05:00.25+01:00`, a space for `T`.
  /// A date-time must carry `Z` or an offset unless `assume_utc`.
  /// \throws InputError saying what is allowed
  static Instant parse(std::string_view text, bool assume_utc = false);

  /// The wall clock.
  static Instant now() noexcept;

  constexpr std::int64_t unix_nanoseconds() const noexcept { return nanoseconds_; }
  /// `2020-01-01T00:05:00Z`, with a fraction only if there is one.
  std::string iso8601() const;

  /// Calendar parts in UTC, for seasons, hours and sun positions.
  struct Calendar {
    int year = 1970;
    int month = 1;         ///< 1..12
    int day_of_month = 1;  ///< 1..31
    int day_of_year = 0;   ///< 0..365
    double hour = 0.0;     ///< [0, 24)
  };
  Calendar calendar() const noexcept;

  constexpr auto operator<=>(const Instant&) const noexcept = default;
  friend constexpr Instant operator+(Instant i, Duration d) noexcept {
    return from_unix_nanoseconds(i.nanoseconds_ + d.nanoseconds());
  }
  friend constexpr Instant operator-(Instant i, Duration d) noexcept {
    return from_unix_nanoseconds(i.nanoseconds_ - d.nanoseconds());
  }
  friend constexpr Duration operator-(Instant a, Instant b) noexcept {
    return Duration::nanoseconds(a.nanoseconds_ - b.nanoseconds_);
  }

 private:
  std::int64_t nanoseconds_ = 0;
};

}  // namespace carnot::inline base
