// SPDX-License-Identifier: Apache-2.0
// Jobs that wait for others, arrays and closures, under a policy that does whatever can be done and
// under all policies there are: what the event log says is held against the rules themselves.
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/control/registry.hpp"
#include "carnot/simulate/event_log.hpp"
#include "carnot/simulate/simulate.hpp"

#include "simulate/testing_simulate.hpp"

namespace carnot::simulate {
namespace {

using control::SiteIndex;
using testing::Chaos;
using testing::Draws;
using testing::FleetChoice;

void tie_at_random(Draws& draw, Workload& w) {
  JobLinks& links = w.links;
  for (std::uint32_t j = 1; j < w.size(); ++j)
    while (draw.chance(0.45)) {
      // Some wait for jobs that arrive later: back from j by the mirrored order in half of the
      // draws.
      const auto p = static_cast<std::uint32_t>(draw.below(j));
      links.dependencies.push_back({j, p, static_cast<DependencyKind>(draw.below(4)),
                                    Duration::seconds(static_cast<std::int64_t>(draw.below(40)))});
    }
  links.array.assign(w.size(), kNoArray);
  links.at_once = {1, 2};
  for (std::uint32_t& array : links.array)
    if (draw.chance(0.4)) array = static_cast<std::uint32_t>(draw.below(2));
  for (std::size_t j = 0; j < w.size(); ++j) links.fails.push_back(draw.chance(0.15));
}

void close_at_random(Draws& draw, const FleetScenario& fleet, FleetOptions& options) {
  Instant at = options.begin;
  while (draw.chance(0.8)) {
    Closure c;
    c.site = static_cast<SiteIndex>(draw.below(fleet.sites.size()));
    const auto nodes = static_cast<std::uint64_t>(fleet.sites[c.site].hall.nodes);
    c.nodes = static_cast<std::int32_t>(draw.chance(0.5) ? nodes : 1 + draw.below(nodes));
    c.from = at + Duration::seconds(static_cast<std::int64_t>(draw.below(200)));
    c.to = c.from + Duration::seconds(static_cast<std::int64_t>(1 + draw.below(200)));
    at = c.to;
    options.closures.push_back(c);
  }
}

/// What happened to a job.
struct Story {
  std::optional<Instant> begun, over;
  bool cancelled = false, dropped = false;
};

/// Holds the events against the rules of links and closures.
void expect_rules(const std::vector<FleetEvent>& events, const FleetScenario& fleet,
                  const Workload& w) {
  std::vector<Story> story(w.size());
  std::vector<bool> holds(w.size());
  std::vector<std::int64_t> free, of(w.size());
  for (const FleetSite& site : fleet.sites)
    free.push_back(static_cast<std::int64_t>(site.hall.nodes));
  for (const FleetEvent& e : events) {
    switch (e.kind) {
      case FleetEventKind::Started: {
        if (!story[e.job].begun) story[e.job].begun = e.at;
        holds[e.job] = true;
        free[e.site] -= e.nodes;
        of[e.job] = e.nodes;
        break;
      }
      case FleetEventKind::Resized:
        free[e.site] += of[e.job] - e.nodes;
        of[e.job] = e.nodes;
        break;
      case FleetEventKind::Stopped:
      case FleetEventKind::Killed:
      case FleetEventKind::Finished:
        free[e.site] += of[e.job];
        holds[e.job] = false;
        if (e.kind == FleetEventKind::Finished) story[e.job].over = e.at;
        break;
      case FleetEventKind::Cancelled:
        story[e.job].over = e.at;
        story[e.job].cancelled = true;
        EXPECT_FALSE(story[e.job].begun);
        break;
      case FleetEventKind::Dropped:
        story[e.job].over = e.at;
        story[e.job].dropped = true;
        break;
      case FleetEventKind::Broke:
        --free[e.site];
        break;
      case FleetEventKind::Mended:
        ++free[e.site];
        break;
      case FleetEventKind::Closed:
        free[e.site] -= e.nodes;
        break;
      case FleetEventKind::Opened:
        free[e.site] += e.nodes;
        break;
      default:
        break;
    }
    if (e.kind != FleetEventKind::Ended && e.site < free.size()) {
      EXPECT_GE(free[e.site], 0);
    }
    // Arrays, at every event.
    std::vector<int> under_way(w.links.at_once.size());
    for (std::size_t j = 0; j < w.size(); ++j)
      if (holds[j] && w.links.of_array(j)) ++under_way[w.links.array[j]];
    for (std::size_t a = 0; a < under_way.size(); ++a) EXPECT_LE(under_way[a], w.links.at_once[a]);
  }
  for (const JobDependency& d : w.links.dependencies) {
    const Story& job = story[d.job];
    const Story& before = story[d.predecessor];
    if (!job.begun) continue;
    const bool well =
        before.over && !before.cancelled && !before.dropped && !w.links.failing(d.predecessor);
    switch (d.kind) {
      case DependencyKind::AfterOk:
        EXPECT_TRUE(well);
        break;
      case DependencyKind::AfterNotOk:
        EXPECT_TRUE(before.over && !well);
        break;
      default:
        break;
    }
    if (d.kind == DependencyKind::AfterStart && before.begun) {
      EXPECT_GE(*job.begun, *before.begun + d.delay);
    } else {
      ASSERT_TRUE(before.over.has_value());
      EXPECT_GE(*job.begun, *before.over + d.delay);
    }
  }
}

TEST(Links, HoldUnderWhateverAPolicyDoes) {
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    SCOPED_TRACE(seed);
    Draws draw(seed, 1);
    FleetChoice choice;
    const FleetScenario fleet = testing::random_fleet(draw, choice);
    Workload w = testing::random_jobs(draw, choice);
    tie_at_random(draw, w);
    FleetOptions options = testing::random_options(draw, fleet);
    close_at_random(draw, fleet, options);
    Chaos policy(seed);
    FleetSimulation simulation(fleet, w, options, policy);
    std::vector<FleetEvent> events;
    FleetLog log;
    simulation.watch([&](const FleetEvent& e) {
      events.push_back(e);
      log.add(e);
    });
    std::vector<std::uint8_t> saved;
    while (simulation.step())
      if (events.size() > 60 && saved.empty()) saved = simulation.save();
    const FleetResult result = simulation.result();
    EXPECT_EQ(result.finished + result.cancelled +
                  static_cast<std::uint64_t>(std::count_if(
                      events.begin(), events.end(),
                      [](const FleetEvent& e) { return e.kind == FleetEventKind::Dropped; })),
              w.size());
    EXPECT_LT(result.flows.balance_residual, 1e-9);
    expect_rules(events, fleet, w);
    log.close(result);
    EXPECT_THAT(replay(log.text(), "log", fleet, w, options).violations, ::testing::IsEmpty());
    if (saved.empty()) continue;
    Chaos again(seed);
    FleetSimulation resumed(fleet, w, options, again);
    resumed.restore(saved);
    while (resumed.step()) {
    }
    EXPECT_EQ(resumed.result().flows.facility, result.flows.facility);
    EXPECT_EQ(resumed.result().cancelled, result.cancelled);
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(Links, HoldUnderEveryPolicy) {
  for (const control::PolicyInfo& info : control::policy_list()) {
    if (info.scope != control::Scope::Fleet) continue;
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
      SCOPED_TRACE(std::string(info.name) + " " + std::to_string(seed));
      Draws draw(seed, 2);
      FleetChoice choice;
      choice.own = choice.battery = false;
      const FleetScenario fleet = testing::random_fleet(draw, choice);
      Workload w = testing::random_jobs(draw, choice);
      tie_at_random(draw, w);
      FleetOptions options;
      options.begin = fleet.series_start;
      close_at_random(draw, fleet, options);
      control::FleetPolicyOptions rules;
      rules.max_wait = Duration::seconds(600);
      const auto policy = control::make_policy(info.name, rules);
      FleetSimulation simulation(fleet, w, options, *policy);
      std::vector<FleetEvent> events;
      simulation.watch([&](const FleetEvent& e) { events.push_back(e); });
      while (simulation.step()) {
      }
      EXPECT_EQ(simulation.result().finished + simulation.result().cancelled, w.size());
      const std::vector<bool> never = never_run(w);
      EXPECT_EQ(simulation.result().cancelled,
                static_cast<std::uint64_t>(std::count(never.begin(), never.end(), true)));
      expect_rules(events, fleet, w);
    }
  }
}

FleetScenario one_site(std::int32_t nodes) {
  FleetScenario fleet;
  fleet.series_start = testing::kBegin;
  FleetSite& site = fleet.sites.emplace_back();
  site.name = "a";
  site.hall.nodes = nodes;
  site.price.assign(48, 0.1 * euro_per_kilowatt_hour);
  site.carbon.assign(48, 100.0 * gram_per_kilowatt_hour);
  site.outside.assign(48, from_celsius(10));
  return fleet;
}

Workload jobs_of(const std::vector<std::pair<double, std::int32_t>>& length_and_nodes) {
  Workload w;
  for (const auto& [length, nodes] : length_and_nodes) {
    JobRequest job;
    job.nodes = nodes;
    job.origin = 0;
    job.estimate = testing::seconds(length);
    job.allowed = kNoDeadline;
    w.jobs.push_back(job);
    w.length.push_back(testing::seconds(length));
  }
  return w;
}

std::vector<double> starts(const FleetScenario& fleet, const Workload& w, FleetOptions options) {
  options.begin = fleet.series_start;
  const auto policy = control::make_policy("no-wait", control::FleetPolicyOptions{});
  FleetSimulation simulation(fleet, w, options, *policy);
  std::vector<double> out(w.size(), -1.0);
  simulation.watch([&](const FleetEvent& e) {
    if (e.kind == FleetEventKind::Started && out[e.job] < 0)
      out[e.job] = static_cast<double>((e.at - options.begin).nanoseconds()) / 1e9;
  });
  while (simulation.step()) {
  }
  return out;
}

TEST(Links, AChainByHand) {
  Workload w = jobs_of({{60, 1}, {30, 1}, {10, 1}, {5, 1}, {5, 1}});
  using enum DependencyKind;
  w.links.dependencies = {{1, 0, AfterOk, testing::seconds(7)},
                          {2, 0, AfterStart, testing::seconds(20)},
                          {3, 1, AfterNotOk, {}},
                          {4, 3, AfterAny, testing::seconds(1)}};
  EXPECT_THAT(starts(one_site(8), w, {}), ::testing::ElementsAre(0, 67, 20, -1, 98));
  w.links.fails = {false, true, false, false, false};
  EXPECT_THAT(starts(one_site(8), w, {}), ::testing::ElementsAre(0, 67, 20, 97, 103));
}

TEST(Links, AnArrayTakesTurns) {
  Workload w = jobs_of({{60, 1}, {30, 1}, {10, 1}, {5, 1}});
  w.links.array = {0, 0, 0, 0};
  w.links.at_once = {2};
  EXPECT_THAT(starts(one_site(8), w, {}), ::testing::ElementsAre(0, 0, 30, 40));
}

TEST(Links, NothingStartsThatAClosureWouldCut) {
  const FleetScenario fleet = one_site(4);
  const Workload w = jobs_of({{50, 3}, {200, 2}, {30, 1}});
  FleetOptions options;
  options.closures = {{0, fleet.series_start + testing::seconds(100),
                       fleet.series_start + testing::seconds(150), 3}};
  // The second would hold two of four nodes when three are closed; who stands behind waits too.
  EXPECT_THAT(starts(fleet, w, options), ::testing::ElementsAre(0, 150, 150));
  // Nor at the very instant.
  Workload at_once = jobs_of({{50, 1}});
  at_once.jobs[0].arrival = testing::seconds(100);
  options.closures[0].nodes = 4;
  EXPECT_THAT(starts(fleet, at_once, options), ::testing::ElementsAre(150));
  // Half the site closed leaves it room.
  options.closures[0].nodes = 2;
  EXPECT_THAT(starts(fleet, w, options), ::testing::ElementsAre(0, 50, 50));
}

TEST(Links, WhatCannotBeIsRefused) {
  const FleetScenario fleet = one_site(4);
  Workload w = jobs_of({{50, 3}, {200, 2}});
  w.links.dependencies = {{0, 1, DependencyKind::AfterOk, {}}, {1, 0, DependencyKind::AfterOk, {}}};
  EXPECT_THROW(starts(fleet, w, {}), InputError);
  w.links.dependencies.clear();
  FleetOptions options;
  options.closures = {{0, fleet.series_start, fleet.series_start + testing::seconds(1), 5}};
  EXPECT_THROW(starts(fleet, w, options), InputError);
}

}  // namespace
}  // namespace carnot::simulate
