// SPDX-License-Identifier: Apache-2.0
#include "simulate/energy_meter.hpp"

#include <gtest/gtest.h>

#include "simulate/testing_simulate.hpp"

namespace carnot::simulate {
namespace {

using testing::Draws;
using testing::kBegin;
using testing::seconds;

/// A load over time: from each instant on.
struct Change {
  Duration at;
  SiteLoad load;
  control::BatteryCommand command;
};

std::vector<Change> random_changes(Draws& draw, const FleetSite& site, double span) {
  std::vector<Change> changes;
  for (double at = 0; at < span; at += 40.0 * draw.uniform()) {
    const auto held =
        static_cast<std::int64_t>(draw.below(static_cast<std::uint64_t>(site.hall.nodes) + 1));
    const std::int64_t idle = 10'000 * (static_cast<std::int64_t>(site.hall.nodes) - held);
    changes.push_back({seconds(at),
                       {held * 300'000 + idle, idle, held},
                       static_cast<control::BatteryCommand>(draw.below(3))});
  }
  return changes;
}

FleetFlows metered(const FleetScenario& fleet, const FleetSite& site,
                   const std::vector<Change>& changes, Duration end, Duration report) {
  SiteMeter meter(fleet, site, kBegin);
  Duration next = report;
  for (const Change& c : changes) {
    for (; report > Duration{} && next < c.at; next = next + report) meter.advance(kBegin + next);
    meter.set_load(kBegin + c.at, c.load);
    meter.command_battery(kBegin + c.at, c.command);
  }
  meter.advance(kBegin + end);
  return meter.flows();
}

/// The same by small steps of time, with the battery clipped at each: plain and slow.
FleetFlows stepped(const FleetScenario& fleet, const FleetSite& site,
                   const std::vector<Change>& changes, double end, double h) {
  FleetFlows f;
  const site::BatteryOptions& b = site.battery;
  Energy level = f.battery_begin = b.initial_charge * b.capacity;
  std::size_t c = 0;
  SiteLoad load;
  control::BatteryCommand command{};
  for (std::int64_t k = 0; static_cast<double>(k) * h < end - h / 2; ++k) {
    const double at = (static_cast<double>(k) + 0.5) * h;
    for (; c < changes.size() && changes[c].at.time().in(second) <= at; ++c) {
      load = changes[c].load;
      command = changes[c].command;
    }
    const auto i = static_cast<std::size_t>(at / fleet.step.time().in(second)) % site.price.size();
    const Time dt = h * second;
    const Power it = 1e-3 * static_cast<double>(load.it_mw) * watt;
    const Power facility = site.hall.facility_power(it, site.outside[i]);
    const Power total = site.own.empty() ? Power{} : max(Power{}, site.own[i]);
    const Power for_it = site.computing_uses == site::ComputingUses::AllOwn
                             ? total
                             : max(Power{}, total - site.export_limit);
    const Power used = min(facility, for_it);
    const Power exported = min(total - used, site.export_limit);
    Power rest = total - used - exported, need = facility - used;
    const Power room = max(Power{}, (b.capacity - level) / (b.charge_efficiency * dt));
    const Power in_own = min(min(rest, b.charge_limit), room);
    Power in_grid;
    if (command == control::BatteryCommand::Fill) in_grid = min(b.charge_limit, room) - in_own;
    Power out;
    if (command == control::BatteryCommand::Auto && in_own < 1e-6 * watt)  // rounding apart
      out = min(min(need, b.discharge_limit), level * b.discharge_efficiency / dt);
    level = min(b.capacity, max(Energy{}, level + b.charge_efficiency * (in_own + in_grid) * dt -
                                              out / b.discharge_efficiency * dt));
    const Energy grid = (need - out + in_grid) * dt;
    f.it += it * dt;
    f.facility += facility * dt;
    f.own_total += total * dt;
    f.own_used += used * dt;
    f.exported += exported * dt;
    f.curtailed += (rest - in_own) * dt;
    f.charged_own += in_own * dt;
    f.charged_grid += in_grid * dt;
    f.discharged += out * dt;
    f.grid += grid;
    f.carbon += grid * site.carbon[i];
    f.cost += grid * site.price[i];
  }
  f.battery_end = level;
  return f;
}

void expect_near(const FleetFlows& a, const FleetFlows& b, double relative) {
  const Energy scale = a.facility + a.own_total;
  const auto near = [&](Energy x, Energy y, const char* what) {
    EXPECT_NEAR(x / scale, y / scale, relative) << what;
  };
  near(a.it, b.it, "it");
  near(a.facility, b.facility, "facility");
  near(a.own_total, b.own_total, "own_total");
  near(a.own_used, b.own_used, "own_used");
  near(a.exported, b.exported, "exported");
  near(a.curtailed, b.curtailed, "curtailed");
  near(a.charged_own, b.charged_own, "charged_own");
  near(a.charged_grid, b.charged_grid, "charged_grid");
  near(a.discharged, b.discharged, "discharged");
  near(a.battery_end, b.battery_end, "battery_end");
  near(a.grid, b.grid, "grid");
  EXPECT_NEAR(a.carbon / (scale * gram_per_kilowatt_hour),
              b.carbon / (scale * gram_per_kilowatt_hour), 700 * relative);
  EXPECT_NEAR(a.cost / (scale * euro_per_kilowatt_hour), b.cost / (scale * euro_per_kilowatt_hour),
              relative);
}

TEST(SiteMeter, EqualsSmallSteps) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    Draws draw(seed);
    testing::FleetChoice choice;
    choice.sites = 1;
    const FleetScenario fleet = testing::random_fleet(draw, choice);
    const FleetSite& site = fleet.sites[0];
    std::vector<Change> changes = random_changes(draw, site, 2000);
    for (Change& c : changes) c.at = Duration::seconds(c.at / Duration::seconds(1));
    SCOPED_TRACE(seed);
    // Steps of 1/16 s cut at every change; only the battery's limits fall inside one.
    expect_near(metered(fleet, site, changes, seconds(2000), {}),
                stepped(fleet, site, changes, 2000, 0.0625), 2e-4);
  }
}

TEST(SiteMeter, WithoutABatterySmallStepsAreExact) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Draws draw(seed);
    testing::FleetChoice choice;
    choice.sites = 1;
    choice.battery = false;
    const FleetScenario fleet = testing::random_fleet(draw, choice);
    const FleetSite& site = fleet.sites[0];
    std::vector<Change> changes = random_changes(draw, site, 2000);
    for (Change& c : changes) c.at = Duration::seconds(c.at / Duration::seconds(1));
    SCOPED_TRACE(seed);
    expect_near(metered(fleet, site, changes, seconds(2000), {}),
                stepped(fleet, site, changes, 2000, 1.0), 1e-12);
  }
}

