// SPDX-License-Identifier: Apache-2.0
// AVX-512 VNNI: 64 products of bytes an instruction, exact in int32 (dpbusd does not saturate).
// Its first factor is unsigned: signed bytes are shifted by 128 and the shift is subtracted again.
#include "learn/kernels/kernel_table.hpp"

#if defined(__x86_64__)
#if defined(__GNUC__) && !defined(__clang__)
// GCC 12's own header starts its "undefined" vectors from themselves (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <bit>
#include <cstring>

#include <immintrin.h>

#include "learn/kernels/elementwise.hpp"

namespace carnot::learn {
namespace {

#if defined(__clang__)
#define CARNOT_TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
#else
#define CARNOT_TARGET \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,prefer-vector-width=512")))
#endif
#define CARNOT_OWN_ROUNDING
#define CARNOT_OWN_STREAMING
#include "learn/kernels/portable_kernels.inc"

/// sum += dot products of four unsigned by four signed bytes a lane. Written as an instruction
/// because GCC 12 copies each accumulator in and out of the intrinsic's tied register.
CARNOT_TARGET inline void add_products(__m512i& sum, __m512i bytes, __m512i signed_bytes) {
  __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(bytes), "v"(signed_bytes));
}

/// Sixteen `rounding_word`s from `counter` on.
CARNOT_TARGET inline __m512i rounding_words(RoundingKey key, std::uint32_t counter) {
  const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  __m512i x = _mm512_add_epi32(_mm512_set1_epi32(static_cast<int>(counter)), lane);
  x = _mm512_xor_si512(x, _mm512_set1_epi32(static_cast<int>(key.first)));
  x = _mm512_xor_si512(x, _mm512_srli_epi32(x, 16));
  x = _mm512_mullo_epi32(x, _mm512_set1_epi32(0x21f0aaad));
  x = _mm512_xor_si512(x, _mm512_srli_epi32(x, 15));
  x = _mm512_add_epi32(x, _mm512_set1_epi32(static_cast<int>(key.second)));
  x = _mm512_mullo_epi32(x, _mm512_set1_epi32(0x735a2d97));
  return _mm512_xor_si512(x, _mm512_srli_epi32(x, 15));
}

/// round_stochastically(clamped(x, limit), draw) in 16 lanes.
CARNOT_TARGET inline __m512i rounded(__m512 x, __m512i draw, float limit) {
  const __m512 low = _mm512_max_ps(x, _mm512_set1_ps(-limit));
  const __m512 bounded = _mm512_min_ps(low, _mm512_set1_ps(limit));
  // (draw + 1/2) / 2^16 and its sum are exact or rounded once, as in round_stochastically.
  const __m512 u =
      _mm512_fmadd_ps(_mm512_cvtepi32_ps(draw), _mm512_set1_ps(0x1p-16f), _mm512_set1_ps(0x1p-17f));
  return _mm512_cvt_roundps_epi32(_mm512_add_ps(bounded, u),
                                  _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
}

CARNOT_TARGET inline __m512i within(__m512i x, __m512i limit) {
  const __m512i least = _mm512_sub_epi32(_mm512_setzero_si512(), limit);
  return _mm512_min_epi32(_mm512_max_epi32(x, least), limit);
}

template <class Master>
CARNOT_TARGET void update(Master* m, const std::int32_t* g, std::size_t n, float factor,
                          RoundingKey key, std::uint32_t index, int shift, int limit,
                          std::int8_t* w) {
  const __m512 by = _mm512_set1_ps(factor);
  const __m512i half = _mm512_set1_epi16(static_cast<short>(1 << (shift - 1)));
  const __m512i most = _mm512_set1_epi16(sizeof(Master) == 2 ? 32767 : 127);
  const __m512i least = _mm512_sub_epi16(_mm512_setzero_si512(), most);
  const __m512i top = _mm512_set1_epi16(static_cast<short>(limit));
  const __m512i bottom = _mm512_sub_epi16(_mm512_setzero_si512(), top);
  const __m128i by_shift = _mm_cvtsi32_si128(shift);
  for (std::size_t at = 0; at < n; at += 32) {
    const __m512i words = rounding_words(key, static_cast<std::uint32_t>((index + at) / 2));
    const __m512 g0 = _mm512_cvtepi32_ps(_mm512_loadu_si512(g + at));
    const __m512 g1 = _mm512_cvtepi32_ps(_mm512_loadu_si512(g + at + 16));
    const __m512i d0 = rounded(_mm512_mul_ps(g0, by),
                               _mm512_and_si512(words, _mm512_set1_epi32(0xffff)), 32767.0f);
    const __m512i d1 = rounded(_mm512_mul_ps(g1, by), _mm512_srli_epi32(words, 16), 32767.0f);
    // From here on 32 lanes of 16 bits, saturating.
    const __m512i d = _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtepi32_epi16(d0)),
                                         _mm512_cvtepi32_epi16(d1), 1);
    __m512i q;
    if constexpr (sizeof(Master) == 2) {
      q = _mm512_max_epi16(_mm512_subs_epi16(_mm512_loadu_si512(m + at), d), least);
      _mm512_storeu_si512(m + at, q);
    } else {
      auto* place = reinterpret_cast<__m256i*>(m + at);
      q = _mm512_subs_epi16(_mm512_cvtepi8_epi16(_mm256_loadu_si256(place)), d);
      q = _mm512_min_epi16(_mm512_max_epi16(q, least), most);
      _mm256_storeu_si256(place, _mm512_cvtepi16_epi8(q));
    }
    const __m512i upper = _mm512_sra_epi16(_mm512_adds_epi16(q, half), by_shift);
    const __m512i kept = _mm512_min_epi16(_mm512_max_epi16(upper, bottom), top);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(w + at), _mm512_cvtepi16_epi8(kept));
  }
}

