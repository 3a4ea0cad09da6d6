// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"
#include "carnot/learn/kernels/kernels.hpp"

#include "learn/kernels/kernel_table.hpp"

namespace carnot::learn {

RoundingKey rounding_key(std::uint64_t seed, std::uint64_t stream, std::uint64_t step) noexcept {
  const std::uint64_t bits = RandomStream(seed, stream).bits(step);
  return {static_cast<std::uint32_t>(bits), static_cast<std::uint32_t>(bits >> 32)};
}

void stochastic_copy(const float* values, std::size_t n, float step, RoundingKey key,
                     float* out) noexcept {
  for (std::size_t i = 0; i < n; ++i) {
    out[i] =
        step * static_cast<float>(round_stochastically(values[i] / step, rounding_draw(key, i)));
  }
}

void double_sampled_gradient(const float* q1, const float* q2, const float* x, std::size_t n,
                             float b, float* g) noexcept {
  float first = -b, second = -b;
  for (std::size_t i = 0; i < n; ++i) {
    first += q1[i] * x[i];
    second += q2[i] * x[i];
  }
  for (std::size_t i = 0; i < n; ++i) g[i] = 0.5f * (q1[i] * second + q2[i] * first);
}

void AlignedBytes::Free::operator()(std::uint8_t* p) const noexcept { std::free(p); }

AlignedBytes::AlignedBytes(std::size_t size) : size_(size) {
  if (size == 0) return;
  constexpr std::size_t kHugePage = std::size_t{2} << 20;
  const bool huge = size >= 2 * kHugePage;
  const std::size_t alignment = huge ? kHugePage : 64;
  const std::size_t whole = (size + alignment - 1) / alignment * alignment;
  if (whole < size) throw std::bad_alloc();
  bytes_.reset(static_cast<std::uint8_t*>(std::aligned_alloc(alignment, whole)));
  if (bytes_ == nullptr) throw std::bad_alloc();
#if defined(__linux__)
  // Advice only: without huge pages everything works, slower.
  if (huge) madvise(bytes_.get(), whole, MADV_HUGEPAGE);
#endif
  std::memset(bytes_.get(), 0, size);
}

AlignedBytes::AlignedBytes(const AlignedBytes& other) : AlignedBytes(other.size_) {
  if (size_ != 0) std::memcpy(bytes_.get(), other.bytes_.get(), size_);
}

AlignedBytes& AlignedBytes::operator=(AlignedBytes other) noexcept {
  bytes_.swap(other.bytes_);
  std::swap(size_, other.size_);
  return *this;
}

PackedMatrix::PackedMatrix(std::size_t rows, std::size_t columns, int bits, Format format)
    : rows_(rows), columns_(columns), bits_(bits), format_(format) {
  if (bits != 8 && bits != 4 && bits != 2) {
    throw InputError("packed matrix: bits: 8, 4 or 2, found " + std::to_string(bits));
  }
  stride_ = ((columns + 63) / 64 * static_cast<std::size_t>(bits) + 7) / 8 * 64;
  data_ = AlignedBytes(stride_ * rows);
  const bool fixed = format == Format::UnitInterval;
  const int levels = fixed ? (1 << bits) - 1 : (1 << (bits - 1)) - 1;
  scales_.assign(fixed ? 1 : rows, 1.0f / static_cast<float>(levels));
}

PackedMatrix::PackedMatrix(std::size_t rows, std::size_t columns, int bits,
                           const std::function<void(std::size_t, std::uint8_t*)>& row)
    : PackedMatrix(rows, columns, bits, Format::UnitInterval) {
  const std::size_t chunks = (columns + 63) / 64;
  AlignedBytes bytes(chunks * 64);
  for (std::size_t r = 0; r < rows; ++r) {
    row(r, bytes.data());
    kernels().pack(bytes.data(), chunks, bits, data_.data() + r * stride_);
  }
}

PackedMatrix::PackedMatrix(const float* values, std::size_t rows, std::size_t columns, int bits,
                           Format format)
    : PackedMatrix(rows, columns, bits, format) {
  const bool fixed = format == Format::UnitInterval;
  const std::size_t chunks = (columns + 63) / 64;
  const auto levels = static_cast<float>(fixed ? (1 << bits) - 1 : (1 << (bits - 1)) - 1);
  AlignedBytes bytes(chunks * 64);
  for (std::size_t r = 0; r < rows; ++r) {
    const float* from = values + r * columns;
    float inverse = levels;
    if (!fixed) {
      float most = 0.0f;
      for (std::size_t c = 0; c < columns; ++c) most = std::max(most, std::abs(from[c]));
      scales_[r] = most / levels;
      inverse = most > 1e-30f ? levels / most : 0.0f;
    }
    kernels().to_bytes(from, columns, inverse, fixed ? 0.0f : -levels, levels, bytes.data());
    kernels().pack(bytes.data(), chunks, bits, data_.data() + r * stride_);
  }
}

void PackedMatrix::unpack(std::size_t r, std::uint8_t* out) const noexcept {
  kernels().unpack(row(r), bits_, is_signed(), (columns_ + 63) / 64 * 64, out);
}

}  // namespace carnot::learn
