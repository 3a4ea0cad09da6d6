// SPDX-License-Identifier: Apache-2.0
// Kernels: each instruction set against plain loops, and random rounding against its statistics.
#include "carnot/learn/kernels/kernels.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"
#include "carnot/learn/network/learner.hpp"

#include "learn/kernels/elementwise.hpp"
#include "learn/kernels/kernel_table.hpp"

namespace carnot::learn {
namespace {

std::vector<std::string> supported() {
  std::vector<std::string> names;
  const std::string before = instruction_set();
  for (const char* name : {"scalar", "avx2", "avx512-vnni"}) {
    try {
      set_instruction_set(name);
      names.emplace_back(name);
    } catch (const InputError&) {
    }
  }
  set_instruction_set(before);
  return names;
}

/// Runs `body` once per instruction set and puts the choice back.
template <class Body>
void for_each_set(Body body) {
  const std::string before = instruction_set();
  for (const auto& name : supported()) {
    SCOPED_TRACE(name);
    set_instruction_set(name);
    body();
  }
  set_instruction_set(before);
}

std::vector<std::uint8_t> random_bytes(std::size_t n, std::uint64_t seed, int lowest, int highest) {
  const RandomStream stream(seed, "bytes");
  std::vector<std::uint8_t> bytes(n);
  for (std::size_t i = 0; i < n; ++i) {
    const auto span = static_cast<std::uint64_t>(highest - lowest + 1);
    bytes[i] = static_cast<std::uint8_t>(lowest + static_cast<int>(stream.below(i, span)));
  }
  return bytes;
}

std::vector<float> random_floats(std::size_t n, std::uint64_t seed, float low, float high) {
  const RandomStream stream(seed, "floats");
  std::vector<float> values(n);
  for (std::size_t i = 0; i < n; ++i) {
    values[i] = low + (high - low) * static_cast<float>(stream.uniform(i));
  }
  return values;
}

void check_products(std::size_t m, std::size_t n, std::size_t k, bool is_signed, std::uint64_t seed,
                    bool extreme) {
  const std::size_t k64 = (k + 63) / 64 * 64, n16 = (n + 15) / 16 * 16;
  auto x = random_bytes(m * k64, seed, is_signed ? -127 : 0, is_signed ? 127 : 255);
  auto w = random_bytes(n16 * k64, seed + 1, -127, 127);
  if (extreme) {
    // Where 16-bit intermediate sums would saturate.
    std::fill(x.begin(), x.end(), static_cast<std::uint8_t>(is_signed ? 127 : 255));
    std::fill(w.begin(), w.end(), static_cast<std::uint8_t>(127));
  }
  const auto* ws = reinterpret_cast<const std::int8_t*>(w.data());
  std::vector<std::int32_t> expected(m * n16, 0), y(m * n16), c(m * n16);
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n16; ++j) {
      std::int64_t sum = 0;
      for (std::size_t p = 0; p < k64; ++p) {
        const int a = is_signed ? static_cast<std::int8_t>(x[i * k64 + p]) : x[i * k64 + p];
        sum += a * ws[j * k64 + p];
      }
      expected[i * n16 + j] = static_cast<std::int32_t>(sum);
    }
  }
  kernels().product_nt(x.data(), k64, is_signed, ws, k64, m, n16, k64, y.data(), n16);
  ASSERT_EQ(y, expected);

  // The other shape wants groups of four k: c = W' X' with w as the signed factor.
  std::vector<std::uint8_t> a(k64 * n16), b(k64 * m);
  std::vector<std::uint8_t> wt(k64 * ((n16 + 63) / 64 * 64)), xt(k64 * ((m + 63) / 64 * 64));
  const std::size_t lda = (n16 + 63) / 64 * 64, ldb = (m + 63) / 64 * 64;
  for (std::size_t p = 0; p < k64; ++p) {
    for (std::size_t j = 0; j < n16; ++j) wt[p * lda + j] = w[j * k64 + p];
    for (std::size_t i = 0; i < m; ++i) xt[p * ldb + i] = x[i * k64 + p];
  }
  a.resize(wt.size());
  b.resize(xt.size());
  kernels().interleave(wt.data(), lda, k64, lda, 0, a.data());
  kernels().interleave(xt.data(), ldb, k64, ldb, static_cast<std::uint8_t>(is_signed ? 0x80 : 0),
                       b.data());
  const std::size_t m16 = (m + 15) / 16 * 16;
  std::vector<std::int32_t> transposed(n16 * m16);
  kernels().product_nn(reinterpret_cast<const std::int8_t*>(a.data()), lda, b.data(), ldb,
                       is_signed, n16, m16, k64 / 4, transposed.data(), m16);
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n16; ++j) {
      ASSERT_EQ(transposed[j * m16 + i], expected[i * n16 + j]) << i << ' ' << j;
    }
  }
}

