// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What no schedule can undercut: the greater of two relaxations. In one, each job does its work in
/// the cheapest hours of its window, in every one of them at whichever site is cheapest then, as
/// fast as its fastest and as lean as its leanest mode, however many others do the same. In the
/// other, the energy of all jobs fills the cheapest hours of all halls, but no hall beyond its
/// nodes, whatever the windows (only where each job has one mode and nodes are alike). The overhead
/// of a hall is as little as at full load; as much as at the least where prices are below zero,
/// when free nodes earn too. What every node draws whatever it does comes on top, hour by hour.
/// A job that waits for others has a window that begins when they could be done; one that can never
/// run costs nothing. Pure function, thread-safe; O(jobs x hours of a window).

#include <optional>

#include "carnot/base/stop.hpp"
#include "carnot/simulate/simulate.hpp"

namespace carnot::simulate {

/// Least cost of grid energy from `options.begin` to `end` of any schedule that finishes every job,
/// by its deadline if it has one and by `end` else. None where the relaxation says nothing: own
/// power, batteries; overheads (delays, saves, failures) where some price is below zero.
/// \throws Stopped
std::optional<Money> fleet_cost_bound(const FleetScenario& scenario, const Workload& workload,
                                      const FleetOptions& options, Instant end,
                                      const StopToken& stop = {});

}  // namespace carnot::simulate
