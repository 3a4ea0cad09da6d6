// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The power that work may draw, over time: a trace, a constant, or steps; from now on or by the
/// calendar.
///
///     E(a, b) = integral of P over [a, b)          offered between two moments since the start
///
/// From a file of power the values are used as they stand, or scaled so that the greatest is
/// `peak`. From a file of prices, of carbon intensities or of shares a profile is a share of `cap`:
///
///     P = cap s,   s = 1 where x <= full_at, 0 where x >= none_at, straight in between
///
/// Files are read by trace/readers/read.hpp; negative power (a turbine's own use) counts as none. A
/// value; immutable, safe to read from many threads.

#include <optional>
#include <string>
#include <string_view>

#include "carnot/base/instant.hpp"
#include "carnot/base/quantity.hpp"
#include "carnot/trace/readers/read.hpp"
#include "carnot/trace/trace.hpp"

namespace carnot::live {

/// What follows the last value. Steps repeat and a constant holds unless told otherwise.
enum class ProfileEnd {
  Release,  ///< nothing limits the work any more
  Repeat,   ///< from the first value on
  Hold,     ///< the last value stays
  Stop,     ///< no power
};
/// \throws InputError unless release, repeat, hold or stop
ProfileEnd profile_end(std::string_view name);
std::string_view name(ProfileEnd end) noexcept;

struct ProfileOptions {
  CsvOptions csv{.negative = NegativePolicy::Zero};
  std::optional<Power> peak{};       ///< scales a file of power
  std::optional<Power> cap{};        ///< for prices, carbon intensities and shares
  std::string full_at{}, none_at{};  ///< with `cap`: '20 EUR/MWh', '100 g/kWh'; empty: shares
  double speed = 1.0;                ///< seconds of the file in a second, > 0
  bool calendar = false;  ///< the file's times are meant; else its first moment is the start
  std::optional<Instant> begin_at{};  ///< of the file: what is offered first
  std::optional<ProfileEnd> end{};
};

class PowerProfile {
 public:
  /// \param text   a file; a power such as `35 W`; or steps such as `2 W for 5 s, 6 W for 5 s`
  /// \param start  the wall clock at the moment that counts as zero
  /// \throws InputError, InputFileError
  static PowerProfile read(const std::string& text, const ProfileOptions& options, Instant start);
  /// \param offset  into the trace, of what is offered at zero; within the trace unless it ended
  PowerProfile(Trace<Power> trace, ProfileEnd end, double speed = 1.0, Duration offset = {},
               std::string words = "");

  /// Nothing from when it is over and releases the work.
  std::optional<Power> at(Duration since_start) const;
  /// Between two moments since the start, a <= b; nothing is offered once released.
  Energy between(Duration a, Duration b) const;
  Power peak() const noexcept { return peak_; }  ///< the greatest value
  ProfileEnd end() const noexcept { return end_; }
  const std::string& words() const noexcept { return words_; }  ///< where it is from, for reports

 private:
  Energy before(Duration since_start) const;  // offered from the trace's first moment on

  Trace<Power> trace_;
  ProfileEnd end_;
  double speed_;
  Duration offset_;
  std::string words_;
  Power peak_;
};

}  // namespace carnot::live
