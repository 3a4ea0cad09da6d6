// SPDX-License-Identifier: Apache-2.0
#include "carnot/site/site.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/base/random.hpp"

namespace carnot::site {
namespace {

// A hall of 1000 nodes, 100 W idle to 600 W: rated 600 kW.
SiteOptions plain_site() {
  SiteOptions site;
  site.export_limit = Power{};
  site.hall.fixed_overhead = 0.0;
  site.hall.cooling_slope_per_k = 0.0;
  return site;
}

Mode plain_mode() {
  return {.name = "f32",
          .bits = 32,
          .steps_per_second = 10.0,
          .static_power = 100.0 * kilowatt,
          .dynamic_power = 500.0 * kilowatt};
}

// ---- Hand-computed cases -----------------------------------------------------------------------

TEST(Pue, FollowsItsFormulaAndClips) {
  HallOptions hall;
  hall.fixed_overhead = 0.03;
  hall.cooling_slope_per_k = 0.006;
  hall.free_cooling_below = from_celsius(16.0);
  EXPECT_NEAR(hall.pue(from_celsius(10.0), 1.0), 1.03, 1e-12);
  EXPECT_NEAR(hall.pue(from_celsius(26.0), 0.5), 1.0 + 0.06 + 0.06, 1e-12);
  EXPECT_NEAR(hall.pue(from_celsius(10.0), 0.0), 1.6, 1e-12);  // load counts as 0.05
  EXPECT_NEAR(hall.pue(from_celsius(10.0), 0.04), 1.6, 1e-12);
  hall.fixed_overhead = 0.5;
  EXPECT_EQ(hall.pue(from_celsius(10.0), 0.01), 3.0);
  hall.fixed_overhead = 0.0;
  EXPECT_EQ(hall.pue(from_celsius(-40.0), 0.01), 1.0);
}

TEST(Site, ServesFromOwnThenBatteryThenGrid) {
  SiteOptions site = plain_site();
  site.import_limit = 1.0 * megawatt;
  site.battery = {.capacity = 1.0 * megawatt_hour,
                  .charge_limit = 100.0 * kilowatt,
                  .discharge_limit = 150.0 * kilowatt,
                  .charge_efficiency = 0.9,
                  .discharge_efficiency = 0.8,
                  .initial_charge = 0.5,
                  .self_discharge_per_day = 0.0,
                  .wear_cost = {}};
  SiteSimulator simulator(site);
  const Mode mode = plain_mode();
  const Flows flows = simulator.advance(
      {.total = 300.0 * kilowatt},
      {.mode = &mode, .throttle = 1.0, .grid_allowance = 1.0 * megawatt}, 1.0 * hour);
  EXPECT_DOUBLE_EQ(flows.own_used.in(kilowatt), 300.0);
  EXPECT_DOUBLE_EQ(flows.discharged.in(kilowatt), 150.0);
  EXPECT_DOUBLE_EQ(flows.grid.in(kilowatt), 150.0);
  EXPECT_DOUBLE_EQ(flows.facility.in(kilowatt), 600.0);
  EXPECT_DOUBLE_EQ(flows.steps, 36000.0);
  // 500 kWh - 150 / 0.8 = 312.5 kWh left, 37.5 kWh lost on the way out.
  EXPECT_NEAR(flows.battery_energy.in(kilowatt_hour), 312.5, 1e-9);
  EXPECT_NEAR(flows.battery_loss.in(kilowatt_hour), 37.5, 1e-9);
  EXPECT_TRUE(flows.running);
}

TEST(Site, ThrottlesToWhatTheGridAllowanceLeaves) {
  SiteOptions site = plain_site();
  site.import_limit = 200.0 * kilowatt;
  site.hall.fixed_overhead = 0.1;  // of 600 kW: 60 kW
  SiteSimulator simulator(site);
  const Mode mode = plain_mode();
  const Flows flows = simulator.advance(
      {.total = 250.0 * kilowatt},
      {.mode = &mode, .throttle = 1.0, .grid_allowance = 110.0 * kilowatt}, 1.0 * hour);
  // 360 kW = it + 60 kW, so it = 300 kW and the throttle (300 - 100) / 500.
  EXPECT_DOUBLE_EQ(flows.facility.in(kilowatt), 360.0);
  EXPECT_NEAR(flows.it.in(kilowatt), 300.0, 1e-9);
  EXPECT_NEAR(flows.throttle, 0.4, 1e-12);
  EXPECT_NEAR(flows.pue, 1.2, 1e-12);
  EXPECT_DOUBLE_EQ(flows.grid.in(kilowatt), 110.0);
}

TEST(Site, ExportsFirstOrComputesFirst) {
  SiteOptions site = plain_site();
  site.export_limit = 400.0 * kilowatt;
  const Mode mode = plain_mode();
  const Weather weather{.total = 700.0 * kilowatt};
  const Demand demand{.mode = &mode};
  {
    SiteSimulator simulator(site);
    const Flows flows = simulator.advance(weather, demand, 1.0 * hour);
    EXPECT_DOUBLE_EQ(flows.exported.in(kilowatt), 400.0);
    EXPECT_DOUBLE_EQ(flows.own_used.in(kilowatt), 300.0);
    EXPECT_EQ(flows.curtailed, Power{});
    EXPECT_NEAR(flows.throttle, 0.4, 1e-12);
  }
  site.computing_uses = ComputingUses::AllOwn;
  SiteSimulator simulator(site);
  const Flows flows = simulator.advance(weather, demand, 1.0 * hour);
  EXPECT_DOUBLE_EQ(flows.own_used.in(kilowatt), 600.0);
  EXPECT_DOUBLE_EQ(flows.exported.in(kilowatt), 100.0);
  EXPECT_EQ(flows.throttle, 1.0);
}

TEST(Site, ACurtailmentOrderLowersTheExportLimit) {
  SiteOptions site = plain_site();
  site.export_limit = 400.0 * kilowatt;
  SiteSimulator simulator(site);
  const Flows flows = simulator.advance(
      {.total = 500.0 * kilowatt, .export_limit = 50.0 * kilowatt}, {}, 1.0 * hour);
  EXPECT_DOUBLE_EQ(flows.exported.in(kilowatt), 50.0);
  EXPECT_DOUBLE_EQ(flows.curtailed.in(kilowatt), 450.0);
}

TEST(Site, TheBatteryTakesOnlyWhatWouldBeThrownAway) {
  SiteOptions site = plain_site();
  site.export_limit = 400.0 * kilowatt;
  site.battery.capacity = 100.0 * kilowatt_hour;
  site.battery.charge_limit = 1.0 * megawatt;
  site.battery.initial_charge = 0.0;
  site.battery.self_discharge_per_day = 0.0;
  site.battery.charge_efficiency = 0.8;
  SiteSimulator simulator(site);
  Flows flows = simulator.advance({.total = 300.0 * kilowatt}, {}, 1.0 * hour);
  EXPECT_EQ(flows.charged, Power{});  // all of it can be exported
  flows = simulator.advance({.total = 480.0 * kilowatt}, {}, 1.0 * hour);
  EXPECT_NEAR(flows.charged.in(kilowatt), 80.0, 1e-9);
  EXPECT_NEAR(flows.battery_energy.in(kilowatt_hour), 64.0, 1e-9);
  flows = simulator.advance({.total = 480.0 * kilowatt}, {}, 1.0 * hour);
  EXPECT_NEAR(flows.charged.in(kilowatt), 45.0, 1e-9);  // 36 kWh of room / 0.8
  EXPECT_NEAR(flows.curtailed.in(kilowatt), 35.0, 1e-9);
  EXPECT_NEAR(flows.battery_energy.in(kilowatt_hour), 100.0, 1e-9);
}

TEST(Site, ABatteryLeaks) {
  SiteOptions site = plain_site();
  site.battery.capacity = 100.0 * kilowatt_hour;
  site.battery.initial_charge = 1.0;
  site.battery.self_discharge_per_day = 0.19;
  SiteSimulator simulator(site);
  const Flows flows = simulator.advance({}, {}, 12.0 * hour);
  EXPECT_NEAR(flows.battery_energy.in(kilowatt_hour), 90.0, 1e-9);  // 0.81^(1/2) = 0.9
  EXPECT_NEAR(flows.battery_loss.in(kilowatt_hour), 10.0, 1e-9);
}

TEST(Site, PausesWhenNothingIsLeftAboveStaticPower) {
  SiteOptions site = plain_site();
  SiteSimulator simulator(site);
  const Mode mode = plain_mode();
  const Flows flows = simulator.advance({.total = 99.0 * kilowatt}, {.mode = &mode}, 1.0 * hour);
  EXPECT_FALSE(flows.running);
  EXPECT_EQ(flows.steps, 0.0);
  EXPECT_EQ(flows.facility, Power{});
  EXPECT_DOUBLE_EQ(flows.curtailed.in(kilowatt), 99.0);
}

TEST(Site, StandbyIsDrawnBeyondTheAllowanceUpToTheImportLimit) {
  SiteOptions site = plain_site();
  site.hall.node_suspended = 20.0 * watt;  // 20 kW
  site.import_limit = 15.0 * kilowatt;
  SiteSimulator simulator(site);
  Flows flows = simulator.advance({.total = 8.0 * kilowatt}, {}, 1.0 * hour);
  EXPECT_DOUBLE_EQ(flows.grid.in(kilowatt), 12.0);
  EXPECT_EQ(flows.unserved, Power{});
  flows = simulator.advance({}, {}, 1.0 * hour);
  EXPECT_DOUBLE_EQ(flows.grid.in(kilowatt), 15.0);
  EXPECT_DOUBLE_EQ(flows.unserved.in(kilowatt), 5.0);
  EXPECT_NEAR(flows.it.in(kilowatt), 15.0, 1e-9);
  EXPECT_FALSE(flows.cap_violation);
}

TEST(Site, TurbinesThatConsumeCountAsCalm) {
  SiteSimulator simulator(plain_site());
  const Flows flows = simulator.advance({.total = -3.0 * kilowatt}, {}, 1.0 * hour);
  EXPECT_EQ(flows.total, Power{});
  EXPECT_EQ(flows.curtailed, Power{});
}

TEST(Site, NamesEveryOptionOutOfRangeAtOnce) {
  SiteOptions site;
  site.export_limit = -1.0 * watt;
  site.import_limit = Power::from_base(std::nan(""));
  site.hall.nodes = 0.0;
  site.hall.node_peak = Power{};
  site.hall.node_idle = 1.0 * watt;
  site.hall.node_suspended = -1.0 * watt;
  site.hall.fixed_overhead = -0.1;
  site.hall.cooling_slope_per_k = kInfinity;
  site.hall.free_cooling_below = Temperature::from_base(kInfinity);
  site.battery.capacity = Energy::from_base(kInfinity);
  site.battery.charge_limit = -1.0 * watt;
  site.battery.discharge_limit = -1.0 * watt;
  site.battery.charge_efficiency = 0.0;
  site.battery.discharge_efficiency = 1.1;
  site.battery.initial_charge = 2.0;
  site.battery.self_discharge_per_day = 1.0;
  site.battery.wear_cost = -1.0 * euro_per_megawatt_hour;
  try {
    SiteSimulator simulator(site);
    FAIL() << "accepted";
  } catch (const InputError& error) {
    const std::string message = error.what();
    EXPECT_EQ(std::count(message.begin(), message.end(), '\n'), 16) << message;
    EXPECT_THAT(message, testing::HasSubstr("site.hall.cooling_slope_per_k: 0 <= x <= 1"));
    EXPECT_THAT(message, testing::HasSubstr("site.battery.initial_charge: 0 <= x <= 1"));
  }
}

TEST(Site, RestoresABatteryWithinItsBoundsOnly) {
  SiteOptions site = plain_site();
  site.battery.capacity = 2.0 * kilowatt_hour;
  SiteSimulator simulator(site);
  EXPECT_EQ(simulator.battery_energy(), 1.0 * kilowatt_hour);
  simulator.restore_battery(2.0 * kilowatt_hour);
  EXPECT_EQ(simulator.battery_energy(), 2.0 * kilowatt_hour);
  EXPECT_THROW(simulator.restore_battery(2.1 * kilowatt_hour), InputError);
  EXPECT_THROW(simulator.restore_battery(-1.0 * joule), InputError);
  EXPECT_THROW(simulator.restore_battery(Energy::from_base(std::nan(""))), InputError);
}

TEST(Site, RefusesWhatNoCallerMayPass) {
  SiteSimulator simulator(plain_site());
  const Mode mode = plain_mode();
  EXPECT_THROW(simulator.advance({}, {}, Time{}), InternalError);
  EXPECT_THROW(simulator.advance({.total = Power::from_base(std::nan(""))}, {}, 1.0 * hour),
               InternalError);
  EXPECT_THROW(simulator.advance({}, {.mode = &mode, .throttle = 1.5}, 1.0 * hour), InternalError);
  EXPECT_THROW(simulator.advance({}, {.grid_allowance = -1.0 * watt}, 1.0 * hour), InternalError);
}

// ---- Random sites ------------------------------------------------------------------------------

// Draws one site after another; corners (zero, infinite, tiny, huge) come up often.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : stream_(seed, "site_test") {}
  double uniform() { return stream_.uniform(index_++); }
  bool chance(double p) { return uniform() < p; }
  double between(double low, double high) { return low + (high - low) * uniform(); }
  double scale(double low, double high) { return std::exp(between(std::log(low), std::log(high))); }
  template <class T>
  T one_of(std::initializer_list<T> values) {
    return values.begin()[stream_.below(index_++, values.size())];
  }

