// SPDX-License-Identifier: Apache-2.0
#pragma once

// The functions that exist once per instruction set. `kernels()` is the table in use.
//
// Padding: byte rows are zero-padded to 64, counts of rows to 4; float rows to 32.

#include <cstddef>
#include <cstdint>

#include "carnot/learn/kernels.hpp"

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
};

const KernelTable& kernels() noexcept;

const KernelTable& scalar_kernels() noexcept;
const KernelTable& avx2_kernels() noexcept;    ///< only where the processor has AVX2
const KernelTable& avx512_kernels() noexcept;  ///< only with AVX-512 F, BW, DQ, VL, VNNI

}  // namespace carnot::learn
