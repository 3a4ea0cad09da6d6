// SPDX-License-Identifier: Apache-2.0
#pragma once

// The functions that exist once per instruction set. `kernels()` is the table in use.
//
// Padding: byte rows are zero-padded to 64, counts of rows to 4; float rows to 32.

#include <cstddef>
#include <cstdint>

#include "carnot/learn/kernels/kernels.hpp"

namespace carnot::learn {

struct KernelTable {
  const char* name;

  /// y[i][j] = sum_k x[i][k] * w[j][k], exact. x is uint8 or (x_signed) int8.
  /// m, n multiples of 4, k of 64.
  void (*product_nt)(const std::uint8_t* x, std::size_t ldx, bool x_signed, const std::int8_t* w,
                     std::size_t ldw, std::size_t m, std::size_t n, std::size_t k, std::int32_t* y,
                     std::size_t ldy);
  /// c[i][j] = sum_k a[k][i] * b[k][j], exact, for m rows of `a` from the pointer given. Both are
  /// in groups of 4 consecutive k: a[k / 4][i][k % 4] (int8), b[k / 4][j][k % 4] (uint8, and
  /// b_offset then says that 128 was added to each). m multiple of 4, n of 16; lda, ldb count
  /// columns.
  void (*product_nn)(const std::int8_t* a, std::size_t lda, const std::uint8_t* b, std::size_t ldb,
                     bool b_offset, std::size_t m, std::size_t n, std::size_t groups,
                     std::int32_t* c, std::size_t ldc);
  /// Makes the groups of 4 rows above: out[r / 4][j][r % 4] = in[r][j] ^ flip. rows multiple of 4,
  /// n of 64.
  void (*interleave)(const std::uint8_t* in, std::size_t ld, std::size_t rows, std::size_t n,
                     std::uint8_t flip, std::uint8_t* out);
  /// One byte an element of a packed row (PackedMatrix' layout). n multiple of 64.
  void (*unpack)(const std::uint8_t* row, int bits, bool is_signed, std::size_t n,
                 std::uint8_t* out);

  /// out = x * inverse clamped to [low, high] and rounded to nearest, as bytes.
  void (*to_bytes)(const float* x, std::size_t n, float inverse, float low, float high,
                   std::uint8_t* out);
  /// The reverse of unpack, into a row that is zero; 64 * chunks bytes in.
  void (*pack)(const std::uint8_t* in, std::size_t chunks, int bits, std::uint8_t* row);

  /// m -= round(factor * g), saturating, stochastic; w = m rounded to its upper bits.
  /// n multiple of 32; `index` counts the rounding draws, multiple of 32.
  void (*update16)(std::int16_t* m, const std::int32_t* g, std::size_t n, float factor,
                   RoundingKey key, std::uint32_t index, int shift, int limit, std::int8_t* w);
  void (*update8)(std::int8_t* m, const std::int32_t* g, std::size_t n, float factor,
                  RoundingKey key, std::uint32_t index, int shift, int limit, std::int8_t* w);
  /// Rescaling of masters: m = round(factor * m), saturating, stochastic.
  void (*rescale16)(std::int16_t* m, std::size_t n, float factor, RoundingKey key,
                    std::uint32_t index);
  void (*rescale8)(std::int8_t* m, std::size_t n, float factor, RoundingKey key,
                   std::uint32_t index);
  /// w = upper bits of m.
  void (*round16)(const std::int16_t* m, std::size_t n, int shift, int limit, std::int8_t* w);
  void (*round8)(const std::int8_t* m, std::size_t n, int shift, int limit, std::int8_t* w);

  /// Per row: scale = max / levels, q = nearest. Values >= 0 (ReLU). n multiple of 32.
  void (*quantise_activations)(const float* x, std::size_t ld, std::size_t rows, std::size_t n,
                               int levels, std::uint8_t* q, std::size_t ldq, float* scale);
  /// Gradients for dW: column j shares scale[j] = max_i |x[i][j] * row_factor[i]| / limit;
  /// q = stochastic. n, ldq multiples of 32.
  void (*quantise_columns)(const float* x, std::size_t ld, std::size_t rows, std::size_t n,
                           const float* row_factor, int limit, RoundingKey key, std::int8_t* q,
                           std::size_t ldq, float* scale, float* inverse);
  /// Gradients for dX: row i shares scale[i]; x[i][j] is first multiplied by column_factor[j].
  /// n multiple of 32.
  void (*quantise_rows)(const float* x, std::size_t ld, std::size_t rows, std::size_t n,
                        const float* column_factor, int limit, RoundingKey key, std::int8_t* q,
                        std::size_t ldq, float* scale);

