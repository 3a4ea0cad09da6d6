// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Low-precision building blocks: random rounding, packed integer matrices, exact integer products.
/// What the learners are made of; use them directly to stream data of your own.
///
/// Integer results, and every binary32 operation around them, are the same to the bit for every
/// instruction set (see `instruction_set` in learner.hpp): products are exact in int32, elementwise
/// work is plain IEEE arithmetic in one written order, reductions have a fixed order.
/// Functions are thread-safe as far as their arguments are not shared.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace carnot::learn {

/// Key of one use of random rounding: (seed, stream, step) through one Philox block.
struct RoundingKey {
  std::uint32_t first = 0, second = 0;
};
RoundingKey rounding_key(std::uint64_t seed, std::uint64_t stream, std::uint64_t step) noexcept;

/// 32 random bits: two draws. A keyed multiply-xorshift hash of the counter, cheap in SIMD lanes
/// (two multiplications); constants of C. Wellons' "hash prospector" (public domain), avalanche
/// bias below 0.2 %. Not a cipher: good for rounding (tested: mean, variance, serial correlation,
/// bit balance), not for anything secret.
constexpr std::uint32_t rounding_word(RoundingKey key, std::uint32_t counter) noexcept {
  std::uint32_t x = counter ^ key.first;
  x ^= x >> 16;
  x *= 0x21f0aaadu;
  x ^= x >> 15;
  x += key.second;
  x *= 0x735a2d97u;
  x ^= x >> 15;
  return x;
}
/// The 16 random bits of element `index`: elements 0..15 of each group of 32 take the low halves of
/// 16 words, elements 16..31 the high halves.
constexpr std::uint32_t rounding_draw(RoundingKey key, std::uint64_t index) noexcept {
  const auto word = static_cast<std::uint32_t>((index / 32) * 16 + index % 16);
  return (rounding_word(key, word) >> ((index % 32) / 16 * 16)) & 0xffffu;
}

/// Stochastic rounding: floor(x + u), u = (draw + 1/2) / 2^16, so that E = x up to 2^-17.
/// Whole numbers stay. |x| < 2^23.
constexpr std::int32_t round_stochastically(float x, std::uint32_t draw) noexcept {
  const float v = x + (static_cast<float>(draw) + 0.5f) * 0x1p-16f;
  const auto q = static_cast<std::int32_t>(v);
  return q - (static_cast<float>(q) > v ? 1 : 0);
}
/// floor(x + 1/2). |x| < 2^23.
constexpr std::int32_t round_to_nearest(float x) noexcept {
  const float v = x + 0.5f;
  const auto q = static_cast<std::int32_t>(v);
  return q - (static_cast<float>(q) > v ? 1 : 0);
}

/// out[i] = step * round_stochastically(values[i] / step): one random rounding of a row.
void stochastic_copy(const float* values, std::size_t n, float step, RoundingKey key,
                     float* out) noexcept;
/// Least-squares gradient of (a'x - b)^2 / 2 at x from two roundings of a (Zhang et al., ZipML,
/// ICML 2017): g = (q1 (q2'x - b) + q2 (q1'x - b)) / 2. Unbiased if q1 and q2 are independent
/// unbiased roundings of a; with q1 = q2 it is off by diag(Var q) x.
void double_sampled_gradient(const float* q1, const float* q2, const float* x, std::size_t n,
                             float b, float* g) noexcept;

/// Bytes that start on a cache line; zero at first. A value (copies are deep). From a few megabytes
/// on they start on a huge page where the system has them: streams then miss the page tables less.
class AlignedBytes {
 public:
  AlignedBytes() = default;
  explicit AlignedBytes(std::size_t size);
  AlignedBytes(const AlignedBytes& other);
  AlignedBytes(AlignedBytes&& other) noexcept = default;
  AlignedBytes& operator=(AlignedBytes other) noexcept;
  std::uint8_t* data() noexcept { return bytes_.get(); }
  const std::uint8_t* data() const noexcept { return bytes_.get(); }
  std::size_t size() const noexcept { return size_; }

 private:
  struct Free {
    void operator()(std::uint8_t* p) const noexcept;
  };
  std::unique_ptr<std::uint8_t[], Free> bytes_;
  std::size_t size_ = 0;
};

