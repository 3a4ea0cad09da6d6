// SPDX-License-Identifier: Apache-2.0
#include "carnot/site/site.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "carnot/base/error.hpp"

namespace carnot::site {

namespace {

constexpr double kLeastLoad = 0.05;   // below it the fixed overhead scales with the load
constexpr double kGreatestPue = 3.0;  // a hall worse than this would be switched off
constexpr double kTolerance = 1e-9;   // of the identities, relative

// The three straight lines of HallOptions, coefficients only.
struct Overhead {
  double slope;      // 1 + c
  double low_slope;  // 1 + c + f / kLeastLoad
  Power fixed;       // f R

  Overhead(const HallOptions& hall, Temperature outside) noexcept
      : slope(1.0 + hall.cooling_slope_per_k *
                        std::max(0.0, (outside - hall.free_cooling_below).in(kelvin))),
        low_slope(slope + hall.fixed_overhead / kLeastLoad),
        fixed(hall.fixed_overhead * hall.rated()) {}

  Power facility(Power it) const noexcept {
    return min(slope * it + fixed, std::min(low_slope, kGreatestPue) * it);
  }
  Power it_within(Power facility_power) const noexcept {
    return max((facility_power - fixed) / slope,
               facility_power / std::min(low_slope, kGreatestPue));
  }
};

class OptionCheck {
 public:
  // `ok` is written so that NaN fails it.
  void require(bool ok, std::string_view field, std::string_view allowed) {
    if (!ok) problems_.add({}, field, allowed);
  }
  void throw_if_any() const { problems_.throw_if_any(); }