  /// out[i][j] = y[i][j] * (row_scale[i] * column_scale[j]) + bias[j], then max(0, .) if relu.
  void (*finish_forward)(const std::int32_t* y, std::size_t ldy, std::size_t rows, std::size_t n,
                         const float* row_scale, const float* column_scale, const float* bias,
                         bool relu, float* out, std::size_t ld);
  /// out[i][j] = y[i][j] * row_scale[i] where gate[i][j] > 0, else 0.
  void (*finish_backward)(const std::int32_t* y, std::size_t ldy, std::size_t rows, std::size_t n,
                          const float* row_scale, const float* gate, float* out, std::size_t ld);
  /// sum[j] = sum_i x[i][j], i ascending. n multiple of 16.
  void (*column_sums)(const float* x, std::size_t ld, std::size_t rows, std::size_t n, float* sum);
  /// x[i] = exp(x[i] - less) for n numbers, arguments <= 0 (own polynomial).
  void (*exponentials)(float* x, std::size_t n, float less);

  /// c (+)= a b for float matrices: a[i][k] is at a + i * a_row + k * a_column, b is row-major
  /// [k x n]. The portable fallback for products in binary32.
  void (*float_product)(const float* a, std::size_t a_row, std::size_t a_column, const float* b,
                        std::size_t ldb, std::size_t m, std::size_t n, std::size_t k, bool add,
                        float* c, std::size_t ldc);
  /// In place helpers of the float path. n any.
  void (*bias_relu)(float* x, std::size_t ld, std::size_t rows, std::size_t n, const float* bias,
                    bool relu);
  void (*gate)(float* x, std::size_t ld, std::size_t rows, std::size_t n, const float* gate);
  void (*to_bf16)(const float* x, std::size_t n, float factor, std::uint16_t* out);

  // Streaming gradient descent, four rows at a time. n multiple of 64 (4-bit rows, in PackedMatrix'
  // layout: of 128). `next`: rows that will be wanted soon; the memory is asked for one half of
  // them while dots run and for the other while coefficients change, so that it never rests.
  float (*dot_f32)(const float* x, const float* w, std::size_t n);
  /// sums[r] = sum of x[r] times w. Floats: `rows` <= 2 leaves out the last two of x and next, so
  /// that long rows and those that come next stay in the first-level cache together.
  void (*dots_f32)(const float* const* x, std::size_t rows, const float* w, std::size_t n,
                   const float* const* next, float* sums);
  void (*dots_u8)(const std::uint8_t* const* x, const std::int8_t* w, std::size_t n,
                  const std::uint8_t* const* next, std::int32_t* sums);
  /// 16 times the sums of x[r] times the upper 4 bits of m.
  void (*dots_u4)(const std::uint8_t* const* x, const std::int8_t* m, std::size_t n,
                  const std::uint8_t* const* next, std::int32_t* sums);
  /// w += sum of a[r] x[r], r ascending.
  void (*descend_f32)(const float* const* x, std::size_t rows, const float* a, std::size_t n,
                      const float* const* next, float* w);
  /// m -= floor((sum of c[r] x[r] + draw) / 2^shift), saturating; the draw is the upper `shift`
  /// bits of `streaming_draw`. w = m rounded to its upper 8 bits. m is in `streaming_place` order.
  /// shift <= 13, |c| <= 24.
  void (*descend_u8)(const std::uint8_t* const* x, const std::int8_t* c, int shift, RoundingKey key,
                     std::size_t n, const std::uint8_t* const* next, std::int16_t* m,
                     std::int8_t* w);
  /// The same with masters of 8 bits in column order. shift <= 14.
  void (*descend_u4)(const std::uint8_t* const* x, const std::int8_t* c, int shift, RoundingKey key,
                     std::size_t n, const std::uint8_t* const* next, std::int8_t* m);
};

/// Where a streamed column's draw and 16-bit master are: in each 64 columns first the lower, then
/// the upper 8 of every 16, because that is how AVX unpacks bytes.
constexpr std::size_t streaming_place(std::size_t column) noexcept {
  return column / 64 * 64 + column % 16 / 8 * 32 + column % 64 / 16 * 8 + column % 8;
}
/// Random bits of streamed columns: each place combines a base with one step for every bit set in
/// the Gray code of its number, so that the next 32 places cost one exclusive or. Bits of any two
/// places are independent, which is all that the variance of a sum asks for.
constexpr std::size_t kStreamingSteps = 28;

const KernelTable& kernels() noexcept;

const KernelTable& scalar_kernels() noexcept;
const KernelTable& avx2_kernels() noexcept;    ///< only where the processor has AVX2
const KernelTable& avx512_kernels() noexcept;  ///< only with AVX-512 F, BW, DQ, VL, VNNI

}  // namespace carnot::learn
