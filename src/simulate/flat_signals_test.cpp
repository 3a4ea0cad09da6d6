// SPDX-License-Identifier: Apache-2.0
// Where nothing changes nothing is worth waiting for, whatever rounding makes of the sums.
#include <gtest/gtest.h>

#include "carnot/control/registry.hpp"
#include "carnot/simulate/simulate.hpp"

#include "simulate/testing_simulate.hpp"

namespace carnot::simulate {
namespace {

using testing::kBegin;

/// Ten days of one price, carbon and temperature that have no short binary form.
FleetScenario flat_fleet(double price, double carbon) {
  FleetScenario fleet;
  fleet.series_start = kBegin;
  fleet.step = Duration::seconds(3600);
  for (int s = 0; s < 2; ++s) {
    FleetSite& site = fleet.sites.emplace_back();
    site.name = "s" + std::to_string(s);
    site.hall.nodes = 50;
    site.hall.node_peak = 1000.0 * watt;
    site.hall.node_idle = Power{};
    site.price.assign(240, price * euro_per_kilowatt_hour);
    site.carbon.assign(240, carbon * gram_per_kilowatt_hour);
    site.outside.assign(240, from_celsius(12.3));
  }
  return fleet;
}

Workload few_jobs() {
  Workload w;
  w.mode_sets.push_back({{0, 1.0, 1.0}});
  testing::Draws draw(5);
  Duration at;
  for (int j = 0; j < 25; ++j) {
    JobRequest job;
    at = at + Duration::seconds(static_cast<std::int64_t>(draw.below(9000)));
    job.arrival = at;
    job.nodes = 1 + static_cast<std::int32_t>(draw.below(2));
    job.origin = static_cast<std::uint32_t>(draw.below(2));
    job.estimate = Duration::seconds(7 + static_cast<std::int64_t>(draw.below(30'000)));
    job.allowed = j % 2 == 0 ? kNoDeadline : job.estimate + Duration::seconds(90'000);
    w.jobs.push_back(job);
    w.length.push_back(job.estimate);
  }
  return w;
}

TEST(FlatSignals, NobodyWaitsForRounding) {
  for (const auto& [price, carbon] : {std::pair(0.1, 333.3), std::pair(-0.07, 0.1)})
    for (const control::PolicyInfo& info : control::policy_list()) {
      const std::string plain(info.name);
      if (plain == "ecovisor" || plain == "stranded") continue;  // wait for a threshold, not a sum
      for (const std::string& name : {plain, plain + ":oracle"}) {
        std::unique_ptr<control::Policy> policy;
        try {
          policy = control::make_policy(name, control::FleetPolicyOptions{});
        } catch (const InputError&) {
          continue;  // of one job alone, or no oracle
        }
        FleetOptions options;
        options.begin = kBegin;
        const FleetResult r = simulate(flat_fleet(price, carbon), few_jobs(), options, *policy);
        EXPECT_EQ(r.finished, 25u) << name;
        EXPECT_EQ(r.wait_max.in(second), 0.0) << name << " at " << price;
      }
    }
}

}  // namespace
}  // namespace carnot::simulate
