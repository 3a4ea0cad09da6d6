// SPDX-License-Identifier: Apache-2.0
// AVX-512 VNNI: 64 products of bytes an instruction, exact in int32 (dpbusd does not saturate).
// Its first factor is unsigned: signed bytes are shifted by 128 and the shift is subtracted again.
#include "learn/kernel_table.hpp"

#if defined(__x86_64__)
#if defined(__GNUC__) && !defined(__clang__)
// GCC 12's own header starts its "undefined" vectors from themselves (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <bit>
#include <cstring>

#include <immintrin.h>

#include "learn/elementwise.hpp"

namespace carnot::learn {
namespace {

#if defined(__clang__)
#define CARNOT_TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
#else
#define CARNOT_TARGET \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,prefer-vector-width=512")))
#endif
#include "learn/portable_kernels.inc"

/// Sums of the bytes of four rows, times 128, in lanes 0..3 of each 128 bits.
CARNOT_TARGET inline __m512i add_lanes(__m512i a0, __m512i a1, __m512i a2, __m512i a3) {
  const __m512i u = _mm512_add_epi32(_mm512_unpacklo_epi32(a0, a1), _mm512_unpackhi_epi32(a0, a1));
  const __m512i v = _mm512_add_epi32(_mm512_unpacklo_epi32(a2, a3), _mm512_unpackhi_epi32(a2, a3));
  return _mm512_add_epi32(_mm512_unpacklo_epi64(u, v), _mm512_unpackhi_epi64(u, v));
}

/// Adds the four 128-bit lanes of each of four vectors; lane i of the result is that of t[i].
CARNOT_TARGET inline __m512i add_quarters(__m512i t0, __m512i t1, __m512i t2, __m512i t3) {
  const __m512i u =
      _mm512_add_epi32(_mm512_shuffle_i32x4(t0, t1, 0x44), _mm512_shuffle_i32x4(t0, t1, 0xEE));
  const __m512i v =
      _mm512_add_epi32(_mm512_shuffle_i32x4(t2, t3, 0x44), _mm512_shuffle_i32x4(t2, t3, 0xEE));
  return _mm512_add_epi32(_mm512_shuffle_i32x4(u, v, 0x88), _mm512_shuffle_i32x4(u, v, 0xDD));
}

template <bool kSigned>
CARNOT_TARGET void product_nt_of(const std::uint8_t* x, std::size_t ldx, const std::int8_t* w,
                                 std::size_t ldw, std::size_t m, std::size_t n, std::size_t k,
                                 std::int32_t* y, std::size_t ldy) {
  const __m512i flip = _mm512_set1_epi8(static_cast<char>(0x80));
  for (std::size_t j = 0; j < n; j += 4) {
    const std::int8_t* w0 = w + j * ldw;
    __m512i offset = _mm512_setzero_si512();
    if constexpr (kSigned) {
      __m512i s0 = offset, s1 = offset, s2 = offset, s3 = offset;
      for (std::size_t p = 0; p < k; p += 64) {
        s0 = _mm512_dpbusd_epi32(s0, flip, _mm512_loadu_si512(w0 + p));
        s1 = _mm512_dpbusd_epi32(s1, flip, _mm512_loadu_si512(w0 + ldw + p));
        s2 = _mm512_dpbusd_epi32(s2, flip, _mm512_loadu_si512(w0 + 2 * ldw + p));
        s3 = _mm512_dpbusd_epi32(s3, flip, _mm512_loadu_si512(w0 + 3 * ldw + p));
      }
      const __m512i t = add_lanes(s0, s1, s2, s3);
      offset = add_quarters(t, t, t, t);
    }
    for (std::size_t i = 0; i < m; i += 4) {
      const std::uint8_t* x0 = x + i * ldx;
      __m512i sum[4][4];
#pragma GCC unroll 4
      for (int r = 0; r < 4; ++r) {
#pragma GCC unroll 4
        for (int c = 0; c < 4; ++c) sum[r][c] = _mm512_setzero_si512();
      }
      for (std::size_t p = 0; p < k; p += 64) {
        __m512i b[4];
#pragma GCC unroll 4
        for (std::size_t c = 0; c < 4; ++c) b[c] = _mm512_loadu_si512(w0 + c * ldw + p);
#pragma GCC unroll 4
        for (std::size_t r = 0; r < 4; ++r) {
          __m512i a = _mm512_loadu_si512(x0 + r * ldx + p);
          if constexpr (kSigned) a = _mm512_xor_si512(a, flip);
#pragma GCC unroll 4
          for (std::size_t c = 0; c < 4; ++c) sum[r][c] = _mm512_dpbusd_epi32(sum[r][c], a, b[c]);
        }
      }
      __m512i rows[4];
#pragma GCC unroll 4
      for (int r = 0; r < 4; ++r) {
        rows[r] = add_lanes(sum[r][0], sum[r][1], sum[r][2], sum[r][3]);
      }
      __m512i all = add_quarters(rows[0], rows[1], rows[2], rows[3]);
      if constexpr (kSigned) all = _mm512_sub_epi32(all, offset);
      std::int32_t* to = y + i * ldy + j;
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_castsi512_si128(all));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to + ldy), _mm512_extracti32x4_epi32(all, 1));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 2 * ldy), _mm512_extracti32x4_epi32(all, 2));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 3 * ldy), _mm512_extracti32x4_epi32(all, 3));
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

