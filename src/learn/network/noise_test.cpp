// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <numbers>

#include <gtest/gtest.h>

#include "carnot/learn/data/dataset.hpp"
#include "carnot/learn/network/learner.hpp"

#include "learn/network/data_copies.hpp"

namespace carnot::learn {
namespace {

LearnerOptions options() {
  LearnerOptions o;
  o.hidden = 16;
  o.batch = 32;
  o.epochs = 8;
  o.momentum = 0.0;
  return o;
}

TEST(Noise, FewerBitsAddMoreAndF32AddsNone) {
  const Dataset digits = embedded_digits();
  const auto learner = make_learner(options(), digits);
  learner->train(learner->total_steps() / 2, Precision::parse("int4"));
  const auto shares = learner->noise_shares({Precision::parse("f32"), Precision::parse("int8"),
                                             Precision::parse("int4"), Precision::parse("int2")});
  EXPECT_LT(shares[0].gradient, 1e-9);
  EXPECT_LT(shares[0].update, 1e-9);
  for (std::size_t i = 1; i < shares.size(); ++i) {
    EXPECT_GT(shares[i].gradient, shares[i - 1].gradient);
    EXPECT_GT(shares[i].update, shares[i - 1].update);
  }
  // Rounding the coefficients to an 8-bit grid dwarfs the gradient's own rounding; to 16 bits it
  // does not.
  EXPECT_GT(shares[2].update, shares[1].update * 20);
}

TEST(Noise, CoefficientRoundingMattersMoreAgainstTheUpdateAsTheRateFalls) {
  // At the schedule's end updates are far below a grid step: their rounding is nearly all there is.
  const Dataset digits = embedded_digits();
  const auto learner = make_learner(options(), digits);
  const Precision int4 = Precision::parse("int4");
  learner->train(learner->total_steps() * 3 / 4, int4);
  const auto late = learner->noise_shares({int4})[0];
  const double f = 0.75, rate = 0.5 * (1 + std::cos(std::numbers::pi * f));
  const double gradient_part = rate * rate / 0.375 * late.gradient;
  EXPECT_GT(late.update, 2.0 * gradient_part);
}

TEST(Noise, RemainingLearningFallsFromOneToZeroAsTheSchedulesIntegral) {
  const Dataset digits = embedded_digits();
  const auto learner = make_learner(options(), digits);
  const double total = static_cast<double>(learner->total_steps());
  double before = learner->remaining_learning();
  EXPECT_DOUBLE_EQ(before, 1.0);
  while (learner->steps_done() < learner->total_steps()) {
    learner->train(32, Precision::parse("int8"));
    // Midpoint sum of the rest of the schedule: the plain oracle.
    const double f = static_cast<double>(learner->steps_done()) / total;
    double rest = 0.0;
    for (int i = 0; i < 2000; ++i) {
      const double x = f + (1 - f) * (i + 0.5) / 2000;
      rest += (1 - f) / 2000 * (1 + std::cos(std::numbers::pi * x));
    }
    EXPECT_NEAR(learner->remaining_learning(), rest, 1e-6);
    EXPECT_LE(learner->remaining_learning(), before);
    before = learner->remaining_learning();
  }
  EXPECT_NEAR(before, 0.0, 1e-12);
}

TEST(DataPlanes, EightBitsAreBothPlanesAndFourTheUpperOne) {
  Dataset data;
  data.rows = 3;
  data.columns = 100;
  data.unsigned_features = true;
  data.classes = 2;
  data.labels = {0, 1, 0};
  for (std::size_t i = 0; i < data.rows * data.columns; ++i)
    data.features.push_back(static_cast<float>((i * 37) % 256) / 255.0f);
  DataCopies copies(data);
  Batch batch;
  const std::vector<std::uint32_t> rows{2, 0};
  for (const int bits : {8, 4}) {
    copies.make(bits);
    copies.gather(rows, bits, batch);
    EXPECT_FALSE(batch.is_signed);
    EXPECT_FLOAT_EQ(batch.row_scale[0], bits == 8 ? 1.0f / 255 : 1.0f / 15);
    for (std::size_t i = 0; i < rows.size(); ++i)
      for (std::size_t k = 0; k < data.columns; ++k) {
        const std::size_t byte = (rows[i] * data.columns + k) * 37 % 256;
        ASSERT_EQ(batch.values.data()[i * batch.stride + k], bits == 8 ? byte : byte >> 4);
      }
  }
}

TEST(DataPlanes, SwitchingTheirWidthIsFree) {
  const Dataset digits = embedded_digits();
  const auto learner = make_learner(options(), digits);
  for (const char* name : {"int8", "int4"})
    EXPECT_EQ(learner->copy_counters(digits.rows, Precision::parse(name)), Counters{}) << name;
  EXPECT_NE(learner->copy_counters(digits.rows, Precision::parse("bf16")), Counters{});
}

}  // namespace
}  // namespace carnot::learn