/// 32 elements of a row of gradients: q = rounded((x * f) * g).
CARNOT_TARGET inline void quantise_32(const float* x, __m512 f0, __m512 f1, __m512 g0, __m512 g1,
                                      __m512i words, int limit, std::int8_t* q) {
  const auto bound = static_cast<float>(limit);
  const __m512i most = _mm512_set1_epi32(limit);
  const __m512 v0 = _mm512_mul_ps(_mm512_mul_ps(_mm512_loadu_ps(x), f0), g0);
  const __m512 v1 = _mm512_mul_ps(_mm512_mul_ps(_mm512_loadu_ps(x + 16), f1), g1);
  const __m512i low = _mm512_and_si512(words, _mm512_set1_epi32(0xffff));
  const __m512i q0 = within(rounded(v0, low, bound), most);
  const __m512i q1 = within(rounded(v1, _mm512_srli_epi32(words, 16), bound), most);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(q), _mm512_cvtepi32_epi8(q0));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(q + 16), _mm512_cvtepi32_epi8(q1));
}

CARNOT_TARGET void quantise_columns(const float* x, std::size_t ld, std::size_t rows, std::size_t n,
                                    const float* row_factor, int limit, RoundingKey key,
                                    std::int8_t* q, std::size_t ldq, float* scale, float* inverse) {
  const auto bound = static_cast<float>(limit);
  for (std::size_t j = 0; j < n; j += 32) {
    __m512 most0 = _mm512_setzero_ps(), most1 = most0;
    for (std::size_t i = 0; i < rows; ++i) {
      const __m512 f = _mm512_set1_ps(row_factor[i]);
      const float* row = x + i * ld + j;
      most0 = _mm512_max_ps(_mm512_abs_ps(_mm512_mul_ps(_mm512_loadu_ps(row), f)), most0);
      most1 = _mm512_max_ps(_mm512_abs_ps(_mm512_mul_ps(_mm512_loadu_ps(row + 16), f)), most1);
    }
    _mm512_storeu_ps(scale + j, most0);
    _mm512_storeu_ps(scale + j + 16, most1);
    for (std::size_t t = j; t < j + 32; ++t) {
      inverse[t] = scale[t] > 1e-30f ? bound / scale[t] : 0.0f;
      scale[t] = scale[t] / bound;
    }
    const __m512 g0 = _mm512_loadu_ps(inverse + j), g1 = _mm512_loadu_ps(inverse + j + 16);
    for (std::size_t i = 0; i < rows; ++i) {
      const __m512 f = _mm512_set1_ps(row_factor[i]);
      quantise_32(x + i * ld + j, f, f, g0, g1,
                  rounding_words(key, static_cast<std::uint32_t>((i * ldq + j) / 2)), limit,
                  q + i * ldq + j);
    }
  }
}

