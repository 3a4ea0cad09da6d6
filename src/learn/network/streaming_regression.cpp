// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "carnot/base/error.hpp"
#include "carnot/learn/kernels/kernels.hpp"

#include "learn/kernels/kernel_table.hpp"
#include "learn/kernels/memory.hpp"
#include "learn/network/network.hpp"

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

namespace {

/// The given rows, then `instead`.
template <class Element>
std::array<const Element*, StreamingRegression::kRows> four(std::span<const Element* const> rows,
                                                            const Element* instead) {
  std::array<const Element*, StreamingRegression::kRows> all{};
  for (std::size_t r = 0; r < all.size(); ++r) all[r] = r < rows.size() ? rows[r] : instead;
  return all;
}

void check_counts(std::size_t rows, std::size_t targets, std::size_t guesses, std::size_t next) {
  CARNOT_CHECK(rows >= 1 && rows <= StreamingRegression::kRows, "1 to 4 rows a step");
  CARNOT_CHECK(targets == rows && guesses == rows, "one target and one guess a row");
  CARNOT_CHECK(next <= StreamingRegression::kRows, "0 to 4 rows ahead");
}

}  // namespace

void StreamingRegression::step(std::span<const float* const> rows, std::span<const float> targets,
                               float rate, std::span<float> guesses,
                               std::span<const float* const> next) {
  CARNOT_CHECK(bits_ == 32, "float rows need 32 bits");
  check_counts(rows.size(), targets.size(), guesses.size(), next.size());
  const auto x = four(rows, rows[0]), ahead = four(next, rows[0]);
  auto* w = as<float>(master_);
  float sums[kRows], a[kRows] = {};
  kernels().dots_f32(x.data(), rows.size(), w, padded_, ahead.data(), sums);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    guesses[r] = sums[r];
    a[r] = -rate * (sums[r] - targets[r]);
  }
  kernels().descend_f32(x.data(), rows.size(), a, padded_, ahead.data(), w);
  ++steps_;
}

void StreamingRegression::step(std::span<const std::uint8_t* const> rows,
                               std::span<const float> targets, float rate, std::span<float> guesses,
                               std::span<const std::uint8_t* const> next) {
  CARNOT_CHECK(bits_ != 32, "packed rows need 8 or 4 bits");
  check_counts(rows.size(), targets.size(), guesses.size(), next.size());
  const auto x = four(rows, rows[0]), ahead = four(next, rows[0]);
  const RoundingKey key = rounding_key(seed_, 0x73747265u, steps_++);
  std::int32_t sums[kRows];
  if (bits_ == 8) {
    kernels().dots_u8(x.data(), as<std::int8_t>(operand_), padded_, ahead.data(), sums);
  } else {
    kernels().dots_u4(x.data(), as<std::int8_t>(master_), padded_, ahead.data(), sums);
  }
  const float levels = bits_ == 8 ? 255.0f : 15.0f;
  const float per_product = (bits_ == 8 ? 256.0f : 1.0f) * unit_ / levels;
  const float per_error = rate / (levels * unit_);  // changes in units of a master and of x
  float a[kRows] = {}, most = 0.0f;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    guesses[r] = static_cast<float>(sums[r]) * per_product;
    a[r] = per_error * (guesses[r] - targets[r]);
    most = std::max(most, std::abs(a[r]));
  }
  // The four share a power of two as their unit, and are rounded to it at random too. The bounds
  // keep sums of products and draws within 16 bits.
  const float bound = bits_ == 8 ? 24.0f : 127.0f;
  const int finest = bits_ == 8 ? 13 : 14;
  const auto exponent = static_cast<int>(std::bit_cast<std::uint32_t>(bound / most) >> 23) - 127;
  const int shift = std::clamp(exponent, 0, finest);
  const auto scale = static_cast<float>(1 << shift);
  std::int8_t c[kRows];
  for (std::size_t r = 0; r < kRows; ++r) {
    const float v = std::clamp(a[r] * scale, -bound, bound);
    // Counters from the far end: the columns' draws use the near one.
    const std::uint32_t draw = rounding_word(key, ~static_cast<std::uint32_t>(r)) >> 16;
    c[r] = static_cast<std::int8_t>(round_stochastically(v, draw));
  }
  if (bits_ == 8) {
    kernels().descend_u8(x.data(), c, shift, key, padded_, ahead.data(), as<std::int16_t>(master_),
                         as<std::int8_t>(operand_));
  } else {
    kernels().descend_u4(x.data(), c, shift, key, padded_, ahead.data(), as<std::int8_t>(master_));
  }
}

std::vector<float> StreamingRegression::coefficients() const {
  std::vector<float> w(columns_);
  for (std::size_t j = 0; j < columns_; ++j) {
    if (bits_ == 32) {
      w[j] = as<float>(master_)[j];
    } else if (bits_ == 8) {
      w[j] = unit_ * static_cast<float>(as<std::int16_t>(master_)[streaming_place(j)]);
    } else {
      w[j] = unit_ * static_cast<float>(as<std::int8_t>(master_)[j]);
    }
  }
  return w;
}

}  // namespace carnot::learn