 private:
  Problems problems_;
};

void check(const SiteOptions& site) {
  constexpr Power no_power;
  OptionCheck check;
  check.require(site.export_limit >= no_power, "site.export_limit", "a power >= 0 W");
  check.require(site.import_limit >= no_power, "site.import_limit", "a power >= 0 W");

  const HallOptions& hall = site.hall;
  check.require(hall.nodes > 0.0 && std::isfinite(hall.nodes), "site.hall.nodes",
                "a finite number > 0");
  check.require(hall.node_peak > no_power && is_finite(hall.node_peak), "site.hall.node_peak",
                "a finite power > 0 W");
  check.require(hall.node_idle >= no_power && hall.node_idle <= hall.node_peak,
                "site.hall.node_idle", "a power from 0 W to node_peak");
  check.require(hall.node_suspended >= no_power && hall.node_suspended <= hall.node_peak,
                "site.hall.node_suspended", "a power from 0 W to node_peak");
  check.require(hall.fixed_overhead >= 0.0 && hall.fixed_overhead <= 2.0,
                "site.hall.fixed_overhead", "0 <= x <= 2");
  check.require(hall.cooling_slope_per_k >= 0.0 && hall.cooling_slope_per_k <= 1.0,
                "site.hall.cooling_slope_per_k", "0 <= x <= 1");
  check.require(hall.free_cooling_below >= Temperature{} && is_finite(hall.free_cooling_below),
                "site.hall.free_cooling_below", "a finite temperature >= 0 K");

  const BatteryOptions& battery = site.battery;
  check.require(battery.capacity >= Energy{} && is_finite(battery.capacity),
                "site.battery.capacity", "a finite energy >= 0 Wh");
  check.require(battery.charge_limit >= no_power, "site.battery.charge_limit", "a power >= 0 W");
  check.require(battery.discharge_limit >= no_power, "site.battery.discharge_limit",
                "a power >= 0 W");
  check.require(battery.charge_efficiency > 0.0 && battery.charge_efficiency <= 1.0,
                "site.battery.charge_efficiency", "0 < x <= 1");
  check.require(battery.discharge_efficiency > 0.0 && battery.discharge_efficiency <= 1.0,
                "site.battery.discharge_efficiency", "0 < x <= 1");
  check.require(battery.initial_charge >= 0.0 && battery.initial_charge <= 1.0,
                "site.battery.initial_charge", "0 <= x <= 1");
  check.require(battery.self_discharge_per_day >= 0.0 && battery.self_discharge_per_day < 1.0,
                "site.battery.self_discharge_per_day", "0 <= x < 1");
  check.require(battery.wear_cost >= EnergyPrice{} && is_finite(battery.wear_cost),
                "site.battery.wear_cost", "a finite price >= 0 EUR/MWh");
  check.throw_if_any();
}

double imbalance(Power left, Power right, Power scale) noexcept {
  const Power gap = abs(left - right);
  return gap > Power{} ? gap / max(scale, 1e-12 * watt) : 0.0;
}

}  // namespace

std::string_view to_text(ComputingUses uses) noexcept {
  return uses == ComputingUses::Curtailed ? "curtailed" : "all-own";
}

double HallOptions::pue(Temperature outside, double load) const noexcept {
  const double cooling =
      cooling_slope_per_k * std::max(0.0, (outside - free_cooling_below).in(kelvin));
  return std::clamp(1.0 + fixed_overhead / std::max(load, kLeastLoad) + cooling, 1.0, kGreatestPue);
}

Power HallOptions::facility_power(Power it, Temperature outside) const noexcept {
  return Overhead(*this, outside).facility(it);
}

Power HallOptions::it_power_within(Power facility, Temperature outside) const noexcept {
  return Overhead(*this, outside).it_within(facility);
}

SiteSimulator::SiteSimulator(SiteOptions options) : options_(std::move(options)) {
  check(options_);
  battery_ = options_.battery.initial_charge * options_.battery.capacity;
}

void SiteSimulator::restore_battery(Energy energy) {
  if (!(energy >= Energy{} && energy <= options_.battery.capacity)) {
    throw InputError("battery energy: from 0 Wh to the site's capacity");
  }
  battery_ = energy;
}

Power SiteSimulator::own_available(const Weather& weather) const noexcept {
  const Power total = max(weather.total, Power{});
  if (options_.computing_uses == ComputingUses::AllOwn) return total;
  return total - min(total, max(min(options_.export_limit, weather.export_limit), Power{}));
}

double SiteSimulator::kept_share(Time step) const noexcept {
  if (step == kept_for_) return kept_;
  return std::pow(1.0 - options_.battery.self_discharge_per_day, step / day);
}

Power SiteSimulator::battery_available(Time step) const noexcept {
  const BatteryOptions& battery = options_.battery;
  return min(battery.discharge_limit,
             battery_ * kept_share(step) * battery.discharge_efficiency / step);
}

Flows SiteSimulator::advance(const Weather& weather, const Demand& demand, Time step) {
  CARNOT_CHECK(step > Time{} && is_finite(step), "a step has a length");
  CARNOT_CHECK(is_finite(weather.total) && is_finite(weather.outside), "weather is finite");
  CARNOT_CHECK(demand.throttle >= 0.0 && demand.throttle <= 1.0, "throttle is in [0, 1]");
  CARNOT_CHECK(demand.grid_allowance >= Power{}, "the grid allowance is >= 0");
  if (step != kept_for_) {
    kept_ = kept_share(step);
    kept_for_ = step;
  }

  const BatteryOptions& battery = options_.battery;
  const HallOptions& hall = options_.hall;
  const Overhead overhead(hall, weather.outside);
  const Power own = own_available(weather);
  const Power from_battery = demand.use_battery ? battery_available(step) : Power{};
  const Power grid_wanted = min(demand.grid_allowance, options_.import_limit);

  Flows flows;
  flows.total = max(weather.total, Power{});

  // What the hall draws. `wanted` is what it asks for at the facility's meter, `available` what may
  // serve it; where `available` binds, the facility draws exactly that.
  Power available = own + from_battery + grid_wanted;
  Power grid_cap = grid_wanted;
  Power wanted;
  if (demand.mode != nullptr) {
    const Mode& mode = *demand.mode;
    CARNOT_CHECK(mode.static_power >= Power{} && mode.dynamic_power >= Power{} &&
                     is_finite(mode.static_power) && is_finite(mode.dynamic_power) &&
                     mode.steps_per_second >= 0.0,
                 "a mode's powers and speed are >= 0");
    flows.it = mode.power(demand.throttle);
    wanted = overhead.facility(flows.it);
    flows.throttle = demand.throttle;
    flows.running = true;
    if (wanted > available) {
      flows.it = overhead.it_within(available);
      // Nothing above static power: no work would be done, so pause instead of idling.
      flows.running = flows.it > mode.static_power && mode.dynamic_power > Power{};
      flows.throttle =
          std::min((flows.it - mode.static_power) / mode.dynamic_power, demand.throttle);
    }
  }
  if (flows.running) {
    flows.steps = flows.throttle * demand.mode->steps_per_second * step.in(second);
  } else {
    flows.throttle = 0.0;
    grid_cap = options_.import_limit;
    available = own + from_battery + grid_cap;
    flows.it = hall.nodes * hall.node_suspended;
    wanted = overhead.facility(flows.it);
    if (wanted > available) {
      flows.unserved = wanted - available;
      flows.it = overhead.it_within(available);
    }
  }

  // Who serves it: own power, then battery, then grid.
  if (wanted > available) {
    flows.facility = available;
    flows.own_used = own;
    flows.discharged = from_battery;
    flows.grid = grid_cap;
  } else {
    flows.facility = wanted;
    flows.own_used = min(own, wanted);
    flows.discharged = min(from_battery, wanted - flows.own_used);
    flows.grid = min(grid_cap, wanted - flows.own_used - flows.discharged);
  }
  flows.pue = flows.it > Power{} ? flows.facility / flows.it : hall.pue(weather.outside, 0.0);

  // Where the rest of own power goes: export, battery, thrown away.
  const Power export_limit = max(min(options_.export_limit, weather.export_limit), Power{});
  Power surplus;
  if (options_.computing_uses == ComputingUses::Curtailed) {
    flows.exported = min(flows.total, export_limit);
    surplus = own - flows.own_used;
  } else {
    flows.exported = min(own - flows.own_used, export_limit);
    surplus = own - flows.own_used - flows.exported;
  }
  const Energy kept = kept_ * battery_;
  const Power room = max(battery.capacity - kept, Energy{}) / (battery.charge_efficiency * step);
  flows.charged = min(surplus, min(battery.charge_limit, room));
  flows.curtailed = surplus - flows.charged;

  // The battery's book.
  const Energy stored = battery.charge_efficiency * flows.charged * step;
  const Energy drawn = flows.discharged * step / battery.discharge_efficiency;
  const Energy after = min(max(kept + stored - drawn, Energy{}), battery.capacity);
  flows.battery_loss =
      (battery_ - kept) + (flows.charged * step - stored) + (drawn - flows.discharged * step);
  const Power book = (after - battery_ + flows.battery_loss) / step;

  const Power other = flows.own_used + flows.charged;
  const Power bus_in = other + flows.discharged + flows.grid;
  const Power bus_out = flows.facility + flows.charged;
  flows.residual =
      std::max({imbalance(flows.total, flows.exported + other + flows.curtailed, flows.total),
                imbalance(bus_in, bus_out, max(bus_in, bus_out)),
                imbalance(book, flows.charged - flows.discharged,
                          max(flows.charged + flows.discharged, battery_ / step))});
  flows.cap_violation = flows.facility > (1.0 + kTolerance) * (own + from_battery + grid_cap) ||
                        flows.grid > grid_cap || flows.discharged > from_battery;
  battery_ = after;
  flows.battery_energy = after;
  return flows;
}

}  // namespace carnot::site
