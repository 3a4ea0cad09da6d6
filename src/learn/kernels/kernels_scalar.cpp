// SPDX-License-Identifier: Apache-2.0
// Kernels for any processor; also the oracle of the others.
#include <bit>
#include <cstring>

#include "learn/kernels/elementwise.hpp"
#include "learn/kernels/kernel_table.hpp"

namespace carnot::learn {
namespace {

#define CARNOT_TARGET
#include "learn/kernels/portable_kernels.inc"

void product_nt(const std::uint8_t* x, std::size_t ldx, bool x_signed, const std::int8_t* w,
                std::size_t ldw, std::size_t m, std::size_t n, std::size_t k, std::int32_t* y,
                std::size_t ldy) {
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      const std::uint8_t* a = x + i * ldx;
      const std::int8_t* b = w + j * ldw;
      std::int32_t sum = 0;
      if (x_signed) {
        for (std::size_t p = 0; p < k; ++p) sum += static_cast<std::int8_t>(a[p]) * b[p];
      } else {
        for (std::size_t p = 0; p < k; ++p) sum += a[p] * b[p];
      }
      y[i * ldy + j] = sum;
    }
  }
}

void product_nn(const std::int8_t* a, std::size_t lda, const std::uint8_t* b, std::size_t ldb,
                bool b_offset, std::size_t m, std::size_t n, std::size_t groups, std::int32_t* c,
                std::size_t ldc) {
  const std::int32_t offset = b_offset ? 128 : 0;
  for (std::size_t i = 0; i < m; ++i) {
    std::int32_t* to = c + i * ldc;
    for (std::size_t j = 0; j < n; ++j) to[j] = 0;
    for (std::size_t g = 0; g < groups; ++g) {
      const std::int8_t* four = a + (g * lda + i) * 4;
      const std::uint8_t* from = b + g * ldb * 4;
      for (std::size_t j = 0; j < n; ++j) {
        for (std::size_t t = 0; t < 4; ++t) to[j] += four[t] * (from[j * 4 + t] - offset);
      }
    }
  }
}

void interleave(const std::uint8_t* in, std::size_t ld, std::size_t rows, std::size_t n,
                std::uint8_t flip, std::uint8_t* out) {
  for (std::size_t r = 0; r < rows; r += 4) {
    for (std::size_t j = 0; j < n; ++j) {
      for (std::size_t t = 0; t < 4; ++t) {
        *out++ = static_cast<std::uint8_t>(in[(r + t) * ld + j] ^ flip);
      }
    }
  }
}

}  // namespace

const KernelTable& scalar_kernels() noexcept {
  static constexpr KernelTable table = {"scalar",
                                        product_nt,
                                        product_nn,
                                        interleave,
                                        unpack,
                                        to_bytes,
                                        pack,
                                        update<std::int16_t>,
                                        update<std::int8_t>,
                                        rescale<std::int16_t>,
                                        rescale<std::int8_t>,
                                        round_upper<std::int16_t>,
                                        round_upper<std::int8_t>,
                                        quantise_activations,
                                        quantise_columns,
                                        quantise_rows,
                                        finish_forward,
                                        finish_backward,
                                        column_sums,
                                        exponentials,
                                        float_product,
                                        bias_relu,
                                        gate,
                                        to_bf16,
                                        dot_f32,
                                        dots_f32,
                                        dots_u8,
                                        dots_u4,
                                        descend_f32,
                                        descend_u8,
                                        descend_u4};
  return table;
}

}  // namespace carnot::learn
