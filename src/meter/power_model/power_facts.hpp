// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What the parts of the power model share: which facts there are and what they may be, and the
/// model's answer at all loads at once.

#include <optional>
#include <string>
#include <vector>

#include "carnot/meter/power_model/power_model.hpp"

#include "meter/power_model/power_table.hpp"

namespace carnot::meter {

/// A fact that is a number: its name (the column in tables of hosts), its place and its bounds.
struct FactRange {
  std::string name;
  std::optional<double> HostFacts::*field;
  double low, high;
  std::string unit;
};

const std::vector<FactRange>& fact_ranges();
std::string describe(const FactRange& range);  ///< "1 ... 64"

/// \throws InputError naming a fact out of its range
LogPowers log_powers(const HostFacts& facts);

/// Log power of W with its 90 % bounds.
struct LogBand {
  double value, low, high;
};
/// Straight lines between the loads; `utilisation` in [0, 1], empty: not known.
LogBand interpolate(const LogPowers& powers, std::optional<double> utilisation);

}  // namespace carnot::meter
