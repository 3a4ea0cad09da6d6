// SPDX-License-Identifier: Apache-2.0
#include "carnot/model/facility/server.hpp"

#include <algorithm>
#include <cmath>

#include "carnot/base/error.hpp"
#include "carnot/base/sum.hpp"
#include "carnot/model/facility/moist_air.hpp"

namespace carnot::model {

namespace {

void validate(const ServerOptions& o, double utilisation, Temperature inlet) {
  const auto check = [](bool holds, const char* words) {
    if (!holds) throw InputError(words);
  };
  const double t = to_celsius(inlet);
  check(utilisation >= 0 && utilisation <= 1, "utilisation: from 0 to 1");
  check(t > -60 && t < 90, "inlet temperature: from -60 to 90 degC");
  check(o.dynamic >= Power{} && is_finite(o.dynamic), "dynamic power: 0 W or more");
  check(o.other >= Power{} && is_finite(o.other), "other power: 0 W or more");
  check(o.leakage >= Power{} && is_finite(o.leakage), "leakage: 0 W or more");
  check(o.leakage_doubling_k > 0, "leakage doubling: above 0 K");
  check(o.solid_k_per_w >= 0 && o.air_k_per_w >= 0, "thermal resistance: 0 K/W or more");
  check(o.fan.full_power >= Power{} && is_finite(o.fan.full_power), "fan power: 0 W or more");
  check(o.fan.full_flow_m3_per_s > 0, "fan flow: above 0 m3/s");
  check(o.fan.exponent >= 1 && o.fan.exponent <= 4, "fan exponent: from 1 to 4");
  check(o.fan.least_speed > 0 && o.fan.least_speed <= 1, "least fan speed: above 0, at most 1");
}

ServerState state_at(const ServerOptions& o, double u, Temperature inlet, double speed) {
  ServerState s;
  s.speed = speed;
  s.flow_m3_per_s = o.fan.full_flow_m3_per_s * speed;
  s.fan = o.fan.full_power * std::pow(speed, o.fan.exponent);
  s.dynamic = u * o.dynamic;
  s.other = o.other;
  const double capacity = air_density(inlet) * kAirHeatCapacity * s.flow_m3_per_s;  // W/K
  const double air = to_celsius(inlet) + o.other.in(watt) / capacity;
  const double resistance = o.solid_k_per_w + o.air_k_per_w * std::pow(speed, -0.8);
  const double rate = std::log(2.0) / o.leakage_doubling_k;
  const double reference = to_celsius(o.reference), dynamic = s.dynamic.in(watt);
  const auto leak = [&](double t) { return o.leakage.in(watt)*std::exp(rate * (t - reference)); };
  double t = air + resistance * dynamic;
  constexpr double kHottest = 1000;
  for (int i = 0; i < 200; ++i) {
    const double lost = leak(t);
    const double missing = air + resistance * (dynamic + lost) - t;  // >= 0 below the root
    const double slope = 1 - resistance * lost * rate;
    if (!(slope > 0) || !(t < kHottest)) {
      s.runaway = true;
      break;
    }
    const double step = missing / slope;
    t += step;
    if (step <= 1e-12 * std::max(1.0, std::abs(t))) break;
  }
  if (s.runaway) t = to_celsius(o.chip_limit);
  s.chip = from_celsius(t);
  s.leakage = leak(t) * watt;
  s.total = s.dynamic + s.leakage + s.other + s.fan;
  s.outlet = inlet + s.total.in(watt) / capacity * kelvin;
  s.within_limit = !s.runaway && s.chip <= o.chip_limit;
  return s;
}

}  // namespace

FanOptions fan_through(double speed_a, Power a, double speed_b, Power b) {
  if (!(speed_a > 0 && speed_b > 0 && a > Power{} && b > Power{}) || speed_a == speed_b || a == b)
    throw InputError("fan: two points of positive speed and power that differ");
  FanOptions out;
  out.exponent = std::log(b / a) / std::log(speed_b / speed_a);
  out.full_power = a * std::pow(speed_a, -out.exponent);
  return out;
}

ServerState server_at(const ServerOptions& o, double utilisation, Temperature inlet, double speed) {
  validate(o, utilisation, inlet);
  if (!(speed > 0 && speed <= 1)) throw InputError("fan speed: above 0, at most 1");
  return state_at(o, utilisation, inlet, speed);
}

ServerState best_fan_speed(const ServerOptions& o, double utilisation, Temperature inlet) {
  validate(o, utilisation, inlet);
  constexpr int kSteps = 64;
  const double least = o.fan.least_speed;
  const auto at = [&](double speed) { return state_at(o, utilisation, inlet, speed); };
  // Speeds beyond the slowest that keeps the limit all keep it: warmth falls with speed.
  double slowest = least;
  if (!at(1).within_limit) return at(1);
  if (!at(least).within_limit) {
    double low = least, high = 1;
    while (high - low > 1e-12) {
      const double middle = 0.5 * (low + high);
      (at(middle).within_limit ? high : low) = middle;
    }
    slowest = high;
  }
  ServerState best = at(slowest);
  int where = 0;
  for (int i = 1; i <= kSteps; ++i) {
    const ServerState s = at(slowest + (1 - slowest) * i / kSteps);
    if (s.total < best.total) {
      best = s;
      where = i;
    }
  }
  double low = slowest + (1 - slowest) * std::max(0, where - 1) / kSteps;
  double high = slowest + (1 - slowest) * std::min(kSteps, where + 1) / kSteps;
  const double golden = 0.5 * (std::sqrt(5.0) - 1);
  while (high - low > 1e-9) {
    const double a = high - golden * (high - low), b = low + golden * (high - low);
    if (at(a).total <= at(b).total)
      high = b;
    else
      low = a;
  }
  const ServerState refined = at(0.5 * (low + high));
  return refined.within_limit && refined.total < best.total ? refined : best;
}

RackState rack_at(const ServerOptions& o, std::span<const double> utilisation, Temperature inlet) {
  if (utilisation.empty()) throw InputError("rack: at least one node");
  Sum<Power> total, fan, leakage;
  Sum<> flow;
  RackState out;
  for (const double u : utilisation) {
    const ServerState s = best_fan_speed(o, u, inlet);
    total += s.total;
    fan += s.fan;
    leakage += s.leakage;
    flow += s.flow_m3_per_s;
    out.beyond_limit += !s.within_limit;
  }
  out.total = total.value();
  out.fan = fan.value();
  out.leakage = leakage.value();
  out.flow_m3_per_s = flow.value();
  out.outlet = inlet + out.total.in(watt) /
                           (air_density(inlet) * kAirHeatCapacity * out.flow_m3_per_s) * kelvin;
  return out;
}

}  // namespace carnot::model
