// SPDX-License-Identifier: Apache-2.0
#include "learn/trees/histogram.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace carnot::learn {

namespace {

/// Slots of a feature in the work space: one for each value of a byte.
constexpr std::size_t kStride = 256;
constexpr std::size_t kBlock = 32768;  // rows whose sums stay in binary32
/// Fewer rows than this a slot of the work space do not pay for clearing it.
constexpr std::size_t kFewRows = 192;
constexpr std::size_t kAhead = 12;  // rows

// The work space is used as either of these.
using Pair = float __attribute__((vector_size(8), may_alias));
using Word = std::uint32_t __attribute__((may_alias));
using Single = float __attribute__((may_alias));
static_assert(sizeof(Pair) == sizeof(std::uint64_t));

using Kernel = void (*)(const std::uint8_t* bins, const std::uint32_t* rows, std::size_t begin,
                        std::size_t end, const Gradients& gradients, void* work);

template <std::size_t kWidth, bool kAll>
void add_floats(const std::uint8_t* bins, const std::uint32_t* rows, std::size_t begin,
                std::size_t end, const Gradients& gradients, void* work) {
  auto* sums = static_cast<Pair*>(work);
  const Gradient* exact = gradients.exact.data();
  for (std::size_t i = begin; i < end; ++i) {
    const std::size_t r = kAll ? i : rows[i];
    if (!kAll && i + kAhead < end) {
      __builtin_prefetch(bins + rows[i + kAhead] * kWidth);
      __builtin_prefetch(exact + rows[i + kAhead]);
    }
    Pair gh;
    std::memcpy(&gh, exact + r, sizeof(gh));
    const std::uint8_t* b = bins + r * kWidth;
#pragma GCC unroll 16
    for (std::size_t j = 0; j < kWidth; ++j) sums[j * kStride + b[j]] += gh;
  }
}

template <std::size_t kWidth, bool kAll>
void add_integers(const std::uint8_t* bins, const std::uint32_t* rows, std::size_t begin,
                  std::size_t end, const Gradients& gradients, void* work) {
  auto* sums = static_cast<Word*>(work);
  const std::int16_t* rounded = gradients.rounded.data();
  for (std::size_t i = begin; i < end; ++i) {
    const std::size_t r = kAll ? i : rows[i];
    if (!kAll && i + kAhead < end) {
      __builtin_prefetch(bins + rows[i + kAhead] * kWidth);
      __builtin_prefetch(rounded + rows[i + kAhead]);
    }
    const auto v = static_cast<std::uint32_t>(static_cast<std::int32_t>(rounded[r]));
    // 256 g + h to 65536 g + h.
    const std::uint32_t gh = ((v & ~255u) << 8) | (v & 255u);
    const std::uint8_t* b = bins + r * kWidth;
#pragma GCC unroll 16
    for (std::size_t j = 0; j < kWidth; ++j) sums[j * kStride + b[j]] += gh;
  }
}

template <bool kInteger, bool kAll, std::size_t... kWidths>
constexpr std::array<Kernel, sizeof...(kWidths)> kernels(std::index_sequence<kWidths...>) {
  if constexpr (kInteger)
    return {&add_integers<kWidths + 1, kAll>...};
  else
    return {&add_floats<kWidths + 1, kAll>...};
}

Kernel kernel(bool integer, bool all, std::size_t width) {
  using Widths = std::make_index_sequence<BinnedRows::kGroup>;
  static constexpr auto kTable =
      std::array{kernels<false, false>(Widths{}), kernels<false, true>(Widths{}),
                 kernels<true, false>(Widths{}), kernels<true, true>(Widths{})};
  return kTable[(integer ? 2u : 0u) + (all ? 1u : 0u)][width - 1];
}

void add_few(const BinnedRows& data, std::size_t g, std::span<const std::uint32_t> rows, bool all,
             std::size_t n, const Gradients& gradients, Histogram& out) {
  const BinnedRows::Group& group = data.groups[g];
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t r = all ? i : rows[i];
    const std::uint8_t* b = group.bins.data() + r * group.width;
    if (gradients.is_integer()) {
      const std::int64_t v = gradients.rounded[r];
      const std::int64_t gradient = v >> 8, hessian = v & 255;
      const auto gh =
          (static_cast<std::uint64_t>(gradient) << 32) + static_cast<std::uint64_t>(hessian);
      for (std::size_t j = 0; j < group.width; ++j)
        out.integers[data.offset[group.first + j] + b[j]] += gh;
    } else {
      const Gradient& e = gradients.exact[r];
      for (std::size_t j = 0; j < group.width; ++j) {
        FloatSlot& slot = out.floats[data.offset[group.first + j] + b[j]];
        slot.g += static_cast<double>(e.g);
        slot.h += static_cast<double>(e.h);
      }
    }
  }
}

