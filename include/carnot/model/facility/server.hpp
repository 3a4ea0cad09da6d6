// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A node and a rack: utilisation to heat, heat to airflow, airflow to fan power, temperature to
/// leakage, and the fan speed at which all of it is least.
///
///     airflow      Q = Q_full s                                   s: fan speed, share of full
///     fan          P_fan = P_full s^k                             k = 3 by the affinity laws; 2.5
///     to
///                                                                 2.8 with a real system's curve
///     chip         T = T_in + P_other / (rho c_p Q) + R(s) P_chip
///                  R(s) = R_solid + R_air s^-0.8                  forced convection, Nu ~ Re^0.8
///     power        P_chip = u P_dynamic + P_leak 2^((T - T_ref) / d)
///     outlet       T_out = T_in + P_total / (rho c_p Q)           energy balance, exact
///
/// Slow fans leave the chip hot and leaking, fast ones cost the cube: in between lies the optimum.
/// Temperature and leakage feed each other, and beyond some heat there is no steady state at all:
/// `runaway`. The least root is found by Newton's method from below, which is monotone as the
/// residual is concave.
///
/// Leakage doubles about each 10 to 20 K; defaults are assumptions of the size of a two-socket
/// server. Pure functions, thread-safe.

#include <span>

#include "carnot/base/quantity.hpp"

namespace carnot::model {

struct FanOptions {
  Power full_power = 80 * watt;  ///< of all fans of a node
  double full_flow_m3_per_s = 0.10;
  double exponent = 3.0;  ///< [1, 4]
  double least_speed = 0.2;
};
/// The law through two measured points, speeds as shares of full: P = P_full s^k.
/// \throws InputError unless speeds and powers are positive and differ
FanOptions fan_through(double speed_a, Power a, double speed_b, Power b);

struct ServerOptions {
  Power dynamic = 350 * watt;  ///< of the chips at full use, without leakage
  Power other = 120 * watt;    ///< memory, board, supplies: upstream of the chips, whatever the use
  Power leakage = 40 * watt;   ///< at `reference`
  Temperature reference = from_celsius(80);
  double leakage_doubling_k = 15;
  double solid_k_per_w = 0.03;  ///< chip to fin, of all chips as one
  double air_k_per_w = 0.07;    ///< fin to air at full speed
  Temperature chip_limit = from_celsius(90);
  FanOptions fan;
};

struct ServerState {
  double speed = 0, flow_m3_per_s = 0;
  Power dynamic, leakage, other, fan, total;
  Temperature chip, outlet;
  bool runaway = false;      ///< no steady state: powers and temperatures are those at the limit
  bool within_limit = true;  ///< chip <= chip_limit and no runaway
};

/// Steady state at a fan speed. \throws InputError naming the field out of range
ServerState server_at(const ServerOptions& options, double utilisation, Temperature inlet,
                      double speed);

/// The speed of least total power among those that keep the chip within its limit; full speed
/// where none does (then within_limit is false, and the node must throttle).
ServerState best_fan_speed(const ServerOptions& options, double utilisation, Temperature inlet);

/// Nodes of one rack, each at its best speed, breathing the same air.
struct RackState {
  Power total, fan, leakage;
  double flow_m3_per_s = 0;
  Temperature outlet;  ///< of the mixed air
  std::size_t beyond_limit = 0;
};
/// \throws InputError for no node
RackState rack_at(const ServerOptions& options, std::span<const double> utilisation,
                  Temperature inlet);

}  // namespace carnot::model
