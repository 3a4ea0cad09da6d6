// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Energy of an operation in CMOS against its supply voltage: charge, leakage, and the voltage at
/// which both together are least.
///
///     current      I(V) = I_s ln(1 + exp((V - V_t) / (g n v_T)))^g,        v_T = k_B T / e
///     delay        t = depth x C_g V / I(V),  f = 1 / t
///     dynamic      C_sw V^2 (1 + short)                                     C_sw: activity
///     included leakage      gates x I_s exp(-V_t / (n v_T)) (1 - exp(-V / v_T)) V t
///
/// Below threshold I is exponential in V; above it goes as (V - V_t)^g, so that f goes as
/// (V - V_t)^g / V, the alpha-power law (Sakurai & Newton, JSSC 1990; g about 1.3). The
/// interpolation is that of Enz, Krummenacher & Vittoz (1995) with the exponent freed. V_t falls
/// with temperature, hence leakage doubles each 10 to 20 K.
///
/// Deep below threshold the least has a closed form (Calhoun, Wang & Chandrakasan, JSSC 40, 2005),
/// with W the lower branch of Lambert's function:
///
///     V = n v_T (2 - W(-2 e^2 / kappa)),   kappa = gates x depth x C_g / C_sw > 2 e^3
///
/// A platform that draws P0 whatever the clock adds P0 t; the voltage of the least then rises, and
/// above `race_to_idle_power` it is best to run at full voltage and be done.
///
/// Defaults are assumptions of the size of a 32-bit multiply-add at 45 nm. Pure functions,
/// thread-safe.

#include "carnot/base/quantity.hpp"

namespace carnot::model {

struct CmosCircuit {
  double switched_f = 5.7e-12;       ///< C_sw: capacitance charged by one operation, F
  double gate_f = 2.0e-15;           ///< C_g of one stage, F
  double gates = 20000;              ///< that leak
  double depth = 60;                 ///< stages from clock to clock
  double specific_current_a = 4e-6;  ///< I_s
  double threshold_v = 0.35;         ///< V_t at 300 K
  double threshold_v_per_k = -0.0007;
  double slope = 1.4;     ///< n
  double exponent = 1.3;  ///< g
  double short_circuit = 0.1;
  double nominal_v = 0.9;
};

struct CmosPoint {
  double supply_v = 0, frequency_hz = 0;
  Energy dynamic, leakage, platform, total;  ///< of one operation
};

/// \param platform  drawn besides, for as long as the operation takes
/// \throws InputError naming the field out of range
CmosPoint cmos_at(const CmosCircuit& circuit, double supply_v, Temperature temperature,
                  Power platform = Power{});

/// The point of least energy between `least_supply_v` and the nominal voltage.
CmosPoint minimum_energy_point(const CmosCircuit& circuit, Temperature temperature,
                               Power platform = Power{});

/// Platform power of one such circuit above which nothing is gained by a lower voltage.
Power race_to_idle_power(const CmosCircuit& circuit, Temperature temperature);

/// The closed form above. \throws InputError unless kappa > 2 e^3
double subthreshold_optimum_v(double kappa, double slope, Temperature temperature);

/// Lowest supply at which an inverter still restores a level: 2 v_T ln(1 + n), which is 36 mV at
/// 300 K for n = 1 (Swanson & Meindl, JSSC 7, 1972).
double least_supply_v(double slope, Temperature temperature);

/// Kelvin in which leakage doubles, at `temperature`.
double leakage_doubling_k(const CmosCircuit& circuit, Temperature temperature);

/// Charging a capacitor through R in a time t that is long against R C, and getting it back:
///
///     E = (2 R C / t) C V^2,  at most C V^2                      (Athas et al., 1994)
///
/// \throws InputError for what is negative
Energy adiabatic_energy(double capacitance_f, double supply_v, double ramps_in_rc);

}  // namespace carnot::model