TEST(Products, AreExactInEveryInstructionSet) {
  ASSERT_FALSE(supported().empty());
  for_each_set([] {
    std::uint64_t seed = 1;
    for (const bool is_signed : {false, true}) {
      for (const std::size_t m : {4, 8, 12, 64}) {
        for (const std::size_t n : {1, 10, 33, 64}) {
          for (const std::size_t k : {1, 64, 130}) {
            check_products(m, n, k, is_signed, ++seed, false);
          }
        }
      }
      check_products(8, 16, 784, is_signed, 1, true);
    }
  });
}

TEST(Packing, RoundTripsAndRoundsToNearest) {
  for_each_set([] {
    for (const int bits : {8, 4, 2}) {
      for (const std::size_t columns : {1u, 63u, 64u, 65u, 200u, 257u}) {
        for (const Format format : {Format::UnitInterval, Format::Symmetric}) {
          const bool fixed = format == Format::UnitInterval;
          const auto x = random_floats(3 * columns, columns, fixed ? 0.0f : -2.5f, fixed ? 1 : 2);
          const PackedMatrix packed(x.data(), 3, columns, bits, format);
          EXPECT_EQ(packed.row_bytes() % 64, 0u);
          std::vector<std::uint8_t> row((columns + 63) / 64 * 64 + 64, 0xEE);
          for (std::size_t r = 0; r < 3; ++r) {
            packed.unpack(r, row.data());
            const float s = packed.scale(r);
            for (std::size_t c = 0; c < columns; ++c) {
              const int q = fixed ? row[c] : static_cast<std::int8_t>(row[c]);
              EXPECT_LE(q, fixed ? (1 << bits) - 1 : (1 << (bits - 1)) - 1);
              EXPECT_GE(q, fixed ? 0 : -((1 << (bits - 1)) - 1));
              ASSERT_LE(std::abs(static_cast<float>(q) * s - x[r * columns + c]), 0.5001f * s);
            }
            for (std::size_t c = columns; c < (columns + 63) / 64 * 64; ++c) EXPECT_EQ(row[c], 0);
            EXPECT_EQ(row[(columns + 63) / 64 * 64], 0xEE);  // nothing beyond
          }
        }
      }
    }
  });
}

TEST(Packing, HoldsTwoOrFourElementsAByte) {
  const std::vector<float> x(1024, 0.5f);
  EXPECT_EQ(PackedMatrix(x.data(), 1, 1024, 8, Format::UnitInterval).row_bytes(), 1024u);
  EXPECT_EQ(PackedMatrix(x.data(), 1, 1024, 4, Format::UnitInterval).row_bytes(), 512u);
  EXPECT_EQ(PackedMatrix(x.data(), 1, 1024, 2, Format::UnitInterval).row_bytes(), 256u);
  EXPECT_THROW(PackedMatrix(x.data(), 1, 1024, 3, Format::UnitInterval), InputError);
}

// One million draws: mean and variance within 4 standard errors, neighbours uncorrelated.
TEST(StochasticRounding, IsUnbiasedWithTheRightVariance) {
  constexpr int kDraws = 1000000;
  for (const float x : {0.1f, 0.5f, -0.3f, 2.9f, -126.75f, 0.001f}) {
    const RoundingKey key = rounding_key(7, 3, static_cast<std::uint64_t>(x * 1000 + 200000));
    const double f = static_cast<double>(x) - std::floor(static_cast<double>(x));
    double sum = 0, squares = 0, lag1 = 0, lag32 = 0;
    std::vector<double> error(kDraws);
    for (int i = 0; i < kDraws; ++i) {
      const int q = round_stochastically(x, rounding_draw(key, static_cast<std::uint64_t>(i)));
      ASSERT_TRUE(q == static_cast<int>(std::floor(x)) || q == static_cast<int>(std::floor(x)) + 1);
      error[static_cast<std::size_t>(i)] = q - static_cast<double>(x);
      sum += error[static_cast<std::size_t>(i)];
    }
    const double variance = f * (1 - f);
    EXPECT_LT(std::abs(sum / kDraws), 4 * std::sqrt(variance / kDraws) + 0x1p-17) << x;
    for (std::size_t i = 0; i < kDraws; ++i) {
      squares += error[i] * error[i];
      if (i >= 1) lag1 += error[i] * error[i - 1];
      if (i >= 32) lag32 += error[i] * error[i - 32];
    }
    const double fourth = f * (1 - f) * ((1 - f) * (1 - f) * (1 - f) + f * f * f);
    EXPECT_LT(std::abs(squares / kDraws - variance),
              4 * std::sqrt((fourth - variance * variance) / kDraws) + 0x1p-15)
        << x;
    EXPECT_LT(std::abs(lag1 / kDraws), 4.5 * variance / std::sqrt(kDraws)) << x;
    EXPECT_LT(std::abs(lag32 / kDraws), 4.5 * variance / std::sqrt(kDraws)) << x;
  }
}

