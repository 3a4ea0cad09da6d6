// SPDX-License-Identifier: Apache-2.0
// AVX2: bytes are widened to 16 bits before they are multiplied, so nothing saturates (maddubs
// would).
#include "learn/kernels/kernel_table.hpp"

#if defined(__x86_64__)
#include <bit>
#include <cstring>

#include <immintrin.h>

#include "learn/kernels/elementwise.hpp"

namespace carnot::learn {
namespace {

#define CARNOT_TARGET __attribute__((target("avx2")))
#include "learn/kernels/portable_kernels.inc"

template <bool kSigned>
CARNOT_TARGET inline __m256i widened(const void* from) {
  const __m128i bytes = _mm_loadu_si128(static_cast<const __m128i*>(from));
  return kSigned ? _mm256_cvtepi8_epi16(bytes) : _mm256_cvtepu8_epi16(bytes);
}

CARNOT_TARGET inline std::int32_t total(__m256i v) {
  __m128i s = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4E));
  s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0xB1));
  return _mm_cvtsi128_si32(s);
}

template <bool kSigned>
CARNOT_TARGET void product_nt_of(const std::uint8_t* x, std::size_t ldx, const std::int8_t* w,
                                 std::size_t ldw, std::size_t m, std::size_t n, std::size_t k,
                                 std::int32_t* y, std::size_t ldy) {
  for (std::size_t j = 0; j < n; j += 2) {
    for (std::size_t i = 0; i < m; i += 4) {
      __m256i sum[4][2];
#pragma GCC unroll 4
      for (int r = 0; r < 4; ++r) sum[r][0] = sum[r][1] = _mm256_setzero_si256();
      for (std::size_t p = 0; p < k; p += 16) {
        const __m256i b0 = widened<true>(w + j * ldw + p);
        const __m256i b1 = widened<true>(w + (j + 1) * ldw + p);
#pragma GCC unroll 4
        for (std::size_t r = 0; r < 4; ++r) {
          const __m256i a = widened<kSigned>(x + (i + r) * ldx + p);
          sum[r][0] = _mm256_add_epi32(sum[r][0], _mm256_madd_epi16(a, b0));
          sum[r][1] = _mm256_add_epi32(sum[r][1], _mm256_madd_epi16(a, b1));
        }
      }
#pragma GCC unroll 4
      for (std::size_t r = 0; r < 4; ++r) {
        y[(i + r) * ldy + j] = total(sum[r][0]);
        y[(i + r) * ldy + j + 1] = total(sum[r][1]);
      }
    }
  }
}

CARNOT_TARGET void product_nt(const std::uint8_t* x, std::size_t ldx, bool x_signed,
                              const std::int8_t* w, std::size_t ldw, std::size_t m, std::size_t n,
                              std::size_t k, std::int32_t* y, std::size_t ldy) {
  if (x_signed) {
    product_nt_of<true>(x, ldx, w, ldw, m, n, k, y, ldy);
  } else {
    product_nt_of<false>(x, ldx, w, ldw, m, n, k, y, ldy);
  }
}

CARNOT_TARGET void product_nn(const std::int8_t* a, std::size_t lda, const std::uint8_t* b,
                              std::size_t ldb, bool b_offset, std::size_t m, std::size_t n,
                              std::size_t groups, std::int32_t* c, std::size_t ldc) {
  const __m256i offset = _mm256_set1_epi16(b_offset ? 128 : 0);
  for (std::size_t i = 0; i < m; i += 4) {
    for (std::size_t j = 0; j < n; j += 8) {
      __m256i sum[4][2];  // four columns each, two halves of a column side by side
#pragma GCC unroll 4
      for (int r = 0; r < 4; ++r) sum[r][0] = sum[r][1] = _mm256_setzero_si256();
      for (std::size_t g = 0; g < groups; ++g) {
        const std::uint8_t* from = b + (g * ldb + j) * 4;
        const __m256i b0 = _mm256_sub_epi16(widened<false>(from), offset);
        const __m256i b1 = _mm256_sub_epi16(widened<false>(from + 16), offset);
#pragma GCC unroll 4
        for (std::size_t r = 0; r < 4; ++r) {
          std::int32_t four;
          std::memcpy(&four, a + (g * lda + i + r) * 4, 4);
          const __m256i spread = _mm256_cvtepi8_epi16(_mm_set1_epi32(four));
          sum[r][0] = _mm256_add_epi32(sum[r][0], _mm256_madd_epi16(b0, spread));
          sum[r][1] = _mm256_add_epi32(sum[r][1], _mm256_madd_epi16(b1, spread));
        }
      }
#pragma GCC unroll 4
      for (std::size_t r = 0; r < 4; ++r) {
        const __m256i mixed = _mm256_hadd_epi32(sum[r][0], sum[r][1]);  // 0 1 4 5 | 2 3 6 7
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(c + (i + r) * ldc + j),
                            _mm256_permute4x64_epi64(mixed, 0xD8));
      }
    }
  }
}

CARNOT_TARGET void interleave(const std::uint8_t* in, std::size_t ld, std::size_t rows,
                              std::size_t n, std::uint8_t flip, std::uint8_t* out) {
  const __m128i mask = _mm_set1_epi8(static_cast<char>(flip));
  const auto load = [&](const std::uint8_t* from) CARNOT_TARGET {
    return _mm_xor_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)), mask);
  };
  for (std::size_t r = 0; r < rows; r += 4) {
    const std::uint8_t* row = in + r * ld;
    for (std::size_t j = 0; j < n; j += 16) {
      const __m128i a = load(row + j), b = load(row + ld + j);
      const __m128i c = load(row + 2 * ld + j), d = load(row + 3 * ld + j);
      const __m128i ab0 = _mm_unpacklo_epi8(a, b), ab1 = _mm_unpackhi_epi8(a, b);
      const __m128i cd0 = _mm_unpacklo_epi8(c, d), cd1 = _mm_unpackhi_epi8(c, d);
      auto* to = reinterpret_cast<__m128i*>(out);
      _mm_storeu_si128(to, _mm_unpacklo_epi16(ab0, cd0));
      _mm_storeu_si128(to + 1, _mm_unpackhi_epi16(ab0, cd0));
      _mm_storeu_si128(to + 2, _mm_unpacklo_epi16(ab1, cd1));
      _mm_storeu_si128(to + 3, _mm_unpackhi_epi16(ab1, cd1));
      out += 64;
    }
  }
}

}  // namespace

const KernelTable& avx2_kernels() noexcept {
  static constexpr KernelTable table = {"avx2",
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
#else
namespace carnot::learn {
const KernelTable& avx2_kernels() noexcept { return scalar_kernels(); }
}  // namespace carnot::learn
#endif
