// SPDX-License-Identifier: Apache-2.0
#include "carnot/assess/actions/data_value.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "carnot/assess/machines/machines.hpp"

namespace carnot::assess {

namespace {

constexpr std::size_t kMostTried = 40, kMostItems = 12;

Estimate<Energy> metered(const Estimate<Energy>& energy) {
  const auto value = Estimate<Energy>::exact(energy.value(), Origin::Measured, Boundary::Node);
  return (value * Estimate<double>(factor("meter.accuracy"))).at(Boundary::Node);
}

}  // namespace

std::vector<DataItem> data_items(const std::vector<Activity>& activities, const Footprint& now,
                                 const FootprintOptions& options) {
  const double width = (now.total.high() - now.total.low()).in(gram);
  std::vector<DataItem> items;
  if (!(width > 0)) return items;
  const auto add = [&](std::string what, const std::vector<Activity>& then,
                       const FootprintOptions& with) {
    const Footprint f = footprint(then, with);
    const double left = (f.total.high() - f.total.low()).in(gram);
    if (left < width)
      items.push_back(
          {std::move(what), 1 - left / width, f.total.low().in(gram), f.total.high().in(gram)});
  };
  for (std::size_t i = 0; i < activities.size() && i < kMostTried; ++i) {
    const Activity& a = activities[i];
    const bool machine =
        a.group == ActivityGroup::Machines || a.group == ActivityGroup::Accelerators;
    if (!machine || !(a.energy.value() > Energy{})) continue;
    std::vector<Activity> then = activities;
    then[i].energy = metered(a.energy);
    add(fmt::format("meter {} ({:.0f} machine{}{}{})", a.what, a.machines,
                    a.machines == 1 ? "" : "s", a.region.empty() ? "" : ", ", a.region),
        then, options);
  }
  bool own = false;
  for (const Activity& a : activities) {
    own = own || (!a.cloud && a.pue < 1);
  }
  if (own && !options.pue) {
    FootprintOptions with = options;
    with.pue = factor("pue.own").value();
    add("state the PUE of own halls (--pue, or a column of the server list)", activities, with);
  }
  std::set<std::string> models;
  for (const Activity& a : activities)
    if (a.group == ActivityGroup::Models) models.insert(a.what.substr(a.what.find(" of ") + 4));
  if (!models.empty()) {
    std::vector<Activity> then = activities;
    for (Activity& a : then)
      if (a.group == ActivityGroup::Models) a.energy = metered(a.energy);
    add("joules a token from the provider of the language models", then, options);
  }
  std::stable_sort(items.begin(), items.end(),
                   [](const DataItem& a, const DataItem& b) { return a.narrowing > b.narrowing; });
  if (items.size() > kMostItems) items.resize(kMostItems);
  return items;
}

}  // namespace carnot::assess
