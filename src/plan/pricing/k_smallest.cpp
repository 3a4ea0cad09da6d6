// SPDX-License-Identifier: Apache-2.0
#include "plan/pricing/k_smallest.hpp"

#include <algorithm>

#include "carnot/base/limits.hpp"

namespace carnot::plan {

namespace {

/// Eight doubles at any address of a double, as so many vectors of a width that an instruction set
/// has: a compiler takes wider ones apart into single numbers.
template <std::size_t width>
struct Lanes;
template <>
struct Lanes<8> {
  using Vector
      [[gnu::vector_size(8 * sizeof(double)), gnu::aligned(alignof(double)), gnu::may_alias]] =
          double;
  using Index [[gnu::vector_size(8 * sizeof(std::int64_t))]] = std::int64_t;
};
template <>
struct Lanes<4> {
  using Vector
      [[gnu::vector_size(4 * sizeof(double)), gnu::aligned(alignof(double)), gnu::may_alias]] =
          double;
  using Index [[gnu::vector_size(4 * sizeof(std::int64_t))]] = std::int64_t;
};
template <>
struct Lanes<2> {
  using Vector
      [[gnu::vector_size(2 * sizeof(double)), gnu::aligned(alignof(double)), gnu::may_alias]] =
          double;
  using Index [[gnu::vector_size(2 * sizeof(std::int64_t))]] = std::int64_t;
};

template <std::size_t width>
[[gnu::always_inline]] inline void rows(const RowRequest& request, double* scratch,
                                        std::size_t most) {
  using Vector = typename Lanes<width>::Vector;
  constexpr std::size_t kVectors = kTile / width;
  Vector* const sorted = reinterpret_cast<Vector*>(scratch);
  const Vector* const tile = reinterpret_cast<const Vector*>(request.tile);
  const Window* const windows = request.window;
  const std::uint32_t base = windows[0].first;
  std::size_t held = 0;
  std::int32_t end = windows[0].release;
  for (std::size_t w = 0; w < request.windows; ++w) {
    for (; end < windows[w].deadline; ++end) {
      Vector next[kVectors];
      for (std::size_t v = 0; v < kVectors; ++v)
        next[v] = tile[static_cast<std::size_t>(end) * kVectors + v];
      for (std::size_t i = 0; i < held; ++i)
        for (std::size_t v = 0; v < kVectors; ++v) {
          const Vector here = sorted[i * kVectors + v];
          sorted[i * kVectors + v] = here < next[v] ? here : next[v];
          next[v] = here < next[v] ? next[v] : here;
        }
      if (held < most) {
        for (std::size_t v = 0; v < kVectors; ++v) sorted[held * kVectors + v] = next[v];
        ++held;
      }
    }
    Vector sum[kVectors] = {};
    std::size_t taken = 0;
    for (std::uint32_t c = windows[w].first; c < windows[w].last; ++c) {
      const auto k = static_cast<std::size_t>(request.slots[c]);
      for (; taken < k; ++taken)
        for (std::size_t v = 0; v < kVectors; ++v) sum[v] += sorted[taken * kVectors + v];
      const std::size_t at = (c - base) * request.stride;
      for (std::size_t v = 0; v < kVectors; ++v) {
        reinterpret_cast<Vector*>(request.cost + at)[v] = sum[v];
        if (request.threshold != nullptr)
          reinterpret_cast<Vector*>(request.threshold + at)[v] = sorted[(k - 1) * kVectors + v];
      }
    }
  }
}

template <std::size_t width>
[[gnu::always_inline]] inline std::size_t first_least(const double* row, std::size_t n) {
  using Vector = typename Lanes<width>::Vector;
  using Index = typename Lanes<width>::Index;
  constexpr std::size_t kVectors = kTile / width;
  const Vector* const from = reinterpret_cast<const Vector*>(row);
  std::size_t best = 0;
  for (std::size_t v = 0; v < kVectors; ++v) {
    Vector lane = from[v];
    Index tile = {};
    for (std::size_t i = 1; i < padded(n) / kTile; ++i) {
      const Vector here = from[i * kVectors + v];
      const auto less = here < lane;
      lane = less ? here : lane;
      tile = less ? Index{} + static_cast<std::int64_t>(i) : tile;
    }
    for (std::size_t l = 0; l < width; ++l) {
      const std::size_t at = static_cast<std::size_t>(tile[l]) * kTile + v * width + l;
      if (row[at] < row[best] || (row[at] == row[best] && at < best)) best = at;
    }
  }
  return best;
}

/// The two loops as compiled for one instruction set.
struct Loops {
  void (*rows)(const RowRequest&, double*, std::size_t);
  std::size_t (*least)(const double*, std::size_t);
};

void rows_any(const RowRequest& request, double* sorted, std::size_t most) {
  rows<2>(request, sorted, most);
}
std::size_t least_any(const double* row, std::size_t n) { return first_least<2>(row, n); }

#if defined(__x86_64__)
[[gnu::target("avx2")]] void rows_avx2(const RowRequest& request, double* sorted,
                                       std::size_t most) {
  rows<4>(request, sorted, most);
}
[[gnu::target("avx2")]] std::size_t least_avx2(const double* row, std::size_t n) {
  return first_least<4>(row, n);
}
[[gnu::target("avx512f")]] void rows_avx512(const RowRequest& request, double* sorted,
                                            std::size_t most) {
  rows<8>(request, sorted, most);
}
[[gnu::target("avx512f")]] std::size_t least_avx512(const double* row, std::size_t n) {
  return first_least<8>(row, n);
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