TEST(StochasticRounding, LeavesWholeNumbersAlone) {
  for (int q = -127; q <= 127; ++q) {
    for (const std::uint32_t draw : {0u, 1u, 32768u, 65535u}) {
      EXPECT_EQ(round_stochastically(static_cast<float>(q), draw), q);
    }
  }
}

TEST(StochasticRounding, BitsAreBalancedAcrossCountersAndKeys) {
  // Every output bit flips half the time when one bit of counter or key does.
  constexpr int kSamples = 20000;
  for (int source = 0; source < 96; ++source) {
    int flips[32] = {};
    for (int i = 0; i < kSamples; ++i) {
      RoundingKey key = rounding_key(1, 2, static_cast<std::uint64_t>(i));
      std::uint32_t counter = static_cast<std::uint32_t>(i) * 64;
      const std::uint32_t before = rounding_word(key, counter);
      const std::uint32_t bit = 1u << (source % 32);
      if (source < 32) {
        counter ^= bit;
      } else if (source < 64) {
        key.first ^= bit;
      } else {
        key.second ^= bit;
      }
      const std::uint32_t changed = before ^ rounding_word(key, counter);
      for (int b = 0; b < 32; ++b) flips[b] += static_cast<int>(changed >> b & 1u);
    }
    if (source >= 64) continue;  // the second key is added late: it decorrelates, not avalanches
    for (int b = 0; b < 32; ++b) EXPECT_NEAR(flips[b] / double{kSamples}, 0.5, 0.03) << source;
  }
}

// Zhang et al., ZipML (ICML 2017), section 2: E[Q(a) (Q(a)'x - b)] is off by D x, D = diag Var
// Q(a); two independent roundings remove the bias.
TEST(DoubleSampling, RemovesTheBiasOfSingleSampling) {
  constexpr int kDraws = 400000;
  const std::vector<float> a = {0.3f, -1.4f, 2.25f, 0.5f}, x = {1.0f, -0.5f, 0.75f, 2.0f};
  const float b = 0.7f;
  const std::size_t n = a.size();
  double product = -static_cast<double>(b);
  for (std::size_t j = 0; j < n; ++j) product += static_cast<double>(a[j]) * x[j];
  std::vector<double> single(n), twice(n), squares(n);
  for (int draw = 0; draw < kDraws; ++draw) {
    const RoundingKey k1 = rounding_key(5, 1, static_cast<std::uint64_t>(draw));
    const RoundingKey k2 = rounding_key(5, 2, static_cast<std::uint64_t>(draw));
    std::vector<float> q1(n), q2(n);
    stochastic_copy(a.data(), n, 1.0f, k1, q1.data());
    stochastic_copy(a.data(), n, 1.0f, k2, q2.data());
    std::vector<float> g(n), one(n);
    double_sampled_gradient(q1.data(), q2.data(), x.data(), n, b, g.data());
    double_sampled_gradient(q1.data(), q1.data(), x.data(), n, b, one.data());
    for (std::size_t j = 0; j < n; ++j) {
      single[j] += one[j];
      twice[j] += g[j];
      squares[j] += static_cast<double>(g[j]) * static_cast<double>(g[j]);
    }
  }
  for (std::size_t j = 0; j < n; ++j) {
    const double exact = a[j] * product;
    const double f = a[j] - std::floor(a[j]);
    const double bias = f * (1 - f) * x[j];
    const double got = twice[j] / kDraws;
    const double error = std::sqrt((squares[j] / kDraws - got * got) / kDraws);
    EXPECT_LT(std::abs(got - exact), 3 * error) << j;
    EXPECT_NEAR(single[j] / kDraws - exact, bias, std::abs(bias) * 0.05 + 3 * error) << j;
    EXPECT_GT(std::abs(single[j] / kDraws - exact), 5 * error) << j;
  }
}