/// kRows rows of c by kVectors * 16 columns.
template <std::size_t kRows, std::size_t kVectors>
CARNOT_TARGET inline void tile_nn(const std::int8_t* a, std::size_t lda, const std::uint8_t* b,
                                  std::size_t ldb, const std::int32_t* offset, std::size_t groups,
                                  std::int32_t* c, std::size_t ldc) {
  __m512i sum[kRows][kVectors];
#pragma GCC unroll 8
  for (std::size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 3
    for (std::size_t v = 0; v < kVectors; ++v) sum[r][v] = _mm512_set1_epi32(-offset[r]);
  }
  for (std::size_t g = 0; g < groups; ++g) {
    const std::uint8_t* from = b + g * ldb * 4;
    const std::int8_t* fours = a + g * lda * 4;
    __m512i value[kVectors];
#pragma GCC unroll 3
    for (std::size_t v = 0; v < kVectors; ++v) value[v] = _mm512_loadu_si512(from + 64 * v);
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) {
      std::int32_t four;
      std::memcpy(&four, fours + 4 * r, 4);
      const __m512i spread = _mm512_set1_epi32(four);
#pragma GCC unroll 3
      for (std::size_t v = 0; v < kVectors; ++v) {
        sum[r][v] = _mm512_dpbusd_epi32(sum[r][v], value[v], spread);
      }
    }
  }
#pragma GCC unroll 8
  for (std::size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 3
    for (std::size_t v = 0; v < kVectors; ++v) {
      _mm512_storeu_si512(c + r * ldc + 16 * v, sum[r][v]);
    }
  }
}

template <std::size_t kRows>
CARNOT_TARGET void rows_nn(const std::int8_t* a, std::size_t lda, const std::uint8_t* b,
                           std::size_t ldb, bool b_offset, std::size_t n, std::size_t groups,
                           std::int32_t* c, std::size_t ldc) {
  std::int32_t offset[kRows] = {};
  if (b_offset) {
    for (std::size_t g = 0; g < groups; ++g) {
      for (std::size_t r = 0; r < kRows; ++r) {
        for (std::size_t t = 0; t < 4; ++t) offset[r] += 128 * a[(g * lda + r) * 4 + t];
      }
    }
  }
  std::size_t j = 0;
  for (; j + 48 <= n; j += 48) {
    tile_nn<kRows, 3>(a, lda, b + j * 4, ldb, offset, groups, c + j, ldc);
  }
  if (j + 32 <= n) {
    tile_nn<kRows, 2>(a, lda, b + j * 4, ldb, offset, groups, c + j, ldc);
  } else if (j < n) {
    tile_nn<kRows, 1>(a, lda, b + j * 4, ldb, offset, groups, c + j, ldc);
  }
}

