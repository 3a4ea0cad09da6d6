// SPDX-License-Identifier: Apache-2.0
// What holds for every policy alike.
#include <gtest/gtest.h>

#include "policies_testing.hpp"

namespace carnot::train::testing {
namespace {

constexpr std::uint64_t kSeeds = 12;

class EveryPolicy : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Rules, EveryPolicy, ::testing::ValuesIn(control::policy_names()),
                         [](const auto& rule) {
                           std::string name = rule.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST_P(EveryPolicy, DoesAllTheWorkAndNoneTwice) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed)
    for (const bool roomy : {true, false}) {
      const World world = random_world(seed, 3, 40, roomy);
      const Played played = world.play(GetParam());
      EXPECT_EQ(played.result.finished, world.workload.size());
      double asked = 0, held = 0;  // node minutes
      for (std::size_t j = 0; j < world.workload.size(); ++j) {
        asked += static_cast<double>(length_of(world, j)) * world.workload.jobs[j].nodes;
        for (const Held& h : played.held.at(index(j)))
          held += h.nodes * (h.to - h.from).time().in(minute);
      }
      EXPECT_NEAR(held, asked, 1e-6 * asked);
      EXPECT_NEAR(played.result.flows.it.in(kilowatt_hour), asked / 60, 1e-9 * asked);
    }
}

TEST_P(EveryPolicy, KeepsDeadlinesWhereThereIsRoom) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const World world = random_world(seed, 3, 40, true);
    EXPECT_EQ(world.play(GetParam()).result.late, 0U) << seed;
    EXPECT_EQ(world.play(GetParam() + ":oracle").result.late, 0U) << seed;
  }
}

// What lies ahead changes nothing of what was done before, for who does not claim to know it.
TEST_P(EveryPolicy, DoesNotSeeTheFuture) {
  const std::int64_t cut = 30 * 60;
  bool oracle_saw = false;
  std::size_t unknown = 0;  // jobs that the two worlds do not share
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const World world = random_world(seed, 3, 40, seed % 2 == 0);
    World other = world;
    const World strange = random_world(seed + 1000, 3, 40, true);
    for (std::size_t s = 0; s < 3; ++s)
      for (std::size_t t = cut / 60; t < other.scenario.sites[s].price.size(); ++t) {
        other.scenario.sites[s].price[t] = 3.0 * strange.scenario.sites[s].price[t];
        other.scenario.sites[s].carbon[t] = strange.scenario.sites[s].carbon[t];
      }
    // Jobs that arrive later are others.
    for (std::size_t j = 0; j < other.workload.size(); ++j) {
      if (arrival_of(other, j) < cut) continue;
      JobRequest& job = other.workload.jobs[j];
      job.nodes = 1 + job.nodes % 6;
      job.estimate = job.estimate + minutes(77);
      job.arrival = job.arrival + minutes(13);
      other.workload.length[j] = job.estimate;
      ++unknown;
    }
    const auto before = [&](const Played& played) {
      std::vector<simulate::FleetEvent> events = played.events;
      std::erase_if(events, [&](const simulate::FleetEvent& e) { return minute_of(e.at) >= cut; });
      return events;
    };
    EXPECT_EQ(before(world.play(GetParam())), before(other.play(GetParam()))) << seed;
    oracle_saw = oracle_saw || before(world.play(GetParam() + ":future")) !=
                                   before(other.play(GetParam() + ":future"));
  }
  const bool looks_ahead = GetParam().find("lowest-slot") == 0 ||
                           GetParam().find("lowest-window") == 0 || GetParam() == "carbon-time" ||
                           GetParam() == "ecovisor" || GetParam() == "wait-awhile" ||
                           GetParam() == "carbonscaler" || GetParam() == "carbon-greedy" ||
                           GetParam() == "price-greedy" || GetParam() == "carnot";
  EXPECT_EQ(oracle_saw, looks_ahead);
  EXPECT_GE(unknown, kSeeds);
}

// Estimates may be wrong either way; all is done nevertheless.
TEST_P(EveryPolicy, OutlivesWrongEstimates) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    World world = random_world(seed, 3, 40, false);
    for (std::size_t j = 0; j < world.workload.size(); ++j)
      world.workload.jobs[j].estimate = minutes(1 + (37 * static_cast<std::int64_t>(j)) % 300);
    EXPECT_EQ(world.play(GetParam()).result.finished, world.workload.size()) << seed;
  }
}

TEST_P(EveryPolicy, OutlivesFailuresAndReserveCalls) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    World world = random_world(seed, 3, 40, false);
    world.options.seed = seed;
    world.options.failures.mean_up = 40.0 * hour;
    world.options.failures.repair = 1.0 * hour;
    world.options.stop_delay = world.options.start_delay = Duration::seconds(20);
    world.options.move_delay = Duration::seconds(300);
    for (const std::int64_t at : {200, 900, 1500})
      world.options.calls.push_back({static_cast<control::SiteIndex>(at % 3), kBegin + minutes(at),
                                     minutes(90), 3.0 * kilowatt, at != 900});
    const Played played = world.play(GetParam());
    EXPECT_EQ(played.result.finished, world.workload.size()) << seed;
  }
}

TEST_P(EveryPolicy, GoesOnAsIfNothingHadBeen) {
  struct Stop {
    std::vector<std::uint8_t> state;
    std::size_t events;
  };
  const World world = random_world(5, 3, 60, false);
  const auto scheduler = control::make_policy(GetParam(), world.rules);
  simulate::FleetSimulation whole(world.scenario, world.workload, world.options, *scheduler);
  std::vector<simulate::FleetEvent> events;
  whole.watch([&](const simulate::FleetEvent& event) { events.push_back(event); });
  std::vector<Stop> stops;
  for (std::size_t n = 0; whole.step(); ++n)
    if (n % 37 == 20) stops.push_back({whole.save(), events.size()});
  ASSERT_GT(stops.size(), 2U);
  for (const Stop& stop : stops) {
    const auto fresh = control::make_policy(GetParam(), world.rules);
    simulate::FleetSimulation rest(world.scenario, world.workload, world.options, *fresh);
    std::vector<simulate::FleetEvent> tail;
    rest.watch([&](const simulate::FleetEvent& event) { tail.push_back(event); });
    rest.restore(stop.state);
    while (rest.step()) {
    }
    EXPECT_EQ(tail,
              std::vector(events.begin() + static_cast<std::ptrdiff_t>(stop.events), events.end()));
    EXPECT_EQ(rest.result().flows.cost, whole.result().flows.cost);
  }
}

}  // namespace
}  // namespace carnot::train::testing
