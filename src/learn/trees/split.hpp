// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The best split of a node by one feature's sums.

#include <array>
#include <cstdint>

#include "carnot/learn/trees/tree_model.hpp"

#include "learn/trees/histogram.hpp"

namespace carnot::learn {

/// Categories are ordered by G / (H + kCategorySmooth) and split against lambda + kCategoryL2, as
/// rare ones would else be picked for their noise; up to kFewCategories are tried one by one
/// against the rest (the constants are LightGBM's defaults).
inline constexpr double kCategorySmooth = 10.0, kCategoryL2 = 10.0;
inline constexpr std::size_t kFewCategories = 4;

struct NodeSums {
  double g = 0.0, h = 0.0;
  double least_hessian = 0.0;  ///< of a child
  double l2 = 0.0;
  double score() const noexcept { return g * g / (h + l2); }
};

struct NodeSplit {
  double gain = 0.0;          ///< 0: none
  std::uint32_t feature = 0;  ///< among the used ones
  bool categorical = false;
  std::uint8_t bin = 0;
  bool missing_left = false;
  std::array<std::uint64_t, 4> set{};  ///< categorical: bins that go left
  double left_g = 0.0, left_h = 0.0;
};

/// What one slot holds, in units of g and h.
struct SlotReader {
  const Histogram* histogram;
  const Gradients* gradients;
  double g(std::size_t slot) const noexcept {
    return gradients->is_integer()
               ? gradients->g_scale * static_cast<double>(gradient_of(histogram->integers[slot]))
               : histogram->floats[slot].g;
  }
  double h(std::size_t slot) const noexcept {
    return gradients->is_integer()
               ? gradients->h_scale * static_cast<double>(hessian_of(histogram->integers[slot]))
               : histogram->floats[slot].h;
  }
};

/// \param first  slot of the feature's first bin
/// \param used   its number among the used features
NodeSplit best_split(const TreeFeature& feature, std::uint32_t used, std::size_t first,
                     const SlotReader& slots, const NodeSums& node);

/// gain[i] = GL^2 / (HL + l2) + GR^2 / (HR + l2) for left sums g[i], h[i]; -1 where a child has
/// less than the least Hessian.
void split_gains(const double* g, const double* h, std::size_t count, const NodeSums& node,
                 double* gain) noexcept;

}  // namespace carnot::learn