TEST(Elementwise, IsTheSameInEveryInstructionSet) {
  const std::size_t rows = 8, n = 96;
  const auto x = random_floats(rows * n, 3, -4.0f, 4.0f);
  const auto f = random_floats(n, 4, 0.01f, 2.0f);
  std::vector<std::int32_t> g(n);
  for (std::size_t i = 0; i < n; ++i) g[i] = static_cast<std::int32_t>(x[i] * 1e5f);
  g[7] = 2147483647;
  std::vector<std::vector<std::uint8_t>> results;
  for_each_set([&] {
    std::vector<std::uint8_t> bytes;
    const auto keep = [&bytes](const void* from, std::size_t size) {
      const auto* p = static_cast<const std::uint8_t*>(from);
      bytes.insert(bytes.end(), p, p + size);
    };
    std::vector<std::int8_t> q(rows * n);
    std::vector<float> scale(n), inverse(n), out(rows * n);
    const RoundingKey key{17, 29};
    for (const int limit : {127, 7, 1}) {
      kernels().quantise_columns(x.data(), n, rows, n, f.data(), limit, key, q.data(), n,
                                 scale.data(), inverse.data());
      keep(q.data(), q.size());
      keep(scale.data(), n * 4);
      for (std::size_t j = 0; j < n; ++j) {
        for (std::size_t i = 0; i < rows; ++i) ASSERT_LE(std::abs(q[i * n + j]), limit);
      }
      kernels().quantise_rows(x.data(), n, rows, n, f.data(), limit, key, q.data(), n,
                              scale.data());
      keep(q.data(), q.size());
      keep(scale.data(), rows * 4);
    }
    std::vector<std::uint8_t> u(rows * n);
    std::vector<float> positive = x;
    for (float& v : positive) v = v < 0 ? 0 : v;
    kernels().quantise_activations(positive.data(), n, rows, n, 255, u.data(), n, scale.data());
    keep(u.data(), u.size());
    std::vector<std::int16_t> m16(n);
    std::vector<std::int8_t> m8(n), w(n);
    for (std::size_t i = 0; i < n; ++i) {
      m16[i] = static_cast<std::int16_t>(x[i] * 8100);
      m8[i] = static_cast<std::int8_t>(x[i] * 31);
    }
    for (const float factor : {1e-3f, 0.5f, -7.0f, 1e10f}) {
      kernels().update16(m16.data(), g.data(), n, factor, key, 64, 8, 127, w.data());
      keep(m16.data(), n * 2);
      keep(w.data(), n);
      kernels().update8(m8.data(), g.data(), n, factor * 0.01f, key, 64, 4, 7, w.data());
      keep(m8.data(), n);
      keep(w.data(), n);
      for (std::size_t i = 0; i < n; ++i) {
        ASSERT_GE(m16[i], -32767);
        ASSERT_GE(m8[i], -127);
        ASSERT_LE(std::abs(w[i]), 7);
      }
    }
    kernels().rescale16(m16.data(), n, 0.77f, key, 32);
    kernels().rescale8(m8.data(), n, 0.77f, key, 32);
    keep(m16.data(), n * 2);
    keep(m8.data(), n);
    kernels().finish_forward(g.data(), 0, rows, n, scale.data(), f.data(), x.data(), true,
                             out.data(), n);
    keep(out.data(), out.size() * 4);
    kernels().finish_backward(g.data(), 0, rows, n, scale.data(), x.data(), out.data(), n);
    keep(out.data(), out.size() * 4);
    kernels().column_sums(x.data(), n, rows, n, out.data());
    keep(out.data(), n * 4);
    out = x;
    kernels().exponentials(out.data(), n, 4.0f);
    keep(out.data(), n * 4);
    kernels().float_product(x.data(), n, 1, positive.data(), n, rows, n, rows, false, out.data(),
                            n);
    keep(out.data(), out.size() * 4);
    results.push_back(std::move(bytes));
  });
  for (const auto& result : results) EXPECT_EQ(result, results.front());
}

TEST(Elementwise, OwnFunctionsAgreeWithTheLibrary) {
  for (float x = -90.0f; x <= 0.0f; x += 0.0137f) {
    const double exact = x > -87.0f ? std::exp(static_cast<double>(x)) : 0.0;
    EXPECT_NEAR(exp_nonpositive(x), exact, 3e-7 * exact) << x;
  }
  for (double x = 1e-3; x < 1e4; x *= 1.017) EXPECT_NEAR(natural_log(x), std::log(x), 2e-14) << x;
  for (double t = 0; t <= 1.0; t += 0.001) EXPECT_NEAR(cos_pi(t), std::cos(M_PI * t), 1e-11) << t;
}

