// SPDX-License-Identifier: Apache-2.0
#include "live/sites/site_levels.hpp"

#include <algorithm>
#include <cmath>

#include "carnot/base/limits.hpp"

namespace carnot::live {

namespace {

constexpr std::size_t kMemory = 28 * 24;  // hours
constexpr std::size_t kEnoughDays = 3;    // of the same hour, before other hours are left out
constexpr double kMargin = 1.05;          // of the work that is left
constexpr double kHour = 3600;

}  // namespace

SiteLevels::SiteLevels(const TraceCore& trace, Instant now) {
  const Duration one = Duration::seconds(3600);
  Instant at = now - one * static_cast<std::int64_t>(kMemory);
  while (at < trace.begin()) at = at + one;
  for (; at + one <= now; at = at + one) hours_.push_back(trace.mean_over(at, at + one));
  learn();
}

void SiteLevels::observe(double seconds, double intensity) {
  sum_ += seconds * intensity;
  seconds_ += seconds;
  if (seconds_ < kHour - 1) return;
  hours_.push_back(sum_ / seconds_);
  if (hours_.size() > kMemory) hours_.erase(hours_.begin());
  sum_ = seconds_ = 0;
  learn();
}

void SiteLevels::learn() {
  const std::size_t n = hours_.size();
  if (n < 2) return;
  double mean = 0, square = 0;
  for (const double h : hours_) mean += h / static_cast<double>(n);
  for (const double h : hours_) square += (h - mean) * (h - mean) / static_cast<double>(n);
  spread_ = std::sqrt(square);
  if (n < 72) return;
  double usual[24] = {};
  std::size_t days[24] = {};
  for (std::size_t i = 0; i < n; ++i) {
    usual[i % 24] += hours_[i];
    ++days[i % 24];
  }
  const auto left = [&](std::size_t i) {
    return hours_[i] - usual[i % 24] / static_cast<double>(days[i % 24]);
  };
  double own = 0, next = 0;
  for (std::size_t i = 0; i + 1 < n; ++i) {
    own += left(i) * left(i);
    next += left(i) * left(i + 1);
  }
  rho_ = own > 0 ? std::clamp(next / own, 0.0, 0.99) : 0.99;
}

void SiteLevels::add_likely(double now_value, double lead, double seconds,
                            std::vector<LikelyLevel>& out) const {
  const std::size_t n = hours_.size();
  const auto ahead = static_cast<std::size_t>(std::lround(lead));
  const double kept = std::pow(rho_, lead);
  const std::size_t first = out.size();
  double weights = 0;
  const auto analog = [&](std::size_t i) {
    const double off = now_value - hours_[i];
    const double scaled = spread_ > 0 ? off / (0.5 * spread_) : 0;
    // Never quite nought, so that a value never seen before still has analogs.
    const double weight = std::exp(-0.5 * scaled * scaled) + 1e-3;
    out.push_back({hours_[i + ahead] + kept * off, weight});
    weights += weight;
  };
  // Hour n is under way; the same hour of other days is a multiple of 24 before it.
  if (n >= 24 * kEnoughDays + ahead)
    for (std::size_t back = 24; back <= n; back += 24)
      if (ahead < back) analog(n - back);
  if (out.size() < first + kEnoughDays) {
    out.resize(first);
    weights = 0;
    for (std::size_t i = 0; i + ahead < n; ++i) analog(i);
  }
  if (weights > 0) {
    for (std::size_t i = first; i < out.size(); ++i) out[i].seconds *= seconds / weights;
    return;
  }
  out.push_back({now_value, n > 0 ? kept * seconds : seconds});
  for (const double h : hours_) out.push_back({h, (1 - kept) * seconds / static_cast<double>(n)});
}

double least_level(const std::vector<SiteLevels>& levels, const std::vector<LevelSite>& sites,
                   double length, double ahead, double work) {
  std::vector<LikelyLevel> likely;
  for (std::size_t s = 0; s < sites.size(); ++s) {
    const LevelSite& site = sites[s];
    const std::size_t first = likely.size();
    likely.push_back({site.now, std::max(0.0, length - site.lost)});
    // Later slots by the hour, each at its middle.
    for (double from = 0; from < ahead; from += kHour) {
      const double part = std::min(kHour, ahead - from);
      levels[s].add_likely(site.now, (length + from + 0.5 * part) / kHour, part, likely);
    }
    for (std::size_t i = first; i < likely.size(); ++i) likely[i].seconds *= site.speed;
  }
  std::sort(likely.begin(), likely.end(),
            [](const LikelyLevel& a, const LikelyLevel& b) { return a.intensity < b.intensity; });
  double sum = 0, needed = kMargin * work;
  for (const LevelSite& site : sites) needed += site.speed * (site.provisioning + length);
  for (const LikelyLevel& l : likely) {
    sum += l.seconds;
    if (sum >= needed) return l.intensity;
  }
  return kInfinity;
}

}  // namespace carnot::live
