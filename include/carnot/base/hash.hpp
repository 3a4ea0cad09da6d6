// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// FNV-1a of 64 bits (Fowler, Noll, Vo; draft-eastlake-fnv): tells texts and files apart. Not
/// against anyone who wants them to collide. Pure.

#include <cstdint>
#include <string_view>

namespace carnot::inline base {

constexpr std::uint64_t kFnvStart = 0xcbf29ce484222325u;

constexpr std::uint64_t fnv1a(std::string_view bytes, std::uint64_t hash = kFnvStart) noexcept {
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

}  // namespace carnot::inline base
