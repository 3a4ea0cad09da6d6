// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// One training at several sites: which of them train when, so that the carbon of its energy is
/// least and it ends by a deadline. Work is counted in seconds of one site at full speed; a site
/// that trains draws `training_power`, one that makes ready (for `provisioning` after it is called,
/// and again after each pause) `idle_power`, one that is off nothing. Carbon intensity is known up
/// to now, never ahead; each slot a policy says which sites are to be on.
///
///     carbon = sum over sites and slots of power x time x intensity of the slot          g
///
/// Policies:
///   single:SITE   that site alone, without pause
///   all           every site, without pause
///   cheapest      the one site with the least intensity now
///   curtailed     every site whose intensity is below `threshold`, off again above it by a tenth;
///                 none if there is none (Zhang et al., arXiv 2602.22760, in short)
///   carnot        the sites whose price now is at most z (of a site that is on: 1.05 z), z what an
///                 hour more of work is expected to cost if it is left for later: the mean, over
///                 scenarios of what followed on the days before, of the dearest slot that the work
///                 left would need (site_levels.hpp). A price is carbon over the work that a site
///                 adds to those that train beside it. With no time to spare every site trains.
///
/// k sites at once work at k^parallel times the speed of one. Where a whole schedule of averaged
/// steps is run, that is about k (parallel = 1). To a floor that is certified long before, early
/// steps point the same way and more of them at once hardly help: a second site is then worth its
/// joules only where time is short.
///
/// bound(): the same work in the slots and sites of least intensity that the deadline leaves, all
/// of them known, without making ready and without cost of averaging. No schedule that trains at
/// these powers can emit less: each second of work costs at least its slot's intensity, and no slot
/// offers more than its length at each site.
///
/// Pure functions; results depend on the arguments alone.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "carnot/base/instant.hpp"
#include "carnot/base/quantity.hpp"
#include "carnot/trace/trace.hpp"

namespace carnot::live {

struct TrainingSite {
  std::string name;
  TraceCore carbon;  ///< g per joule; before the start: history that is known
  Power training_power = 2.0 * kilowatt, idle_power = 0.5 * kilowatt;
  Time provisioning = 240.0 * second;
  double speed = 1.0;  ///< work a second over that of a site of speed 1
};

struct SitesTask {
  Instant start;
  Time deadline;                                               ///< after the start
  Time work;                                                   ///< at one site of speed 1
  double parallel = 1.0;                                       ///< see above; in (0, 1]
  Time slot = 300.0 * second;                                  ///< between decisions
  CarbonIntensity threshold = 100.0 * gram_per_kilowatt_hour;  ///< of `curtailed`
};

/// What training did with the time it got, in a slot. Without a trainer all of it is work.
struct SlotWork {
  double useful_seconds = 0;  ///< of work; less than given where messages took time
  bool finished = false;      ///< nothing is left to do
};
/// \param seconds  of training by site in this slot, after making ready
using SlotTrainer = std::function<SlotWork(const std::vector<double>& seconds)>;

struct SiteTotals {
  std::string name;
  Time training, idle;  ///< time at either power
  Energy energy;
  Carbon carbon;
  std::size_t starts = 0;
};

struct SitesResult {
  std::string policy;
  bool finished = false;  ///< the work was done by the deadline
  Time elapsed;           ///< until it was, or the deadline
  Time work_left;
  std::vector<SiteTotals> sites;
  Energy energy, idle_energy;  ///< idle: of making ready, part of `energy`
  Carbon carbon;
  double below_threshold = 0;                 ///< share of the energy used below it
  std::vector<std::vector<std::uint8_t>> on;  ///< [slot][site]: 0 off, 1 making ready, 2 training
};

/// \throws InputError unknown policy (nearest named), slot not above 0, a trace that does not cover
///         start to deadline (which site), names twice, no site
SitesResult train_at_sites(const std::vector<TrainingSite>& sites, const SitesTask& task,
                           const std::string& policy, const SlotTrainer& trainer = {});

struct SitesBound {
  bool feasible = true;  ///< the deadline leaves enough time at all
  Carbon carbon;
};
SitesBound carbon_bound(const std::vector<TrainingSite>& sites, const SitesTask& task);

/// single:SITE of each, all, cheapest, curtailed, carnot.
std::vector<std::string> site_policies(const std::vector<TrainingSite>& sites);

}  // namespace carnot::live
