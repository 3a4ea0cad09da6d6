// SPDX-License-Identifier: Apache-2.0
#include "live/sites/site_levels.hpp"

#include <algorithm>
#include <cmath>

#include "carnot/base/limits.hpp"
#include "carnot/base/random.hpp"

namespace carnot::live {

namespace {

constexpr std::size_t kMemory = 28 * 24;  // hours
constexpr std::size_t kEnoughDays = 3;    // seen, before they are gone by
constexpr std::size_t kEnoughHours = 12;  // of a site, before those of others are left out
constexpr std::size_t kPaths = 32;        // random ones
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

double SiteLevels::after(std::size_t back, std::size_t lead) const {
  std::size_t at = hours_.size() - back + lead;
  if (at >= hours_.size()) at -= 24 * ((at - hours_.size()) / 24 + 1);
  return hours_[at];
}

namespace {

/// What may come, hour by hour: [site][lead], and how likely it is.
struct Scenario {
  std::vector<std::vector<double>> path;
  double weight = 1;
};

Scenario analog(const std::vector<SiteLevels>& levels, const std::vector<LevelSite>& sites,
                std::size_t back, std::size_t hours) {
  Scenario out;
  double square = 0;
  for (std::size_t s = 0; s < sites.size(); ++s) {
    const double off = sites[s].now - levels[s].after(back, 0);
    const double scaled = levels[s].spread() > 0 ? off / (0.5 * levels[s].spread()) : 0;
    square += scaled * scaled / static_cast<double>(sites.size());
    auto& path = out.path.emplace_back();
    double kept = 1;
    for (std::size_t h = 1; h <= hours; ++h) {
      kept *= levels[s].rho();
      path.push_back(levels[s].after(back, h) + kept * off);
    }
  }
  // Never quite nought, so that a day like none before still has analogs.
  out.weight = std::exp(-0.5 * square) + 1e-3;
  return out;
}

Scenario random_path(const std::vector<SiteLevels>& levels, const std::vector<LevelSite>& sites,
                     const RandomStream& stream, std::size_t hours) {
  Scenario out;
  std::vector<double> seen;  // of all sites, where one has seen little
  for (std::size_t s = 0; s < sites.size(); ++s) {
    seen.push_back(sites[s].now);
    seen.insert(seen.end(), levels[s].hours().begin(), levels[s].hours().end());
  }
  std::uint64_t k = 0;
  for (std::size_t s = 0; s < sites.size(); ++s) {
    const auto& own = levels[s].hours().size() < kEnoughHours ? seen : levels[s].hours();
    auto& path = out.path.emplace_back();
    double value = sites[s].now;
    for (std::size_t h = 0; h < hours; ++h, k += 2) {
      if (stream.uniform(k) >= levels[s].rho()) value = own[stream.below(k + 1, own.size())];
      path.push_back(value);
    }
  }
  return out;
}

}  // namespace

std::vector<AddedWork> added_work(const std::vector<LevelSite>& sites,
                                  const std::vector<double>& intensity, double parallel) {
  std::vector<AddedWork> out;
  for (std::size_t s = 0; s < sites.size(); ++s)
    out.push_back({s, sites[s].speed, intensity[s] * sites[s].power / sites[s].speed});
  if (parallel == 1.0) return out;
  std::stable_sort(out.begin(), out.end(),
                   [](const AddedWork& a, const AddedWork& b) { return a.price < b.price; });
  double sum = 0, most = 0, before = 0;
  for (AddedWork& part : out) {
    sum += sites[part.site].speed;
    most = std::max(most, sites[part.site].speed);
    const double together = most * std::pow(sum / most, parallel);
    // Of sites that differ much a slow one first may add more than it does alone: no more than
    // that.
    part.rate = std::min(sites[part.site].speed, together - before);
    part.price = intensity[part.site] * sites[part.site].power / part.rate;
    before = together;
  }
  return out;
}

double work_level(const std::vector<SiteLevels>& levels, const std::vector<LevelSite>& sites,
                  double length, double ahead, double work, std::uint64_t draw, double parallel) {
  const auto hours = static_cast<std::size_t>(std::ceil(ahead / kHour - 1e-9));
  double needed = kMargin * work, capacity = 0;
  std::size_t days = kMemory / 24;
  std::vector<double> now;
  for (std::size_t s = 0; s < sites.size(); ++s) {
    needed += sites[s].speed * (sites[s].provisioning + length);
    now.push_back(sites[s].now);
    days = std::min(days, levels[s].hours().size() / 24);
  }
  const std::vector<AddedWork> parts_now = added_work(sites, now, parallel);
  for (const AddedWork& part : parts_now)
    capacity += part.rate * (std::max(0.0, length - sites[part.site].lost) + ahead);
  if (capacity <= needed) return kInfinity;

  double sum = 0, weights = 0;
  std::vector<std::pair<double, double>> offers;  // price, seconds of work
  const std::size_t count = days >= kEnoughDays ? days : kPaths;
  for (std::size_t i = 0; i < count; ++i) {
    const Scenario scenario =
        days >= kEnoughDays
            ? analog(levels, sites, 24 * (i + 1), hours)
            : random_path(levels, sites, RandomStream(i, "site levels").child(draw), hours);
    offers.clear();
    for (const AddedWork& part : parts_now)
      offers.emplace_back(part.price, part.rate * std::max(0.0, length - sites[part.site].lost));
    for (std::size_t h = 0; h < hours; ++h) {
      std::vector<double> then;
      for (const auto& path : scenario.path) then.push_back(path[h]);
      for (const AddedWork& part : added_work(sites, then, parallel))
        offers.emplace_back(part.price,
                            part.rate * std::min(kHour, ahead - kHour * static_cast<double>(h)));
    }
    std::sort(offers.begin(), offers.end());
    double filled = 0, level = 0;
    for (const auto& [intensity, seconds] : offers) {
      level = intensity;
      filled += seconds;
      if (filled >= needed) break;
    }
    sum += scenario.weight * level;
    weights += scenario.weight;
  }
  return sum / weights;
}

}  // namespace carnot::live
