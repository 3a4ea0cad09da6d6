// SPDX-License-Identifier: Apache-2.0
#include "carnot/solve/linear_program.hpp"

#include <array>
#include <cmath>

#include <gtest/gtest.h>

#include "carnot/base/limits.hpp"
#include "carnot/base/random.hpp"
#include "carnot/solve/integer_program.hpp"

namespace carnot::solve {
namespace {

#ifdef CARNOT_HAVE_CLP

TEST(LinearProgramColumns, GrownOneByOneAsAllAtOnce) {
  // Random coverings: minimise cost . x with A x >= b, 0 <= x <= 2.
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const RandomStream random(seed, "grow");
    std::uint64_t at = 0;
    const auto u = [&] { return random.uniform(at++); };
    constexpr int kRows = 6, kColumns = 12;
    LinearProgram grown, whole;
    std::vector<std::vector<Term>> rows(kRows);
    std::vector<double> demand(kRows);
    for (int i = 0; i < kRows; ++i) {
      demand[static_cast<std::size_t>(i)] = 1 + u();
      // Slack at a price keeps every stage feasible.
      const int slack = grown.add_column(0, kInfinity, 10);
      ASSERT_EQ(slack, whole.add_column(0, kInfinity, 10));
      rows[static_cast<std::size_t>(i)].push_back({slack, 1.0});
      grown.add_row(demand[static_cast<std::size_t>(i)], kInfinity, std::array{Term{slack, 1.0}});
    }
    double last = grown.solve().objective;
    for (int j = 0; j < kColumns; ++j) {
      const double cost = 1 + 3 * u();
      std::vector<Share> shares;
      const int column = whole.add_column(0, 2, cost);
      for (int i = 0; i < kRows; ++i)
        if (u() < 0.4) {
          shares.push_back({i, 0.2 + u()});
          rows[static_cast<std::size_t>(i)].push_back({column, shares.back().coefficient});
        }
      ASSERT_EQ(grown.add_column(0, 2, cost, shares), column);
      if (j % 5 == 4)  // a row in between, over columns old and new
        grown.add_row(-kInfinity, 100, std::array{Term{column, 1.0}, Term{0, 1.0}});
      const ProgramAnswer answer = grown.solve();
      ASSERT_EQ(answer.status, ProgramStatus::Optimal);
      EXPECT_LE(answer.objective, last + 1e-7);
      EXPECT_NEAR(answer.bound, answer.objective, 1e-7);
      EXPECT_LE(answer.violation, 1e-7);
      last = answer.objective;
    }
    for (std::size_t i = 0; i < rows.size(); ++i) whole.add_row(demand[i], kInfinity, rows[i]);
    EXPECT_NEAR(whole.solve().objective, last, 1e-7) << seed;
  }
}

#endif

#ifdef CARNOT_HAVE_CBC

/// Minimise cost . x + price max(0, weight . x - free) over whole x in [0, 2], choice . x <= limit,
/// x0 + x1 + x2 = 2; the second term by a column that need not be whole.
struct Mixed {
  static constexpr int kWhole = 6;
  std::array<double, kWhole> cost{}, weight{}, choice{};
  double price = 0, free = 0, limit = 0;

  explicit Mixed(std::uint64_t seed) {
    const RandomStream random(seed, "mixed");
    std::uint64_t at = 0;
    const auto u = [&] { return random.uniform(at++); };
    for (std::size_t j = 0; j < kWhole; ++j) {
      cost[j] = 4 * u() - 3;
      weight[j] = u();
      choice[j] = u();
    }
    price = 3 * u();
    free = 2 * u();
    limit = 0.2 + 3 * u();
  }

  double optimum() const {
    double best = kInfinity;
    for (int code = 0; code < 729; ++code) {
      double value = 0, drawn = 0, used = 0;
      int rest = code, first = 0;
      for (std::size_t j = 0; j < kWhole; ++j, rest /= 3) {
        const int x = rest % 3;
        value += x * cost[j];
        drawn += x * weight[j];
        used += x * choice[j];
        if (j < 3) first += x;
      }
      if (first == 2 && used <= limit)
        best = std::min(best, value + price * std::max(0.0, drawn - free));
    }
    return best;
  }

  IntegerAnswer solve(const IntegerOptions& options = {}) const {
    LinearProgram program;
    std::vector<Term> drawn, used, first;
    std::vector<int> whole;
    for (std::size_t j = 0; j < kWhole; ++j) {
      whole.push_back(program.add_column(0, 2, cost[j]));
      drawn.push_back({whole.back(), weight[j]});
      used.push_back({whole.back(), choice[j]});
      if (j < 3) first.push_back({whole.back(), 1.0});
    }
    drawn.push_back({program.add_column(0, kInfinity, price), -1.0});
    program.add_row(-kInfinity, free, drawn);
    program.add_row(-kInfinity, limit, used);
    program.add_row(2, 2, first);
    return solve_integer(program, whole, options);
  }
};

TEST(IntegerProgram, IsTheBestOfAllWholePoints) {
  int infeasible = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const Mixed mixed(seed);
    const double optimum = mixed.optimum();
    const IntegerAnswer answer = mixed.solve();
    ASSERT_TRUE(answer.proven) << seed;
    ASSERT_EQ(answer.found, std::isfinite(optimum)) << seed;
    infeasible += !answer.found;
    if (!answer.found) {
      EXPECT_EQ(answer.bound, kInfinity);
      continue;
    }
    EXPECT_NEAR(answer.objective, optimum, 1e-6) << seed;
    EXPECT_NEAR(answer.bound, optimum, 1e-6) << seed;
    EXPECT_LE(answer.violation, 1e-7) << seed;
    for (std::size_t j = 0; j < Mixed::kWhole; ++j)
      EXPECT_EQ(answer.values[j], std::round(answer.values[j]));
  }
  EXPECT_GT(infeasible, 0);
  EXPECT_LT(infeasible, 40);
}

TEST(IntegerProgram, LooksOnlyBelowTheCutoff) {
  int seen = 0;
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const Mixed mixed(seed);
    const double optimum = mixed.optimum();
    if (!std::isfinite(optimum)) continue;
    ++seen;
    IntegerOptions options;
    options.cutoff = optimum - 1e-3;
    const IntegerAnswer none = mixed.solve(options);
    EXPECT_FALSE(none.found) << seed;
    EXPECT_TRUE(none.proven) << seed;
    options.cutoff = optimum + 1e-3;
    const IntegerAnswer best = mixed.solve(options);
    ASSERT_TRUE(best.found) << seed;
    EXPECT_NEAR(best.objective, optimum, 1e-6) << seed;
  }
  EXPECT_GT(seen, 10);
}

#else

TEST(IntegerProgram, SaysWhatIsMissing) {
  EXPECT_FALSE(has_integer_solver());
  EXPECT_THROW(solve_integer(LinearProgram(), {}), DeviceError);
}

#endif

}  // namespace
}  // namespace carnot::solve
