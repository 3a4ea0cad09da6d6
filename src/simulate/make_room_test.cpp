// SPDX-License-Identifier: Apache-2.0
// carnot's own rule is in time where a simple rule is: jobs with time to spare make room.
#include <gtest/gtest.h>

#include "carnot/control/registry.hpp"
#include "carnot/simulate/fleet_source.hpp"
#include "carnot/simulate/simulate.hpp"

#include "simulate/testing_simulate.hpp"

namespace carnot::simulate {
namespace {

using testing::Draws;
using testing::kBegin;

FleetScenario world(Draws& draw, std::size_t sites, double nodes) {
  FleetScenario fleet;
  fleet.series_start = kBegin;
  fleet.step = Duration::seconds(3600);
  for (std::size_t s = 0; s < sites; ++s) {
    FleetSite& site = fleet.sites.emplace_back();
    site.name = "s" + std::to_string(s);
    site.hall.nodes = nodes;
    site.hall.node_peak = 400.0 * watt;
    site.hall.node_idle = Power{};
    for (int t = 0; t < 96; ++t) {
      site.price.push_back((0.15 * draw.uniform() - 0.02) * euro_per_kilowatt_hour);
      site.carbon.push_back(700.0 * draw.uniform() * gram_per_kilowatt_hour);
      site.outside.push_back(from_celsius(30.0 * draw.uniform()));
    }
  }
  return fleet;
}

void add(Workload& w, std::int64_t arrival_s, std::int64_t length_s, std::int32_t nodes) {
  JobRequest job;
  job.arrival = Duration::seconds(arrival_s);
  job.estimate = Duration::seconds(length_s);
  job.allowed = kNoDeadline;
  job.nodes = nodes;
  w.jobs.push_back(job);
  w.length.push_back(job.estimate);
}

FleetResult run(const FleetScenario& fleet, Workload jobs, double sla, const std::string& policy) {
  set_deadlines(jobs, sla);
  spread_origins(jobs, fleet);
  FleetOptions options;
  options.begin = kBegin;
  return simulate(fleet, jobs, options,
                  *control::make_policy(policy, control::FleetPolicyOptions{}));
}

TEST(MakeRoom, AJobWithSlackStopsForOneWithout) {
  Draws draw(1);
  const FleetScenario fleet = world(draw, 1, 5);
  Workload jobs;
  add(jobs, 0, 20'000, 1);
  add(jobs, 10'000, 60, 5);  // all nodes, within 50 minutes; the first needs another three hours
  EXPECT_EQ(run(fleet, jobs, 50, "no-wait").late, 1u);
  const FleetResult r = run(fleet, jobs, 50, "carnot");
  EXPECT_EQ(r.finished, 2u);
  EXPECT_EQ(r.late, 0u);
}

TEST(MakeRoom, HardlyEverLateWhereASimpleRuleIsNot) {
  std::size_t possible = 0, late = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Draws draw(seed + 100);
    const auto nodes = static_cast<std::int32_t>(2 + draw.below(5));
    const FleetScenario fleet = world(draw, 1 + draw.below(3), nodes);
    Workload jobs;
    std::int64_t at = 0;
    for (std::uint64_t n = 2 + draw.below(12); n > 0; --n) {
      at += static_cast<std::int64_t>(draw.below(8000));
      constexpr std::int64_t kLengths[] = {60, 600, 3600, 20'000};
      add(jobs, at, kLengths[draw.below(4)],
          1 + static_cast<std::int32_t>(draw.below(static_cast<std::uint64_t>(nodes))));
    }
    constexpr double kFactors[] = {20, 50, 100, 300};
    const double sla = kFactors[draw.below(4)];
    bool simple = false;
    for (const char* const name : {"no-wait", "easy", "lowest-window", "carbon-time", "wait-awhile",
                                   "price-greedy", "carbon-greedy"})
      simple = simple || run(fleet, jobs, sla, name).late == 0;
    if (!simple) continue;
    ++possible;
    late += run(fleet, jobs, sla, "carnot").late > 0;
  }
  EXPECT_GT(possible, 30u);
  EXPECT_LE(late, 1u) << "of " << possible;
}

}  // namespace
}  // namespace carnot::simulate
