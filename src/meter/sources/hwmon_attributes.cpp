// SPDX-License-Identifier: Apache-2.0
#include "meter/sources/hwmon_attributes.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace carnot::meter {
namespace {

bool has(std::string_view text, std::string_view part) noexcept {
  return text.find(part) != std::string_view::npos;
}

// ACPI power meters. NVIDIA Grace has one a scope, told apart by the text ACPI gives with it.
HwmonMeaning acpi_meter(std::string_view label) noexcept {
  const int socket = trailing_number(label);
  if (label.starts_with("Module Power")) return {.kind = DomainKind::Module, .socket = socket};
  if (label.starts_with("Grace Power"))
    return {.kind = DomainKind::Package, .socket = socket, .inside = DomainKind::Module};
  if (label.starts_with("CPU Power"))
    return {.kind = DomainKind::Core, .socket = socket, .inside = DomainKind::Package};
  if (label.starts_with("SysIO Power"))
    return {.kind = DomainKind::Uncore, .socket = socket, .inside = DomainKind::Package};
  return {.kind = DomainKind::Node, .boundary = Boundary::Node};
}

HwmonMeaning amd_energy(std::string_view label) noexcept {
  if (label.starts_with("Esocket"))
    return {.kind = DomainKind::Package, .socket = trailing_number(label)};
  if (label.starts_with("Ecore")) return {.kind = DomainKind::Core, .core = trailing_number(label)};
  return {};
}

// Ampere and APM: the processor's rails one by one, the memory's beside them.
HwmonMeaning ampere(std::string_view label) noexcept {
  const bool memory = has(label, "DIMM") || has(label, "MEM");
  return {.kind = memory ? DomainKind::Dram : DomainKind::Package, .piece = true};
}

}  // namespace

std::optional<HwmonAttribute> parse_hwmon_attribute(std::string_view file) noexcept {
  using Class = HwmonAttribute::Class;
  constexpr std::array<std::pair<std::string_view, Class>, 4> kClasses = {
      {{"power", Class::Power},
       {"energy", Class::Energy},
       {"in", Class::Voltage},
       {"curr", Class::Current}}};
  for (const auto& [word, of] : kClasses) {
    if (!file.starts_with(word)) continue;
    const std::string_view rest = file.substr(word.size());
    if (rest.empty() || rest[0] < '0' || rest[0] > '9') continue;
    int index = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), index);
    if (error != std::errc{}) return std::nullopt;
    const std::string_view item = rest.substr(static_cast<std::size_t>(end - rest.data()));
    if (item.size() < 2 || item[0] != '_') return std::nullopt;
    return HwmonAttribute{of, index, item.substr(1)};
  }
  return std::nullopt;
}

std::int64_t hwmon_product(std::int64_t millivolts, std::int64_t milliamperes) noexcept {
  std::int64_t microwatts = 0;
  if (!__builtin_mul_overflow(millivolts, milliamperes, &microwatts)) return microwatts;
  return (millivolts < 0) == (milliamperes < 0) ? std::numeric_limits<std::int64_t>::max()
                                                : std::numeric_limits<std::int64_t>::min();
}

HwmonMeaning hwmon_meaning(std::string_view chip, std::string_view label) noexcept {
  if (chip == "power_meter") return acpi_meter(label);
  if (chip == "amd_energy") return amd_energy(label);
  if (chip == "xgene" || chip == "apm_xgene" || chip == "smpro") return ampere(label);
  if (chip == "amdgpu" || chip == "i915" || chip == "nouveau") return {.kind = DomainKind::Gpu};
  if (chip == "xe") {
    if (label == "pkg") return {.kind = DomainKind::Rail, .inside = DomainKind::Gpu};
    return {.kind = DomainKind::Gpu};
  }
  // Jetson modules measure their whole input beside single rails.
  if (chip == "ina3221" || chip == "corsairpsu" || chip == "ibmpowernv") {
    if (label == "VDD_IN" || label == "POM_5V_IN" || label == "power total" || label == "System")
      return {.kind = DomainKind::Node, .boundary = Boundary::Node};
    return {.inside = DomainKind::Node};
  }
  return {};
}

bool is_power_monitor(std::string_view chip) noexcept {
  constexpr std::array<std::string_view, 12> kFamilies = {
      "ina2",   "ina3221", "ltc29",  "ltc415", "ltc42",   "adm1075",
      "adm127", "adm128",  "adm129", "max207", "sq52206", "isl2802"};
  return std::any_of(kFamilies.begin(), kFamilies.end(),
                     [chip](std::string_view family) { return chip.starts_with(family); });
}

int trailing_number(std::string_view text) noexcept {
  std::size_t at = text.size();
  while (at > 0 && text[at - 1] >= '0' && text[at - 1] <= '9') --at;
  int value = -1;
  const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), value);
  return error == std::errc{} ? value : -1;
}

}  // namespace carnot::meter
