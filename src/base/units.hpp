// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The units of measurement that text may use, and the words around them. Private to the room.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/base/quantity.hpp"

namespace carnot::inline base::detail {

struct Unit {
  std::string symbol;
  double factor = 1.0;  ///< coherent base units in one of these
  Dimension dimension;
  double offset = 0.0;  ///< degC only: base = number * factor + offset
  double least = 0.0;   ///< on a ladder: the least base value shown in this unit
};

/// `kWh`, `EUR/MWh`; nothing if unknown.
std::optional<Unit> find_unit(std::string_view symbol);

/// What to say about a unit that `find_unit` does not know.
std::string unit_advice(std::string_view symbol, const Dimension& dimension);

/// "a power", "an energy"; unnamed dimensions are spelt in base units.
std::string noun_of(const Dimension& dimension);
std::string example_unit_of(const Dimension& dimension);  ///< "MW"
std::string example_of(const Dimension& dimension);       ///< "5 MW"

/// The units people read this dimension in, from the smallest to the greatest. Never empty.
std::vector<Unit> ladder_of(const Dimension& dimension);

}  // namespace carnot::inline base::detail
