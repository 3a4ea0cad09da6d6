// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Tells a new look at processes from the same one handed over again. Pure function.

#include <cstdint>
#include <span>

#include "carnot/meter/processes/processes.hpp"

namespace carnot::report {

/// A hash (FNV-1a, Fowler, Noll and Vo 1991) of who was seen and with how much CPU time.
inline std::uint64_t look_print(std::span<const meter::ProcessUse> look) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325U;
  const auto add = [&](std::uint64_t value) { hash = (hash ^ value) * 0x100000001b3U; };
  for (const meter::ProcessUse& p : look) {
    add(static_cast<std::uint64_t>(p.pid));
    add(p.start_ticks);
    add(static_cast<std::uint64_t>(p.cpu_ns));
    add(p.alive ? 1 : 0);
  }
  return hash;
}

}  // namespace carnot::report
