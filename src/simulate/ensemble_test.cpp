// SPDX-License-Identifier: Apache-2.0
#include "carnot/simulate/ensemble.hpp"

#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/control/registry.hpp"
#include "carnot/simulate/event_log.hpp"
#include "carnot/simulate/fleet_bound.hpp"

#include "base/testing_stop.hpp"
#include "simulate/testing_simulate.hpp"

namespace carnot::simulate {
namespace {

using testing::Chaos;
using testing::Draws;
using testing::FleetChoice;
using testing::kBegin;

struct Case {
  FleetScenario fleet;
  Workload jobs;
  FleetOptions options;
};

/// Hourly steps, jobs of hours.
Case long_case(std::uint64_t seed, bool below_zero) {
  Draws draw(seed);
  FleetChoice choice;
  choice.step_s = 3600;
  choice.steps = 24 * 20;
  choice.jobs = 60;
  choice.span_s = 86400;
  choice.own = choice.battery = false;
  Case c;
  c.fleet = testing::random_fleet(draw, choice);
  c.jobs = testing::random_jobs(draw, choice);
  for (std::size_t j = 0; j < c.jobs.size(); ++j) {
    c.jobs.length[j] = c.jobs.length[j] * 200;
    JobRequest& job = c.jobs.jobs[j];
    if (job.allowed != kNoDeadline) job.allowed = c.jobs.length[j] * 1000;
  }
  if (!below_zero)
    for (FleetSite& site : c.fleet.sites)
      for (EnergyPrice& price : site.price) price = max(price, 0.02 * euro_per_kilowatt_hour);
  c.options.begin = kBegin;
  return c;
}

TEST(FleetEnsemble, DoesNotDependOnThreads) {
  const Case c = long_case(1, true);
  const auto make = [] { return std::make_unique<Chaos>(7, false); };
  EnsembleOptions one, three;
  one.members = three.members = 7;
  one.threads = 1;
  three.threads = 3;
  const auto a = simulate_ensemble(c.fleet, c.jobs, c.options, make, one);
  const auto b = simulate_ensemble(c.fleet, c.jobs, c.options, make, three);
  ASSERT_EQ(a.size(), 7u);
  ASSERT_EQ(b.size(), 7u);
  for (std::size_t k = 0; k < 7; ++k) {
    EXPECT_EQ(a[k].flows.cost, b[k].flows.cost);
    EXPECT_EQ(a[k].flows.facility, b[k].flows.facility);
    EXPECT_EQ(a[k].end, b[k].end);
    // 20 days in seven parts, whole days.
    EXPECT_EQ(a[k].begin,
              kBegin + Duration::seconds(86400) * static_cast<std::int64_t>(20 * k / 7));
  }
  EXPECT_NE(a[0].flows.cost, a[1].flows.cost);
}

TEST(FleetEnsemble, StopsAndFailsAsAWhole) {
  const Case c = long_case(1, true);
  EnsembleOptions options;
  options.members = 5;
  options.threads = 1;
  options.progress = [](std::size_t done) { return done < 2; };
  const auto make = [] { return std::make_unique<Chaos>(7, false); };
  EXPECT_EQ(simulate_ensemble(c.fleet, c.jobs, c.options, make, options).size(), 2u);
  options.threads = 2;
  const auto none = []() -> std::unique_ptr<control::Policy> { throw InputError("no scheduler"); };
  EXPECT_THROW(simulate_ensemble(c.fleet, c.jobs, c.options, none, options), InputError);
}

TEST(FleetEnsemble, StoppedAnywhereKeepsTheMembersThatEnded) {
  const Case c = long_case(1, true);
  const auto make = [] { return std::make_unique<Chaos>(7, false); };
  EnsembleOptions options;
  options.members = 4;
  options.threads = 1;
  carnot::testing::CountedStop never(INT64_MAX);
  options.stop = never.token();
  const auto whole = simulate_ensemble(c.fleet, c.jobs, c.options, make, options);
  ASSERT_GT(never.asked(), 8);
  std::size_t last = 0;
  for (std::int64_t k = 0; k < never.asked(); k += 1 + k / 8) {
    carnot::testing::CountedStop stop(k);
    options.stop = stop.token();
    const auto kept = simulate_ensemble(c.fleet, c.jobs, c.options, make, options);
    EXPECT_LE(stop.asked(), k + 1);
    ASSERT_LT(kept.size(), whole.size()) << k;
    ASSERT_GE(kept.size(), last) << k;
    last = kept.size();
    for (std::size_t i = 0; i < kept.size(); ++i)
      EXPECT_EQ(kept[i].flows.cost, whole[i].flows.cost) << k;
  }
  EXPECT_GE(last, 2u);
}

TEST(FleetEnsemble, SpreadIsMeanAndQuantiles) {
  std::vector<double> values;
  for (int i = 100; i >= 0; --i) values.push_back(i);
  const Spread s = spread(values);
  EXPECT_DOUBLE_EQ(s.mean, 50);
  EXPECT_DOUBLE_EQ(s.low, 5);
  EXPECT_DOUBLE_EQ(s.high, 95);
  EXPECT_DOUBLE_EQ(spread({3, 1}).low, 1.1);
  EXPECT_THROW(spread({}), InputError);
}

TEST(FleetBound, NoScheduleCostsLess) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    Case c = long_case(seed, seed % 2 == 1);
    if (seed % 3 == 0) {  // one mode, nodes alike: the second relaxation holds too
      c.jobs.mode_sets.resize(1);
      for (JobRequest& job : c.jobs.jobs) job.modes = 0;
      for (FleetSite& site : c.fleet.sites) site.hall.node_peak = 300.0 * watt;
    }
    if (seed % 2 == 0) {  // overheads only ever cost where prices do
      c.options.start_delay = c.options.stop_delay = Duration::seconds(300);
      c.options.failures.mean_up = 500.0 * hour;
    }
    Chaos chaos(seed, false);
    const FleetResult r = simulate(c.fleet, c.jobs, c.options, chaos);
    ASSERT_EQ(r.late, 0u);
    const auto bound = fleet_cost_bound(c.fleet, c.jobs, c.options, r.end);
    ASSERT_TRUE(bound);
    EXPECT_LE(*bound, r.flows.cost);
    if (seed % 2 == 0) {
      EXPECT_GT(*bound, Money{});
    }
  }
}