CARNOT_TARGET void product_nn(const std::int8_t* a, std::size_t lda, const std::uint8_t* b,
                              std::size_t ldb, bool b_offset, std::size_t m, std::size_t n,
                              std::size_t groups, std::int32_t* c, std::size_t ldc) {
  std::size_t i = 0;
  for (; i + 8 <= m; i += 8) {
    rows_nn<8>(a + i * 4, lda, b, ldb, b_offset, n, groups, c + i * ldc, ldc);
  }
  if (i < m) rows_nn<4>(a + i * 4, lda, b, ldb, b_offset, n, groups, c + i * ldc, ldc);
}

CARNOT_TARGET void interleave(const std::uint8_t* in, std::size_t ld, std::size_t rows,
                              std::size_t n, std::uint8_t flip, std::uint8_t* out) {
  const __m512i mask = _mm512_set1_epi8(static_cast<char>(flip));
  for (std::size_t r = 0; r < rows; r += 4) {
    const std::uint8_t* row = in + r * ld;
    for (std::size_t j = 0; j < n; j += 64) {
      const __m512i a = _mm512_xor_si512(_mm512_loadu_si512(row + j), mask);
      const __m512i b = _mm512_xor_si512(_mm512_loadu_si512(row + ld + j), mask);
      const __m512i c = _mm512_xor_si512(_mm512_loadu_si512(row + 2 * ld + j), mask);
      const __m512i d = _mm512_xor_si512(_mm512_loadu_si512(row + 3 * ld + j), mask);
      const __m512i ab0 = _mm512_unpacklo_epi8(a, b), ab1 = _mm512_unpackhi_epi8(a, b);
      const __m512i cd0 = _mm512_unpacklo_epi8(c, d), cd1 = _mm512_unpackhi_epi8(c, d);
      // Lane L of q[i] holds columns 16 L + 4 i .. + 3.
      const __m512i q0 = _mm512_unpacklo_epi16(ab0, cd0), q1 = _mm512_unpackhi_epi16(ab0, cd0);
      const __m512i q2 = _mm512_unpacklo_epi16(ab1, cd1), q3 = _mm512_unpackhi_epi16(ab1, cd1);
      const __m512i s0 = _mm512_shuffle_i32x4(q0, q1, 0x44),
                    s1 = _mm512_shuffle_i32x4(q2, q3, 0x44);
      const __m512i s2 = _mm512_shuffle_i32x4(q0, q1, 0xEE),
                    s3 = _mm512_shuffle_i32x4(q2, q3, 0xEE);
      _mm512_storeu_si512(out, _mm512_shuffle_i32x4(s0, s1, 0x88));
      _mm512_storeu_si512(out + 64, _mm512_shuffle_i32x4(s0, s1, 0xDD));
      _mm512_storeu_si512(out + 128, _mm512_shuffle_i32x4(s2, s3, 0x88));
      _mm512_storeu_si512(out + 192, _mm512_shuffle_i32x4(s2, s3, 0xDD));
      out += 256;
    }
  }
}

}  // namespace

const KernelTable& avx512_kernels() noexcept {
  static constexpr KernelTable table = {"avx512-vnni",
                                        product_nt,
                                        product_nn,
                                        interleave,
                                        unpack,
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
                                        to_bf16};
  return table;
}

}  // namespace carnot::learn
#else
namespace carnot::learn {
const KernelTable& avx512_kernels() noexcept { return scalar_kernels(); }
}  // namespace carnot::learn
#endif