/// Adds the work space to the wide sums and clears it.
void flush(const BinnedRows& data, const BinnedRows::Group& group, bool integer, void* work,
           Histogram& out) {
  for (std::size_t j = 0; j < group.width; ++j) {
    const std::size_t first = data.offset[group.first + j];
    const std::size_t count = data.offset[group.first + j + 1] - first;
    if (integer) {
      Word* sums = static_cast<Word*>(work) + j * kStride;
      IntegerSlot* to = out.integers.data() + first;
      for (std::size_t b = 0; b < count; ++b) {
        // Borrow of a negative g: the upper half of 65536 g + h is g, h being below 65536.
        const auto g = static_cast<std::uint64_t>(
            static_cast<std::int64_t>(static_cast<std::int32_t>(sums[b]) >> 16));
        to[b] += (g << 32) + (sums[b] & 0xFFFFu);
        sums[b] = 0;
      }
    } else {
      Single* sums = static_cast<Single*>(work) + 2 * j * kStride;
      double* to = &out.floats[first].g;
      for (std::size_t b = 0; b < 2 * count; ++b) {
        to[b] += static_cast<double>(sums[b]);
        sums[b] = 0.0f;
      }
    }
  }
}

}  // namespace

void build_histogram(const BinnedRows& data, std::size_t g, std::span<const std::uint32_t> rows,
                     bool all, const Gradients& gradients, Histogram& out,
                     std::vector<std::uint64_t>& work) {
  const BinnedRows::Group& group = data.groups[g];
  const bool integer = gradients.is_integer();
  const std::size_t first = data.offset[group.first];
  const std::size_t end = data.offset[group.first + group.width];
  const std::size_t n = all ? data.rows : rows.size();
  if (integer)
    std::fill(out.integers.begin() + static_cast<std::ptrdiff_t>(first),
              out.integers.begin() + static_cast<std::ptrdiff_t>(end), IntegerSlot{0});
  else
    std::fill(out.floats.begin() + static_cast<std::ptrdiff_t>(first),
              out.floats.begin() + static_cast<std::ptrdiff_t>(end), FloatSlot{});
  if (n < kFewRows) {
    add_few(data, g, rows, all, n, gradients, out);
    return;
  }
  work.resize(BinnedRows::kGroup * kStride);
  const Kernel add = kernel(integer, all, group.width);
  // h stays below 2^16, |g| below 2^15.
  const std::size_t block =
      integer ? 65535u / static_cast<std::size_t>(std::max(1, gradients.levels)) : kBlock;
  for (std::size_t begin = 0; begin < n; begin += block) {
    add(group.bins.data(), rows.data(), begin, std::min(n, begin + block), gradients, work.data());
    flush(data, group, integer, work.data(), out);
  }
}

void subtract(Histogram& parent, const Histogram& smaller, bool integer, std::size_t first,
              std::size_t end) {
  if (integer) {
    for (std::size_t i = first; i < end; ++i) parent.integers[i] -= smaller.integers[i];
    return;
  }
  for (std::size_t i = first; i < end; ++i) {
    parent.floats[i].g -= smaller.floats[i].g;
    parent.floats[i].h -= smaller.floats[i].h;
  }
}

}  // namespace carnot::learn