TEST(FleetBound, IsReachedWhereNothingStandsInTheWay) {
  // One job, one site at full load, two hours of a deadline of four: the two cheapest.
  FleetScenario fleet;
  fleet.series_start = kBegin;
  FleetSite& site = fleet.sites.emplace_back();
  site.hall.nodes = 1;
  site.hall.node_peak = 1000.0 * watt;
  site.hall.node_idle = Power{};
  for (const double price : {0.5, 0.1, 0.4, 0.2, 0.05, 0.3})
    site.price.push_back(price * euro_per_kilowatt_hour);
  site.carbon.resize(6);
  site.outside.assign(6, from_celsius(5));
  Workload w;
  JobRequest job;
  job.origin = 0;
  job.estimate = Duration::seconds(7200);
  job.allowed = Duration::seconds(4 * 3600);
  w.jobs.push_back(job);
  w.length.push_back(job.estimate);
  FleetOptions o;
  o.begin = kBegin;
  const auto bound = fleet_cost_bound(fleet, w, o, kBegin + Duration::seconds(6 * 3600));
  ASSERT_TRUE(bound);
  EXPECT_NEAR(bound->in(euro), 1.03 * (0.1 + 0.2), 1e-12);
  w.jobs[0].allowed = kNoDeadline;
  EXPECT_NEAR(fleet_cost_bound(fleet, w, o, kBegin + Duration::seconds(6 * 3600))->in(euro),
              1.03 * (0.1 + 0.05), 1e-12);
  fleet.sites[0].own.resize(6);
  EXPECT_FALSE(fleet_cost_bound(fleet, w, o, kBegin + Duration::seconds(6 * 3600)));
}

/// One job of an hour in either of two modes, on one node for one.
struct Alone {
  FleetScenario fleet;
  Workload jobs;
  FleetOptions options;
};
Alone alone(std::vector<double> prices, std::vector<JobMode> modes) {
  Alone a;
  a.fleet.series_start = kBegin;
  FleetSite& site = a.fleet.sites.emplace_back();
  site.hall.nodes = 1;
  site.hall.node_peak = 400.0 * watt;
  site.hall.node_idle = 100.0 * watt;
  for (const double price : prices) site.price.push_back(price * euro_per_kilowatt_hour);
  site.carbon.resize(prices.size());
  site.outside.assign(prices.size(), from_celsius(5));
  JobRequest job;
  job.origin = 0;
  job.estimate = Duration::seconds(3600);
  job.allowed = Duration::seconds(4 * 3600);
  a.jobs.mode_sets = {std::move(modes)};
  a.jobs.jobs.push_back(job);
  a.jobs.length.push_back(job.estimate);
  a.options.begin = kBegin;
  a.options.until = Duration::seconds(4 * 3600);
  return a;
}

/// In its last mode, at once.
class LastMode final : public control::Policy {
 public:
  std::string_view name() const noexcept override { return "last-mode"; }
  void arrived(const control::World& world, control::JobIndex job) override {
    world.commands.submit(job, 0, static_cast<std::uint8_t>(world.view.modes(job).size() - 1));
  }
};

