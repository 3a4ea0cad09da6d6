// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What sites' carbon intensities were, and from it up to which level training now is worth it.
///
/// A number of scenarios say what may come. From the third day of what was seen on they are
/// analogs: what all sites did, together, after the same hour of each of the last 28 days,
///
///     I_s(now + h) = I_s(t_i + h) + rho_s^h (I_s(now) - I_s(t_i)),
///     weight exp(-mean over s of ((I_s(now) - I_s(t_i)) / b_s)^2 / 2)
///
/// with rho the correlation over an hour of what is left after the mean of each hour of the day, b
/// half the standard deviation of what was seen. Before that, 32 random paths: each hour a site
/// stays as it is with probability rho, else it takes one of the values seen so far.
///
/// In a scenario the work that is left fills the least prices; the last of them, which is what an
/// hour more of work would cost, is its level. The price of an hour of a site is its intensity
/// times its power, over the work that it adds to that of the cheaper ones that train beside it
/// (added_work). The level to go by is the mean over scenarios: it
/// is worth while to train now at less than what the work would cost on the average if it were
/// left. A mean, not the level of the mean: the few scenarios in which clean power is short are
/// dear.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "carnot/base/instant.hpp"
#include "carnot/trace/trace.hpp"

namespace carnot::live {

/// Values of one site up to now, hour by hour.
class SiteLevels {
 public:
  /// \param trace  of it, only what lies before `now` is looked at
  SiteLevels(const TraceCore& trace, Instant now);
  void observe(double seconds, double intensity);

  const std::vector<double>& hours() const noexcept { return hours_; }
  /// `lead` hours after the same hour `back` hours ago; where that is not seen yet, the last day of
  /// the same hour. back <= hours().size(), a multiple of 24.
  double after(std::size_t back, std::size_t lead) const;
  double rho() const noexcept { return rho_; }
  double spread() const noexcept { return spread_; }

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
  double power = 1;         ///< while it trains; any unit, the same of all
};

/// What sites at once add to each other: together they work at v_1 (sum of v / v_1)^parallel, v_1
/// the greatest speed among them. Parts in the order of `prices_of_intensity`: intensity times
/// power over speed, least first.
struct AddedWork {
  std::size_t site = 0;
  double rate = 0;   ///< work a second that it adds
  double price = 0;  ///< intensity times power over `rate`
};
/// \param intensity  of each site. The order of equals is that of the sites
std::vector<AddedWork> added_work(const std::vector<LevelSite>& sites,
                                  const std::vector<double>& intensity, double parallel);

/// The price up to which to train, with `work` left, in this slot of `length` seconds and the
/// `ahead` seconds after it; infinite where no time is to spare. Besides a twentieth of the work,
/// one more beginning and one slot of each site are kept in hand.
/// \param draw  of the random paths: the number of the slot
/// \param parallel  as in added_work()
double work_level(const std::vector<SiteLevels>& levels, const std::vector<LevelSite>& sites,
                  double length, double ahead, double work, std::uint64_t draw,
                  double parallel = 1.0);

}  // namespace carnot::live