TEST(Streaming, IsTheSameInEveryInstructionSetAndLearns) {
  const std::size_t rows = 600, columns = 130;
  const auto x = random_floats(rows * columns, 8, 0.0f, 1.0f);
  std::vector<float> y(rows), expected8, expected4;
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) {
      y[i] += x[i * columns + j] * (j % 3 == 0 ? 0.3f : -0.1f);
    }
  }
  for_each_set([&] {
    for (const int bits : {32, 8, 4}) {
      StreamingRegression model(columns, bits, 0.6f, 3);
      const PackedMatrix packed(x.data(), rows, columns, bits == 32 ? 8 : bits,
                                Format::UnitInterval);
      const std::size_t width = model.padded_columns();
      std::vector<float> floats(rows * width);
      for (std::size_t i = 0; i < rows; ++i) {
        std::copy_n(x.data() + i * columns, columns, floats.data() + i * width);
      }
      double first = 0, last = 0;
      for (int pass = 0; pass < 8; ++pass) {
        last = 0;
        // Steps of every size, with and without the rows that follow.
        for (std::size_t i = 0, count = 1; i < rows; i += count, count = count % 4 + 1) {
          count = std::min(count, rows - i);
          std::array<float, 4> guess{};
          const auto step = [&](auto first_row) {
            decltype(first_row(0)) at[4] = {};
            for (std::size_t r = 0; r < count; ++r) at[r] = first_row(i + r);
            const std::span all(at, count);
            model.step(all, std::span(y).subspan(i, count), 0.01f, std::span(guess).first(count),
                       pass % 2 == 0 ? all : all.first(0));
          };
          if (bits == 32) {
            step([&](std::size_t r) -> const float* { return floats.data() + r * width; });
          } else {
            step([&](std::size_t r) { return packed.row(r); });
          }
          for (std::size_t r = 0; r < count; ++r) {
            last += static_cast<double>((guess[r] - y[i + r]) * (guess[r] - y[i + r]));
          }
        }
        if (pass == 0) first = last;
      }
      EXPECT_LT(last, (bits == 4 ? 0.8 : 0.2) * first) << bits;
      auto& expected = bits == 8 ? expected8 : expected4;
      if (bits == 32) continue;
      if (expected.empty()) expected = model.coefficients();
      EXPECT_EQ(model.coefficients(), expected) << bits;
    }
  });
  EXPECT_THROW(StreamingRegression(5, 2, 1.0f, 1), InputError);
  EXPECT_THROW(StreamingRegression(0, 8, 1.0f, 1), InputError);
  EXPECT_THROW(StreamingRegression(5, 8, 0.0f, 1), InputError);
}

// Sums of coefficients times rows, rounded at random: the mean over keys is exact, and columns are
// pairwise uncorrelated, wherever their draws lie, though the draws of a step share random words.
TEST(Streaming, RoundsChangesWithoutBiasAndPairwiseIndependently) {
  constexpr std::size_t kColumns = 256;
  constexpr int kKeys = 20000, kShift = 9;
  const std::int8_t c[4] = {24, -7, 3, 1};
  std::vector<std::vector<std::uint8_t>> rows;
  const std::uint8_t* x[4];
  for (std::size_t r = 0; r < 4; ++r) {
    rows.push_back(random_bytes(kColumns, 40 + r, 0, 255));
    x[r] = rows[r].data();
  }
  std::vector<double> exact(kColumns, 0.0), sum(kColumns, 0.0);
  for (std::size_t j = 0; j < kColumns; ++j) {
    for (std::size_t r = 0; r < 4; ++r) exact[j] += x[r][j] * c[r] / std::pow(2.0, kShift);
  }
  const std::pair<std::size_t, std::size_t> pairs[] = {{0, 1},   {0, 8},   {0, 16},  {3, 67},
                                                       {5, 133}, {70, 78}, {0, 192}, {64, 128}};
  std::vector<double> products(std::size(pairs), 0.0);
  for (int k = 0; k < kKeys; ++k) {
    std::vector<std::int16_t> m(kColumns, 0);
    std::vector<std::int8_t> w(kColumns);
    kernels().descend_u8(x, c, kShift, rounding_key(9, 9, static_cast<std::uint64_t>(k)), kColumns,
                         x, m.data(), w.data());
    std::vector<double> error(kColumns);
    for (std::size_t j = 0; j < kColumns; ++j) {
      const int d = -m[streaming_place(j)];
      ASSERT_TRUE(d == static_cast<int>(std::floor(exact[j])) ||
                  d == static_cast<int>(std::ceil(exact[j])));
      error[j] = d - exact[j];
      sum[j] += error[j];
    }
    for (std::size_t p = 0; p < std::size(pairs); ++p) {
      products[p] += error[pairs[p].first] * error[pairs[p].second];
    }
  }
  for (std::size_t j = 0; j < kColumns; ++j) {
    const double f = exact[j] - std::floor(exact[j]);
    EXPECT_LT(std::abs(sum[j] / kKeys), 4.5 * std::sqrt(f * (1 - f) / kKeys) + 0x1p-9) << j;
  }
  for (const double product : products) {
    EXPECT_LT(std::abs(product / kKeys), 4.5 * 0.25 / std::sqrt(kKeys));
  }
}

