// SPDX-License-Identifier: Apache-2.0
#include "learn/trees/split.hpp"

#include <algorithm>
#include <numeric>

namespace carnot::learn {

namespace {

constexpr std::size_t kMostSlots = 256;

/// Less is rounding noise.
constexpr double kLeastGain = 1e-12;

/// Takes the candidate if it is the best so far.
bool takes(NodeSplit& best, double value, const NodeSums& node, std::uint32_t used) {
  const double gain = value - node.score();
  if (!(gain > best.gain) || !(gain > kLeastGain * (1.0 + node.score()))) return false;
  best = {};
  best.gain = gain;
  best.feature = used;
  return true;
}

NodeSplit numeric(const TreeFeature& feature, std::uint32_t used, std::size_t first,
                  const SlotReader& slots, const NodeSums& node) {
  double g[kMostSlots], h[kMostSlots], gain[kMostSlots];
  const std::size_t bins = feature.bins;
  if (slots.gradients->is_integer()) {
    // Prefix sums of both at once, in integers.
    IntegerSlot sum = 0;
    for (std::size_t b = 0; b < bins; ++b) {
      sum += slots.histogram->integers[first + b];
      g[b] = slots.gradients->g_scale * static_cast<double>(gradient_of(sum));
      h[b] = slots.gradients->h_scale * static_cast<double>(hessian_of(sum));
    }
  } else {
    double sum_g = 0.0, sum_h = 0.0;
    for (std::size_t b = 0; b < bins; ++b) {
      sum_g += slots.histogram->floats[first + b].g;
      sum_h += slots.histogram->floats[first + b].h;
      g[b] = sum_g;
      h[b] = sum_h;
    }
  }
  NodeSplit best;
  const double missing_g = feature.met_missing ? slots.g(first + bins) : 0.0;
  const double missing_h = feature.met_missing ? slots.h(first + bins) : 0.0;
  // All values left of the missing ones is a split too, where some are missing.
  const std::size_t candidates = feature.met_missing ? bins : bins - 1;
  for (const bool missing_left : {false, true}) {
    if (missing_left) {
      if (!feature.met_missing || missing_h <= 0.0) break;
      for (std::size_t b = 0; b < bins; ++b) {
        g[b] += missing_g;
        h[b] += missing_h;
      }
    }
    split_gains(g, h, candidates, node, gain);
    const auto at = static_cast<std::size_t>(std::max_element(gain, gain + candidates) - gain);
    if (candidates == 0 || !takes(best, gain[at], node, used)) continue;
    best.bin = static_cast<std::uint8_t>(at);
    best.left_g = g[at];
    best.left_h = h[at];
    best.missing_left = feature.met_missing ? missing_left : best.left_h >= node.h - best.left_h;
  }
  return best;
}

NodeSplit categorical(const TreeFeature& feature, std::uint32_t used, std::size_t first,
                      const SlotReader& slots, const NodeSums& node) {
  const std::size_t count = feature.bins + (feature.met_missing ? 1 : 0);
  double g[kMostSlots], h[kMostSlots];
  std::size_t order[kMostSlots];
  std::size_t present = 0;
  for (std::size_t b = 0; b < count; ++b) {
    g[b] = slots.g(first + b);
    h[b] = slots.h(first + b);
    if (h[b] > 0.0) order[present++] = b;
  }
  NodeSplit best;
  const auto put = [&](const std::size_t* members, std::size_t n, double left_g, double left_h) {
    best.categorical = true;
    best.left_g = left_g;
    best.left_h = left_h;
    for (std::size_t i = 0; i < n; ++i)
      best.set[members[i] / 64] |= std::uint64_t{1} << (members[i] % 64);
    const std::size_t m = feature.missing_bin();
    best.missing_left = feature.met_missing ? ((best.set[m / 64] >> (m % 64)) & 1u) != 0
                                            : left_h >= node.h - left_h;
  };
  if (present < 2) return best;
  double gain = 0.0;
  if (present <= kFewCategories) {
    for (std::size_t i = 0; i < present; ++i) {
      split_gains(&g[order[i]], &h[order[i]], 1, node, &gain);
      if (takes(best, gain, node, used)) put(&order[i], 1, g[order[i]], h[order[i]]);
    }
    return best;
  }
  NodeSums damped = node;
  damped.l2 += kCategoryL2;
  double key[kMostSlots];
  for (std::size_t b = 0; b < count; ++b) key[b] = g[b] / (h[b] + kCategorySmooth);
  std::stable_sort(order, order + present,
                   [&](std::size_t a, std::size_t b) { return key[a] < key[b]; });
  double left_g = 0.0, left_h = 0.0;
  for (std::size_t i = 0; i + 1 < present; ++i) {
    left_g += g[order[i]];
    left_h += h[order[i]];
    split_gains(&left_g, &left_h, 1, damped, &gain);
    if (takes(best, gain, damped, used)) put(order, i + 1, left_g, left_h);
  }
  return best;
}

}  // namespace

NodeSplit best_split(const TreeFeature& feature, std::uint32_t used, std::size_t first,
                     const SlotReader& slots, const NodeSums& node) {
  return feature.categorical() ? categorical(feature, used, first, slots, node)
                               : numeric(feature, used, first, slots, node);
}

}  // namespace carnot::learn
