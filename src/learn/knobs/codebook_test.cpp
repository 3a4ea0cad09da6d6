// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/knobs/codebook.hpp"

#include <bit>
#include <cmath>
#include <limits>
#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"

namespace carnot::learn {
namespace {

/// Least squared error of `levels` levels on sorted different values: every way to cut them.
double least_error(const std::vector<float>& values, std::size_t levels) {
  const std::size_t n = values.size();
  double best = std::numeric_limits<double>::infinity();
  for (std::uint32_t cuts = 0; cuts < (1u << (n - 1)); ++cuts) {
    if (static_cast<std::size_t>(std::popcount(cuts)) + 1 > levels) continue;
    double error = 0.0;
    for (std::size_t a = 0, b = 1; b <= n; ++b) {
      if (b < n && (cuts >> (b - 1) & 1u) == 0) continue;
      double mean = 0.0;
      for (std::size_t i = a; i < b; ++i) mean += double(values[i]) / double(b - a);
      for (std::size_t i = a; i < b; ++i) error += std::pow(double(values[i]) - mean, 2);
      a = b;
    }
    best = std::min(best, error);
  }
  return best / double(n);
}

TEST(Codebook, IsExactWhereTheValuesFit) {
  const std::vector<float> column = {0.3f, -7.0f, 0.3f, 2.5f, 9.0f};
  const Codebook book = Codebook::fitted(column, 2);
  EXPECT_EQ(book.squared_error(column), 0.0);
  EXPECT_GT(Codebook::uniform(column, 2).squared_error(column), 0.0);
}

TEST(Codebook, UniformGridIsSymmetricWithItsEndsAtTheGreatest) {
  const Codebook grid = Codebook::uniform(std::vector<float>{-3.0f, 1.0f}, 3);
  EXPECT_EQ(grid.levels(), (std::vector<float>{-3, -2, -1, 0, 1, 2, 3}));
  EXPECT_EQ(grid.nearest(0.5f), 0.0f) << "of two as near the lower";
  EXPECT_EQ(grid.nearest(10.0f), 3.0f);
  EXPECT_EQ(Codebook::uniform(std::vector<float>{2.0f}, 1).levels(), (std::vector<float>{-2, 2}));
  EXPECT_THROW(Codebook::uniform(std::vector<float>{1.0f}, 0), InputError);
  EXPECT_THROW(Codebook::fitted(std::vector<float>{NAN}, 3), InputError);
  EXPECT_THROW(Codebook::fitted({}, 3), InputError);
}

TEST(Codebook, GaussianAsLloydAndMaxTabulateIt) {
  // J. Max, IRE Trans. Inf. Theory 6 (1960), table I: mean squared error of 2, 4, 8 and 16 levels.
  const RandomStream stream(9, "gaussian");
  std::vector<float> column(100000);
  for (std::size_t i = 0; i < column.size(); ++i) column[i] = static_cast<float>(stream.normal(i));
  const double published[] = {0.3634, 0.1175, 0.03454, 0.009497};
  for (int bits = 1; bits <= 4; ++bits)
    EXPECT_NEAR(Codebook::fitted(column, bits).squared_error(column), published[bits - 1],
                0.03 * published[bits - 1]);
  // On this sample no worse than the levels of the same table.
  const float levels[] = {0.1284f, 0.3881f, 0.6568f, 0.9424f, 1.256f, 1.618f, 2.069f, 2.733f};
  double theirs = 0.0;
  for (const float value : column) {
    float nearest = 9.0f;
    for (const float level : levels) nearest = std::min(nearest, std::abs(std::abs(value) - level));
    theirs += double(nearest) * double(nearest) / double(column.size());
  }
  EXPECT_LE(Codebook::fitted(column, 4).squared_error(column), theirs);
}

RC_GTEST_PROP(Codebook, OfFewValuesHasTheLeastError, ()) {
  std::set<float> different;
  for (const int v :
       *rc::gen::nonEmpty(rc::gen::container<std::vector<int>>(rc::gen::inRange(-50, 51))))
    if (different.size() < 12) different.insert(0.25f * static_cast<float>(v));
  const std::vector<float> column(different.begin(), different.end());
  const int bits = *rc::gen::inRange(1, 4);
  const Codebook book = Codebook::fitted(column, bits);
  RC_ASSERT(book.levels().size() <= (std::size_t{1} << bits));
  RC_ASSERT(std::abs(book.squared_error(column) - least_error(column, std::size_t{1} << bits)) <
            1e-6);
  for (const float v : column)
    for (const float level : book.levels())
      RC_ASSERT(std::abs(v - book.nearest(v)) <= std::abs(v - level));
}

}  // namespace
}  // namespace carnot::learn
