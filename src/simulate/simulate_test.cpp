// SPDX-License-Identifier: Apache-2.0
#include "carnot/simulate/simulate.hpp"

#include <array>

#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/control/registry.hpp"

#include "simulate/testing_simulate.hpp"

namespace carnot::simulate {
namespace {

using control::JobIndex;
using control::JobPhase;
using testing::Draws;
using testing::FleetChoice;
using testing::kBegin;
using testing::seconds;

/// One site of a price, no overheads.
FleetScenario plain_fleet(int nodes) {
  FleetScenario fleet;
  fleet.series_start = kBegin;
  FleetSite& site = fleet.sites.emplace_back();
  site.name = "a";
  site.hall.nodes = nodes;
  site.hall.node_peak = 100.0 * watt;
  site.hall.node_idle = Power{};
  site.hall.fixed_overhead = 0.0;
  site.price.assign(48, 0.1 * euro_per_kilowatt_hour);
  site.carbon.assign(48, 100.0 * gram_per_kilowatt_hour);
  site.outside.assign(48, from_celsius(5));
  return fleet;
}

Workload plain_jobs(std::initializer_list<std::array<double, 3>> rows) {
  Workload w;
  for (const auto& [arrival, length, nodes] : rows) {
    JobRequest job;
    job.arrival = seconds(arrival);
    job.estimate = seconds(length);
    job.allowed = kNoDeadline;
    job.nodes = static_cast<std::int32_t>(nodes);
    job.origin = 0;
    w.jobs.push_back(job);
    w.length.push_back(seconds(length));
  }
  return w;
}

FleetOptions from_begin() {
  FleetOptions o;
  o.begin = kBegin;
  return o;
}

TEST(Simulate, NobodyOvertakesInALine) {
  const FleetScenario fleet = plain_fleet(4);
  // The second waits for all nodes; the third would fit beside the first and still waits.
  const Workload w = plain_jobs({{0, 100, 3}, {10, 50, 4}, {20, 5, 1}});
  const auto scheduler = control::make_policy("no-wait", control::FleetPolicyOptions{});
  const FleetResult r = simulate(fleet, w, from_begin(), *scheduler);
  EXPECT_EQ(r.finished, 3u);
  EXPECT_NEAR(r.wait_mean.in(second), (0 + 90 + 130) / 3.0, 1e-9);
  EXPECT_EQ(r.wait_max, 130.0 * second);
  EXPECT_EQ(r.end, kBegin + seconds(155));
  EXPECT_NEAR(r.flows.facility.in(joule), 100.0 * (300 + 200 + 5), 1e-6);
  EXPECT_NEAR(r.flows.cost.in(euro), 0.1 * 505e2 / 3.6e6, 1e-12);
}

TEST(Simulate, LateAreThoseWhoMissTheirDeadlineOrNeverEnd) {
  const FleetScenario fleet = plain_fleet(1);
  Workload w = plain_jobs({{0, 100, 1}, {0, 100, 1}, {0, 100, 1}});
  for (JobRequest& job : w.jobs) job.allowed = seconds(200);
  const auto scheduler = control::make_policy("no-wait", control::FleetPolicyOptions{});
  EXPECT_EQ(simulate(fleet, w, from_begin(), *scheduler).late, 1u);
  FleetOptions o = from_begin();
  o.until = seconds(150);
  const FleetResult cut = simulate(fleet, w, o, *scheduler);
  EXPECT_EQ(cut.finished, 1u);
  EXPECT_EQ(cut.late, 2u);
  EXPECT_NEAR(cut.flows.facility.in(joule), 150 * 100, 1e-6);
}

TEST(Simulate, FreeNodesDrawOnToACommonEnd) {
  FleetScenario fleet = plain_fleet(2);
  fleet.sites[0].hall.node_idle = 10.0 * watt;
  const Workload w = plain_jobs({{0, 100, 1}});
  const auto scheduler = control::make_policy("no-wait", control::FleetPolicyOptions{});
  FleetSimulation simulation(fleet, w, from_begin(), *scheduler);
  while (simulation.step()) {
  }
  const FleetResult r = simulation.result(kBegin + seconds(1000));
  EXPECT_EQ(r.end, kBegin + seconds(1000));
  EXPECT_NEAR(r.flows.it.in(joule), 100 * 100 + 10 * 100 + 20 * 900, 1e-6);
  EXPECT_NEAR(simulation.result().flows.it.in(joule), 100 * 100 + 10 * 100, 1e-6);
  EXPECT_THROW(simulation.result(kBegin + seconds(99)), InputError);
}

TEST(Simulate, AFailureTakesWhatWasNotSaved) {
  const FleetScenario fleet = plain_fleet(1);
  const Workload w = plain_jobs({{0, 5000, 1}});
  FleetOptions o = from_begin();
  o.failures.mean_up = 1500.0 * second;
  o.failures.repair = 100.0 * second;
  o.seed = 3;
  const auto scheduler = control::make_policy("no-wait", control::FleetPolicyOptions{});
  const FleetResult unsaved = simulate(fleet, w, o, *scheduler);
  ASSERT_GT(unsaved.kills, 0u);
  // Drawn power = work done + work lost; nothing is drawn while the node is broken.
  EXPECT_NEAR(unsaved.flows.it.in(joule), 100.0 * (5000 + unsaved.work_lost.in(second)), 1e-3);
  o.save_every = seconds(60);
  const FleetResult saved = simulate(fleet, w, o, *scheduler);
  EXPECT_LT(saved.work_lost, 60.0 * static_cast<double>(saved.kills) * second);
  EXPECT_NEAR(saved.flows.it.in(joule), 100.0 * (5000 + saved.work_lost.in(second)), 1e-3);
}

TEST(Simulate, WhoLostItsNodesGoesOnFirst) {
  const FleetScenario fleet = plain_fleet(1);
  const Workload w = plain_jobs({{0, 5000, 1}, {1, 10, 1}});
  FleetOptions o = from_begin();
  o.failures.mean_up = 1500.0 * second;
  o.failures.repair = 100.0 * second;
  o.seed = 3;
  const auto scheduler = control::make_policy("no-wait", control::FleetPolicyOptions{});
  FleetSimulation simulation(fleet, w, o, *scheduler);
  std::vector<std::pair<FleetEventKind, JobIndex>> ends;
  simulation.watch([&](const FleetEvent& e) {
    if (e.kind == FleetEventKind::Killed || e.kind == FleetEventKind::Finished)
      ends.emplace_back(e.kind, e.job);
  });
  while (simulation.step()) {
  }
  ASSERT_GE(ends.size(), 3u);  // at least once killed
  EXPECT_EQ(ends[0], std::pair(FleetEventKind::Killed, JobIndex{0}));
  EXPECT_EQ(ends.back(), std::pair(FleetEventKind::Finished, JobIndex{1}));
}

TEST(Simulate, NodesThatAJobGivesUpGoToTheLine) {
  const FleetScenario fleet = plain_fleet(4);
  Workload w = plain_jobs({{0, 100, 4}, {10, 5, 3}});
  w.mode_sets.push_back({{4, 1.0, 1.0}, {1, 0.25, 1.0}});
  w.jobs[0].modes = 1;
  struct Shrinker final : control::Policy {
    std::string_view name() const noexcept override { return "shrinker"; }
    void arrived(const control::World& world, JobIndex job) override {
      world.commands.submit(job, 0);
      if (job == 1) world.commands.wake_at(kBegin + seconds(20));
    }
    void tick(const control::World& world) override { EXPECT_TRUE(world.commands.resize(0, 1)); }
  } scheduler;
  const FleetResult r = simulate(fleet, w, from_begin(), scheduler);
  EXPECT_EQ(r.wait_max, 10.0 * second);  // at 20 s, when three nodes came free
  EXPECT_EQ(r.end, kBegin + seconds(20 + 80 / 0.25));
  EXPECT_NEAR(r.flows.it.in(joule), 100.0 * (20 * 4 + 320 + 15), 1e-6);
}

TEST(Simulate, AnotherModeOfARunningJobBeginsWithAStop) {
  const FleetScenario fleet = plain_fleet(4);
  Workload w = plain_jobs({{0, 100, 2}});
  w.mode_sets.push_back({{2, 1.0, 1.0}, {4, 2.0, 1.0}});
  w.jobs[0].modes = 1;
  struct Changer final : control::Policy {
    std::string_view name() const noexcept override { return "changer"; }
    void arrived(const control::World& world, JobIndex job) override {
      world.commands.submit(job, 0);
      world.commands.wake_at(kBegin + seconds(40));
    }
    void tick(const control::World& world) override {
      world.commands.submit(0, 0, 0);  // as it runs: nothing happens
      EXPECT_EQ(world.view.status(0).phase, JobPhase::Running);
      world.commands.submit(0, 0, 1);
    }
  } scheduler;
  FleetOptions o = from_begin();
  o.stop_delay = seconds(5);
  const FleetResult r = simulate(fleet, w, o, scheduler);
  EXPECT_EQ(r.suspensions, 1u);
  EXPECT_EQ(r.starts, 2u);
  EXPECT_EQ(r.end, kBegin + seconds(40 + 5 + 30));
  EXPECT_NEAR(r.flows.it.in(joule), 100.0 * (45 * 2 + 30 * 4), 1e-6);
}

TEST(Simulate, NodesBreakAsOftenAsAsked) {
  FleetScenario fleet = plain_fleet(200);
  const Workload w = plain_jobs({{0, 1, 1}, {40 * 86400.0, 1, 1}});
  for (const double shape : {0.7, 1.0, 2.0}) {
    FleetOptions o = from_begin();
    o.failures.mean_up = 10.0 * hour;
    o.failures.shape = shape;
    o.failures.repair = 2.0 * hour;
    const auto scheduler = control::make_policy("no-wait", control::FleetPolicyOptions{});
    const FleetResult r = simulate(fleet, w, o, *scheduler);
    // Renewals: one every 12 h a node; 16,000 of them, a spread of about 1/shape each.
    EXPECT_NEAR(static_cast<double>(r.failures) / (200 * 40 * 24 / 12.0), 1.0, 0.04) << shape;
  }
}

TEST(Simulate, APlanRunsWhenItSays) {
  const FleetScenario fleet = plain_fleet(2);
  const Workload w = plain_jobs({{0, 100, 1}});
  struct Planner final : control::Policy {
    std::string_view name() const noexcept override { return "planner"; }
    void arrived(const control::World& world, JobIndex job) override {
      const control::PlannedRun runs[] = {{kBegin + seconds(10), kBegin + seconds(40), 0, 0},
                                          {kBegin + seconds(40), kBegin + seconds(50), 0, 0},
                                          {kBegin + seconds(200), kBegin + seconds(210), 0, 0}};
      world.commands.plan(job, runs);
    }
  } scheduler;
  FleetSimulation simulation(fleet, w, from_begin(), scheduler);
  std::vector<std::pair<FleetEventKind, double>> seen;
  simulation.watch(
      [&](const FleetEvent& e) { seen.emplace_back(e.kind, (e.at - kBegin).time().in(second)); });
  while (simulation.step()) {
  }
  // Adjoining runs are one; the last goes on until the work is done.
  const std::vector<std::pair<FleetEventKind, double>> expected = {
      {FleetEventKind::Arrived, 0},    {FleetEventKind::Started, 10},
      {FleetEventKind::Stopped, 50},   {FleetEventKind::Started, 200},
      {FleetEventKind::Finished, 260}, {FleetEventKind::Ended, 260}};
  EXPECT_EQ(seen, expected);
}

TEST(Simulate, ReserveIsDeliveredBySuspendingAndMadeUpLater) {
  const FleetScenario fleet = plain_fleet(10);
  Workload w = plain_jobs({{0, 1000, 4}, {0, 1000, 3}, {0, 1000, 2}});
  w.jobs[2].stoppable = false;
  FleetOptions o = from_begin();
  o.calls.push_back({0, kBegin + seconds(100), seconds(300), 250.0 * watt, true});
  const auto scheduler = control::make_policy("no-wait", control::FleetPolicyOptions{});
  const FleetResult r = simulate(fleet, w, o, *scheduler);
  EXPECT_EQ(r.suspensions, 1u);  // 300 W of the last that may be stopped
  EXPECT_NEAR(r.flows.call_asked.in(joule), 250 * 300, 1e-6);
  EXPECT_NEAR(r.flows.call_short.in(joule), 0.0, 1e-6);
  EXPECT_EQ(r.end, kBegin + seconds(1300));
  // Short when there is not enough to shed.
  o.calls[0].power = 5000.0 * watt;
  const FleetResult too_much = simulate(fleet, w, o, *scheduler);
  EXPECT_NEAR(too_much.flows.call_short.in(joule), (5000 - 700) * 300, 1e-6);
}

TEST(Simulate, ForecastsDoNotKnowTheFuture) {
  Draws draw(5);
  FleetChoice choice;
  choice.step_s = 3600;
  choice.steps = 240;
  FleetScenario fleet = testing::random_fleet(draw, choice);
  const Workload w = plain_jobs({{100 * 3600.0 + 5, 10, 1}});
  struct Looker final : control::Policy {
    std::string_view name() const noexcept override { return "looker"; }
    control::Knowledge knowledge() const noexcept override { return {oracle, false}; }
    void arrived(const control::World& world, JobIndex job) override {
      world.commands.submit(job, 0);
      for (std::size_t s = 0; s < control::kSignals; ++s) {
        EXPECT_EQ(world.future != nullptr, oracle);
        EXPECT_EQ(world.lengths, nullptr);
        const auto signal = static_cast<control::Signal>(s);
        const ForecastView v =
            oracle ? world.future->signal(0, signal) : world.view.forecast(0, signal);
        EXPECT_EQ(v.start, kBegin + seconds(100 * 3600));
        EXPECT_EQ(v.mean.size() + 1, v.sum.size());
        views.emplace_back(v.mean.begin(), v.mean.end());
        now = world.view.sites()[0];
        double sum = 0;
        for (std::size_t i = 0; i < 20; ++i) sum += 3600 * v.mean[i];
        EXPECT_NEAR(v.integral(v.start, v.start + seconds(20 * 3600)), sum, 1e-9 * std::abs(sum));
        EXPECT_NEAR(v.integral(v.start + seconds(1800), v.start + seconds(5400)),
                    1800 * (v.mean[0] + v.mean[1]), 1e-9 * std::abs(sum));
      }
    }
    bool oracle = false;
    std::vector<std::vector<double>> views;
    control::SiteState now;
  };
  Looker first, second, oracle;
  oracle.oracle = true;
  simulate(fleet, w, from_begin(), first);
  simulate(fleet, w, from_begin(), oracle);
  EXPECT_EQ(first.views[0][0], first.now.price.base());
  EXPECT_EQ(oracle.views[0][1], fleet.sites[0].price[101].base());
  EXPECT_NE(first.views[0][1], oracle.views[0][1]);
  for (std::size_t t = 101; t < 240; ++t) {
    fleet.sites[0].price[t] = 9.0 * euro_per_kilowatt_hour;
    fleet.sites[0].carbon[t] = 9000.0 * gram_per_kilowatt_hour;
    fleet.sites[0].outside[t] = from_celsius(-50);
    if (!fleet.sites[0].own.empty()) fleet.sites[0].own[t] = 9e6 * watt;
  }
  simulate(fleet, w, from_begin(), second);
  EXPECT_EQ(first.views, second.views);
}

TEST(Simulate, ResumedItForecastsTheSame) {
  Draws draw(9);
  FleetChoice choice;
  choice.step_s = 3600;
  choice.steps = 2000;
  const FleetScenario fleet = testing::random_fleet(draw, choice);
  const Workload w =
      plain_jobs({{10 * 3600.0, 60, 1}, {900 * 3600.0, 60, 1}, {1900 * 3600.0, 60, 1}});
  struct Reader final : control::Policy {
    std::string_view name() const noexcept override { return "reader"; }
    void arrived(const control::World& world, JobIndex job) override {
      world.commands.submit(job, 0);
      const ForecastView view = world.view.forecast(0, control::Signal::ItCarbon);
      last.assign(view.mean.begin(), view.mean.end());
    }
    std::vector<double> last;
  } whole, first, second;
  simulate(fleet, w, from_begin(), whole);
  FleetSimulation interrupted(fleet, w, from_begin(), first);
  while (interrupted.finished() < 2) interrupted.step();
  FleetSimulation resumed(fleet, w, from_begin(), second);
  resumed.restore(interrupted.save());
  while (resumed.step()) {
  }
  EXPECT_EQ(whole.last, second.last);
}

TEST(Simulate, WhatIsOutOfRangeIsNamed) {
  const FleetScenario fleet = plain_fleet(2);
  const auto scheduler = control::make_policy("no-wait", control::FleetPolicyOptions{});
  const auto message = [&](const FleetScenario& f, const Workload& w, const FleetOptions& o) {
    try {
      FleetSimulation simulation(f, w, o, *scheduler);
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  const Workload w = plain_jobs({{0, 10, 1}});
  EXPECT_EQ(message(fleet, w, from_begin()), "accepted");
  EXPECT_NE(
      message(fleet, plain_jobs({{0, 10, 3}}), from_begin()).find("job 1: nodes: at most the 2"),
      std::string::npos);
  EXPECT_NE(
      message(fleet, plain_jobs({{5, 1, 1}, {0, 1, 1}}), from_begin()).find("job 2: in order"),
      std::string::npos);
  Workload nowhere = w;
  nowhere.jobs[0].origin = 7;
  EXPECT_NE(message(fleet, nowhere, from_begin()).find("origin"), std::string::npos);
  FleetOptions early = from_begin();
  early.begin = kBegin - seconds(1);
  EXPECT_NE(message(fleet, w, early).find("begin"), std::string::npos);
  FleetOptions crossed = from_begin();
  crossed.calls = {{0, kBegin, seconds(10), watt, true},
                   {0, kBegin + seconds(5), seconds(10), watt, true}};
  EXPECT_NE(message(fleet, w, crossed).find("one at a time"), std::string::npos);
  FleetScenario ragged = fleet;
  ragged.sites[0].carbon.pop_back();
  EXPECT_NE(message(ragged, w, from_begin()).find("site a: series"), std::string::npos);
  FleetScenario leaking = fleet;
  leaking.sites[0].battery.capacity = joule;
  EXPECT_NE(message(leaking, w, from_begin()).find("self_discharge"), std::string::npos);
  EXPECT_THROW(control::make_policy("no-wiat", control::FleetPolicyOptions{}), InputError);
}

}  // namespace
}  // namespace carnot::simulate
