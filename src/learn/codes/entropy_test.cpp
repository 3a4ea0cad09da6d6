// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/codes/entropy.hpp"

#include <cmath>
#include <numbers>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"

namespace carnot::learn {
namespace {

TEST(NearestNeighbourEntropy, GaussiansUpToEightDimensions) {
  // h = d/2 log2(2 pi e sigma^2); a spread of 3 keeps it away from 0, where a share means nothing.
  for (const std::size_t d : {1u, 2u, 3u, 5u, 8u}) {
    const RandomStream stream(d, "gaussian");
    std::vector<double> points(4000 * d);
    for (std::size_t i = 0; i < points.size(); ++i) points[i] = 3.0 * stream.normal(i);
    const double truth =
        0.5 * static_cast<double>(d) * std::log2(2.0 * std::numbers::pi * std::numbers::e * 9.0);
    const EntropyEstimate found = nearest_neighbour_entropy(points, d);
    EXPECT_NEAR(found.bits, truth, 0.02 * truth) << d;
    EXPECT_GT(found.error, 0.0);
    EXPECT_LT(found.error, 0.1);
  }
}

TEST(NearestNeighbourEntropy, UniformCubeShiftAndScale) {
  const RandomStream stream(4, "cube");
  std::vector<double> points(2 * 3000);
  for (std::size_t i = 0; i < points.size(); ++i) points[i] = stream.uniform(i);
  const double unit = nearest_neighbour_entropy(points, 2).bits;
  EXPECT_NEAR(unit, 0.0, 0.1);
  for (double& p : points) p = 8.0 * p - 100.0;
  EXPECT_NEAR(nearest_neighbour_entropy(points, 2).bits, unit + 6.0, 1e-6);
  EXPECT_THROW(nearest_neighbour_entropy(points, 0), InputError);
  EXPECT_THROW(nearest_neighbour_entropy(std::vector<double>{1, 2, 3}, 1, 3), InputError);
}

TEST(DiscreteEntropy, ZipfWithinAFewHundredthsOfABit) {
  std::vector<double> weight(1000);
  double sum = 0.0;
  for (std::size_t i = 0; i < weight.size(); ++i) {
    weight[i] = 1.0 / (1.0 + double(i));
    sum += weight[i];
  }
  double truth = 0.0;
  for (double& w : weight) {
    w /= sum;
    truth -= w * std::log2(w);
  }
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const RandomStream stream(seed, "zipf");
    std::vector<std::uint64_t> counts(weight.size(), 0);
    for (std::uint64_t n = 0; n < 20000; ++n) {
      double u = stream.uniform(n);
      std::size_t at = 0;
      while (at + 1 < weight.size() && u >= weight[at]) u -= weight[at++];
      ++counts[at];
    }
    const EntropyEstimate found = discrete_entropy(counts);
    EXPECT_NEAR(found.bits, truth, 0.05) << seed;
    EXPECT_NEAR(found.bits, truth, 5 * found.error) << seed;
  }
}

TEST(DiscreteEntropy, KnownValues) {
  EXPECT_NEAR(discrete_entropy(std::vector<std::uint64_t>{1u << 30, 1u << 30}).bits, 1.0, 1e-8);
  EXPECT_EQ(discrete_entropy(std::vector<std::uint64_t>{7, 0, 0}).bits, 0.0);
  EXPECT_THROW(discrete_entropy(std::vector<std::uint64_t>{0, 0}), InputError);
  std::vector<float> column(4096);
  for (std::size_t i = 0; i < column.size(); ++i) column[i] = static_cast<float>(i % 8);
  EXPECT_NEAR(column_entropy(column).bits, 3.0, 0.01);
}

RC_GTEST_PROP(CodedLength, IsNeverBelowTheEmpiricalEntropy, ()) {
  const auto alphabet = *rc::gen::inRange<std::uint32_t>(1, 9);
  const auto symbols =
      *rc::gen::container<std::vector<std::uint32_t>>(rc::gen::inRange<std::uint32_t>(0, alphabet));
  std::vector<std::uint64_t> counts(alphabet, 0);
  for (const std::uint32_t s : symbols) ++counts[s];
  double empirical = 0.0;
  for (const std::uint64_t c : counts)
    if (c > 0)
      empirical -= static_cast<double>(c) *
                   std::log2(static_cast<double>(c) / static_cast<double>(symbols.size()));
  const double coded = coded_length(symbols, alphabet);
  RC_ASSERT(coded >= empirical - 1e-9);
  // Closed form: log2 Gamma(N + m/2) / Gamma(m/2) - sum log2 Gamma(c + 1/2) / Gamma(1/2).
  double closed =
      std::lgamma(double(symbols.size()) + 0.5 * alphabet) - std::lgamma(0.5 * alphabet);
  for (const std::uint64_t c : counts) closed -= std::lgamma(double(c) + 0.5) - std::lgamma(0.5);
  RC_ASSERT(std::abs(coded - closed / std::numbers::ln2) < 1e-6);
}

}  // namespace
}  // namespace carnot::learn
