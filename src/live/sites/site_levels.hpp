// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a site's carbon intensity was, and from it what it may be later: analogs. To look h hours
/// ahead, take the same hour of each day of the last four weeks (any hour, where there are less
/// than three such days), see what came h hours later, and shift it by the part of today's
/// difference that is wont to last:
///
///     I(now + h) ~ I(t_i + h) + rho^h (I(now) - I(t_i)),   weight exp(-((I(now) - I(t_i)) / b)^2 /
///     2)
///
/// rho is the correlation over an hour of what is left after the mean of each hour of the day, b
/// half the standard deviation of what was seen. Where nothing was seen so far ahead, what is now
/// lasts with rho^h, and else all values seen are as likely.

#include <cstddef>
#include <vector>

#include "carnot/base/instant.hpp"
#include "carnot/trace/trace.hpp"

namespace carnot::live {

/// A value that may come, and how much time it stands for.
struct LikelyLevel {
  double intensity = 0, seconds = 0;
};

/// Values of one site up to now, hour by hour.
class SiteLevels {
 public:
  /// \param trace  of it, only what lies before `now` is looked at
  SiteLevels(const TraceCore& trace, Instant now);
  void observe(double seconds, double intensity);
  /// What `seconds` at `lead` hours from now may be like; appends to `out`, whose seconds grow by
  /// `seconds` in all.
  void add_likely(double now_value, double lead, double seconds,
                  std::vector<LikelyLevel>& out) const;
  double rho() const noexcept { return rho_; }

 private:
  void learn();

  std::vector<double> hours_;     ///< means, in order of time; the next one is under way
  double sum_ = 0, seconds_ = 0;  ///< of it
  double rho_ = 0.9, spread_ = 0;
};

struct LevelSite {
  double now = 0, speed = 1;
  double lost = 0;          ///< seconds of making ready before it trains
  double provisioning = 0;  ///< seconds it loses each time it begins
};

/// The least intensity under which `work` is expected to be done in this slot of `length` seconds
/// and the `ahead` seconds after it; infinite where no time is to spare. Besides a twentieth of the
/// work, one more beginning and one slot of each site are kept in hand.
double least_level(const std::vector<SiteLevels>& levels, const std::vector<LevelSite>& sites,
                   double length, double ahead, double work);

}  // namespace carnot::live
