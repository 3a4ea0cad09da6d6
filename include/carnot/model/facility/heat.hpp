// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What heat is worth and what moving it costs: the two laws, in closed form.
///
///     log mean         T_lm = (T_h - T_c) / ln(T_h / T_c)
///     exergy           Ex = Q (1 - T0 / T_lm)                  of heat given off while cooling
///     from
///                                                              T_h to T_c, surroundings at T0
///     refrigerator     COP <= T_c / (T_h - T_c),               Q_c over work
///     heat pump        COP <= T_h / (T_h - T_c),               Q_h over work
///     cryogenic        P_wall / P_cold = (T_h - T_c) / T_c / eta     watts at the wall for one of
///                                                              heat lifted; P_cold not included
///
/// Carnot 1824; the log mean is the temperature at which a stream of constant heat capacity gives
/// the same exergy as heat at one temperature (Bejan, Advanced Engineering Thermodynamics).
/// All temperatures absolute and above 0 K. Pure functions, thread-safe.

#include "carnot/base/quantity.hpp"

namespace carnot::model {

/// \throws InputError unless both are above 0 K and finite
Temperature log_mean_temperature(Temperature hot, Temperature cold);

/// Work that a perfect engine would get out of the heat; negative where the stream is colder than
/// the surroundings on average. \throws InputError as above
Power heat_exergy(Power heat, Temperature hot, Temperature cold, Temperature surroundings);

/// \param efficiency  share of Carnot, (0, 1]. \throws InputError unless cold < hot
double refrigerator_cop(Temperature cold, Temperature hot, double efficiency = 1.0);
double heat_pump_cop(Temperature cold, Temperature hot, double efficiency = 1.0);

/// Watts of electricity for a watt lifted from `cold` to `ambient`; 0 where cold >= ambient.
double cooling_overhead(Temperature cold, Temperature ambient, double efficiency = 1.0);

}  // namespace carnot::model
