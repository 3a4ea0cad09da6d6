// SPDX-License-Identifier: Apache-2.0
#include "carnot/experiment/thermodynamics.hpp"

#include <cmath>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"

namespace carnot::experiment {
namespace {

TEST(NoisyLearning, TellsNoMoreThanEntropyAndHeatPayFor) {
  for (const double alpha : {0.2, 1.0, 4.0})
    for (const double nu : {0.0, 0.05, 0.4, 3.0})
      for (const std::uint64_t seed : {1u, 2u}) {
        const NoisyLearning l = simulate_noisy_learning(150, alpha, nu, seed);
        EXPECT_LE(l.information, 1.1 * (l.entropy + l.heat) + 0.05) << alpha << " " << nu;
        if (nu > 0.1) {  // else both are nearly 0 and the draw decides
          EXPECT_LE(l.efficiency, 1.0);
        }
        EXPECT_NEAR(l.heat, nu * nu * alpha / 2, 0.3 * nu * nu * alpha / 2 + 1e-12);
        EXPECT_GE(l.information, 0.0);
      }
}

// Hebb's rule: the error on fresh inputs is the angle to the teacher over pi.
TEST(NoisyLearning, ErrorIsTheAngleToTheTeacher) {
  for (const double alpha : {0.5, 2.0, 8.0}) {
    const NoisyLearning l = simulate_noisy_learning(300, alpha, 1.0, 7);
    const double sd = std::sqrt(l.error_formula * (1 - l.error_formula) / 5000);
    EXPECT_NEAR(l.error_measured, l.error_formula, 4 * sd) << alpha;
    // And R is what a sum of alpha N aligned inputs leads to: 1 / sqrt(1 + pi / (2 alpha)).
    const double r = 1.0 / std::sqrt(1.0 + std::acos(-1.0) / (2.0 * alpha));
    EXPECT_NEAR(l.error_formula, std::acos(r) / std::acos(-1.0), 0.03) << alpha;
  }
  EXPECT_THROW(simulate_noisy_learning(1, 1.0, 1.0, 1), InputError);
  EXPECT_THROW(simulate_noisy_learning(10, 0.0, 1.0, 1), InputError);
}

/// I(s; x) of a joint distribution of two bits.
double information(const double joint[2][2]) {
  double sum = 0.0;
  for (int s = 0; s < 2; ++s)
    for (int x = 0; x < 2; ++x) {
      const double ps = joint[s][0] + joint[s][1], px = joint[0][x] + joint[1][x];
      if (joint[s][x] > 0) sum += joint[s][x] * std::log(joint[s][x] / (ps * px));
    }
  return sum;
}

// Against the chain itself: four states, iterated until they settle.
RC_GTEST_PROP(DrivenMemory, IsTheStationaryChainAndKeepsStillsInequality, ()) {
  const double flip = *rc::gen::inRange(0, 101) / 100.0;
  const double bias = *rc::gen::inRange(0, 60) / 10.0;
  const double relax = *rc::gen::inRange(1, 101) / 100.0;
  const DrivenMemory m = driven_memory(flip, bias, relax);
  const double same = 1.0 / (1.0 + std::exp(-bias));
  double p[2][2] = {{0.7, 0.1}, {0.1, 0.1}}, jumped[2][2];
  for (int turn = 0; turn < 20000; ++turn) {
    for (int s = 0; s < 2; ++s)
      for (int x = 0; x < 2; ++x) jumped[s][x] = (1 - flip) * p[s][x] + flip * p[s][1 - x];
    for (int s = 0; s < 2; ++s)
      for (int x = 0; x < 2; ++x) {
        const double of_x = jumped[0][x] + jumped[1][x];
        p[s][x] = (1 - relax) * jumped[s][x] + relax * of_x * (s == x ? same : 1 - same);
      }
  }
  for (int s = 0; s < 2; ++s)
    for (int x = 0; x < 2; ++x) jumped[s][x] = (1 - flip) * p[s][x] + flip * p[s][1 - x];
  if (flip > 0.0 && flip < 1.0) {  // else x never changes hands and its start stays
    RC_ASSERT(std::abs(information(p) - m.memory) < 1e-9);
    RC_ASSERT(std::abs(information(jumped) - m.prediction) < 1e-9);
    const double work = bias * (p[0][0] + p[1][1] - jumped[0][0] - jumped[1][1]);
    RC_ASSERT(std::abs(work - m.dissipated) < 1e-9);
  }
  RC_ASSERT(std::abs(m.dissipated_by_jumps - (m.memory - m.prediction)) < 1e-9);
  RC_ASSERT(m.dissipated >= m.memory - m.prediction - 1e-9);
}

RC_GTEST_PROP(Mismatch, IsTheHeatBeyondTheLeast, ()) {
  const auto states = *rc::gen::inRange<std::size_t>(2, 9);
  const auto distribution = [&] {
    auto w = *rc::gen::container<std::vector<int>>(states, rc::gen::inRange(1, 20));
    double sum = 0.0;
    for (const int x : w) sum += x;
    std::vector<double> p;
    for (const int x : w) p.push_back(x / sum);
    return p;
  };
  std::vector<std::vector<double>> map;
  const bool deterministic = *rc::gen::arbitrary<bool>();
  for (std::size_t x = 0; x < states; ++x) {
    map.push_back(distribution());
    if (!deterministic) continue;
    std::fill(map.back().begin(), map.back().end(), 0.0);
    map.back()[*rc::gen::inRange<std::size_t>(0, states)] = 1.0;
  }
  const std::vector<double> p = distribution(), q = distribution();
  const Mismatch m = mismatch("any", map, p, q);
  if (deterministic) {  // no heat is lost in the map itself
    RC_ASSERT(std::abs(m.heat - m.least - m.formula) < 1e-12);
    RC_ASSERT(std::abs(mismatch("same", map, q, q).formula) < 1e-12);
  }
  RC_ASSERT(m.formula >= -1e-12);
}

TEST(Mismatch, ErasureOfAFairBitCostsLandauersHeat) {
  const std::vector<std::vector<double>> erase = {{1, 0}, {1, 0}};
  const Mismatch fair = mismatch("erase", erase, {0.5, 0.5}, {0.5, 0.5});
  EXPECT_NEAR(fair.heat, std::log(2.0), 1e-15);
  EXPECT_NEAR(fair.formula, 0.0, 1e-15);
  // Made for fair bits and fed ones that are nearly all 0: still ln 2.
  const Mismatch biased = mismatch("erase", erase, {0.9, 0.1}, {0.5, 0.5});
  EXPECT_NEAR(biased.heat, std::log(2.0), 1e-15);
  EXPECT_NEAR(biased.formula, std::log(2.0) + 0.9 * std::log(0.9) + 0.1 * std::log(0.1), 1e-15);
  EXPECT_THROW(mismatch("erase", erase, {0.5, 0.6}, {0.5, 0.5}), InputError);
  EXPECT_THROW(mismatch("erase", erase, {0.5, 0.5}, {1.0, 0.0}), InputError);
}

}  // namespace
}  // namespace carnot::experiment