CARNOT_TARGET void quantise_rows(const float* x, std::size_t ld, std::size_t rows, std::size_t n,
                                 const float* column_factor, int limit, RoundingKey key,
                                 std::int8_t* q, std::size_t ldq, float* scale) {
  const auto bound = static_cast<float>(limit);
  for (std::size_t i = 0; i < rows; ++i) {
    const float* row = x + i * ld;
    __m512 most = _mm512_setzero_ps();
    for (std::size_t j = 0; j < n; j += 16) {
      const __m512 v = _mm512_mul_ps(_mm512_loadu_ps(row + j), _mm512_loadu_ps(column_factor + j));
      most = _mm512_max_ps(_mm512_abs_ps(v), most);
    }
    const float top = _mm512_reduce_max_ps(most);
    const float inverse = top > 1e-30f ? bound / top : 0.0f;
    scale[i] = top / bound;
    const __m512 g = _mm512_set1_ps(inverse);
    for (std::size_t j = 0; j < n; j += 32) {
      quantise_32(row + j, _mm512_loadu_ps(column_factor + j),
                  _mm512_loadu_ps(column_factor + j + 16), g, g,
                  rounding_words(key, static_cast<std::uint32_t>((i * ldq + j) / 2)), limit,
                  q + i * ldq + j);
    }
  }
}

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
        add_products(s0, flip, _mm512_loadu_si512(w0 + p));
        add_products(s1, flip, _mm512_loadu_si512(w0 + ldw + p));
        add_products(s2, flip, _mm512_loadu_si512(w0 + 2 * ldw + p));
        add_products(s3, flip, _mm512_loadu_si512(w0 + 3 * ldw + p));
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
          for (std::size_t c = 0; c < 4; ++c) add_products(sum[r][c], a, b[c]);
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
  // Of x what fits the first-level cache at a time, and of w a part of the second-level one, which
  // all rows of x then pass by.
  const std::size_t few = (std::size_t{32} << 10) / ldx / 4 * 4;
  const std::size_t rows = few < 4 ? 4 : few;
  const std::size_t some = (std::size_t{256} << 10) / ldw / 4 * 4;
  const std::size_t columns = some < 4 ? 4 : some;
  for (std::size_t j = 0; j < n; j += columns) {
    const std::size_t width = n - j < columns ? n - j : columns;
    const std::int8_t* from = w + j * ldw;
    for (std::size_t i = 0; i < m; i += rows) {
      const std::size_t height = m - i < rows ? m - i : rows;
      if (x_signed) {
        product_nt_of<true>(x + i * ldx, ldx, from, ldw, height, width, k, y + i * ldy + j, ldy);
      } else {
        product_nt_of<false>(x + i * ldx, ldx, from, ldw, height, width, k, y + i * ldy + j, ldy);
      }
    }
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
        add_products(sum[r][v], value[v], spread);
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
    if constexpr (kRows == 8) {
      __m256i sum = _mm256_setzero_si256();
      for (std::size_t g = 0; g < groups; ++g) {
        const auto* fours = reinterpret_cast<const __m256i*>(a + g * lda * 4);
        sum = _mm256_dpbusd_epi32(sum, _mm256_set1_epi8(1), _mm256_loadu_si256(fours));
      }
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(offset), _mm256_slli_epi32(sum, 7));
    } else {
      __m128i sum = _mm_setzero_si128();
      for (std::size_t g = 0; g < groups; ++g) {
        const auto* fours = reinterpret_cast<const __m128i*>(a + g * lda * 4);
        sum = _mm_dpbusd_epi32(sum, _mm_set1_epi8(1), _mm_loadu_si128(fours));
      }
      _mm_storeu_si128(reinterpret_cast<__m128i*>(offset), _mm_slli_epi32(sum, 7));
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

#include "learn/kernels/streaming_avx512.inc"

}  // namespace

const KernelTable& avx512_kernels() noexcept {
  static constexpr KernelTable table = {"avx512-vnni",
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
const KernelTable& avx512_kernels() noexcept { return scalar_kernels(); }
}  // namespace carnot::learn
#endif
