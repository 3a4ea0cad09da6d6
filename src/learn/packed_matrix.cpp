// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <new>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"
#include "carnot/learn/kernels.hpp"

#include "learn/kernel_table.hpp"

namespace carnot::learn {

RoundingKey rounding_key(std::uint64_t seed, std::uint64_t stream, std::uint64_t step) noexcept {
  const std::uint64_t bits = RandomStream(seed, stream).bits(step);
  return {static_cast<std::uint32_t>(bits), static_cast<std::uint32_t>(bits >> 32)};
}

namespace {
constexpr std::align_val_t kLine{64};
}

void AlignedBytes::Free::operator()(std::uint8_t* p) const noexcept {
  ::operator delete[](p, kLine);
}

AlignedBytes::AlignedBytes(std::size_t size) : size_(size) {
  if (size == 0) return;
  bytes_.reset(static_cast<std::uint8_t*>(::operator new[](size, kLine)));
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

PackedMatrix::PackedMatrix(const float* values, std::size_t rows, std::size_t columns, int bits,
                           Format format)
    : rows_(rows), columns_(columns), bits_(bits), format_(format) {
  if (bits != 8 && bits != 4 && bits != 2) {
    throw InputError("packed matrix: bits: 8, 4 or 2, found " + std::to_string(bits));
  }
  const std::size_t per_byte = static_cast<std::size_t>(8 / bits);
  const std::size_t chunks = (columns + 63) / 64;
  stride_ = (chunks + per_byte - 1) / per_byte * 64;
  data_ = AlignedBytes(stride_ * rows);
  const bool fixed = format == Format::UnitInterval;
  const auto levels = static_cast<float>(fixed ? (1 << bits) - 1 : (1 << (bits - 1)) - 1);
  scales_.assign(fixed ? 1 : rows, 1.0f / levels);
  const auto mask = static_cast<std::uint32_t>((1 << bits) - 1);
  for (std::size_t r = 0; r < rows; ++r) {
    const float* from = values + r * columns;
    std::uint8_t* to = data_.data() + r * stride_;
    float inverse = levels;
    if (!fixed) {
      float most = 0.0f;
      for (std::size_t c = 0; c < columns; ++c) most = std::max(most, std::abs(from[c]));
      scales_[r] = most / levels;
      inverse = most > 1e-30f ? levels / most : 0.0f;
    }
    for (std::size_t c = 0; c < columns; ++c) {
      const float x = std::min(levels, std::max(fixed ? 0.0f : -levels, from[c] * inverse));
      const auto field = static_cast<std::uint32_t>(round_to_nearest(x)) & mask;
      const std::size_t chunk = c / 64;
      std::uint8_t& byte = to[chunk / per_byte * 64 + c % 64];
      byte = static_cast<std::uint8_t>(byte | field << (static_cast<int>(chunk % per_byte) * bits));
    }
  }
}

void PackedMatrix::unpack(std::size_t r, std::uint8_t* out) const noexcept {
  kernels().unpack(row(r), bits_, is_signed(), (columns_ + 63) / 64 * 64, out);
}

}  // namespace carnot::learn
