// SPDX-License-Identifier: Apache-2.0
#include "live/sites/site_levels.hpp"

#include <algorithm>
#include <cmath>

#include "carnot/base/limits.hpp"

namespace carnot::live {

namespace {

constexpr std::size_t kMemory = 14 * 24;   // hours
constexpr std::size_t kEnoughOfAnHour = 5;  // days before the hour of the day counts
constexpr double kMargin = 1.05;            // of the work that is left
constexpr double kHour = 3600;

double share_at_most(const std::vector<double>& sorted, double level) {
  return static_cast<double>(std::upper_bound(sorted.begin(), sorted.end(), level) -
                             sorted.begin()) /
         static_cast<double>(sorted.size());
}

}  // namespace

SiteLevels::SiteLevels(const TraceCore& trace, Instant now) {
  const auto first = now - Duration::seconds(static_cast<std::int64_t>(kMemory * 3600));
  for (Instant at = std::max(first, trace.begin()); at + Duration::seconds(3600) <= now;
       at = at + Duration::seconds(3600)) {
    hours_.push_back({static_cast<int>(at.calendar().hour),
                      trace.mean_over(at, at + Duration::seconds(3600))});
  }
  sort_out();
}

void SiteLevels::observe(Instant from, double seconds, double intensity) {
  if (of_day_ < 0) of_day_ = static_cast<int>(from.calendar().hour);
  sum_ += seconds * intensity;
  seconds_ += seconds;
  if (all_.empty() || seconds_ >= kHour - 1) close_hour();
}

void SiteLevels::close_hour() {
  hours_.push_back({of_day_, sum_ / seconds_});
  if (hours_.size() > kMemory) hours_.erase(hours_.begin());
  sum_ = seconds_ = 0;
  of_day_ = -1;
  sort_out();
}

void SiteLevels::sort_out() {
  all_.clear();
  for (auto& day : by_day_) day.clear();
  for (const Hour& hour : hours_) {
    all_.push_back(hour.mean);
    by_day_[static_cast<std::size_t>(hour.of_day % 24)].push_back(hour.mean);
  }
  std::sort(all_.begin(), all_.end());
  for (auto& day : by_day_) std::sort(day.begin(), day.end());
  if (hours_.size() < 24) return;
  double mean = 0, own = 0, next = 0;
  for (const Hour& hour : hours_) mean += hour.mean / static_cast<double>(hours_.size());
  for (std::size_t i = 0; i + 1 < hours_.size(); ++i) {
    own += (hours_[i].mean - mean) * (hours_[i].mean - mean);
    next += (hours_[i].mean - mean) * (hours_[i + 1].mean - mean);
  }
  rho_ = own > 0 ? std::clamp(next / own, 0.0, 0.98) : 0.98;
}

double SiteLevels::chance(double level, double now_value, double hours, int hour_of_day) const {
  const double kept = std::pow(rho_, hours);
  const double same = now_value <= level ? 1 : 0;
  if (all_.empty()) return same;
  const auto& day = by_day_[static_cast<std::size_t>(hour_of_day % 24)];
  const double usual = share_at_most(day.size() >= kEnoughOfAnHour ? day : all_, level);
  return kept * same + (1 - kept) * usual;
}

double least_level(const std::vector<SiteLevels>& levels, const std::vector<LevelSite>& sites,
                   Instant now, double length, double ahead, double work) {
  const double clock = now.calendar().hour;
  const auto expected = [&](double level) {
    double sum = 0;
    for (std::size_t s = 0; s < sites.size(); ++s) {
      const LevelSite& site = sites[s];
      if (site.now <= level) sum += site.speed * std::max(0.0, length - site.lost);
      // Later slots by the hour, each at its middle.
      for (double from = 0; from < ahead; from += kHour) {
        const double part = std::min(kHour, ahead - from);
        const double lead = (length + from + 0.5 * part) / kHour;
        sum += site.speed * part *
               levels[s].chance(level, site.now, lead, static_cast<int>(clock + lead));
      }
    }
    return sum;
  };
  const double needed = kMargin * work;
  if (expected(kInfinity) <= needed) return kInfinity;
  double low = 0, high = 0;
  for (const LevelSite& site : sites) {
    low = std::min(low, site.now);
    high = std::max(high, site.now);
  }
  low -= 1e-9;
  for (int i = 0; i < 200 && expected(high) < needed; ++i) high = 2 * high + 1e-9;
  for (int i = 0; i < 60; ++i) {
    const double middle = 0.5 * (low + high);
    (expected(middle) >= needed ? high : low) = middle;
  }
  return high;
}

}  // namespace carnot::live