  Power limit(Power typical) {
    if (chance(0.2)) return one_of({0.0, 1e300, kInfinity, 1e-6}) * watt;
    return scale(0.01, 10.0) * typical;
  }

  SiteOptions site() {
    SiteOptions s;
    s.hall.nodes = scale(1.0, 1e6);
    s.hall.node_peak = scale(1.0, 1e4) * watt;
    s.hall.node_idle = uniform() * s.hall.node_peak;
    s.hall.node_suspended = one_of({0.0, 0.01, 1.0}) * uniform() * s.hall.node_peak;
    s.hall.fixed_overhead = one_of({0.0, 0.03, 0.1, 0.5, 2.0});
    s.hall.cooling_slope_per_k = one_of({0.0, 0.006, 0.03, 1.0});
    s.export_limit = limit(s.hall.rated());
    s.import_limit = limit(s.hall.rated());
    s.computing_uses = chance(0.5) ? ComputingUses::Curtailed : ComputingUses::AllOwn;
    s.battery.capacity = one_of({0.0, 1e-9, 0.1, 3.0, 1e6}) * uniform() * s.hall.rated() * hour;
    s.battery.charge_limit = limit(s.hall.rated());
    s.battery.discharge_limit = limit(s.hall.rated());
    s.battery.charge_efficiency = one_of({1.0, 0.95, 0.3, 1e-3});
    s.battery.discharge_efficiency = one_of({1.0, 0.95, 0.3, 1e-3});
    s.battery.initial_charge = one_of({0.0, 0.5, 1.0});
    s.battery.self_discharge_per_day = one_of({0.0, 0.001, 0.9});
    return s;
  }
  Mode mode(const SiteOptions& s) {
    const Power static_power = one_of({0.0, 0.2, 1.0}) * s.hall.nodes * s.hall.node_idle;
    return {.name = "m",
            .bits = 8,
            .steps_per_second = scale(0.1, 1e5),
            .static_power = static_power,
            .dynamic_power = scale(0.01, 1.0) * s.hall.rated()};
  }
  Weather weather(const SiteOptions& s) {
    Weather w;
    w.total = chance(0.2) ? Power{} : scale(1e-3, 30.0) * s.hall.rated();
    w.outside = from_celsius(between(-30.0, 45.0));
    if (chance(0.3)) w.export_limit = limit(s.hall.rated());
    return w;
  }
  Demand demand(const SiteOptions& s, const Mode& mode) {
    Demand d;
    d.mode = chance(0.8) ? &mode : nullptr;
    d.throttle = chance(0.3) ? one_of({0.0, 1.0}) : uniform();
    d.grid_allowance = limit(s.hall.rated());
    d.use_battery = chance(0.7);
    return d;
  }
  Time step() { return chance(0.7) ? 300.0 * second : scale(1e-3, 1e5) * second; }

