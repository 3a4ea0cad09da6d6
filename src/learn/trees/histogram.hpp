// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Sums of first and second derivatives by bin, over the rows of a node.
///
/// Binary32: (g, h) of a row are added as a pair to a block's sums in binary32, and every kBlock
/// rows those to sums in binary64. Integers: both in one 32-bit word, 16 bits each, added by one
/// addition, and moved to 64-bit words (32 bits each) before either half can overflow. Few rows are
/// added to the wide sums at once. Sums are taken in the order of the rows: they do not depend on
/// the number of threads.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "learn/trees/binning.hpp"

namespace carnot::learn {

/// One slot: binary64 sums, or two 32-bit integers in one word.
struct FloatSlot {
  double g = 0.0, h = 0.0;
};
using IntegerSlot = std::uint64_t;  ///< g in the upper half (two's complement), h in the lower

constexpr std::int64_t gradient_of(IntegerSlot s) noexcept {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(s >> 32));
}
constexpr std::int64_t hessian_of(IntegerSlot s) noexcept {
  return static_cast<std::int64_t>(s & 0xFFFFFFFFu);
}

struct Gradient {
  float g, h;
};

/// Derivatives of all rows, in one of the two forms.
struct Gradients {
  int bits = 32;                        ///< 32, or of the integers
  std::vector<Gradient> exact;          ///< [rows], always
  std::vector<std::int16_t> rounded;    ///< [rows] 256 g + h
  double g_scale = 1.0, h_scale = 1.0;  ///< of the integers
  int levels = 0;                       ///< B: |g| <= B / 2, 0 <= h <= B
  bool is_integer() const noexcept { return bits < 32; }
};

/// A node's sums: [slots] of one of the two.
struct Histogram {
  std::vector<FloatSlot> floats;
  std::vector<IntegerSlot> integers;
};

/// \param group  whose slots are set, the others are left alone
/// \param rows   of the node; empty: all
/// \param work   of this thread, grown as needed, all zero between calls
void build_histogram(const BinnedRows& data, std::size_t group, std::span<const std::uint32_t> rows,
                     bool all, const Gradients& gradients, Histogram& out,
                     std::vector<std::uint64_t>& work);

/// larger = parent - smaller, in place in `parent`, for slots [first, end).
void subtract(Histogram& parent, const Histogram& smaller, bool integer, std::size_t first,
              std::size_t end);

}  // namespace carnot::learn
