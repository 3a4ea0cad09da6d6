// SPDX-License-Identifier: Apache-2.0
#include "carnot/grid/study/stranded.hpp"

#include <algorithm>
#include <numeric>

#include "carnot/base/error.hpp"
#include "carnot/base/statistics.hpp"

namespace carnot::grid {

namespace {

double share_of(const Presence& presence) {
  return static_cast<double>(std::count(presence.begin(), presence.end(), 1)) /
         static_cast<double>(presence.size());
}

}  // namespace

Presence at_most(std::span<const double> values, double threshold) {
  Presence presence;
  for (const double value : values) presence.push_back(value <= threshold ? 1 : 0);
  return presence;
}

Presence at_least(std::span<const double> values, double threshold) {
  Presence presence;
  for (const double value : values) presence.push_back(value >= threshold ? 1 : 0);
  return presence;
}

Presence mean_at_most(std::span<const double> values, double threshold) {
  Presence presence;
  double above = 0.0;  // sum of (value - threshold) since the interval began
  bool inside = false;
  for (const double value : values) {
    above = (inside ? above : 0.0) + value - threshold;
    inside = above <= 0.0;
    presence.push_back(inside ? 1 : 0);
  }
  return presence;
}

PresenceFigures figures_of(const Presence& presence, double step_h) {
  if (presence.empty() || !(step_h > 0.0))
    throw InputError("stranded power: at least one step, above 0 h");
  std::vector<double> lengths;
  std::uint8_t before = 0;
  for (const std::uint8_t now : presence) {
    if (now != 0 && before == 0) lengths.push_back(0.0);
    if (now != 0) lengths.back() += step_h;
    before = now;
  }
  PresenceFigures figures;
  figures.duty = share_of(presence);
  figures.intervals = lengths.size();
  if (lengths.empty()) return figures;
  figures.mean_h = mean(lengths);
  figures.median_h = median(lengths);
  figures.longest_h = *std::max_element(lengths.begin(), lengths.end());
  return figures;
}

PresenceUnion union_of(const std::vector<Presence>& sites) {
  PresenceUnion result;
  if (sites.empty()) return result;
  for (const Presence& site : sites)
    if (site.empty() || site.size() != sites.front().size())
      throw InputError("stranded power: as many steps at each site, at least one");
  std::vector<std::size_t> left(sites.size());
  std::iota(left.begin(), left.end(), std::size_t{0});
  Presence any(sites.front().size(), 0);
  while (!left.empty()) {
    std::size_t best = 0;
    double most = -1.0;
    for (std::size_t k = 0; k < left.size(); ++k) {
      Presence with = any;
      for (std::size_t t = 0; t < with.size(); ++t) with[t] |= sites[left[k]][t];
      if (const double share = share_of(with); share > most) {
        most = share;
        best = k;
      }
    }
    for (std::size_t t = 0; t < any.size(); ++t) any[t] |= sites[left[best]][t];
    result.sites.push_back(left[best]);
    result.duty.push_back(most);
    left.erase(left.begin() + static_cast<std::ptrdiff_t>(best));
  }
  return result;
}

}  // namespace carnot::grid