 private:
  RandomStream stream_;
  std::uint64_t index_ = 0;
};

// What a step must do, found the slow way: straight from the prose of site.hpp, the throttle by
// bisection on facility power. Shares no code with the simulator but the PUE formula, which
// Pue.FollowsItsFormulaAndClips pins down by hand.
Flows slow_step(const SiteOptions& s, Energy& battery, const Weather& w, const Demand& d, Time h) {
  const auto facility_of = [&](Power it) {
    return it * s.hall.pue(w.outside, it / s.hall.rated());
  };
  Flows f;
  f.total = w.total;
  const Power export_limit = min(s.export_limit, w.export_limit);
  const bool export_first = s.computing_uses == ComputingUses::Curtailed;
  Power own = f.total;
  if (export_first) {
    f.exported = min(own, export_limit);
    own -= f.exported;
  }
  const Energy kept = battery * std::exp(std::log1p(-s.battery.self_discharge_per_day) * (h / day));
  f.battery_loss = battery - kept;
  Power from_battery;
  if (d.use_battery) {
    from_battery = min(s.battery.discharge_limit, kept * s.battery.discharge_efficiency / h);
  }
  Power grid_cap = min(d.grid_allowance, s.import_limit);
  const Power available = own + from_battery + grid_cap;

  if (d.mode != nullptr) {
    double u = d.throttle;
    if (facility_of(d.mode->power(u)) > available) {
      double low = 0.0;
      double high = u;
      if (facility_of(d.mode->power(0.0)) >= available) {
        high = 0.0;
      }
      for (int i = 0; i < 200; ++i) {
        const double middle = 0.5 * (low + high);
        (facility_of(d.mode->power(middle)) > available ? high : low) = middle;
      }
      u = low;
      f.running = high > 0.0;
    } else {
      f.running = true;
    }
    f.throttle = f.running ? u : 0.0;
  }
  if (f.running) {
    f.it = d.mode->power(f.throttle);
    f.facility = facility_of(f.it);
    f.steps = f.throttle * d.mode->steps_per_second * h.in(second);
  } else {
    grid_cap = s.import_limit;
    const Power standby = facility_of(s.hall.nodes * s.hall.node_suspended);
    f.facility = min(standby, own + from_battery + grid_cap);
    f.unserved = standby - f.facility;
  }
  f.own_used = min(own, f.facility);
  f.discharged = min(from_battery, f.facility - f.own_used);
  f.grid = f.facility - f.own_used - f.discharged;
  Power rest = own - f.own_used;
  if (!export_first) {
    f.exported = min(rest, export_limit);
    rest -= f.exported;
  }
  f.charged = min(min(rest, s.battery.charge_limit),
                  (s.battery.capacity - kept) / s.battery.charge_efficiency / h);
  f.curtailed = rest - f.charged;
  battery = kept + s.battery.charge_efficiency * f.charged * h -
            f.discharged * h / s.battery.discharge_efficiency;
  battery = min(max(battery, Energy{}), s.battery.capacity);
  f.battery_energy = battery;
  return f;
}

void expect_near(Power a, Power b, Power scale, const char* what, std::uint64_t seed) {
  ASSERT_LE(abs(a - b).in(watt), 1e-9 * scale.in(watt))
      << what << ": " << a.in(watt) << " W, plainly " << b.in(watt) << " W, site " << seed;
}

TEST(RandomSites, AgreeWithThePlainReference) {
  int throttled = 0, paused = 0, unserved = 0, charged = 0, discharged = 0, clipped = 0;
  for (std::uint64_t seed = 0; seed < 10'000; ++seed) {
    Draw draw(seed);
    const SiteOptions options = draw.site();
    const Mode mode = draw.mode(options);
    SiteSimulator simulator(options);
    for (int i = 0; i < 8; ++i) {
      const Weather weather = draw.weather(options);
      const Demand demand = draw.demand(options, mode);
      const Time step = draw.step();
      Energy battery = simulator.battery_energy();
      const Flows plain = slow_step(options, battery, weather, demand, step);
      const Flows flows = simulator.advance(weather, demand, step);
      const Power scale = max(max(flows.total, options.hall.rated()), plain.facility);
      ASSERT_EQ(flows.running, plain.running) << seed;
      ASSERT_NEAR(flows.throttle, plain.throttle,
                  1e-9 * std::max(1.0, mode.static_power / mode.dynamic_power))
          << seed;
      ASSERT_NEAR(flows.steps, plain.steps,
                  1e-9 * std::max(1.0, mode.static_power / mode.dynamic_power) *
                      mode.steps_per_second * step.in(second));
      expect_near(flows.exported, plain.exported, scale, "exported", seed);
      expect_near(flows.curtailed, plain.curtailed, scale, "curtailed", seed);
      expect_near(flows.own_used, plain.own_used, scale, "own_used", seed);
      expect_near(flows.charged, plain.charged, scale, "charged", seed);
      expect_near(flows.discharged, plain.discharged, scale, "discharged", seed);
      expect_near(flows.grid, plain.grid, scale, "grid", seed);
      expect_near(flows.facility, plain.facility, scale, "facility", seed);
      expect_near(flows.unserved, plain.unserved, scale, "unserved", seed);
      ASSERT_NEAR(flows.battery_energy.base(), battery.base(),
                  (1e-9 * options.battery.capacity + 1e-12 * scale * step).base())
          << seed;
      throttled += flows.running && flows.throttle < demand.throttle;
      paused += demand.mode != nullptr && !flows.running;
      unserved += flows.unserved > Power{};
      charged += flows.charged > Power{};
      discharged += flows.discharged > Power{};
      clipped += flows.pue > 2.999999;
    }
  }
  // The draw reaches every corner it is meant to reach.
  for (const int count : {throttled, paused, unserved, charged, discharged, clipped}) {
    EXPECT_GT(count, 1000);
  }
}

TEST(RandomSites, KeepTheirBooks) {
  for (std::uint64_t seed = 0; seed < 10'000; ++seed) {
    Draw draw(seed + 1'000'000);
    const SiteOptions options = draw.site();
    const Mode mode = draw.mode(options);
    SiteSimulator simulator(options);
    const Energy before = simulator.battery_energy();
    Energy in, out, loss, scale = before;
    for (int i = 0; i < 12; ++i) {
      const Weather weather = draw.weather(options);
      const Demand demand = draw.demand(options, mode);
      const Time step = draw.step();
      const Flows f = simulator.advance(weather, demand, step);
      const Power other = f.own_used + f.charged;
      const Power gap = abs(f.total - f.exported - other - f.curtailed);
      ASSERT_LE(gap.in(watt), 1e-9 * f.total.in(watt)) << seed;
      const Power bus = f.facility + f.charged;
      ASSERT_LE(abs(other + f.discharged + f.grid - bus).in(watt), 1e-9 * bus.in(watt)) << seed;
      ASSERT_LE(abs(f.facility - f.pue * f.it).in(watt), 1e-9 * f.facility.in(watt)) << seed;
      ASSERT_NEAR(f.pue, options.hall.pue(weather.outside, f.it / options.hall.rated()),
                  1e-9 * f.pue)
          << seed;
      ASSERT_LE(f.residual, 1e-9) << seed;
      ASSERT_FALSE(f.cap_violation) << seed;
      for (const Power p : {f.total, f.exported, f.curtailed, f.own_used, f.charged, f.discharged,
                            f.grid, f.facility, f.it, f.unserved}) {
        ASSERT_TRUE(p >= Power{} && is_finite(p)) << seed;
      }
      ASSERT_GE(f.battery_energy, Energy{}) << seed;
      ASSERT_LE(f.battery_energy, options.battery.capacity) << seed;
      ASSERT_GE(f.battery_loss.base(), -1e-12 * options.battery.capacity.base()) << seed;
      ASSERT_EQ(min(f.charged, f.discharged), Power{}) << seed;
      ASSERT_LE(f.charged, options.battery.charge_limit);
      ASSERT_LE(f.discharged, options.battery.discharge_limit);
      ASSERT_LE(f.exported, min(options.export_limit, weather.export_limit));
      ASSERT_LE(f.grid, options.import_limit);
      if (f.running) {
        ASSERT_LE(f.grid, demand.grid_allowance);
        ASSERT_LE(f.throttle, demand.throttle);
        ASSERT_EQ(f.unserved, Power{});
      } else {
        ASSERT_EQ(f.steps, 0.0);
      }
      in += (f.total + f.grid) * step;
      out += (f.exported + f.curtailed + f.facility) * step;
      loss += f.battery_loss;
      scale += (f.total + f.grid) * step + f.battery_energy;
    }
    // Over the whole run: what came in went out, was lost, or is in the battery.
    const Energy gap = abs(in - out - loss - (simulator.battery_energy() - before));
    ASSERT_LE(gap.base(), 1e-9 * scale.base()) << seed;
  }
}

TEST(RandomSites, MoreGridAllowanceNeverDoesFewerSteps) {
  int more = 0;
  for (std::uint64_t seed = 0; seed < 10'000; ++seed) {
    Draw draw(seed + 2'000'000);
    const SiteOptions options = draw.site();
    const Mode mode = draw.mode(options);
    const Weather weather = draw.weather(options);
    const Demand frugal = draw.demand(options, mode);
    const Time step = draw.step();
    Demand generous = frugal;
    generous.grid_allowance = frugal.grid_allowance * draw.scale(1.0, 10.0) +
                              draw.one_of({0.0, 1e-3, 1.0}) * options.hall.rated();
    SiteSimulator one(options), other(options);
    const Flows less = one.advance(weather, frugal, step);
    const Flows greater = other.advance(weather, generous, step);
    ASSERT_GE(greater.steps, less.steps * (1.0 - 1e-12)) << seed;
    more += greater.steps > less.steps;
  }
  EXPECT_GT(more, 500);
}

RC_GTEST_PROP(HallCurve, FacilityPowerRisesWithItPowerAndInverts, ()) {
  Draw draw(*rc::gen::arbitrary<std::uint64_t>());
  const HallOptions hall = draw.site().hall;
  const Temperature outside = from_celsius(draw.between(-30.0, 45.0));
  const Power low = draw.scale(1e-6, 1.5) * hall.rated();
  const Power high = low * (1.0 + draw.scale(1e-9, 10.0));
  RC_ASSERT(hall.facility_power(low, outside) < hall.facility_power(high, outside));
  const Power drawn = hall.facility_power(low, outside);
  RC_ASSERT(abs(drawn - low * hall.pue(outside, low / hall.rated())) <= 1e-12 * drawn);
  RC_ASSERT(abs(hall.it_power_within(drawn, outside) - low) <=
            1e-12 * (low + hall.fixed_overhead * hall.rated()));
}

}  // namespace
}  // namespace carnot::site
