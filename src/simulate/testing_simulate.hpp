// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Small random fleets and a policy that does whatever can be done, for tests.

#include <cmath>
#include <vector>

#include "carnot/base/random.hpp"
#include "carnot/simulate/simulate.hpp"

namespace carnot::simulate::testing {

inline Duration seconds(double s) { return Duration::from(s * second); }
inline const Instant kBegin = Instant::from_date(2023, 1, 1);

/// Draws in order.
class Draws {
 public:
  explicit Draws(std::uint64_t seed, std::uint64_t at = 0) : stream_(seed, "draws"), at_(at) {}
  std::uint64_t below(std::uint64_t bound) { return stream_.below(at_++, bound); }
  double uniform() { return stream_.uniform(at_++); }
  bool chance(double p) { return uniform() < p; }
  std::uint64_t at() const { return at_; }

 private:
  RandomStream stream_;
  std::uint64_t at_;
};

struct FleetChoice {
  std::size_t sites = 3, jobs = 40;
  std::int64_t step_s = 60, steps = 20, span_s = 900;
  bool own = true, battery = true;
};

/// A fleet whose signals change every step, prices below zero among them.
inline FleetScenario random_fleet(Draws& draw, const FleetChoice& choice) {
  FleetScenario fleet;
  fleet.series_start = kBegin;
  fleet.step = Duration::seconds(choice.step_s);
  for (std::size_t s = 0; s < choice.sites; ++s) {
    FleetSite& site = fleet.sites.emplace_back();
    site.name = "s" + std::to_string(s);
    site.hall.nodes = static_cast<double>(6 + draw.below(6));
    site.hall.node_peak = static_cast<double>(200 + draw.below(300)) * watt;
    site.hall.node_idle = static_cast<double>(draw.below(100)) * watt;
    site.hall.node_suspended = static_cast<double>(draw.below(9)) * watt;
    if (choice.battery && draw.chance(0.6)) {
      site.battery.capacity = (1e4 + 4e5 * draw.uniform()) * joule;
      site.battery.charge_limit = 2000.0 * draw.uniform() * watt;
      site.battery.discharge_limit = 2000.0 * draw.uniform() * watt;
      site.battery.charge_efficiency = 0.7 + 0.3 * draw.uniform();
      site.battery.discharge_efficiency = 0.7 + 0.3 * draw.uniform();
    }
    site.battery.self_discharge_per_day = 0.0;
    site.export_limit = draw.chance(0.5) ? Power{} : 800.0 * draw.uniform() * watt;
    site.computing_uses =
        draw.chance(0.5) ? site::ComputingUses::AllOwn : site::ComputingUses::Curtailed;
    const bool own = choice.own && draw.chance(0.7);
    for (std::int64_t t = 0; t < choice.steps; ++t) {
      site.price.push_back((draw.uniform() - 0.2) * euro_per_kilowatt_hour);
      site.carbon.push_back(700.0 * draw.uniform() * gram_per_kilowatt_hour);
      site.outside.push_back(from_celsius(40.0 * draw.uniform()));
      if (own) site.own.push_back(std::max(-100.0, 5000.0 * (draw.uniform() - 0.3)) * watt);
    }
  }
  return fleet;
}

/// Jobs of whole seconds that fit every site, some together, some in several modes.
inline Workload random_jobs(Draws& draw, const FleetChoice& choice) {
  Workload w;
  w.mode_sets.push_back({{0, 1.0, 1.0}, {1, 0.4, 0.7}, {5, 1.7, 1.1}});
  Duration at;
  for (std::size_t j = 0; j < choice.jobs; ++j) {
    if (draw.chance(0.7))
      at = at + Duration::seconds(static_cast<std::int64_t>(draw.below(static_cast<std::uint64_t>(
                    1 + 2 * choice.span_s / static_cast<std::int64_t>(choice.jobs)))));
    JobRequest job;
    job.arrival = at;
    job.nodes = static_cast<std::int32_t>(1 + draw.below(6));
    job.origin = static_cast<std::uint32_t>(draw.below(choice.sites));
    job.modes = static_cast<std::uint32_t>(draw.below(2));
    if (draw.chance(0.3)) job.power_mw = static_cast<std::int32_t>(draw.below(900'000));
    const Duration length = Duration::seconds(static_cast<std::int64_t>(1 + draw.below(120)));
    job.estimate = Duration::nanoseconds(
        1 + static_cast<std::int64_t>(2.0 * draw.uniform() *
                                      static_cast<double>(length.nanoseconds())));
    if (draw.chance(0.5))
      job.allowed = length + length;
    else
      job.allowed = kNoDeadline;
    w.jobs.push_back(job);
    w.length.push_back(length);
  }
  return w;
}

/// Does anything that may be done, at any event. All jobs end: who finds nothing better submits.
class Chaos final : public control::Policy {
 public:
  explicit Chaos(std::uint64_t seed, bool may_drop = true) : seed_(seed), may_drop_(may_drop) {}
  std::string_view name() const noexcept override { return "chaos"; }
  void begin(const control::World& world) override { world.commands.wake_at(world.view.now()); }
  void arrived(const control::World& world, control::JobIndex job) override { act(world, job); }
  void finished(const control::World& world, control::JobIndex) override { meddle(world); }
  void failed(const control::World& world, control::JobIndex) override { meddle(world); }
  void tick(const control::World& world) override {
    // Whoever waits for nothing is sent somewhere: no job is left behind.
    for (control::JobIndex j = world.view.first_waiting(); j != control::JobIndex::none();
         j = world.view.next_waiting(j))
      if (!world.view.status(j).in_line && draw(4) == 0) act(world, j);
    meddle(world);
    world.commands.wake_at(world.view.now() +
                           Duration::seconds(1 + static_cast<std::int64_t>(draw(40))));
  }
  void save(StateWriter& state) const override {
    Policy::save(state);
    state.value(at_);
  }
  void restore(StateReader& state) override {
    Policy::restore(state);
    at_ = state.value<std::uint64_t>();
  }

 private:
  std::uint64_t draw(std::uint64_t bound) {
    return RandomStream(seed_, "chaos").below(at_++, bound);
  }

  void act(const control::World& world, control::JobIndex job) {
    const auto site = static_cast<control::SiteIndex>(draw(world.view.sites().size()));
    const auto mode = static_cast<std::uint8_t>(draw(world.view.modes(job).size()));
    switch (draw(5)) {
      case 0:
        if (world.commands.start(job, site, mode)) return;
        break;
      case 1:
      case 2: {
        std::vector<control::PlannedRun> runs;
        Instant at = world.view.now() - Duration::seconds(static_cast<std::int64_t>(draw(5)));
        const bool one_site = draw(2) == 0;
        for (std::uint64_t i = 0; i <= draw(4); ++i) {
          control::PlannedRun run;
          run.from = at + Duration::seconds(static_cast<std::int64_t>(draw(2) * draw(60)));
          run.to = run.from + Duration::seconds(static_cast<std::int64_t>(1 + draw(60)));
          run.site =
              one_site ? site : static_cast<control::SiteIndex>(draw(world.view.sites().size()));
          run.mode = static_cast<std::uint8_t>(draw(world.view.modes(job).size()));
          at = run.to;
          runs.push_back(run);
        }
        world.commands.plan(job, runs);
        return;
      }
      default:
        break;
    }
    world.commands.submit(job, site, mode);
  }

  void meddle(const control::World& world) {
    const auto site = static_cast<control::SiteIndex>(draw(world.view.sites().size()));
    for (control::JobIndex j = world.view.first_running(site), next; j != control::JobIndex::none();
         j = next) {
      next = world.view.next_running(j);
      if (draw(6) != 0) continue;
      const control::JobPhase phase = world.view.status(j).phase;
      const bool works =
          phase == control::JobPhase::Running || phase == control::JobPhase::Starting;
      const std::uint64_t what = draw(3);
      if (what == 0) world.commands.suspend(j);
      if (what == 1 && works)
        world.commands.resize(j, static_cast<std::uint8_t>(draw(world.view.modes(j).size())));
      if (what == 2) act(world, j);
      break;  // the chain may have changed
    }
    const control::JobIndex waits = world.view.first_waiting();
    if (may_drop_ && waits != control::JobIndex::none() && draw(40) == 0)
      world.commands.drop(waits);
    if (draw(3) == 0)
      world.commands.command_battery(site, static_cast<control::BatteryCommand>(draw(3)));
    // What it does next hangs on forecasts and batteries.
    const ForecastView view =
        world.view.forecast(site, static_cast<control::Signal>(draw(control::kSignals)));
    if (view.mean[1] + view.mean[2] < view.mean[3] + view.mean[4]) ++at_;
    if (world.view.battery(site) > 1e5 * joule) ++at_;
  }

  std::uint64_t seed_, at_ = 0;
  bool may_drop_;
};

/// Everything at once.
inline FleetOptions random_options(Draws& draw, const FleetScenario& fleet) {
  FleetOptions o;
  o.begin = fleet.series_start + Duration::seconds(static_cast<std::int64_t>(draw.below(100)));
  const auto maybe = [&](std::uint64_t most) {
    return draw.chance(0.5) ? Duration{}
                            : Duration::seconds(static_cast<std::int64_t>(draw.below(most)));
  };
  o.start_delay = maybe(8);
  o.stop_delay = maybe(8);
  o.move_delay = maybe(20);
  o.save_every = maybe(30);
  o.save_time = maybe(4);
  if (draw.chance(0.5)) {
    o.failures.mean_up = 900.0 * second;
    o.failures.shape = 0.5 + 1.5 * draw.uniform();
    o.failures.repair = 50.0 * draw.uniform() * second;
  }
  Instant at = o.begin;
  while (draw.chance(0.7)) {
    control::ReserveCall call;
    call.site = static_cast<control::SiteIndex>(draw.below(fleet.sites.size()));
    call.length = Duration::seconds(static_cast<std::int64_t>(1 + draw.below(90)));
    call.at = at + Duration::seconds(static_cast<std::int64_t>(draw.below(200)));
    call.power = (1.0 + 2000.0 * draw.uniform()) * watt;
    call.down = draw.chance(0.7);
    at = call.at + call.length;
    o.calls.push_back(call);
  }
  o.seed = draw.below(1000);
  return o;
}

}  // namespace carnot::simulate::testing
