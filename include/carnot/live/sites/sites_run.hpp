// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// `carnot run --sites FILE`: one model at several sites, policy beside policy. Each policy trains
/// the same model for real, by replicas that average (replicas.hpp), on the time that the sites
/// give it (sites.hpp); without [job] only time, joules and carbon are told. The file is
/// docs/formats/sites.md. Deterministic; one thread.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "carnot/base/stop.hpp"
#include "carnot/learn/data/dataset.hpp"
#include "carnot/live/sites/replicas.hpp"
#include "carnot/live/sites/sites.hpp"

namespace carnot::live {

struct SitesConfig {
  std::string file;
  SitesTask task;
  std::vector<TrainingSite> sites;
  std::vector<std::string> carbon_sources;  ///< of each site, in words
  bool trains = false;                      ///< there is a [job]
  learn::DatasetOptions data;
  ReplicaOptions replicas;
  decltype(bit / second) link_rate;   ///< of each site's link; 0: no time is lost
  decltype(joule / bit) transfer;     ///< of the network, both ends
  std::vector<std::string> policies;  ///< all of site_policies() if the file names none
};

/// \throws InputError, a line `file:line: field: what is allowed` each; IoError
SitesConfig read_sites_config(const std::string& path);

struct SitesTraining {
  std::string metric;
  double quality = 0, floor = 0, lower_bound = 0;
  bool certified = false;
  std::uint64_t steps = 0, total_steps = 0, rounds = 0;
  std::uint64_t bytes_up = 0, bytes_down = 0;
  std::uint64_t synchronous_bytes = 0;  ///< that averaging after each step would have moved
};

struct SitesPolicyResult {
  SitesResult schedule;  ///< energy and carbon of the sites
  Energy transfer;       ///< of messages, beside it
  std::optional<SitesTraining> training;
  SitesBound bound;  ///< of the work that this policy did
};

struct SitesRun {
  SitesConfig config;
  SitesBound bound;  ///< of the work of the fastest policy that finished, else of the whole work
  std::vector<SitesPolicyResult> policies;
};

/// \param policies  empty: those of the file  \throws InputError, IoError, Stopped
SitesRun run_at_sites(const SitesConfig& config, const std::vector<std::string>& policies,
                      StopToken stop = {});

/// The same task from `count` starts, `every` apart, without training: carbon over the bound of
/// each policy.
struct StartsResult {
  std::string policy;
  std::size_t starts = 0, late = 0;
  double median = 0, high = 0, worst = 0;  ///< carbon / bound of those in time; high: 90 %
  Carbon carbon, bound;                    ///< summed over those in time
};
std::vector<StartsResult> run_from_starts(const SitesConfig& config,
                                          const std::vector<std::string>& policies,
                                          std::size_t count, Time every, StopToken stop = {});

}  // namespace carnot::live
