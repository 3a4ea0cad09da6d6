// SPDX-License-Identifier: Apache-2.0
#include "carnot/model/facility/plant.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/base/sum.hpp"
#include "carnot/model/facility/heat.hpp"

namespace carnot::model {

namespace {

constexpr std::array<std::string_view, 3> kRejections = {"tower", "dry", "chiller"};
constexpr double kVaporisation = 2.45e6;  // J/kg of water at 20 degC

/// A loop of water: its own temperatures, whichever cooling it has.
struct Loop {
  double heat = 0;  // W that the plant takes off it
  double free = 0;  // of it without compressor
  double compressor = 0, cop = 0;
};

Loop cooled(const PlantOptions& o, double heat, double supply, double range, double source) {
  Loop loop;
  loop.heat = heat;
  const double share =
      o.rejection == HeatRejection::Chiller
          ? 0.0
          : std::clamp((supply + range - source - o.exchanger_k) / range, 0.0, 1.0);
  loop.free = share * heat;
  if (share < 1) {
    const double lift = std::max(o.least_lift_k, source + o.condenser_k - supply);
    loop.cop = o.chiller_efficiency * (supply + 273.15) / lift;
    loop.compressor = (1 - share) * heat / loop.cop;
  }
  return loop;
}

double heat_of_air_side(const PlantOptions& o, double it, double conversion) {
  return (1 - o.liquid_share) * it + conversion + o.misc_share * o.rated_it.in(watt);
}

double conversion_at(const PlantOptions& o, double it) {
  const double rated = o.rated_it.in(watt), x = it / rated;
  return rated * (o.ups_fixed + o.ups_linear * x + o.ups_square * x * x) + o.distribution * it;
}

/// Of the water that leaves the loop whose heat is sold: the warm-water loop if there is one.
Temperature offered_temperature(const PlantOptions& o) {
  if (o.liquid_share > 0) return o.liquid_supply + o.liquid_range_k * kelvin;
  return o.supply + (o.water_range_k - o.air_handler_k) * kelvin;
}
Temperature delivery_temperature(const PlantOptions& o) {
  return max(o.reuse.wanted, offered_temperature(o));
}

PlantHour hour_of(const PlantOptions& o, const OutsideAir& air, double it) {
  const double rated = o.rated_it.in(watt);
  const double conversion = conversion_at(o, it);
  const double misc = o.misc_share * rated;
  const double before_fans = heat_of_air_side(o, it, conversion);
  const double rated_heat = heat_of_air_side(o, rated, conversion_at(o, rated));
  const double flow = std::clamp(before_fans / rated_heat, o.least_flow, 1.0);
  const double fans = o.fan_share * (1 - o.liquid_share) * rated * flow * flow * flow;
  const double air_heat = before_fans + fans, liquid_heat = o.liquid_share * it;
  const double dry = to_celsius(air.dry_bulb);
  // Neither can be cooled below the air, whatever a record says.
  const double wet = std::min(to_celsius(air.wet_bulb), dry);
  const bool tower = o.rejection == HeatRejection::Tower;
  const double source = tower ? wet + o.tower_k : dry + o.dry_k;
  const double chilled = to_celsius(o.supply) - o.air_handler_k;
  const double warm = to_celsius(o.liquid_supply);

  // Who has a warm-water loop sells its heat, else that of the chilled water.
  const bool wanted = o.reuse.share > 0 && air.dry_bulb < o.reuse.wanted_below;
  const double taken = wanted ? o.reuse.share * (o.liquid_share > 0 ? liquid_heat : air_heat) : 0.0;
  const Temperature offered = offered_temperature(o);
  double heat_pump = 0;
  if (taken > 0 && o.reuse.wanted > offered) {
    // Joules delivered for one of electricity; no machine is built that beats a heater by less.
    const double cop =
        std::max(1.05, heat_pump_cop(offered, o.reuse.wanted, o.reuse.pump_efficiency));
    heat_pump = taken / (cop - 1);
  }
  const double delivered = taken + heat_pump;

  const Loop a =
      cooled(o, air_heat - (o.liquid_share > 0 ? 0 : taken), chilled, o.water_range_k, source);
  const Loop l =
      cooled(o, liquid_heat - (o.liquid_share > 0 ? taken : 0), warm, o.liquid_range_k, source);
  const double pumps = o.pump_share * (air_heat + liquid_heat);
  const double at_condenser = a.heat + l.heat + a.compressor + l.compressor + pumps;
  const double rejection = o.rejection_share * (tower ? 1 : 2) * at_condenser;

  PlantHour h;
  h.it = it * watt;
  h.conversion = conversion * watt;
  h.fans = fans * watt;
  h.pumps = pumps * watt;
  h.compressors = (a.compressor + l.compressor) * watt;
  h.rejection_fans = rejection * watt;
  h.misc = misc * watt;
  h.heat_pump = heat_pump * watt;
  Sum<Power> total;
  for (const Power p :
       {h.it, h.conversion, h.fans, h.pumps, h.compressors, h.rejection_fans, h.misc, h.heat_pump})
    total += p;
  h.total = total.value();
  h.rejected = (at_condenser + rejection) * watt;
  h.delivered = delivered * watt;
  if (delivered > 0)
    h.exergy = h.delivered * std::max(0.0, 1 - air.dry_bulb / delivery_temperature(o));
  const double heat = a.heat + l.heat;
  h.free_share = heat > 0 ? (a.free + l.free) / heat : 1;
  if (tower)
    h.water_l_per_s = at_condenser / kVaporisation * (1 + 1 / (o.cycles_of_concentration - 1));
  h.cop = a.cop;
  h.pue = it > 0 ? h.total / h.it : kInfinity;
  return h;
}

void check_load(const PlantOptions& o, Power it) {
  if (!(it >= Power{} && it <= o.rated_it * (1 + 1e-12)))
    throw InputError("IT power: from 0 to the rated power of the hall");
}

}  // namespace

HeatRejection heat_rejection(std::string_view word) {
  for (std::size_t i = 0; i < kRejections.size(); ++i)
    if (word == kRejections[i]) return static_cast<HeatRejection>(i);
  throw InputError(fmt::format("cooling: tower, dry or chiller, not `{}`", word.substr(0, 40)));
}
std::string_view name(HeatRejection rejection) noexcept {
  return kRejections[static_cast<std::size_t>(rejection)];
}

void validate(const PlantOptions& o) {
  Problems problems;
  const auto within = [&](const char* field, double value, double low, double high) {
    if (!(value >= low && value <= high))
      problems.add({}, field, fmt::format("from {:g} to {:g}, not {:g}", low, high, value));
  };
  within("rated IT power, W", o.rated_it.in(watt), 1, 1e12);
  within("supply air, degC", to_celsius(o.supply), 5, 50);
  within("air handler approach, K", o.air_handler_k, 0, 30);
  within("exchanger approach, K", o.exchanger_k, 0, 20);
  within("tower approach, K", o.tower_k, 0.5, 30);
  within("dry cooler approach, K", o.dry_k, 0.5, 40);
  within("water range, K", o.water_range_k, 0.5, 40);
  within("chiller efficiency over Carnot", o.chiller_efficiency, 0.05, 0.95);
  within("condenser approach, K", o.condenser_k, 0, 20);
  within("least lift, K", o.least_lift_k, 1, 60);
  within("UPS fixed loss", o.ups_fixed, 0, 0.5);
  within("UPS linear loss", o.ups_linear, 0, 0.5);
  within("UPS square loss", o.ups_square, 0, 0.5);
  within("distribution loss", o.distribution, 0, 0.5);
  within("fan share", o.fan_share, 0, 1);
  within("least flow", o.least_flow, 0.01, 1);
  within("pump share", o.pump_share, 0, 1);
  within("rejection share", o.rejection_share, 0, 1);
  within("misc share", o.misc_share, 0, 1);
  within("liquid share", o.liquid_share, 0, 1);
  within("liquid supply, degC", to_celsius(o.liquid_supply), 10, 80);
  within("liquid range, K", o.liquid_range_k, 0.5, 40);
  within("cycles of concentration", o.cycles_of_concentration, 1.1, 100);
  within("reuse share", o.reuse.share, 0, 1);
  within("reuse temperature, degC", to_celsius(o.reuse.wanted), 10, 150);
  within("reuse below, degC", to_celsius(o.reuse.wanted_below), -60, 60);
  within("heat pump efficiency over Carnot", o.reuse.pump_efficiency, 0.05, 0.95);
  problems.throw_if_any();
}

PlantOptions good_plant(PlantOptions o) {
  o.air_handler_k = std::min(o.air_handler_k, 5.0);
  o.exchanger_k = std::min(o.exchanger_k, 1.0);
  o.tower_k = std::min(o.tower_k, 3.0);
  o.dry_k = std::min(o.dry_k, 5.0);
  o.chiller_efficiency = std::max(o.chiller_efficiency, 0.6);
  o.fan_share *= 0.5;
  o.pump_share *= 0.5;
  o.rejection_share *= 0.5;
  o.misc_share *= 0.5;
  o.ups_fixed *= 0.5;
  o.ups_linear *= 0.5;
  return o;
}

PlantOptions poor_plant(PlantOptions o) {
  o.air_handler_k = std::max(o.air_handler_k, 8.0);
  o.exchanger_k = std::max(o.exchanger_k, 2.0);
  o.tower_k = std::max(o.tower_k, 5.0);
  o.dry_k = std::max(o.dry_k, 12.0);
  o.chiller_efficiency = std::min(o.chiller_efficiency, 0.4);
  o.fan_share = std::min(1.0, o.fan_share * 2);
  o.pump_share = std::min(1.0, o.pump_share * 2);
  o.rejection_share = std::min(1.0, o.rejection_share * 2);
  o.misc_share = std::min(1.0, o.misc_share * 2);
  o.ups_fixed = std::min(0.5, o.ups_fixed * 2);
  o.ups_linear = std::min(0.5, o.ups_linear * 2);
  return o;
}

PlantHour plant_hour(const PlantOptions& o, const OutsideAir& air, Power it) {
  validate(o);
  check_load(o, it);
  return hour_of(o, air, it.in(watt));
}

PlantYear plant_year(const PlantOptions& o, std::span<const OutsideAir> hours,
                     std::span<const Power> it) {
  validate(o);
  if (hours.empty()) throw InputError("weather: at least one hour");
  if (it.size() != 1 && it.size() != hours.size())
    throw InputError(fmt::format("IT power: one value, or one for each of {} hours", hours.size()));
  PlantYear y;
  constexpr std::size_t kParts = 12;
  std::array<Sum<>, kParts> sums;
  Sum<> free_heat, heat, water, exergy, entropy, dry, wet;
  y.best_hour = kInfinity;
  for (std::size_t i = 0; i < hours.size(); ++i) {
    const Power load = it.size() == 1 ? it[0] : it[i];
    check_load(o, load);
    const PlantHour h = hour_of(o, hours[i], load.in(watt));
    const std::array<Power, kParts> parts = {
        h.it,   h.conversion, h.fans,  h.pumps,    h.compressors, h.rejection_fans,
        h.misc, h.heat_pump,  h.total, h.rejected, h.delivered,   h.exergy};
    for (std::size_t p = 0; p < kParts; ++p) sums[p] += parts[p].in(watt);
    const double rejected = h.rejected.in(watt);
    free_heat += h.free_share * rejected;
    heat += rejected;
    water += h.water_l_per_s;
    dry += hours[i].dry_bulb.in(kelvin);
    wet += hours[i].wet_bulb.in(kelvin);
    entropy += rejected / hours[i].dry_bulb.in(kelvin) +
               h.delivered.in(watt) / delivery_temperature(o).in(kelvin);
    (h.free_share >= 1 ? y.free_hours : h.free_share > 0 ? y.mixed_hours : y.mechanical_hours) += 1;
    if (h.it > Power{}) {
      y.best_hour = std::min(y.best_hour, h.pue);
      y.worst_hour = std::max(y.worst_hour, h.pue);
    }
  }
  const double n = static_cast<double>(hours.size());
  const auto mean = [&](std::size_t p) { return sums[p].value() / n * watt; };
  PlantHour& m = y.mean;
  m.it = mean(0);
  m.conversion = mean(1);
  m.fans = mean(2);
  m.pumps = mean(3);
  m.compressors = mean(4);
  m.rejection_fans = mean(5);
  m.misc = mean(6);
  m.heat_pump = mean(7);
  m.total = mean(8);
  m.rejected = mean(9);
  m.delivered = mean(10);
  m.exergy = mean(11);
  m.free_share = heat.value() > 0 ? free_heat.value() / heat.value() : 1;
  m.water_l_per_s = water.value() / n;
  y.it = m.it * (n * hour);
  y.total = m.total * (n * hour);
  y.delivered = m.delivered * (n * hour);
  y.exergy = m.exergy * (n * hour);
  if (!(y.it > Energy{})) throw InputError("IT power: above 0 W in some hour");
  y.pue = m.pue = y.total / y.it;
  y.ere = (y.total - y.delivered) / y.it;
  y.reuse_factor = y.delivered / y.total;
  y.wue_l_per_kwh = water.value() * 3600 / y.it.in(kilowatt_hour);
  y.entropy_w_per_k = entropy.value() / n;
  const OutsideAir usual{dry.value() / n * kelvin, wet.value() / n * kelvin};
  y.pue_at_mean = hour_of(o, usual, m.it.in(watt)).pue;
  return y;
}

}  // namespace carnot::model
