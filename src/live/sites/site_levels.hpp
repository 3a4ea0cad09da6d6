// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a site's carbon intensity was, and from it how much time under a level is to be expected.

#include <array>
#include <cstddef>
#include <vector>

#include "carnot/base/instant.hpp"
#include "carnot/trace/trace.hpp"

namespace carnot::live {

/// Values of one site up to now, hour by hour: all of the last two weeks, and by hour of the day.
class SiteLevels {
 public:
  /// \param trace  of it, only what lies before `now` is looked at
  SiteLevels(const TraceCore& trace, Instant now);
  void observe(Instant from, double seconds, double intensity);
  /// Chance that the intensity `hours` from now is at most `level`, `now_value` being known.
  double chance(double level, double now_value, double hours, int hour_of_day) const;
  double rho() const noexcept { return rho_; }

 private:
  struct Hour {
    int of_day = 0;
    double mean = 0;
  };
  void close_hour();
  void sort_out();

  std::vector<Hour> hours_;  ///< in order of time, the last kMemory
  double sum_ = 0, seconds_ = 0;
  int of_day_ = -1;
  double rho_ = 0.9;
  std::vector<double> all_;                    ///< sorted
  std::array<std::vector<double>, 24> by_day_;  ///< sorted
};

struct LevelSite {
  double now = 0, speed = 1;
  double lost = 0;  ///< seconds of making ready before it trains
};

/// The least intensity under which `work` is expected to be done in this slot of `length` seconds
/// and the `ahead` seconds after it; infinite where no time is to spare.
double least_level(const std::vector<SiteLevels>& levels, const std::vector<LevelSite>& sites,
                   Instant now, double length, double ahead, double work);

}  // namespace carnot::live
