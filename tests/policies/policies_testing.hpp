// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Small fleets in which a policy's doings can be worked out by hand or by plain loops: halls
/// without overhead and idle power, hourly series drawn at random, and a record of who held nodes
/// where and when.

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "carnot/base/random.hpp"
#include "carnot/control/registry.hpp"
#include "carnot/simulate/simulate.hpp"

namespace carnot::train::testing {

inline const Instant kBegin = Instant::from_date(2023, 3, 1);
inline Duration minutes(std::int64_t n) { return Duration::seconds(60 * n); }

/// Time that a job held nodes.
struct Held {
  Instant from, to;
  control::SiteIndex site = 0;
  std::int32_t nodes = 0;
  bool operator==(const Held&) const = default;
};

struct Played {
  simulate::FleetResult result;
  std::vector<simulate::FleetEvent> events;
  std::map<control::JobIndex, std::vector<Held>> held;

  Instant started(control::JobIndex job) const { return held.at(job).front().from; }
  Instant ended(control::JobIndex job) const { return held.at(job).back().to; }
};

struct World {
  simulate::FleetScenario scenario;
  Workload workload;
  simulate::FleetOptions options;
  control::FleetPolicyOptions rules;

  void add_site(std::int32_t nodes, const std::vector<double>& price_eur_per_mwh,
                const std::vector<double>& carbon_g_per_kwh) {
    simulate::FleetSite site;
    site.name = "s" + std::to_string(scenario.sites.size());
    site.hall.nodes = nodes;
    site.hall.node_idle = Power{};
    site.hall.node_peak = 1000.0 * watt;
    site.hall.fixed_overhead = 0.0;
    site.hall.cooling_slope_per_k = 0.0;
    for (const double p : price_eur_per_mwh) site.price.push_back(p * euro_per_megawatt_hour);
    for (const double c : carbon_g_per_kwh) site.carbon.push_back(c * gram_per_kilowatt_hour);
    site.outside.assign(price_eur_per_mwh.size(), Temperature::from_base(280.0));
    scenario.sites.push_back(std::move(site));
  }
  /// \param slack_minutes  until the latest start; below zero: no deadline
  void add_job(std::int64_t arrival, std::int64_t length, std::int32_t nodes,
               std::int64_t slack_minutes, std::uint32_t origin = 0) {
    JobRequest job;
    job.arrival = minutes(arrival);
    job.estimate = minutes(length);
    job.allowed = slack_minutes < 0 ? kNoDeadline : minutes(length + slack_minutes);
    job.nodes = nodes;
    job.origin = origin;
    workload.jobs.push_back(job);
    workload.length.push_back(minutes(length));
  }
  /// Carbon at a site that minute, g/kWh.
  double carbon(control::SiteIndex site, std::int64_t minute) const {
    const auto& series = scenario.sites[site].carbon;
    return series[static_cast<std::size_t>(minute / 60) % series.size()].in(gram_per_kilowatt_hour);
  }
  double price(control::SiteIndex site, std::int64_t minute) const {
    const auto& series = scenario.sites[site].price;
    return series[static_cast<std::size_t>(minute / 60) % series.size()].in(euro_per_megawatt_hour);
  }

  Played play(const std::string& policy) const {
    Played played;
    const auto scheduler = control::make_policy(policy, rules);
    simulate::FleetSimulation simulation(scenario, workload, options, *scheduler);
    std::map<control::JobIndex, Held> open;
    simulation.watch([&](const simulate::FleetEvent& event) {
      played.events.push_back(event);
      const auto close = [&] {
        Held held = open.at(event.job);
        open.erase(event.job);
        held.to = event.at;
        if (held.to > held.from) played.held[event.job].push_back(held);
      };
      if (event.kind == simulate::FleetEventKind::Resized) close();
      if (event.kind == simulate::FleetEventKind::Started ||
          event.kind == simulate::FleetEventKind::Resized)
        open[event.job] = {event.at, event.at, event.site, event.nodes};
      if (event.kind == simulate::FleetEventKind::Stopped ||
          event.kind == simulate::FleetEventKind::Finished ||
          event.kind == simulate::FleetEventKind::Killed)
        close();
    });
    while (simulation.step()) {
    }
    played.result = simulation.result();
    return played;
  }
};

/// Random series and jobs on whole minutes; nodes enough for all at once if `roomy`.
inline World random_world(std::uint64_t seed, std::size_t sites, std::size_t jobs, bool roomy) {
  const RandomStream random(seed, "world");
  std::uint64_t next = 0;
  const auto draw = [&](double low, double high) {
    return low + (high - low) * random.uniform(next++);
  };
  World world;
  world.scenario.series_start = kBegin;
  world.options.begin = kBegin;
  world.rules.max_wait = Duration::seconds(24 * 3600);
  for (std::size_t s = 0; s < sites; ++s) {
    std::vector<double> price, carbon;
    for (std::size_t t = 0; t < 24 * 8; ++t) {
      price.push_back(draw(-10.0, 120.0));
      carbon.push_back(draw(20.0, 600.0));
    }
    world.add_site(roomy ? 1000 : 8, price, carbon);
  }
  std::int64_t arrival = 0;
  for (std::size_t j = 0; j < jobs; ++j) {
    arrival += static_cast<std::int64_t>(draw(0, 120));
    world.add_job(arrival, 1 + static_cast<std::int64_t>(draw(0, 400)),
                  1 + static_cast<std::int32_t>(draw(0, 6)),
                  static_cast<std::int64_t>(draw(0, 900)), static_cast<std::uint32_t>(j % sites));
  }
  return world;
}

inline std::int64_t minute_of(Instant at) { return (at - kBegin) / minutes(1); }
inline std::int64_t arrival_of(const World& world, std::size_t j) {
  return world.workload.jobs[j].arrival / minutes(1);
}
inline std::int64_t length_of(const World& world, std::size_t j) {
  return world.workload.length[j] / minutes(1);
}
inline std::int64_t slack_of(const World& world, std::size_t j) {
  return (world.workload.jobs[j].allowed - world.workload.jobs[j].estimate) / minutes(1);
}
inline double carbon_from(const World& world, std::size_t j, std::int64_t start) {
  double sum = 0;
  for (std::int64_t m = start; m < start + length_of(world, j); ++m)
    sum += world.carbon(world.workload.jobs[j].origin, m);
  return sum;
}
inline control::JobIndex index(std::size_t j) { return static_cast<control::JobIndex>(j); }

}  // namespace carnot::train::testing
