// SPDX-License-Identifier: Apache-2.0
#include "plan/pricing/k_smallest.hpp"

#include <algorithm>

#include "carnot/base/limits.hpp"

namespace carnot::plan {

namespace {

/// Eight doubles at any address of a double.
using Eight
    [[gnu::vector_size(kTile * sizeof(double)), gnu::aligned(alignof(double)), gnu::may_alias]] =
        double;

[[gnu::always_inline]] inline void rows(const RowRequest& request, double* scratch,
                                        std::size_t most) {
  Eight* const sorted = reinterpret_cast<Eight*>(scratch);
  const Eight* const tile = reinterpret_cast<const Eight*>(request.tile);
  const Window* const windows = request.window;
  const std::uint32_t base = windows[0].first;
  std::size_t held = 0;
  std::int32_t end = windows[0].release;
  for (std::size_t w = 0; w < request.windows; ++w) {
    for (; end < windows[w].deadline; ++end) {
      Eight next = tile[end];
      for (std::size_t i = 0; i < held; ++i) {
        const Eight here = sorted[i];
        sorted[i] = here < next ? here : next;
        next = here < next ? next : here;
      }
      if (held < most) sorted[held++] = next;
    }
    Eight sum = {};
    std::size_t taken = 0;
    for (std::uint32_t c = windows[w].first; c < windows[w].last; ++c) {
      const auto k = static_cast<std::size_t>(request.slots[c]);
      for (; taken < k; ++taken) sum += sorted[taken];
      const std::size_t at = (c - base) * request.stride;
      *reinterpret_cast<Eight*>(request.cost + at) = sum;
      if (request.threshold != nullptr)
        *reinterpret_cast<Eight*>(request.threshold + at) = sorted[k - 1];
    }
  }
}

[[gnu::always_inline]] inline std::size_t first_least(const double* row, std::size_t n) {
  using Index [[gnu::vector_size(kTile * sizeof(std::int64_t))]] = std::int64_t;
  const Eight* const from = reinterpret_cast<const Eight*>(row);
  Eight lane = from[0];
  Index tile = {};
  for (std::size_t i = 1; i < padded(n) / kTile; ++i) {
    const auto less = from[i] < lane;
    lane = less ? from[i] : lane;
    tile = less ? Index{} + static_cast<std::int64_t>(i) : tile;
  }
  std::size_t best = static_cast<std::size_t>(tile[0]) * kTile;
  for (std::size_t l = 1; l < kTile; ++l) {
    const std::size_t at = static_cast<std::size_t>(tile[l]) * kTile + l;
    if (row[at] < row[best] || (row[at] == row[best] && at < best)) best = at;
  }
  return best;
}

/// The two loops as compiled for one instruction set.
struct Loops {
  void (*rows)(const RowRequest&, double*, std::size_t);
  std::size_t (*least)(const double*, std::size_t);
};

void rows_any(const RowRequest& request, double* sorted, std::size_t most) {
  rows(request, sorted, most);
}
std::size_t least_any(const double* row, std::size_t n) { return first_least(row, n); }

#if defined(__x86_64__)
[[gnu::target("avx2")]] void rows_avx2(const RowRequest& request, double* sorted,
                                       std::size_t most) {
  rows(request, sorted, most);
}
[[gnu::target("avx2")]] std::size_t least_avx2(const double* row, std::size_t n) {
  return first_least(row, n);
}
[[gnu::target("avx512f")]] void rows_avx512(const RowRequest& request, double* sorted,
                                            std::size_t most) {
  rows(request, sorted, most);
}
[[gnu::target("avx512f")]] std::size_t least_avx512(const double* row, std::size_t n) {
  return first_least(row, n);
}
#endif

const Loops& loops() {
  static const Loops fastest = [] {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") != 0) return Loops{rows_avx512, least_avx512};
    if (__builtin_cpu_supports("avx2") != 0) return Loops{rows_avx2, least_avx2};
#endif
    return Loops{rows_any, least_any};
  }();
  return fastest;
}

}  // namespace

void tile_prices(const std::vector<double>& price, std::size_t sites, std::size_t slots,
                 std::vector<double>& tiles) {
  tiles.assign(padded(sites) * slots, kInfinity);
  for (std::size_t s = 0; s < sites; ++s)
    for (std::size_t t = 0; t < slots; ++t)
      tiles[(s / kTile * slots + t) * kTile + s % kTile] = price[s * slots + t];
}

void price_rows(const RowRequest& request, std::vector<double>& scratch) {
  std::int32_t most = 1;
  for (std::size_t w = 0; w < request.windows; ++w)
    most = std::max(most, request.slots[request.window[w].last - 1]);
  scratch.resize(static_cast<std::size_t>(most) * kTile);
  loops().rows(request, scratch.data(), static_cast<std::size_t>(most));
}

std::size_t least(const double* row, std::size_t n) { return loops().least(row, n); }

}  // namespace carnot::plan
