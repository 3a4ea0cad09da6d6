// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What meters outside of the machine answer (smart plugs, bridges of MQTT or Modbus), as watts.
/// Pure functions; thread-safe.
///
///   JSON    the sum of what is found first of: `apower` (Shelly, second generation on), `ENERGY`
///   of
///           Tasmota's status 8 or its MQTT message (`Power`), `meters` and `emeters` (Shelly,
///           first generation: `power`), `power_w`, `watts`, `power`, `active_power_w`
///           (HomeWizard), `W`
///   text    a number, with or without W, kW, mW; of a line of a table the column that its header
///           calls watts, power or W, else the last number

#include <optional>
#include <string>
#include <string_view>

namespace carnot::meter {

/// Empty: no power in it, or one that no machine draws (negative, or above a megawatt).
std::optional<double> external_watts(std::string_view answer, std::string_view header = {});
/// The last whole line of a file's end, without blank ones.
std::string_view last_line(std::string_view text) noexcept;

}  // namespace carnot::meter
