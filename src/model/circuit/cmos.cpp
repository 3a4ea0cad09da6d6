// SPDX-License-Identifier: Apache-2.0
#include "carnot/model/circuit/cmos.hpp"

#include <algorithm>
#include <cmath>

#include "carnot/base/error.hpp"

namespace carnot::model {

namespace {

constexpr double kElementaryCharge = 1.602176634e-19;  // C, exact since the 2019 SI

double thermal_v(Temperature t) {
  if (!(t > Temperature{} && is_finite(t))) throw InputError("temperature: above 0 K");
  return boltzmann_constant.base() * t.in(kelvin) / kElementaryCharge;
}

void validate(const CmosCircuit& c) {
  const auto check = [](bool holds, const char* words) {
    if (!holds) throw InputError(words);
  };
  check(c.switched_f > 0 && c.gate_f > 0, "capacitance: above 0 F");
  check(c.gates >= 0 && c.depth > 0, "gates: 0 or more; depth: above 0");
  check(c.specific_current_a > 0, "specific current: above 0 A");
  check(c.slope >= 1 && c.slope < 5, "slope: from 1 to 5");
  check(c.exponent >= 1 && c.exponent <= 2, "exponent: from 1 to 2");
  check(c.short_circuit >= 0 && c.short_circuit < 1, "short circuit: from 0, below 1");
  check(c.nominal_v > 0 && c.nominal_v < 20, "nominal voltage: above 0, below 20 V");
}

double threshold_at(const CmosCircuit& c, Temperature t) {
  return c.threshold_v + c.threshold_v_per_k * (t.in(kelvin)-300);
}

CmosPoint point_at(const CmosCircuit& c, double v, double vt, double threshold, double platform) {
  // log1p(exp(x)) without overflow.
  const double x = (v - threshold) / (c.exponent * c.slope * vt);
  const double soft = x > 30 ? x : std::log1p(std::exp(x));
  const double current = c.specific_current_a * std::pow(soft, c.exponent);
  const double time = c.depth * c.gate_f * v / current;
  const double leak =
      c.gates * c.specific_current_a * std::exp(-threshold / (c.slope * vt)) * -std::expm1(-v / vt);
  CmosPoint p;
  p.supply_v = v;
  p.frequency_hz = 1 / time;
  p.dynamic = c.switched_f * v * v * (1 + c.short_circuit) * joule;
  p.leakage = leak * v * time * joule;
  p.platform = platform * time * joule;
  p.total = p.dynamic + p.leakage + p.platform;
  return p;
}

}  // namespace

CmosPoint cmos_at(const CmosCircuit& c, double supply_v, Temperature t, Power platform) {
  validate(c);
  if (!(supply_v > 0 && supply_v < 20)) throw InputError("supply: above 0, below 20 V");
  if (!(platform >= Power{})) throw InputError("platform power: 0 W or more");
  return point_at(c, supply_v, thermal_v(t), threshold_at(c, t), platform.in(watt));
}

CmosPoint minimum_energy_point(const CmosCircuit& c, Temperature t, Power platform) {
  validate(c);
  if (!(platform >= Power{})) throw InputError("platform power: 0 W or more");
  const double vt = thermal_v(t), threshold = threshold_at(c, t), p0 = platform.in(watt);
  const double least = std::min(least_supply_v(c.slope, t), c.nominal_v);
  const auto at = [&](double v) { return point_at(c, v, vt, threshold, p0); };
  // Two valleys cannot be excluded for every circuit, so the whole range is looked over first.
  constexpr int kSteps = 256;
  int where = 0;
  for (int i = 1; i <= kSteps; ++i)
    if (at(least + (c.nominal_v - least) * i / kSteps).total <
        at(least + (c.nominal_v - least) * where / kSteps).total)
      where = i;
  double low = least + (c.nominal_v - least) * std::max(0, where - 1) / kSteps;
  double high = least + (c.nominal_v - least) * std::min(kSteps, where + 1) / kSteps;
  const double golden = 0.5 * (std::sqrt(5.0) - 1);
  while (high - low > 1e-10) {
    const double a = high - golden * (high - low), b = low + golden * (high - low);
    if (at(a).total <= at(b).total)
      high = b;
    else
      low = a;
  }
  CmosPoint best = at(0.5 * (low + high));
  for (const double end : {least, c.nominal_v})
    if (at(end).total <= best.total) best = at(end);
  return best;
}

Power race_to_idle_power(const CmosCircuit& c, Temperature t) {
  validate(c);
  const double vt = thermal_v(t), threshold = threshold_at(c, t), h = 1e-5 * c.nominal_v;
  const CmosPoint a = point_at(c, c.nominal_v - h, vt, threshold, 0);
  const CmosPoint b = point_at(c, c.nominal_v + h, vt, threshold, 0);
  // d(E + P0 t)/dV = 0 at the nominal voltage.
  const double rise = (b.total - a.total).in(joule);
  const double shorter = 1 / a.frequency_hz - 1 / b.frequency_hz;
  return std::max(0.0, rise / shorter) * watt;
}

double subthreshold_optimum_v(double kappa, double slope, Temperature t) {
  if (!(kappa > 2 * std::exp(3.0))) throw InputError("kappa: above 2 e^3, else there is no least");
  // w e^w = y on the lower branch, w < -1: Newton on w + ln(w / y) = 0.
  const double y = -2 * std::exp(2.0) / kappa;
  double w = std::log(-y) - std::log(-std::log(-y) + 1e-9);
  w = std::min(w, -1 - std::sqrt(2 * (1 + std::exp(1.0) * y)));
  for (int i = 0; i < 100; ++i) {
    const double step = (w + std::log(w / y)) / (1 + 1 / w);
    w = std::min(w - step, -1 - 1e-15);
    if (std::abs(step) < 1e-14 * std::abs(w)) break;
  }
  return slope * thermal_v(t) * (2 - w);
}

double least_supply_v(double slope, Temperature t) { return 2 * thermal_v(t) * std::log1p(slope); }

double leakage_doubling_k(const CmosCircuit& c, Temperature t) {
  validate(c);
  const double n = c.slope;
  const auto exponent = [&](double k) {
    return -threshold_at(c, k * kelvin) / (n * thermal_v(k * kelvin));
  };
  const double k = t.in(kelvin);
  return std::log(2.0) / ((exponent(k + 0.5) - exponent(k - 0.5)));
}

Energy adiabatic_energy(double capacitance_f, double supply_v, double ramps_in_rc) {
  if (!(capacitance_f >= 0 && supply_v >= 0 && ramps_in_rc > 0))
    throw InputError("adiabatic charging: 0 or more, and a ramp above 0");
  return capacitance_f * supply_v * supply_v * std::min(1.0, 2 / ramps_in_rc) * joule;
}

}  // namespace carnot::model
