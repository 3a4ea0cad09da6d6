// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "carnot/base/error.hpp"
#include "carnot/learn/kernels.hpp"

#include "learn/kernel_table.hpp"
#include "learn/memory.hpp"
#include "learn/network.hpp"

namespace carnot::learn {

StreamingRegression::StreamingRegression(std::size_t columns, int bits, float range,
                                         std::uint64_t seed)
    : columns_(columns),
      padded_(padded(columns, bits == 4 ? 128 : 64)),
      bits_(bits),
      unit_(bits == 8 ? range / 32767.0f : range / 127.0f),
      seed_(seed) {
  if (bits != 32 && bits != 8 && bits != 4) throw InputError("bits: 32, 8 or 4");
  if (columns == 0) throw InputError("columns: at least 1");
  if (!(range > 0.0f) || !std::isfinite(range)) throw InputError("range: a number > 0");
  master_ = AlignedBytes(padded_ * (bits == 32 ? 4 : bits == 8 ? 2 : 1));
  if (bits == 8) operand_ = AlignedBytes(padded_);
}

float StreamingRegression::step(const float* row, float target, float rate) {
  CARNOT_CHECK(bits_ == 32, "float rows need 32 bits");
  auto* w = as<float>(master_);
  const float guess = kernels().dot_f32(row, w, padded_);
  kernels().axpy_f32(-rate * (guess - target), row, padded_, w);
  ++steps_;
  return guess;
}

float StreamingRegression::step(const std::uint8_t* row, float target, float rate) {
  CARNOT_CHECK(bits_ != 32, "packed rows need 8 or 4 bits");
  const RoundingKey key = rounding_key(seed_, 0x73747265u, steps_++);
  const std::uint32_t draw = rounding_word(key, ~std::uint32_t{0}) >> 16;
  if (bits_ == 8) {
    auto* m = as<std::int16_t>(master_);
    auto* w = as<std::int8_t>(operand_);
    const float guess =
        static_cast<float>(kernels().dot_u8(row, w, padded_)) * (unit_ * 256.0f / 255.0f);
    // The change in units of a master and of x: nine bits behind the point, rounded at random too.
    const float a = rate * (guess - target) / (255.0f * unit_) * 512.0f;
    const auto c = round_stochastically(std::clamp(a, -32767.0f, 32766.0f), draw);
    kernels().axpy_u8(row, padded_, static_cast<std::int16_t>(c), key, m, w);
    return guess;
  }
  auto* m = as<std::int8_t>(master_);
  const float guess = static_cast<float>(kernels().dot_u4(row, m, padded_)) * (unit_ / 15.0f);
  const float a = rate * (guess - target) / (15.0f * unit_) * 256.0f;
  std::int8_t high[16];
  std::uint8_t low[16];
  for (int x = 0; x < 16; ++x) {
    const float v = std::clamp(a * static_cast<float>(x), -32512.0f, 32512.0f);
    const std::int32_t q = round_stochastically(v, draw);
    high[x] = static_cast<std::int8_t>(q >> 8);
    low[x] = static_cast<std::uint8_t>(q & 255);
  }
  kernels().axpy_u4(row, padded_, high, low, key, m);
  return guess;
}

std::vector<float> StreamingRegression::coefficients() const {
  std::vector<float> w(columns_);
  for (std::size_t j = 0; j < columns_; ++j) {
    if (bits_ == 32) {
      w[j] = as<float>(master_)[j];
    } else if (bits_ == 8) {
      w[j] = unit_ * static_cast<float>(as<std::int16_t>(master_)[j]);
    } else {
      w[j] = unit_ * static_cast<float>(as<std::int8_t>(master_)[j]);
    }
  }
  return w;
}

}  // namespace carnot::learn
