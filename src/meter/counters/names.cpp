// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "carnot/meter/counters/resolver.hpp"
#include "carnot/meter/counters/source.hpp"

namespace carnot::meter {

namespace {

template <class Enum, std::size_t N>
std::string_view pick(const std::array<std::string_view, N>& words, Enum value) noexcept {
  const auto index = static_cast<std::size_t>(value);
  return index < N ? words[index] : std::string_view("unknown");
}

}  // namespace

std::string_view name(DomainKind kind) noexcept {
  static constexpr std::array<std::string_view, 12> kWords = {
      "package",    "core",   "uncore", "dram",    "platform", "gpu",
      "gpu-memory", "module", "node",   "battery", "rail",     "model"};
  return pick(kWords, kind);
}

std::string_view name(PollStatus status) noexcept {
  static constexpr std::array<std::string_view, 4> kWords = {"ok", "retry", "ended", "broken"};
  return pick(kWords, status);
}

std::string_view name(Role role) noexcept {
  static constexpr std::array<std::string_view, 5> kWords = {"counted", "part", "beside",
                                                             "duplicate", "stand-in"};
  return pick(kWords, role);
}

}  // namespace carnot::meter
