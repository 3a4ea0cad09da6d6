// SPDX-License-Identifier: Apache-2.0
// Solvers that are stopped at their k-th look at a token, for many k.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "carnot/base/limits.hpp"
#include "carnot/base/random.hpp"
#include "carnot/solve/integer_program.hpp"
#include "carnot/solve/linear_program.hpp"

#include "base/testing_stop.hpp"

namespace carnot::solve {
namespace {

using carnot::testing::CountedStop;

/// A knapsack of several weights: minimise -value . x, weight . x <= limit, 0 <= x <= 1.
struct Knapsack {
  LinearProgram program;
  std::vector<int> whole;

  Knapsack(std::uint64_t seed, int columns, int rows) {
    const RandomStream random(seed, "knapsack");
    std::uint64_t at = 0;
    std::vector<std::vector<Term>> weights(static_cast<std::size_t>(rows));
    for (int j = 0; j < columns; ++j) {
      whole.push_back(program.add_column(0, 1, -1 - random.uniform(at++)));
      for (auto& row : weights) row.push_back({j, 0.5 + random.uniform(at++)});
    }
    for (const auto& row : weights) program.add_row(-kInfinity, 0.31 * columns, row);
  }
};

/// 0, 1, 2, ... and then in ever longer strides, up to `last`.
std::vector<std::int64_t> spread(std::int64_t last) {
  std::vector<std::int64_t> out;
  for (std::int64_t k = 0; k < last; k += 1 + k / 3) out.push_back(k);
  return out;
}

#ifdef CARNOT_HAVE_CLP

TEST(LinearStop, EndsAtAnyPivotAndGoesOnFromThere) {
  CountedStop never(INT64_MAX);
  Knapsack whole(1, 120, 60);
  const double optimum = whole.program.solve(never.token()).objective;
  ASSERT_GT(never.asked(), 40) << "it looks between pivots";
  for (const std::int64_t k : spread(never.asked())) {
    Knapsack again(1, 120, 60);
    CountedStop stop(k);
    EXPECT_EQ(again.program.solve(stop.token()).status, ProgramStatus::Stopped) << k;
    EXPECT_LE(stop.asked(), k + 1) << "a token that said yes is not asked again";
    const ProgramAnswer answer = again.program.solve();
    ASSERT_EQ(answer.status, ProgramStatus::Optimal) << k;
    EXPECT_NEAR(answer.objective, optimum, 1e-7) << k;
  }
}

#endif

#ifdef CARNOT_HAVE_CBC

TEST(IntegerStop, WhatIsStoppedAnywhereClaimsNoMoreThanIsTrue) {
  constexpr int kColumns = 34, kRows = 5;
  int found = 0, bounded = 0;
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    Knapsack whole(seed, kColumns, kRows);
    const IntegerAnswer best = solve_integer(whole.program, whole.whole);
    ASSERT_TRUE(best.found && best.proven);
    CountedStop never(INT64_MAX);
    IntegerOptions options;
    options.stop = never.token();
    EXPECT_EQ(solve_integer(whole.program, whole.whole, options).objective, best.objective);
    ASSERT_GT(never.asked(), 300) << "it looks inside nodes";
    for (const std::int64_t k : spread(never.asked())) {
      CountedStop stop(k);
      options.stop = stop.token();
      const IntegerAnswer answer = solve_integer(whole.program, whole.whole, options);
      EXPECT_FALSE(answer.proven) << k;
      EXPECT_LE(answer.bound, best.objective + 1e-7) << k;
      bounded += std::isfinite(answer.bound);
      if (!answer.found) continue;
      ++found;
      EXPECT_GE(answer.objective, best.objective - 1e-7) << k;
      EXPECT_LE(whole.program.violation(answer.values), 1e-7) << k;
      for (const int j : whole.whole)
        EXPECT_EQ(answer.values[static_cast<std::size_t>(j)],
                  std::round(answer.values[static_cast<std::size_t>(j)]));
    }
  }
  EXPECT_GT(found, 5) << "some stops come after a first answer";
  EXPECT_GT(bounded, 5);
}

TEST(IntegerStop, NothingIsCalledImpossibleBecauseItWasStopped) {
  Knapsack whole(3, 16, 3);
  std::vector<Term> all;
  for (const int j : whole.whole) all.push_back({j, 2.0});
  whole.program.add_row(11, 11, all);  // twice a whole number is not odd
  const IntegerAnswer none = solve_integer(whole.program, whole.whole);
  ASSERT_TRUE(none.proven && !none.found);
  CountedStop never(INT64_MAX);
  IntegerOptions options;
  options.stop = never.token();
  (void)solve_integer(whole.program, whole.whole, options);
  for (const std::int64_t k : spread(never.asked())) {
    CountedStop stop(k);
    options.stop = stop.token();
    EXPECT_FALSE(solve_integer(whole.program, whole.whole, options).proven) << k;
  }
}

#endif

}  // namespace
}  // namespace carnot::solve
