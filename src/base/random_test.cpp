// SPDX-License-Identifier: Apache-2.0
#include "carnot/base/random.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/statistics.hpp"

namespace carnot::inline base {

namespace {

using Counter = std::array<std::uint32_t, 4>;

/// The bounds that chi-square of `freedom` degrees leaves with probability 2e-4 (Wilson & Hilferty
/// 1931: its cube root is nearly normal).
bool plausible_chi_square(double chi_square, double freedom) {
  const double h = 2.0 / (9.0 * freedom);
  const double z = (std::cbrt(chi_square / freedom) - (1.0 - h)) / std::sqrt(h);
  return std::abs(z) < 3.72;
}

double chi_square(const std::vector<std::uint64_t>& counts) {
  double total = 0.0;
  for (const std::uint64_t c : counts) total += static_cast<double>(c);
  const double expected = total / static_cast<double>(counts.size());
  double sum = 0.0;
  for (const std::uint64_t c : counts) sum += std::pow(static_cast<double>(c) - expected, 2);
  return sum / expected;
}

double correlation(const std::vector<double>& x, const std::vector<double>& y) {
  const double mx = mean(x);
  const double my = mean(y);
  double sum = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += (x[i] - mx) * (y[i] - my);
  return sum / (static_cast<double>(x.size()) - 1.0) /
         std::sqrt(sample_variance(x) * sample_variance(y));
}

std::vector<double> uniforms(const RandomStream& stream, std::uint64_t n) {
  std::vector<double> result;
  for (std::uint64_t i = 0; i < n; ++i) result.push_back(stream.uniform(i));
  return result;
}

}  // namespace

// Known-answer vectors of philox 4x32-10 published with the Random123 library (Salmon et al. 2011),
// file kat_vectors.
TEST(Random, PhiloxKnownAnswers) {
  constexpr std::uint32_t kOnes = 0xffffffffu;
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (Counter{0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u}));
  EXPECT_EQ(philox4x32({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (Counter{0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu}));
  EXPECT_EQ(
      philox4x32({0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u}, {0xa4093822u, 0x299f31d0u}),
      (Counter{0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u}));
}

TEST(Random, BitsAreTheFirstTwoWordsOfTheirBlock) {
  const RandomStream stream(0x299f31d0a4093822u, 0x0370734413198a2eu);
  EXPECT_EQ(stream.bits(0x85a308d3243f6a88u), 0x94fdccebd16cfe09u);
}

TEST(Random, ValuesNeverChange) {
  // Fixed for ever: recorded runs depend on them.
  const RandomStream stream(42, "init");
  EXPECT_EQ(RandomStream(0, std::string_view("")).stream(), 0xcbf29ce484222325u);  // FNV-1a basis
  EXPECT_EQ(RandomStream(0, "a").stream(), 0xaf63dc4c8601ec8cu);  // FNV-1a test vector
  EXPECT_EQ(stream.bits(7), RandomStream(42, stream.stream()).bits(7));
}

TEST(Random, UniformsFillTheUnitIntervalEvenly) {
  const RandomStream stream(1, "uniform");
  std::vector<std::uint64_t> counts(256);
  for (std::uint64_t i = 0; i < 200'000; ++i) {
    const double u = stream.uniform(i);
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    ++counts[static_cast<std::size_t>(u * 256.0)];
  }
  const double statistic = chi_square(counts);
  EXPECT_TRUE(plausible_chi_square(statistic, 255.0)) << statistic;
}

TEST(Random, EveryBitIsFair) {
  const RandomStream stream(2, "bits");
  constexpr int kDraws = 100'000;
  std::array<int, 64> ones{};
  for (std::uint64_t i = 0; i < kDraws; ++i)
    for (std::size_t b = 0; b < 64; ++b) ones[b] += static_cast<int>(stream.bits(i) >> b & 1u);
  for (const int count : ones)
    EXPECT_NEAR(count, kDraws / 2, 4.2 * std::sqrt(kDraws) / 2);  // 64 bits, p < 0.002 in all
}

TEST(Random, BelowIsEvenAndBounded) {
  const RandomStream stream(3, "below");
  for (const std::uint64_t bound : {2u, 3u, 7u, 100u}) {
    std::vector<std::uint64_t> counts(bound);
    for (std::uint64_t i = 0; i < 50'000; ++i) ++counts.at(stream.below(i, bound));
    EXPECT_TRUE(plausible_chi_square(chi_square(counts), static_cast<double>(bound - 1))) << bound;
  }
  EXPECT_EQ(stream.below(5, 1), 0u);
  EXPECT_LT(stream.below(5, ~0ull), ~0ull);
}

TEST(Random, NormalsHaveTheMomentsOfANormal) {
  const RandomStream stream(4, "normal");
  constexpr std::uint64_t kDraws = 200'000;
  double m1 = 0.0;
  double m2 = 0.0;
  double m3 = 0.0;
  double m4 = 0.0;
  std::vector<std::uint64_t> counts(100);
  for (std::uint64_t i = 0; i < kDraws; ++i) {
    const double z = stream.normal(i);
    m1 += z;
    m2 += z * z;
    m3 += z * z * z;
    m4 += z * z * z * z;
    ++counts[static_cast<std::size_t>(normal_cdf(z) * 100.0)];
  }
  // Standard errors of the first four moments: 1, sqrt 2, sqrt 15, sqrt 96 over sqrt n.
  const double root = std::sqrt(static_cast<double>(kDraws));
  EXPECT_NEAR(m1 / kDraws, 0.0, 4.0 / root);
  EXPECT_NEAR(m2 / kDraws, 1.0, 4.0 * std::sqrt(2.0) / root);
  EXPECT_NEAR(m3 / kDraws, 0.0, 4.0 * std::sqrt(15.0) / root);
  EXPECT_NEAR(m4 / kDraws, 3.0, 4.0 * std::sqrt(96.0) / root);
  EXPECT_TRUE(plausible_chi_square(chi_square(counts), 99.0));
}

TEST(Random, StreamsSeedsAndNeighboursAreUncorrelated) {
  constexpr std::uint64_t kDraws = 20'000;
  const double limit = 4.0 / std::sqrt(static_cast<double>(kDraws));
  const std::vector<double> base = uniforms({10, 0}, kDraws);
  EXPECT_LT(std::abs(correlation(base, uniforms({10, 1}, kDraws))), limit);
  EXPECT_LT(std::abs(correlation(base, uniforms({11, 0}, kDraws))), limit);
  EXPECT_LT(std::abs(correlation(base, uniforms(RandomStream(10, "x"), kDraws))), limit);
  EXPECT_LT(std::abs(correlation(base, uniforms(RandomStream(10, 0).child(0), kDraws))), limit);
  const std::vector<double> shifted = uniforms({10, 0}, kDraws + 1);
  EXPECT_LT(std::abs(correlation(base, {shifted.begin() + 1, shifted.end()})), limit);
}

TEST(Random, ChildrenDiffer) {
  std::set<std::uint64_t> streams;
  const RandomStream parent(5, "layers");
  for (std::uint64_t i = 0; i < 1000; ++i) {
    streams.insert(parent.child(i).stream());
    streams.insert(parent.child(i).child(0).stream());
    EXPECT_EQ(parent.child(i).seed(), parent.seed());
  }
  streams.insert(parent.stream());
  EXPECT_EQ(streams.size(), 2001u);
  EXPECT_EQ(parent.child(3).stream(), parent.child(3).stream());
}

RC_GTEST_PROP(RandomProperty, AnyOrderGivesTheSameNumbers, ()) {
  const RandomStream stream(*rc::gen::arbitrary<std::uint64_t>(),
                            *rc::gen::arbitrary<std::uint64_t>());
  std::vector<std::uint64_t> forward;
  for (std::uint64_t i = 0; i < 32; ++i) forward.push_back(stream.bits(i));
  std::vector<std::uint64_t> backward(32);
  const RandomStream copy = stream;
  for (std::uint64_t i = 32; i-- > 0;) backward[i] = copy.bits(i);
  RC_ASSERT(forward == backward);
}

TEST(Random, AnyNumberOfThreadsGivesTheSameNumbers) {
  const RandomStream stream(6, "threads");
  constexpr std::size_t kDraws = 10'000;
  std::vector<double> alone(kDraws);
  for (std::size_t i = 0; i < kDraws; ++i) alone[i] = stream.normal(i);
  std::vector<double> together(kDraws);
  std::vector<std::thread> threads;
  for (std::size_t k = 0; k < 4; ++k)
    threads.emplace_back([&, k] {
      for (std::size_t i = k; i < kDraws; i += 4) together[i] = stream.normal(i);
    });
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(alone, together);
}

TEST(Random, IsConstantEvaluable) {
  static_assert(RandomStream(1, 2).below(3, 10) < 10);
  static_assert(RandomStream(1, 2).uniform(3) < 1.0);
}

}  // namespace carnot::inline base
