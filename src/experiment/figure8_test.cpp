// SPDX-License-Identifier: Apache-2.0
#include "carnot/experiment/figure8.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carnot/base/error.hpp"

namespace carnot::experiment {
namespace {

const Figure8Input& named(const Figure8Result& result, const std::string& name) {
  for (const Figure8Input& input : result.inputs)
    if (input.name == name) return input;
  throw std::out_of_range(name);
}

double ratio(const std::vector<ErrorRatio>& ratios, int bits) {
  for (const ErrorRatio& r : ratios)
    if (r.bits == bits) return r.mean;
  return std::nan("");
}

/// One seed: `docs/bars.md` has the figures at the defaults. Fewer rows would not do: what rounding
/// the labels costs falls with their number.
const Figure8Result& small_run() {
  static const Figure8Result result = [] {
    Figure8Options options;
    options.seeds = 1;
    options.limit =
        1.2;  // between what rounding the labels costs at 4 bits and 6 bits of 127 levels
    return run_figure8(options);
  }();
  return result;
}

TEST(Figure8, BitsNeededFollowBitsHeld) {
  const Figure8Result& r = small_run();
  ASSERT_EQ(r.inputs.size(), 12u);
  EXPECT_GE(r.codebook_rank_correlation, 0.8);
  EXPECT_LE(ratio(named(r, "2 levels").grid, 4), 1.25);
  EXPECT_GE(ratio(named(r, "16383 levels").grid, 4), 3.0);
  EXPECT_LE(ratio(named(r, "16383 levels").grid, 8), 1.2);
  for (const Figure8Input& input : r.inputs)
    EXPECT_GE(ratio(input.grid, 2), ratio(input.grid, 8)) << input.name;
}

TEST(Figure8, ACodebookHoldsWhatTheGridMisses) {
  // Seven levels in sixths lie between the sevenths of the four-bit grid.
  const Figure8Input& seven = named(small_run(), "7 levels");
  EXPECT_GE(ratio(seven.grid, 4), 2.0);
  EXPECT_LE(ratio(seven.codebook, 4), 1.25);
  EXPECT_EQ(seven.codebook_predicted, seven.codebook_needs);
}

TEST(Figure8, RoundingErrorAloneExplainsTheRatio) {
  // R - 1 = |w|^2 D / s^2: D the mean squared rounding error of a uniform value on a grid of step
  // 1/7 (four bits), s^2 = 0.0009 |w|^2 / 3 the noise. Both sides of the coefficients cancel.
  const double step = 1.0 / 7.0;
  const double expected = 1.0 + step * step / 12.0 / (0.0009 / 3.0);
  EXPECT_NEAR(ratio(named(small_run(), "16383 levels").grid, 4), expected, 0.15 * expected);
}

TEST(Figure8, TheSameTwiceAndOptionsChecked) {
  Figure8Options options;
  options.rows = 100;
  options.seeds = 1;
  options.bits = {4};
  const Figure8Result a = run_figure8(options), b = run_figure8(options);
  for (std::size_t i = 0; i < a.inputs.size(); ++i)
    EXPECT_EQ(a.inputs[i].grid[0].mean, b.inputs[i].grid[0].mean);
  options.bits = {4, 3};
  EXPECT_THROW(run_figure8(options), InputError);
  options.bits = {4};
  options.noise = 0.0;
  EXPECT_THROW(run_figure8(options), InputError);
  options.noise = 0.03;
  options.tables = {"digits"};
  EXPECT_THROW(run_figure8(options), InputError);
}

}  // namespace
}  // namespace carnot::experiment