// Kernels of four rows against plain sums, at the bounds of what the learner hands over.
TEST(Streaming, KernelsKeepTheirBounds) {
  for_each_set([] {
    for (const std::size_t n : {128u, 384u}) {
      for (const int sign : {1, -1}) {
        const std::vector<std::uint8_t> full(n, 255);
        const std::uint8_t* x[4] = {full.data(), full.data(), full.data(), full.data()};
        const RoundingKey key{1, 2};
        std::int8_t c[4];
        std::fill_n(c, 4, static_cast<std::int8_t>(24 * sign));
        std::vector<std::int16_t> m(n, 0);
        std::vector<std::int8_t> w(n), m8(n, 0);
        std::int32_t sums[4];
        kernels().descend_u8(x, c, 13, key, n, x, m.data(), w.data());
        for (const auto q : m) EXPECT_TRUE(q == -2 * sign || q == -3 * sign) << q;
        for (int step = 0; step < 3; ++step) {
          kernels().descend_u8(x, c, 0, key, n, x, m.data(), w.data());
        }
        for (const auto q : m) EXPECT_EQ(q, -32767 * sign);
        for (const auto q : w) EXPECT_EQ(q, -127 * sign);
        kernels().dots_u8(x, w.data(), n, x, sums);
        for (const auto s : sums) EXPECT_EQ(s, -127 * sign * 255 * static_cast<int>(n));
        std::fill_n(c, 4, static_cast<std::int8_t>(127 * sign));
        kernels().descend_u4(x, c, 14, key, n, x, m8.data());
        for (const auto q : m8) EXPECT_TRUE(q == 0 || q == -sign) << static_cast<int>(q);
        kernels().descend_u4(x, c, 0, key, n, x, m8.data());
        for (const auto q : m8) EXPECT_EQ(q, -127 * sign);
        kernels().dots_u4(x, m8.data(), n, x, sums);
        for (const auto s : sums) EXPECT_EQ(s, -112 * sign * 15 * static_cast<int>(n));
      }
    }
  });
}

// The first step from zero is rate * sum of targets * x, whatever its size: no sum overflows.
TEST(Streaming, StepsAreAsLongAsTheyShouldBe) {
  for_each_set([] {
    const std::vector<std::uint8_t> full(128, 255);
    const std::uint8_t* rows[4] = {full.data(), full.data(), full.data(), full.data()};
    for (const int bits : {8, 4}) {
      const float unit = bits == 8 ? 1.0f / 32767.0f : 1.0f / 127.0f;
      for (float rate = 1e-3f; rate < 0.2f; rate *= 1.09f) {
        for (const float target : {1.0f, -1.0f}) {
          StreamingRegression model(128, bits, 1.0f, 5);
          const float targets[4] = {target, target, target, target};
          float guesses[4];
          model.step(rows, targets, rate, guesses);
          for (const float g : guesses) EXPECT_EQ(g, 0.0f);
          const float exact = 4 * rate * target;
          for (const float w : model.coefficients()) {
            ASSERT_NEAR(w, exact, 0.1f * std::abs(exact) + 1.01f * unit) << bits << ' ' << rate;
          }
        }
      }
    }
  });
}

TEST(InstructionSet, RefusesUnknownNames) {
  EXPECT_THROW(set_instruction_set("mmx"), InputError);
  EXPECT_THROW(set_instruction_set(""), InputError);
}

}  // namespace
}  // namespace carnot::learn
