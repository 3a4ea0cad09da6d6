// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The edge between text and quantities: `"8.5 MW"` in, `"2.36 kWh"` out.
/// Parsing accepts a number (fixed or scientific, `.` decimal, locale never matters), optional
/// spaces, and a unit. Units are case-sensitive symbols with the usual SI prefixes (micro: `u` or
/// the sign), alone or as one `/` another:
///   energy J Wh eV, power W, time s min h d, information bit B (also KiB MiB GiB TiB),
///   operations op FLOP, carbon g kg t (also gCO2e ...), money EUR, length m, temperature K degC,
///   and so EUR/MWh, g/kWh, EUR/t, EUR/h, pJ/bit, pJ/op, TFLOP/s, GB/s, W/K, m/s, km/h ...
/// Currency other than EUR is refused with the words "convert to EUR".
/// All functions are pure and thread-safe.

#include <string>
#include <string_view>

#include "carnot/base/quantity.hpp"

namespace carnot::inline base {

namespace detail {
/// Value in base units. \throws InputError "expected <what> such as <example>, found `text`"
double parse_quantity(std::string_view text, const Dimension& dimension);
/// Engineering form with `digits` significant digits and the customary unit of the dimension.
std::string format_quantity(double base, const Dimension& dimension, int digits);
}  // namespace detail

/// Reads `text` as a `Q`, for instance parse_as<Power>("8.5 MW"). A bare number is refused unless
/// it is 0 (units are never guessed). NaN and infinities are refused. \throws InputError naming the
/// dimension expected, an example, and a hint where the unit has another
///         dimension ("`5 MWh` is an energy; a power is needed, such as `5 MW`")
template <class Q>
Q parse_as(std::string_view text) {
  return Q::from_base(detail::parse_quantity(text, Q::kDimension));
}

/// `2.36 kWh`, `871 kW`, `12.4 t`, `3.1 EUR`, `45 h`: the form for people. Energy from 1 kWh upward
/// is shown in Wh multiples, below in J; carbon in g, kg, t; time in s, min, h, d.
template <Dimension D>
std::string format(Quantity<D> quantity, int digits = 3) {
  return detail::format_quantity(quantity.base(), D, digits);
}

/// Reads a whole floating-point number; no unit, no surrounding text. \throws InputError
double parse_number(std::string_view text);
/// Reads a whole integer. \throws InputError
long long parse_integer(std::string_view text);

/// Shortest text that reads back to the same double ("0.1", "1e-30").
std::string shortest(double value);

}  // namespace carnot::inline base