TEST(FleetBound, HoldsWhereRichModesEarnAndLeanJobsSpareIdlePower) {
  // Paid for what it draws, the richer mode is the better one.
  const Alone paid = alone({-0.3, -0.2, -0.1, -0.1}, {{1, 1.0, 0.5}, {1, 0.5, 1.0}});
  // A job that draws less than a free node spares most in dear hours.
  const Alone lean = alone({0.5, 0.1, 0.1, 0.1}, {{1, 1.0, 0.1}});
  for (const Alone& a : {paid, lean}) {
    LastMode scheduler;
    const FleetResult r = simulate(a.fleet, a.jobs, a.options, scheduler);
    ASSERT_EQ(r.late, 0u);
    const auto bound = fleet_cost_bound(a.fleet, a.jobs, a.options, r.end);
    ASSERT_TRUE(bound);
    EXPECT_LE(bound->in(euro), r.flows.cost.in(euro) + 1e-12);
  }
}

TEST(FleetBound, HallsHoldNoMoreThanTheirNodes) {
  // Two jobs that each want the one cheap hour of a hall for one.
  FleetScenario fleet;
  fleet.series_start = kBegin;
  FleetSite& site = fleet.sites.emplace_back();
  site.hall.nodes = 1;
  site.hall.node_peak = 1000.0 * watt;
  site.hall.node_idle = Power{};
  for (const double price : {0.5, 0.1, 0.4}) site.price.push_back(price * euro_per_kilowatt_hour);
  site.carbon.resize(3);
  site.outside.assign(3, from_celsius(5));
  Workload w;
  JobRequest job;
  job.origin = 0;
  job.estimate = Duration::seconds(3600);
  job.allowed = kNoDeadline;
  w.jobs = {job, job};
  w.length = {job.estimate, job.estimate};
  FleetOptions o;
  o.begin = kBegin;
  const Instant end = kBegin + Duration::seconds(3 * 3600);
  EXPECT_NEAR(fleet_cost_bound(fleet, w, o, end)->in(euro), 1.03 * (0.1 + 0.4), 1e-5);
  fleet.sites.front().hall.nodes = 2;
  EXPECT_NEAR(fleet_cost_bound(fleet, w, o, end)->in(euro), 1.03 * (0.1 + 0.1), 1e-5);
}

TEST(FleetCheckpoint, EveryFlippedByteIsSeen) {
  const FleetCheckpoint checkpoint{{1, 2, 3, 0, 255}, "a log\n"};
  const std::string bytes = to_bytes(checkpoint);
  const FleetCheckpoint again = checkpoint_of(bytes, "c");
  EXPECT_EQ(again.state, checkpoint.state);
  EXPECT_EQ(again.log, checkpoint.log);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string broken = bytes;
    broken[i] = static_cast<char>(broken[i] ^ 1);
    EXPECT_THROW(checkpoint_of(broken, "c"), InputError) << i;
    EXPECT_THROW(checkpoint_of(bytes.substr(0, i), "c"), InputError) << i;
  }
}

TEST(FleetLog, WhatCannotHaveBeenIsSaid) {
  Case c = long_case(3, true);
  const auto scheduler = control::make_policy("no-wait", control::FleetPolicyOptions{});
  FleetSimulation simulation(c.fleet, c.jobs, c.options, *scheduler);
  FleetLog log;
  simulation.watch([&](const FleetEvent& e) { log.add(e); });
  while (simulation.step()) {
  }
  log.close(simulation.result());
  const auto violations = [&](const std::string& text) {
    return replay(text, "log", c.fleet, c.jobs, c.options).violations.size();
  };
  ASSERT_EQ(violations(log.text()), 0u);
  // Without any one line, but those of arrivals, the books do not close.
  std::size_t tried = 0;
  for (std::size_t at = log.text().find('\n', 30) + 1; at < log.text().size();) {
    const std::size_t end = log.text().find('\n', at) + 1;
    const std::string line = log.text().substr(at, end - at);
    if (line.find("arrived") == std::string::npos && ++tried % 7 == 0) {
      std::string without = log.text();
      without.erase(at, end - at);
      EXPECT_GT(violations(without), 0u) << line;
    }
    at = end;
  }
  EXPECT_GT(tried, 100u);
  for (const char* broken : {"x", "1,started,0,0", "1,began,0,0,1,0", "1,started,999,0,1,0",
                             "1,started,0,9,1,0", "-1,started,0,0,1,0", "1,started,0,0,1,7"}) {
    std::string text = log.text();
    text.insert(text.find('\n', 30) + 1, std::string(broken) + "\n");
    EXPECT_THROW(violations(text), InputError) << broken;
  }
  EXPECT_THROW(violations(""), InputError);
}

}  // namespace
}  // namespace carnot::simulate
