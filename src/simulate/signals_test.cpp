// SPDX-License-Identifier: Apache-2.0
#include "simulate/signals.hpp"

#include <gtest/gtest.h>

#include "simulate/testing_simulate.hpp"

namespace carnot::simulate {
namespace {

using control::Signal;
using testing::kBegin;

FleetScenario hourly(std::uint64_t seed) {
  testing::Draws draw(seed);
  testing::FleetChoice choice;
  choice.sites = 1;
  choice.step_s = 3600;
  choice.steps = 2000;
  return testing::random_fleet(draw, choice);
}

Instant at(std::int64_t hours) { return kBegin + Duration::seconds(3600) * hours; }

std::vector<double> copy(const ForecastView& view) { return {view.mean.begin(), view.mean.end()}; }

TEST(SiteSignals, ResumedForecastsAreTheSame) {
  const FleetScenario fleet = hourly(1);
  SiteSignals whole(fleet, fleet.sites[0]), resumed(fleet, fleet.sites[0]),
      late(fleet, fleet.sites[0]);
  whole.forecast(Signal::ItPrice, at(10));
  whole.forecast(Signal::Carbon, at(500));
  resumed.resume(whole.asked(), at(1100));
  for (const std::int64_t hour : {1100, 1101, 1180, 1999, 2100})
    for (const Signal signal : {Signal::ItPrice, Signal::Price, Signal::Carbon, Signal::ItCarbon})
      EXPECT_EQ(copy(whole.forecast(signal, at(hour))), copy(resumed.forecast(signal, at(hour))))
          << hour;
  // One that is asked for the first time looks back thirty days, not to the beginning.
  EXPECT_NE(copy(whole.forecast(Signal::Carbon, at(2101))),
            copy(late.forecast(Signal::Carbon, at(2101))));
}

TEST(SiteSignals, TheTruthGoesRound) {
  const FleetScenario fleet = hourly(2);
  const FleetSite& site = fleet.sites[0];
  SiteSignals signals(fleet, site);
  for (const std::int64_t hour : {0, 7, 1999, 2000, 4321}) {
    const ForecastView view = signals.truth(Signal::ItPrice, at(hour) + Duration::seconds(1800));
    ASSERT_EQ(view.mean.size(), 2000u);
    EXPECT_EQ(view.start, at(hour));
    for (const std::int64_t k : {0, 1, 1999}) {
      const auto i = static_cast<std::size_t>((hour + k) % 2000);
      EXPECT_EQ(view.mean[static_cast<std::size_t>(k)],
                site.price[i].base() * site.hall.pue(site.outside[i], 1.0));
      EXPECT_EQ(view.at(at(hour + k) + Duration::seconds(60)),
                view.mean[static_cast<std::size_t>(k)]);
    }
    // Before it begins and after it ends as its outermost steps.
    EXPECT_EQ(view.at(at(hour - 5)), view.mean.front());
    EXPECT_EQ(view.at(at(hour + 5000)), view.mean.back());
    EXPECT_NEAR(view.integral(at(hour - 1), at(hour + 1)), 2 * 3600 * view.mean.front(), 1e-9);
  }
}

TEST(SiteSignals, OwnPowerIsWhatComputingMayUse) {
  FleetScenario fleet = hourly(3);
  FleetSite& site = fleet.sites[0];
  site.own.assign(2000, 900.0 * watt);
  site.own[1] = -5.0 * watt;
  site.export_limit = 300.0 * watt;
  site.computing_uses = site::ComputingUses::Curtailed;
  EXPECT_EQ(own_for_computing(site, 0), 600.0 * watt);
  EXPECT_EQ(own_for_computing(site, 1), Power{});
  site.computing_uses = site::ComputingUses::AllOwn;
  EXPECT_EQ(own_for_computing(site, 0), 900.0 * watt);
  EXPECT_EQ(own_for_computing(site, 1), Power{});
}

}  // namespace
}  // namespace carnot::simulate
