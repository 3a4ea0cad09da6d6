// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What was seen in a context: nodes of the tree of the next three bits, in slots found by hash.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace carnot::learn {

struct Node {
  std::uint16_t chance = 32768;  ///< of a 1, 65536ths
  std::uint8_t history = 1;      ///< the last seven bits behind a leading 1; at first fewer
  std::uint8_t count = 0;        ///< bits seen, up to a limit
};

struct alignas(32) Slot {
  std::uint16_t check = 0;  ///< of the context it belongs to; 0: of none
  std::uint16_t unused = 0;
  Node nodes[7];
};

/// Two slots of a line of 64 bytes are tried; the one that has seen less gives way.
class ContextTable {
 public:
  explicit ContextTable(int bits) : shift_(32 - bits), slots_(std::size_t{1} << bits) {}
  Slot& find(std::uint32_t hash) noexcept {
    const std::size_t at = hash >> shift_;
    const auto check = static_cast<std::uint16_t>((hash * 0x2C1B3C6Du >> 16) | 1u);
    Slot& first = slots_[at];
    if (first.check == check) return first;
    Slot& second = slots_[at ^ 1];
    if (second.check == check) return second;
    Slot& taken = first.nodes[0].count <= second.nodes[0].count ? first : second;
    Slot& other = &taken == &first ? second : first;
    if (other.nodes[0].count > 1) --other.nodes[0].count;  // ages, or it would stay for ever
    taken = Slot{};
    taken.check = check;
    return taken;
  }

 private:
  int shift_;
  std::vector<Slot> slots_;
};

}  // namespace carnot::learn
