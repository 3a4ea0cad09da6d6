// SPDX-License-Identifier: Apache-2.0
// A day of a wind farm whose line is too thin, in steps of five minutes: a hall takes what would be
// curtailed, and every joule of the farm is accounted for.
#include <cstdio>

#include "carnot/site/site.hpp"
#include "carnot/trace/weather/generate.hpp"

using namespace carnot;

int main() {
  site::SiteOptions options;
  options.export_limit = 60.0 * megawatt;
  options.hall.nodes = 40000;  // 100 W idle, 600 W at full load, each
  site::SiteSimulator site(options);

  site::Mode mode;
  mode.name = "int8";
  mode.bits = 8;
  mode.steps_per_second = 0.2;
  mode.static_power = options.hall.nodes * options.hall.node_idle;
  mode.dynamic_power = options.hall.nodes * (options.hall.node_peak - options.hall.node_idle);

  WindOptions wind;
  wind.capacity = 148.0 * megawatt;
  const TimeGrid day_grid{Instant::from_date(2024, 3, 4), Duration::seconds(300), 288};
  const Trace<Power> power = carnot::generate_wind(wind, day_grid, 10);

  const Time step = day_grid.step.time();
  Energy made, exported, computed, thrown_away;
  double steps = 0.0, worst = 0.0;
  for (std::size_t i = 0; i < power.size(); ++i) {
    site::Weather weather;
    weather.total = power[i];
    const site::Flows flows = site.advance(weather, {&mode}, step);  // no grid power is asked for
    made += flows.total * step;
    exported += flows.exported * step;
    computed += flows.own_used * step;
    thrown_away += flows.curtailed * step;
    steps += flows.steps;
    worst = flows.residual > worst ? flows.residual : worst;
  }
  std::printf("made %.0f MWh = exported %.0f + computing %.0f + thrown away %.0f; %.0f steps\n",
              made.in(megawatt_hour), exported.in(megawatt_hour), computed.in(megawatt_hour),
              thrown_away.in(megawatt_hour), steps);
  std::printf("worst imbalance of a step: %.1e\n", worst);
  return worst < 1e-9 && steps > 0.0 ? 0 : 1;
}