TEST(SiteMeter, EnergyDoesNotDependOnHowOftenItIsReported) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Draws draw(seed);
    testing::FleetChoice choice;
    choice.sites = 1;
    const FleetScenario fleet = testing::random_fleet(draw, choice);
    const FleetSite& site = fleet.sites[0];
    const std::vector<Change> changes = random_changes(draw, site, 3000);
    const FleetFlows once = metered(fleet, site, changes, seconds(3000), {});
    for (const double report : {0.37, 7.0, 61.0}) {
      SCOPED_TRACE(report);
      expect_near(once, metered(fleet, site, changes, seconds(3000), seconds(report)), 1e-12);
    }
    EXPECT_LE(once.balance_residual, 1e-9);
  }
}

TEST(SiteMeter, ABatteryGivesWhatItTookLessLosses) {
  FleetScenario fleet;
  fleet.series_start = kBegin;
  FleetSite site;
  site.hall.nodes = 1;
  site.hall.node_peak = 1000.0 * watt;
  site.hall.fixed_overhead = 0.0;
  site.battery = {3.6e6 * joule, 1000.0 * watt, 500.0 * watt, 0.9, 0.8, 0.0, 0.0, {}};
  site.price.assign(24, EnergyPrice{});
  site.carbon.assign(24, CarbonIntensity{});
  site.outside.assign(24, from_celsius(5));
  site.own.assign(24, Power{});
  site.own[0] = 2000.0 * watt;  // fills 0.9 kWh in the first hour
  fleet.sites.push_back(site);
  SiteMeter meter(fleet, fleet.sites[0], kBegin);
  meter.set_load(kBegin + Duration::seconds(7200), {1'000'000, 0, 1});
  meter.advance(kBegin + Duration::seconds(4 * 3600));
  const FleetFlows f = meter.flows();
  EXPECT_NEAR(f.charged_own.in(kilowatt_hour), 1.0, 1e-12);
  EXPECT_NEAR(f.curtailed.in(kilowatt_hour), 1.0, 1e-12);
  // 0.9 kWh x 0.8 at 500 W: 1.44 h of the two.
  EXPECT_NEAR(f.discharged.in(kilowatt_hour), 0.72, 1e-12);
  EXPECT_NEAR(f.grid.in(kilowatt_hour), 2.0 - 0.72, 1e-12);
  EXPECT_EQ(f.battery_end, Energy{});
}

TEST(SiteMeter, ShortOfACallIsWhatWasNotGiven) {
  FleetScenario fleet;
  fleet.series_start = kBegin;
  FleetSite site;
  site.hall.nodes = 2;
  site.hall.node_peak = 1000.0 * watt;
  site.hall.fixed_overhead = 0.0;
  site.price.assign(2, EnergyPrice{});
  site.carbon.assign(2, CarbonIntensity{});
  site.outside.assign(2, from_celsius(5));
  fleet.sites.push_back(site);
  SiteMeter meter(fleet, fleet.sites[0], kBegin);
  meter.set_load(kBegin, {2'000'000, 0, 2});
  meter.begin_call(kBegin + seconds(100),
                   {0, kBegin + seconds(100), seconds(100), 600.0 * watt, true});
  meter.set_load(kBegin + seconds(110), {1'500'000, 0, 2});  // 500 W of 600 W, after 10 s
  meter.set_load(kBegin + seconds(150), {1'000'000, 0, 1});  // more than asked
  meter.end_call(kBegin + seconds(200));
  meter.advance(kBegin + seconds(300));
  EXPECT_NEAR(meter.flows().call_asked.in(joule), 600 * 100, 1e-6);
  EXPECT_NEAR(meter.flows().call_short.in(joule), 600 * 10 + 100 * 40, 1e-6);
}

}  // namespace
}  // namespace carnot::simulate
