// SPDX-License-Identifier: Apache-2.0
#include "carnot/model/scaling/scaling.hpp"

#include <cmath>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"

namespace carnot::model {
namespace {

using testing::HasSubstr;

std::string message(const std::function<void()>& act) {
  try {
    act();
  } catch (const InputError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

std::vector<EffortPoint> on_power_law(double a, double b, double noise, std::size_t n,
                                      std::uint64_t seed) {
  const RandomStream r(seed, "points");
  std::vector<EffortPoint> out;
  for (std::size_t i = 0; i < n; ++i) {
    const double c = std::exp(30 + 12 * r.uniform(2 * i));
    out.push_back({c, a * std::pow(c, -b) * std::exp(noise * r.normal(2 * i + 1))});
  }
  return out;
}

const TwoTermConstants kHoffmann{1.69, 406.4, 410.7, 0.34, 0.28};
const TwoTermConstants kBesiroglu{1.8172, 482.01, 2085.43, 0.3478, 0.3658};

std::vector<LossPoint> on_two_terms(const TwoTermConstants& law, double noise, std::size_t n,
                                    std::uint64_t seed) {
  const RandomStream r(seed, "losses");
  std::vector<LossPoint> out;
  for (std::size_t i = 0; i < n; ++i) {
    const double parameters = std::exp(std::log(5e7) + std::log(300.0) * r.uniform(3 * i));
    const double tokens = std::exp(std::log(5e8) + std::log(800.0) * r.uniform(3 * i + 1));
    out.push_back(
        {parameters, tokens, law.loss(parameters, tokens) * std::exp(noise * r.normal(3 * i + 2))});
  }
  return out;
}

TEST(PowerLaw, ExactPointsGiveTheLawBack) {
  const PowerLaw law = fit_power_law(on_power_law(40, 1.0 / 9, 0, 20, 1));
  EXPECT_NEAR(law.exponent.value, 1.0 / 9, 1e-12);
  // A ninth power: half the error takes 2^9 = 512 times the effort.
  EXPECT_NEAR(law.half.value, 512, 1e-6);
  EXPECT_NEAR(law.half.low, 512, 1e-6);
  EXPECT_NEAR(law.r2, 1, 1e-12);
  const double effort = law.effort_for(0.5).value;
  EXPECT_NEAR(law.error_at(effort).value, 0.5, 1e-9);
}

TEST(PowerLaw, IntervalsHoldTheTruthNineTimesInTen) {
  int held = 0;
  constexpr int kTrials = 200;
  for (int i = 0; i < kTrials; ++i) {
    const PowerLaw law = fit_power_law(
        on_power_law(5, 0.12, 0.15, 40, static_cast<std::uint64_t>(1000 + i)), 3, 300);
    held += law.exponent.low <= 0.12 && 0.12 <= law.exponent.high;
  }
  RecordProperty("held_of_200", std::to_string(held));
  EXPECT_GE(held, 166);  // resampling forty points is a little narrow
  EXPECT_LE(held, 194);
}

TEST(PowerLaw, NoiseAloneHasNoHalf) {
  const PowerLaw law = fit_power_law(on_power_law(1, 0, 0.3, 15, 5));
  EXPECT_LT(law.exponent.low, 0);
  EXPECT_TRUE(std::isinf(law.half.high));
  EXPECT_EQ(fit_power_law(on_power_law(1, 0, 0.3, 15, 5)).exponent.low, law.exponent.low);
  EXPECT_THAT(message([] { fit_power_law(on_power_law(1, 1, 0, 3, 1)); }), HasSubstr("found 3"));
  const std::vector<EffortPoint> same(5, {1, 1});
  EXPECT_THAT(message([&] { fit_power_law(same); }), HasSubstr("different"));
  const std::vector<EffortPoint> negative(5, {1, -1});
  EXPECT_THAT(message([&] { fit_power_law(negative); }), HasSubstr("above 0"));
}

TEST(TwoTerms, PublishedConstantsSayHowManyTokens) {
  // At the 5.76e23 FLOP of Gopher and Chinchilla: 93 tokens a parameter by Hoffmann's constants,
  // 18 by Besiroglu's; Chinchilla itself was given 20.
  EXPECT_NEAR(kHoffmann.optimal_tokens_per_parameter(5.76e23), 93, 1.5);
  EXPECT_NEAR(kBesiroglu.optimal_tokens_per_parameter(5.76e23), 18, 0.5);
  // No other N at the same compute has less loss.
  const double n = kBesiroglu.optimal_parameters(1e22);
  const auto at = [&](double parameters) {
    return kBesiroglu.loss(parameters, 1e22 / 6 / parameters);
  };
  EXPECT_LT(at(n), at(1.05 * n));
  EXPECT_LT(at(n), at(0.95 * n));
}

TEST(TwoTerms, ExactPointsGiveTheConstantsBack) {
  const TwoTermLaw law = fit_two_terms(on_two_terms(kBesiroglu, 0, 240, 1), 1, 3);
  EXPECT_NEAR(law.best.floor, 1.8172, 1e-3);
  EXPECT_NEAR(law.best.alpha, 0.3478, 1e-3);
  EXPECT_NEAR(law.best.beta, 0.3658, 1e-3);
  EXPECT_NEAR(law.best.a / 482.01, 1, 0.02);
  EXPECT_NEAR(law.best.b / 2085.43, 1, 0.02);
  EXPECT_NEAR(law.tokens_per_parameter(5.76e23).value, 18, 0.5);
}

TEST(TwoTerms, IntervalsHoldTheTruthNineTimesInTen) {
  int alpha = 0, beta = 0, floor = 0;
  constexpr int kTrials = 60;
  for (int i = 0; i < kTrials; ++i) {
    const TwoTermLaw law = fit_two_terms(
        on_two_terms(kBesiroglu, 0.01, 240, static_cast<std::uint64_t>(50 + i)), 7, 60);
    alpha += law.alpha.low <= kBesiroglu.alpha && kBesiroglu.alpha <= law.alpha.high;
    beta += law.beta.low <= kBesiroglu.beta && kBesiroglu.beta <= law.beta.high;
    floor += law.floor.low <= kBesiroglu.floor && kBesiroglu.floor <= law.floor.high;
  }
  RecordProperty("alpha_of_60", std::to_string(alpha));
  RecordProperty("beta_of_60", std::to_string(beta));
  RecordProperty("floor_of_60", std::to_string(floor));
  for (const int held : {alpha, beta, floor}) EXPECT_GE(held, 47);
}

TEST(TwoTerms, RefusesPointsThatCannotTell) {
  std::vector<LossPoint> together;
  for (int i = 1; i < 20; ++i) together.push_back({1e8 * i, 2e9 * i, 3.0 / i});
  EXPECT_THAT(message([&] { fit_two_terms(together); }), HasSubstr("do not go together"));
  EXPECT_THAT(message([] { fit_two_terms({}); }), HasSubstr("found 0"));
}

}  // namespace
}  // namespace carnot::model
