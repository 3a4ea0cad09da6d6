// SPDX-License-Identifier: Apache-2.0
#include "carnot/base/sum.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/limits.hpp"
#include "carnot/base/random.hpp"

namespace carnot::inline base {

namespace {
double sum_of(const std::vector<double>& terms) { return sum(std::span<const double>(terms)); }
}  // namespace

TEST(Sum, KeepsWhatPlainSummationLoses) {
  EXPECT_EQ(sum_of({1.0, 1e100, 1.0, -1e100}), 2.0);  // plain and Kahan: 0 (Neumaier's example)
  EXPECT_EQ(sum_of({}), 0.0);
  std::vector<double> tenths(1'000'000, 0.1);
  EXPECT_EQ(sum_of(tenths), 100'000.0);
  EXPECT_NE(std::accumulate(tenths.begin(), tenths.end(), 0.0), 100'000.0);
}

TEST(Sum, AddsQuantities) {
  Sum<Energy> total(1e16 * joule);
  total += 1.0 * joule;
  total += 1.0 * joule;
  total -= 1e16 * joule;
  EXPECT_EQ(total.value(), 2.0 * joule);
  static_assert([] {
    Sum<Power> p;
    p += 2.0 * watt;
    return p.value();
  }() == 2.0 * watt);
}

TEST(Sum, InfinitiesAndNanStayWhatTheyAre) {
  EXPECT_EQ(sum_of({1.0, kInfinity, 1.0}), kInfinity);
  EXPECT_EQ(sum_of({-kInfinity, 5.0}), -kInfinity);
  EXPECT_TRUE(std::isnan(sum_of({kInfinity, -kInfinity})));
  EXPECT_TRUE(std::isnan(sum_of({kNaN, 1.0})));
  EXPECT_EQ(sum_of({1e308, 1e308}), kInfinity);
}

RC_GTEST_PROP(SumProperty, AgreesWithExactIntegerArithmetic, ()) {
  // Terms are integers times 2^-20 with up to 62 bits in sum: the exact result is an integer.
  const auto integers = *rc::gen::container<std::vector<std::int64_t>>(
      rc::gen::inRange<std::int64_t>(-(std::int64_t{1} << 52), std::int64_t{1} << 52));
  std::vector<double> terms;
  for (const std::int64_t i : integers) terms.push_back(static_cast<double>(i) * 0x1p-20);
  const std::int64_t exact = std::accumulate(integers.begin(), integers.end(), std::int64_t{0});
  RC_ASSERT(sum_of(terms) == static_cast<double>(exact) * 0x1p-20);
}

TEST(Sum, WideRangeAgainstLongDouble) {
  const RandomStream random(7, "sum");
  std::vector<double> terms;
  long double exact = 0.0L;
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    terms.push_back(random.normal(i) * std::exp2(static_cast<double>(random.below(i, 40))));
    exact += terms.back();
  }
  EXPECT_NEAR(sum_of(terms), static_cast<double>(exact), 1e-15 * std::abs(double(exact)) + 1e-5);
}

}  // namespace carnot::inline base
