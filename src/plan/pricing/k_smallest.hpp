// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The inner loop of pricing: windows that begin together, at eight sites at once. Slots enter a
/// short ascending list one by one by a chain of min and max without branches, and the sums of its
/// first k are what the classes cost. Same bits on every instruction set: there is nothing but
/// comparisons and sums in one order.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace carnot::plan {

inline constexpr std::size_t kTile = 8;  ///< sites priced together

/// Classes first ... last - 1 run inside [release, deadline); ascending in slots.
struct Window {
  std::int32_t release = 0, deadline = 0;
  std::uint32_t first = 0, last = 0;
};

inline std::size_t padded(std::size_t sites) noexcept {
  return (sites + kTile - 1) / kTile * kTile;
}

/// Prices in tiles, [tile][slot][kTile]; infinite where there is no site.
void tile_prices(const std::vector<double>& price, std::size_t sites, std::size_t slots,
                 std::vector<double>& tiles);

/// What a run of windows of one release is priced with.
struct RowRequest {
  const double* tile = nullptr;  ///< [slot][kTile]
  const Window* window = nullptr;
  std::size_t windows = 0;              ///< of one release, ascending in deadline
  const std::int32_t* slots = nullptr;  ///< k of each class, by its number
  double* cost = nullptr;               ///< of the first window's first class; rows `stride` apart
  double* threshold = nullptr;          ///< likewise: the k-th smallest price; nullptr: not wanted
  std::size_t stride = 0;
};
/// \param scratch  of any content
void price_rows(const RowRequest& request, std::vector<double>& scratch);

/// Index of the least of `n` numbers, the first of equals. \pre padded(n) are readable, those
/// beyond n not less than the rest
std::size_t least(const double* row, std::size_t n);

}  // namespace carnot::plan
