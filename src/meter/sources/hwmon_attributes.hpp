// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What the files of a hardware monitoring chip mean: names, units and scopes, as the kernel's
/// hwmon interface (Documentation/hwmon/sysfs-interface.rst) and its drivers define them.
/// Pure, thread-safe, noexcept.

#include <cstdint>
#include <optional>
#include <string_view>

#include "carnot/meter/counters/source.hpp"

namespace carnot::meter {

/// "power1_average": the item "average" of power sensor 1.
struct HwmonAttribute {
  enum class Class { Power, Energy, Voltage, Current };  ///< uW, uJ, mV, mA
  Class of = Class::Power;
  int index = 0;
  std::string_view item;  ///< "input", "average", "label"; points into the name
};
std::optional<HwmonAttribute> parse_hwmon_attribute(std::string_view file) noexcept;

/// mV x mA as uW, held within 64 bits.
std::int64_t hwmon_product(std::int64_t millivolts, std::int64_t milliamperes) noexcept;

/// What a sensor of a chip stands for.
struct HwmonMeaning {
  DomainKind kind = DomainKind::Rail;
  Boundary boundary = Boundary::Chip;
  int socket = -1;
  int core = -1;
  /// The chip shows the kind in pieces (rails of one processor): they are one domain, their sum.
  bool piece = false;
  /// Kind of the sensor on the same chip (and socket, where stated) that contains this one.
  std::optional<DomainKind> inside = std::nullopt;
};
/// \param chip   content of `name`, such as "amdgpu"
/// \param label  of the sensor; empty: none
HwmonMeaning hwmon_meaning(std::string_view chip, std::string_view label) noexcept;

/// Whether voltage times current of equal number is a supply's power on this chip. Most chips
/// measure voltages and currents that do not belong together.
bool is_power_monitor(std::string_view chip) noexcept;

/// The number at the end of a text: "Module Power Socket 1" -> 1; -1: none.
int trailing_number(std::string_view text) noexcept;

}  // namespace carnot::meter
