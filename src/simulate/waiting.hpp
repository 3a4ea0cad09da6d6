// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A set of small whole numbers in order: insert, erase and the next above in a few steps, by bits
/// over bits over bits.

#include <bit>
#include <cstdint>
#include <vector>

namespace carnot::simulate {

class OrderedSet {
 public:
  static constexpr std::uint32_t kEnd = 0xffffffff;

  explicit OrderedSet(std::size_t size = 0) {
    do {
      size = (size + 63) / 64;
      levels_.emplace_back(size + 1);
    } while (size > 1);
  }
  void insert(std::uint32_t x) noexcept {
    for (std::vector<std::uint64_t>& level : levels_) {
      level[x / 64] |= std::uint64_t{1} << (x % 64);
      x /= 64;
    }
  }
  void erase(std::uint32_t x) noexcept {
    for (std::vector<std::uint64_t>& level : levels_) {
      level[x / 64] &= ~(std::uint64_t{1} << (x % 64));
      if (level[x / 64] != 0) return;
      x /= 64;
    }
  }
  /// The least member >= x; kEnd: none.
  std::uint32_t from(std::uint32_t x) const noexcept {
    for (std::size_t height = 0; height < levels_.size(); ++height, x = x / 64 + 1) {
      const std::vector<std::uint64_t>& level = levels_[height];
      if (x / 64 >= level.size()) return kEnd;
      const std::uint64_t rest = level[x / 64] >> (x % 64);
      if (rest == 0) continue;
      x += static_cast<std::uint32_t>(std::countr_zero(rest));
      while (height-- > 0)
        x = 64 * x + static_cast<std::uint32_t>(std::countr_zero(levels_[height][x]));
      return x;
    }
    return kEnd;
  }
  bool empty() const noexcept { return from(0) == kEnd; }

 private:
  std::vector<std::vector<std::uint64_t>> levels_;  // the next holds which words are not zero
};

}  // namespace carnot::simulate
