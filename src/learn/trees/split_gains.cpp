// SPDX-License-Identifier: Apache-2.0
// The one loop of the search for splits that gains from wide registers, in a file of its own for
// its compiler options (CMakeLists.txt). The same IEEE operations on every instruction set.
#include "learn/trees/split.hpp"

namespace carnot::learn {

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define CARNOT_WIDE [[gnu::target_clones("default", "avx2", "avx512f")]]
#else
#define CARNOT_WIDE
#endif

CARNOT_WIDE
void split_gains(const double* g, const double* h, std::size_t count, const NodeSums& node,
                 double* gain) noexcept {
  const double all_g = node.g, all_h = node.h, l2 = node.l2, least = node.least_hessian;
  for (std::size_t i = 0; i < count; ++i) {
    const double left_g = g[i], left_h = h[i];
    const double right_g = all_g - left_g, right_h = all_h - left_h;
    const double a = left_h + l2, b = right_h + l2;
    const double value = (left_g * left_g * b + right_g * right_g * a) / (a * b);
    gain[i] = left_h >= least && right_h >= least ? value : -1.0;
  }
}

#undef CARNOT_WIDE

}  // namespace carnot::learn
