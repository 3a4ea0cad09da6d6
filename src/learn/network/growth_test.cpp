// SPDX-License-Identifier: Apache-2.0
// Integer training keeps up with binary32 where coefficients have far to go.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include "carnot/base/random.hpp"
#include "carnot/learn/data/dataset.hpp"
#include "carnot/learn/network/learner.hpp"

#include "learn/network/rotation.hpp"

namespace carnot::learn {
namespace {

/// Labels from a logistic model one of whose coefficients is large; features are standard normal,
/// or have the heavy tails of a ratio.
Dataset one_great_coefficient(std::size_t rows, std::size_t columns, double great, bool heavy,
                              std::uint64_t seed) {
  const RandomStream x(seed, "x"), noise(seed, "noise"), truth(3, "truth");
  Dataset data;
  data.rows = rows;
  data.columns = columns;
  data.classes = 2;
  for (std::size_t i = 0; i < rows; ++i) {
    double z = 0.0;
    for (std::size_t j = 0; j < columns; ++j) {
      double v = x.normal(i * columns + j);
      if (heavy) v = std::clamp(v / std::sqrt(noise.uniform(i * columns + j) + 0.02), -9.0, 9.0);
      data.features.push_back(static_cast<float>(v));
      z += v * (j == columns / 2 ? great : 0.5 * truth.normal(j));
    }
    const double u = noise.uniform(rows * columns + i);
    data.labels.push_back(z + std::log(u / (1.0 - u)) > 0.0 ? 1u : 0u);
  }
  return data;
}

double accuracy(const char* precision, const Dataset& train, const Dataset& test, double momentum,
                std::size_t batch, std::uint64_t seed) {
  LearnerOptions o;
  o.model = "logistic";
  o.batch = batch;
  o.epochs = 8;
  o.learning_rate = 0.3 * (1.0 - momentum);
  o.momentum = momentum;
  o.seed = seed;
  const auto learner = make_learner(o, train);
  learner->train(learner->total_steps(), Precision::parse(precision));
  return learner->evaluate(test, Precision::parse(precision)).value;
}

TEST(Growth, IntegersFollowBinary32ToLargeCoefficients) {
  for (const bool heavy : {false, true}) {
    const Dataset train = one_great_coefficient(3000, 50, 8.0, heavy, 1);
    const Dataset test = one_great_coefficient(4000, 50, 8.0, heavy, 2);
    for (const double momentum : {0.0, 0.9}) {
      for (const std::size_t batch : {std::size_t{32}, std::size_t{256}}) {
        double f32 = 0.0, int8 = 0.0, int4 = 0.0;
        for (const std::uint64_t seed : {1u, 2u, 3u}) {
          f32 += accuracy("f32", train, test, momentum, batch, seed) / 3;
          int8 += accuracy("int8", train, test, momentum, batch, seed) / 3;
          int4 += accuracy("int4", train, test, momentum, batch, seed) / 3;
        }
        EXPECT_GE(int8, f32 - 0.002) << heavy << ' ' << momentum << ' ' << batch;
        EXPECT_GE(int4, f32 - 0.012) << heavy << ' ' << momentum << ' ' << batch;
      }
    }
  }
}

TEST(Rotation, IsOrthogonalAndIsUndone) {
  for (const std::size_t n : {1u, 2u, 3u, 7u, 8u, 13u, 50u, 64u, 100u}) {
    // The matrix of the map, column by column: the plain oracle.
    std::vector<std::vector<float>> columns;
    for (std::size_t k = 0; k < n; ++k) {
      std::vector<float> e(n, 0.0f);
      e[k] = 1.0f;
      rotate(e.data(), n);
      columns.push_back(e);
    }
    for (std::size_t a = 0; a < n; ++a)
      for (std::size_t b = 0; b <= a; ++b)
        EXPECT_NEAR(
            std::inner_product(columns[a].begin(), columns[a].end(), columns[b].begin(), 0.0f),
            a == b ? 1.0f : 0.0f, 1e-5f)
            << n;
    std::vector<float> x(n);
    for (std::size_t k = 0; k < n; ++k) x[k] = static_cast<float>(k * k) - 3.0f;
    std::vector<float> y = x;
    rotate(y.data(), n);
    rotate_back(y.data(), n);
    for (std::size_t k = 0; k < n; ++k)
      EXPECT_NEAR(y[k], x[k], 1e-6f * static_cast<float>(n * n) + 1e-5f);
  }
}

TEST(Rotation, SpreadsOneGreatValueOverTheRow) {
  std::vector<float> x(50, 0.0f);
  x[17] = 8.0f;
  rotate(x.data(), x.size());
  float most = 0.0f;
  for (const float v : x) most = std::max(most, std::abs(v));
  EXPECT_LT(most, 2.6f);
}

TEST(Divergence, IsSaidInEveryPrecisionAndNotOfANull) {
  for (const char* name : {"f32", "bf16", "int8", "int4"}) {
    for (const double rate : {0.3, 100.0}) {
      LearnerOptions o;
      o.hidden = 16;
      o.batch = 32;
      o.epochs = 4;
      o.learning_rate = rate;
      Dataset digits = embedded_digits();
      auto learner = make_learner(o, digits);
      learner->train(learner->total_steps(), Precision::parse(name));
      EXPECT_EQ(learner->diverged(), rate > 1.0) << name;
      for (const auto& layer : learner->parameters())
        for (const float x : layer) ASSERT_TRUE(std::isfinite(x)) << name;
      const Quality q = learner->evaluate(digits, Precision::parse(name));
      EXPECT_TRUE(std::isfinite(q.value) && std::isfinite(q.bits_per_label)) << name;
      // Labels that say nothing are learned no better than their frequencies: no divergence.
      std::rotate(digits.labels.begin(), digits.labels.begin() + 700, digits.labels.end());
      for (std::size_t i = 0; i < digits.rows; ++i) digits.labels[i] = digits.labels[i * 7 % 1783];
      if (rate > 1.0) continue;
      learner = make_learner(o, digits);
      learner->train(learner->total_steps(), Precision::parse(name));
      EXPECT_FALSE(learner->diverged()) << name;
    }
  }
}

TEST(Delivered, IntegersDeliverTheirMastersInEightBits) {
  for (const char* name : {"int8", "int4", "int2", "d4w8g4", "d4w2g8"})
    EXPECT_EQ(Precision::parse(name).delivered(), Precision::parse("int8")) << name;
  for (const char* name : {"f32", "bf16"})
    EXPECT_EQ(Precision::parse(name).delivered(), Precision::parse(name)) << name;
}

TEST(NoiseWithMomentum, AnUpdateIsRoundedOnceAGradientActsManyTimes) {
  // One layer, nothing trained yet, so no velocity: shares differ by (1 - mu)^2 in the rounding.
  const Dataset data = one_great_coefficient(600, 20, 1.0, false, 4);
  const Precision int4 = Precision::parse("int4");
  LearnerOptions o;
  o.model = "softmax";
  o.batch = 64;
  NoiseShare plain, heavy;
  for (const double mu : {0.0, 0.9}) {
    o.momentum = mu;
    (mu == 0.0 ? plain : heavy) = make_learner(o, data)->noise_shares({int4})[0];
  }
  EXPECT_DOUBLE_EQ(plain.gradient, heavy.gradient);
  LearnerOptions still = o;
  still.momentum = 1.0 - 1e-12;  // what is left is the gradient's share
  const double gradient_part = make_learner(still, data)->noise_shares({int4})[0].update;
  EXPECT_GT(plain.update, gradient_part);
  EXPECT_NEAR((heavy.update - gradient_part) / (plain.update - gradient_part), 0.01, 1e-6);
}

}  // namespace
}  // namespace carnot::learn