/// How real numbers become integers q with x = q * scale of the row.
enum class Format : std::uint8_t {
  UnitInterval,  ///< inputs in [0, 1]: q in [0, 2^b - 1], one fixed scale 1 / (2^b - 1)
  Symmetric,     ///< any input: |q| <= 2^(b-1) - 1, scale = row's max |x| / (2^(b-1) - 1)
};

/// An integer matrix of 8, 4 or 2 bits an element, really packed (4: two, 2: four to a byte), rows
/// padded to 64 bytes. Immutable once made.
///
/// Layout: a row is cut into blocks of 64 bytes; byte t of a block holds, from its low bits upward,
/// elements t, 64 + t, ... of the block, so that unpacking is shifts and masks.
class PackedMatrix {
 public:
  PackedMatrix() = default;
  /// Rounds to nearest. \param values  [rows x columns], row-major, finite
  /// \throws InputError unless bits is 8, 4 or 2
  PackedMatrix(const float* values, std::size_t rows, std::size_t columns, int bits, Format format);
  /// UnitInterval from integers in [0, 2^bits - 1], a byte each: `row(r, out)` writes those of row
  /// r. \throws InputError unless bits is 8, 4 or 2
  PackedMatrix(std::size_t rows, std::size_t columns, int bits,
               const std::function<void(std::size_t, std::uint8_t*)>& row);

  std::size_t rows() const noexcept { return rows_; }
  std::size_t columns() const noexcept { return columns_; }
  int bits() const noexcept { return bits_; }
  bool is_signed() const noexcept { return format_ == Format::Symmetric; }
  std::size_t row_bytes() const noexcept { return stride_; }
  const std::uint8_t* row(std::size_t r) const noexcept { return data_.data() + r * stride_; }
  float scale(std::size_t r) const noexcept { return scales_[scales_.size() == 1 ? 0 : r]; }

  /// Row `r` as one byte an element. \param out  at least columns rounded up to 64; the rest is 0
  void unpack(std::size_t r, std::uint8_t* out) const noexcept;

 private:
  PackedMatrix(std::size_t rows, std::size_t columns, int bits, Format format);  // all zero

  std::size_t rows_ = 0, columns_ = 0, stride_ = 0;
  int bits_ = 8;
  Format format_ = Format::UnitInterval;
  std::vector<float> scales_;  // one, or one a row
  AlignedBytes data_;
};

/// Least squares by streaming gradient descent, y ~ w'x, rows in [0, 1]: up to four rows are
/// multiplied and then update w together, so that w is read and written, and random bits are made,
/// once for four rows. 32 bits: floats. 8 and 4 bits: rows of a PackedMatrix (UnitInterval);
/// coefficients are masters of 16 and 8 bits on a fixed grid of [-range, range], multiplied by
/// their upper 8 and 4 bits and updated with random rounding. The memory-bound case: what it saves
/// is bytes.
class StreamingRegression {
 public:
  static constexpr std::size_t kRows = 4;

  /// \param columns  of a row  \param bits 32, 8 or 4  \param range  greatest |coefficient|
  /// \throws InputError on other bits, columns = 0 or range <= 0
  StreamingRegression(std::size_t columns, int bits, float range, std::uint64_t seed);

  /// Elements a row must have, with zeros beyond `columns` (PackedMatrix pads so by itself).
  std::size_t padded_columns() const noexcept { return padded_; }
  /// Predictions of 1 to kRows rows, then the update w -= rate * sum of (w'x - target) x.
  /// \param next  rows of a later step, as many as this one has: the memory is asked for them
  ///              meanwhile. Floats: of the next step; packed rows: best the one after the next
  void step(std::span<const float* const> rows, std::span<const float> targets, float rate,
            std::span<float> guesses, std::span<const float* const> next = {});  ///< 32 bits
  void step(std::span<const std::uint8_t* const> rows, std::span<const float> targets, float rate,
            std::span<float> guesses,
            std::span<const std::uint8_t* const> next = {});  ///< packed rows
  std::vector<float> coefficients() const;

 private:
  std::size_t columns_, padded_;
  int bits_;
  float unit_;  // of a master
  std::uint64_t seed_, steps_ = 0;
  AlignedBytes master_, operand_;
};

}  // namespace carnot::learn
