// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Entry encoding as the journal needs it: onto a buffer that is reused, and judged without
/// building the entry. Little-endian integers by shifts, so the bytes do not depend on the machine.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "carnot/ledger/entry/entry.hpp"

namespace carnot::ledger::detail {

/// No entry is longer: a checkpoint of the largest state, and its fixed part.
inline constexpr std::size_t kMaxEntryBytes = kMaxState + 64;

/// Appends the entry's bytes to `out`. \throws InputError as encode, `out` then as before
void encode_onto(const Entry& entry, std::vector<std::uint8_t>& out);

/// Whether decode would accept the bytes, without allocating: what a search through foreign bytes
/// asks before it spends a checksum.
bool decodable(std::span<const std::uint8_t> bytes) noexcept;

template <class Unsigned>
void store_little(Unsigned value, std::uint8_t* to) noexcept {
  for (std::size_t i = 0; i < sizeof(Unsigned); ++i)
    to[i] = static_cast<std::uint8_t>(value >> (8 * i));
}

template <class Unsigned>
Unsigned load_little(const std::uint8_t* from) noexcept {
  Unsigned value = 0;
  for (std::size_t i = 0; i < sizeof(Unsigned); ++i)
    value = static_cast<Unsigned>(value | (static_cast<Unsigned>(from[i]) << (8 * i)));
  return value;
}

}  // namespace carnot::ledger::detail
