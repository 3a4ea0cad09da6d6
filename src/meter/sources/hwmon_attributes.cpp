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

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool in_word(char c) noexcept {
  return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9');
}

/// The words of a label, in lower case, each with a blank before and after: " total system power ".
struct Words {
  std::array<char, 96> text{};
  std::size_t size = 0;

  explicit Words(std::string_view label) noexcept {
    put(' ');
    for (const char c : label) {
      if (in_word(c))
        put(lower(c));
      else if (text[size - 1] != ' ')
        put(' ');
    }
    if (text[size - 1] != ' ') put(' ');
  }
  bool has(std::string_view words) const noexcept {
    return std::string_view(text.data(), size).find(words) != std::string_view::npos;
  }
  bool is(std::string_view words) const noexcept {
    return std::string_view(text.data(), size) == words;
  }

 private:
  void put(char c) noexcept {
    if (size < text.size() - 1 || (c == ' ' && size < text.size())) text[size++] = c;
  }
};

/// Whether a label says that the sensor sees all that its device is fed.
bool says_whole(const Words& label) noexcept {
  constexpr std::array<std::string_view, 8> kPhrases = {
      " total ",       " system power ", " sys power ",   " sys pwr ",
      " input power ", " power input ",  " board power ", " module power "};
  constexpr std::array<std::string_view, 13> kLabels = {
      " vin ",    " vdd in ", " pom 5v in ", " vsys in ",  " vin sys ", " pin ",  " pin1 ",
      " system ", " sys ",    " psys ",      " power in ", " board ",   " input "};
  const auto has = [&](std::string_view words) { return label.has(words); };
  const auto is = [&](std::string_view words) { return label.is(words); };
  return std::any_of(kPhrases.begin(), kPhrases.end(), has) ||
         std::any_of(kLabels.begin(), kLabels.end(), is);
}

// ACPI power meters. NVIDIA Grace has one a scope, told apart by the text ACPI gives with it:
// "Module Power Socket 0", on some "Module Input Power Socket 0".
HwmonMeaning acpi_meter(std::string_view label) noexcept {
  const Words words(label);
  const int socket = trailing_number(label);
  const bool of_socket = words.has(" power socket ");
  if (of_socket && words.has(" module ")) return {.kind = DomainKind::Module, .socket = socket};
  if (of_socket && words.has(" grace "))
    return {.kind = DomainKind::Package, .socket = socket, .inside = DomainKind::Module};
  if (of_socket && words.has(" cpu "))
    return {.kind = DomainKind::Core, .socket = socket, .inside = DomainKind::Package};
  if (of_socket && (words.has(" sysio ") || words.has(" soc ")))
    return {.kind = DomainKind::Uncore, .socket = socket, .inside = DomainKind::Package};
  if (of_socket) return {.kind = DomainKind::Rail, .socket = socket, .inside = DomainKind::Module};
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
  // Modules and supplies measure their whole input beside single rails, under many names.
  if (says_whole(Words(label))) return {.kind = DomainKind::Node, .boundary = Boundary::Node};
  return {.inside = DomainKind::Node};
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
