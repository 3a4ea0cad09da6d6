// SPDX-License-Identifier: Apache-2.0
#include "carnot/base/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/base/random.hpp"

#include "base/testing_thrown.hpp"

namespace carnot::inline base {

namespace {

void expect_relative(double found, double expected, double tolerance) {
  EXPECT_NEAR(found, expected, tolerance * std::abs(expected));
}

/// Integral of t^(a-1) (1-t)^(b-1) over [0, x] by double-exponential quadrature in long double:
/// t = x / (1 + exp(-pi sinh s)); singular ends are no trouble to it.
long double beta_integral(long double a, long double b, long double x) {
  constexpr long double kPi = 3.14159265358979323846264338327950288L;
  constexpr long double kStep = 1.0L / 512.0L;
  long double sum = 0.0L;
  for (int k = -6 * 512; k <= 6 * 512; ++k) {
    const long double s = kStep * k;
    const long double e = std::exp(-kPi * std::sinh(s));
    const long double u = 1.0L / (1.0L + e);
    const long double du = kPi * std::cosh(s) * u * (e / (1.0L + e));
    const long double t = x * u;
    const long double rest = 1.0L - x + x * (e / (1.0L + e));  // 1 - t without cancellation
    const long double f = std::exp((a - 1.0L) * std::log(t) + (b - 1.0L) * std::log(rest)) * x * du;
    if (std::isfinite(f)) sum += f;
  }
  return sum * kStep;
}

long double plain_incomplete_beta(double a, double b, double x) {
  const long double lower = beta_integral(a, b, x);
  const long double upper = beta_integral(b, a, 1.0L - x);
  return lower / (lower + upper);
}

/// P(X = k) for X binomial(n, p), by its product.
long double binomial_mass(int n, int k, long double p) {
  long double mass = 1.0L;
  for (int i = 1; i <= k; ++i) mass *= (n - k + i) * p / i;
  return mass * std::pow(1.0L - p, static_cast<long double>(n - k));
}

long double binomial_at_least(int n, int k, long double p) {
  long double sum = 0.0L;
  for (int i = n; i >= k; --i) sum += binomial_mass(n, i, p);
  return sum;
}

}  // namespace

// Abramowitz & Stegun (1964), tables 26.1 and 26.2 (15 digits); the far tails from DLMF 7.12.1
// evaluated with 30 digits.
TEST(Normal, DistributionFunctionAgreesWithTables) {
  expect_relative(normal_cdf(0.0), 0.5, 1e-16);
  expect_relative(normal_cdf(1.0), 0.841344746068543, 1e-15);
  expect_relative(normal_cdf(2.0), 0.977249868051821, 1e-15);
  expect_relative(normal_cdf(-3.0), 0.00134989803163009453, 1e-14);
  expect_relative(normal_cdf(-10.0), 7.61985302416052607e-24, 1e-13);
  expect_relative(normal_cdf(-37.0), 5.72557122252458e-300, 1e-12);
  EXPECT_EQ(normal_cdf(kInfinity), 1.0);
  EXPECT_EQ(normal_cdf(-kInfinity), 0.0);
}

// Wichura (1988), table of checks for PPND16.
TEST(Normal, QuantileAgreesWithItsPaper) {
  expect_relative(normal_quantile(0.25), -0.6744897501960817, 1e-15);
  expect_relative(normal_quantile(0.001), -3.090232306167814, 1e-15);
  expect_relative(normal_quantile(1e-20), -9.262340089798408, 1e-15);
  expect_relative(normal_quantile(0.975), 1.959963984540054, 1e-15);
  EXPECT_EQ(normal_quantile(0.5), 0.0);
}

TEST(Normal, QuantileInvertsTheDistributionFunctionEverywhere) {
  for (double exponent = -307.0; exponent < -0.31; exponent += 0.37) {
    const double p = std::pow(10.0, exponent);
    const double z = normal_quantile(p);
    // d(ln p) / dz is about -z: each rounding of z, 1e-16 z, moves p by 1e-16 z^2 relatively.
    expect_relative(normal_cdf(z), p, 1e-15 * (4.0 + z * z));
  }
  for (double p = 0.001; p < 1.0; p += 0.001) {
    expect_relative(normal_cdf(normal_quantile(p)), p, 5e-15);
    EXPECT_NEAR(normal_quantile(1.0 - p), -normal_quantile(p), 1e-12);
  }
}

TEST(Normal, QuantileRefusesWhatIsNoProbability) {
  for (const double p : {0.0, 1.0, -0.1, 1.1, kNaN})
    EXPECT_THROW(normal_quantile(p), InputError) << p;
}

TEST(IncompleteBeta, ClosedForms) {
  for (const double x : {1e-12, 0.01, 0.3, 0.5, 0.9, 0.999999}) {
    expect_relative(incomplete_beta(1.0, 1.0, x), x, 1e-13);
    expect_relative(incomplete_beta(3.0, 1.0, x), x * x * x, 1e-13);
    expect_relative(incomplete_beta(1.0, 4.0, x), -std::expm1(4.0 * std::log1p(-x)), 1e-13);
    expect_relative(incomplete_beta(0.5, 0.5, x), 2.0 / M_PI * std::asin(std::sqrt(x)), 1e-13);
  }
  for (const double a : {0.1, 1.0, 7.0, 1e3, 1e6, 1e9})
    expect_relative(incomplete_beta(a, a, 0.5), 0.5, 1e-12);
  EXPECT_EQ(incomplete_beta(2.0, 3.0, 0.0), 0.0);
  EXPECT_EQ(incomplete_beta(2.0, 3.0, 1.0), 1.0);
}

TEST(IncompleteBeta, AgreesWithNumericalIntegration) {
  for (const double a : {0.05, 0.5, 1.0, 2.5, 17.0, 100.0, 1000.0})
    for (const double b : {0.05, 0.7, 1.0, 3.0, 40.0, 900.0})
      for (const double x : {1e-6, 0.02, 0.25, 0.5, 0.77, 0.96, 0.9999}) {
        const double expected = static_cast<double>(plain_incomplete_beta(a, b, x));
        if (expected < 1e-280) continue;
        EXPECT_NEAR(incomplete_beta(a, b, x), expected, 1e-11 * expected)
            << a << ' ' << b << ' ' << x;
      }
}

RC_GTEST_PROP(IncompleteBetaProperty, IsABinomialTailForWholeParameters, ()) {
  const int n = *rc::gen::inRange(1, 80);
  const int k = *rc::gen::inRange(1, n + 1);
  const double p = *rc::gen::inRange(1, 1000) / 1000.0;
  const double expected = static_cast<double>(binomial_at_least(n, k, p));
  RC_ASSERT(std::abs(incomplete_beta(k, n - k + 1, p) - expected) <= 1e-12 * expected);
}

RC_GTEST_PROP(IncompleteBetaProperty, ReflectsAndRises, ()) {
  const double a = *rc::gen::inRange(1, 100'000) / 100.0;
  const double b = *rc::gen::inRange(1, 100'000) / 100.0;
  const double x = *rc::gen::inRange(1, 1024) / 1024.0;
  const double lower = incomplete_beta(a, b, x);
  RC_ASSERT(lower >= 0.0 && lower <= 1.0);
  RC_ASSERT(std::abs(lower + incomplete_beta(b, a, 1.0 - x) - 1.0) < 1e-12);
  RC_ASSERT(incomplete_beta(a, b, x - 0x1p-11) <= lower);
}

TEST(InverseIncompleteBeta, InvertsOverTheWholeRange) {
  for (const double a : {0.1, 1.0, 3.0, 50.0, 1e4, 1e8})
    for (const double b : {0.1, 1.0, 8.0, 300.0, 1e6})
      for (const double p : {1e-200, 1e-12, 0.001, 0.1, 0.5, 0.7, 0.99, 1.0 - 1e-12}) {
        const double x = inverse_incomplete_beta(a, b, p);
        ASSERT_GE(x, 0.0);
        ASSERT_LE(x, 1.0);
        if (x < 1e-290 || x > 1.0 - 1e-9) continue;  // x itself has lost its digits
        // One unit in the last place of x, times the slope, is the best that p can come back to.
        const double up = incomplete_beta(a, b, std::min(1.0, x * (1.0 + 4e-16)));
        const double best = std::abs(up - incomplete_beta(a, b, x * (1.0 - 4e-16)));
        EXPECT_NEAR(incomplete_beta(a, b, x), p, 1e-10 * p + best) << a << ' ' << b << ' ' << p;
      }
}

TEST(InverseIncompleteBeta, KnownValues) {
  EXPECT_EQ(inverse_incomplete_beta(2.0, 3.0, 0.0), 0.0);
  EXPECT_EQ(inverse_incomplete_beta(2.0, 3.0, 1.0), 1.0);
  expect_relative(inverse_incomplete_beta(5.0, 1.0, 0.2), std::pow(0.2, 0.2), 1e-14);
  expect_relative(inverse_incomplete_beta(1.0, 5.0, 1e-30), 2e-31, 1e-13);
  expect_relative(inverse_incomplete_beta(1e6, 1.0, 1e-20), std::pow(1e-20, 1e-6), 1e-14);
  // Median of Beta(2, 2) is 1/2; I_0.4(2, 3) = 0.5248 exactly.
  expect_relative(inverse_incomplete_beta(2.0, 2.0, 0.5), 0.5, 1e-14);
  expect_relative(inverse_incomplete_beta(2.0, 3.0, 0.5248), 0.4, 1e-14);
}

TEST(IncompleteBeta, RefusesWhatIsOutOfRange) {
  EXPECT_THROW(incomplete_beta(0.0, 1.0, 0.5), InputError);
  EXPECT_THROW(incomplete_beta(1.0, -1.0, 0.5), InputError);
  EXPECT_THROW(incomplete_beta(1.0, kNaN, 0.5), InputError);
  EXPECT_THROW(incomplete_beta(1.0, 1.0, 1.5), InputError);
  EXPECT_THROW(incomplete_beta(1.0, 1.0, kNaN), InputError);
  EXPECT_THROW(inverse_incomplete_beta(1.0, 1.0, -0.1), InputError);
  EXPECT_THROW(inverse_incomplete_beta(1.0, 1.0, 1.1), InputError);
  EXPECT_THROW(inverse_incomplete_beta(1.0, 1.0, kNaN), InputError);
}

// 682 of 925: Conover (1971), "Practical Nonparametric Statistics", p. 97, as computed by R 4.2
// binom.test: 95 % two-sided 0.7076683 to 0.7654066.
TEST(ClopperPearson, PublishedExample) {
  EXPECT_NEAR(clopper_pearson_lower(682, 925, 0.025), 0.7076683, 5e-8);
  EXPECT_NEAR(clopper_pearson_upper(682, 925, 0.025), 0.7654066, 5e-8);
}

TEST(ClopperPearson, ClosedFormsAtTheEnds) {
  EXPECT_EQ(clopper_pearson_lower(0, 20, 0.05), 0.0);
  EXPECT_EQ(clopper_pearson_upper(20, 20, 0.05), 1.0);
  for (const double n : {1.0, 10.0, 1e3, 1e6, 1e12}) {
    const auto trials = static_cast<std::uint64_t>(n);
    expect_relative(clopper_pearson_upper(0, trials, 0.05), -std::expm1(std::log(0.05) / n), 1e-11);
    expect_relative(clopper_pearson_lower(trials, trials, 0.05), std::pow(0.05, 1.0 / n), 1e-14);
  }
}

TEST(ClopperPearson, SolvesTheExactBinomialEquation) {
  for (const int n : {1, 2, 5, 17, 60})
    for (int s = 0; s <= n; ++s)
      for (const double alpha : {1e-9, 0.01, 0.05, 0.3, 0.8}) {
        if (s > 0) {
          const double lower = clopper_pearson_lower(s, n, alpha);
          expect_relative(static_cast<double>(binomial_at_least(n, s, lower)), alpha, 1e-10);
        }
        if (s < n) {
          const double upper = clopper_pearson_upper(s, n, alpha);
          const long double at_most = binomial_at_least(n, n - s, 1.0L - upper);  // failures
          // Near 1 the bound itself has few digits below 1.
          const double best = n * 0x1p-53 / (1.0 - upper);
          expect_relative(static_cast<double>(at_most), alpha, 1e-10 + best);
        }
      }
}

TEST(ClopperPearson, CoversAtLeastAsOftenAsPromised) {
  for (const int n : {1, 3, 10, 31})
    for (const double alpha : {0.01, 0.05, 0.2}) {
      std::vector<double> lower;
      std::vector<double> upper;
      for (int s = 0; s <= n; ++s) {
        lower.push_back(clopper_pearson_lower(s, n, alpha));
        upper.push_back(clopper_pearson_upper(s, n, alpha));
      }
      EXPECT_TRUE(std::is_sorted(lower.begin(), lower.end()));
      EXPECT_TRUE(std::is_sorted(upper.begin(), upper.end()));
      for (int i = 0; i <= 400; ++i) {
        const long double p = i / 400.0L;
        long double covered_by_lower = 0.0L;
        long double covered_by_upper = 0.0L;
        for (int s = 0; s <= n; ++s) {
          const auto k = static_cast<std::size_t>(s);
          if (lower[k] <= p) covered_by_lower += binomial_mass(n, s, p);
          if (upper[k] >= p) covered_by_upper += binomial_mass(n, s, p);
        }
        ASSERT_GE(covered_by_lower, 1.0L - alpha - 1e-12L) << n << ' ' << alpha << ' ' << i;
        ASSERT_GE(covered_by_upper, 1.0L - alpha - 1e-12L) << n << ' ' << alpha << ' ' << i;
      }
    }
}

TEST(ClopperPearson, RefusesNonsense) {
  EXPECT_THROW(clopper_pearson_lower(2, 1, 0.05), InputError);
  EXPECT_THROW(clopper_pearson_upper(0, 0, 0.05), InputError);
  EXPECT_THROW(clopper_pearson_lower(1, 2, 0.0), InputError);
  EXPECT_THROW(clopper_pearson_upper(1, 2, 1.0), InputError);
  EXPECT_THROW(clopper_pearson_upper(1, 2, kNaN), InputError);
}

TEST(EmpiricalBernstein, IsTheFormulaOfMaurerAndPontil) {
  // sqrt(2 * 0.04 * ln 40 / 100) + 7 * ln 40 / (3 * 99), evaluated by hand with ln 40 = 3.6888795.
  EXPECT_NEAR(empirical_bernstein_half_width(0.04, 100, 1.0, 0.05), 0.1412673, 1e-6);
  // Values ten times as wide have a bound ten times as wide.
  expect_relative(empirical_bernstein_half_width(4.0, 100, 10.0, 0.05),
                  10.0 * empirical_bernstein_half_width(0.04, 100, 1.0, 0.05), 1e-14);
  EXPECT_THROW(empirical_bernstein_half_width(0.1, 1, 1.0, 0.05), InputError);
  EXPECT_THROW(empirical_bernstein_half_width(-0.1, 9, 1.0, 0.05), InputError);
  EXPECT_THROW(empirical_bernstein_half_width(0.1, 9, 0.0, 0.05), InputError);
  EXPECT_THROW(empirical_bernstein_half_width(0.1, 9, 1.0, 0.0), InputError);
}

TEST(EmpiricalBernstein, Covers) {
  const RandomStream random(9, "bernstein");
  int missed = 0;
  constexpr int kRuns = 2000;
  for (std::uint64_t run = 0; run < kRuns; ++run) {
    std::vector<double> x;  // Bernoulli(0.02): skewed, where a normal interval misses too often
    for (std::uint64_t i = 0; i < 50; ++i) x.push_back(random.uniform(run * 50 + i) < 0.02);
    const double half = empirical_bernstein_half_width(sample_variance(x), 50, 1.0, 0.05);
    missed += 0.02 > mean(x) + half;
  }
  EXPECT_LE(missed, 0.05 * kRuns);
}

TEST(Descriptive, MeanMedianVariance) {
  EXPECT_EQ(mean(std::vector{1.0, 2.0, 6.0}), 3.0);
  EXPECT_EQ(median(std::vector{5.0, 1.0, 3.0}), 3.0);
  EXPECT_EQ(median(std::vector{5.0, 1.0, 3.0, 4.0}), 3.5);
  EXPECT_EQ(median(std::vector{7.0}), 7.0);
  EXPECT_EQ(sample_variance(std::vector{1.0, 3.0}), 2.0);
  // 0.1 a million times: the mean is 0.1 and nothing varies.
  const std::vector<double> tenths(1'000'000, 0.1);
  EXPECT_EQ(mean(tenths), 0.1);
  EXPECT_EQ(sample_variance(tenths), 0.0);
  // A great offset must not swallow the variance.
  EXPECT_EQ(sample_variance(std::vector{1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16}), 30.0);
  EXPECT_THROW(mean(std::vector<double>{}), InputError);
  EXPECT_THROW(median(std::vector<double>{}), InputError);
  EXPECT_THROW(median(std::vector{1.0, kNaN}), InputError);
  EXPECT_THROW(sample_variance(std::vector{1.0}), InputError);
}

RC_GTEST_PROP(DescriptiveProperty, MedianIsTheMiddleOfTheSorted, ()) {
  auto values = *rc::gen::nonEmpty(rc::gen::container<std::vector<double>>(
      rc::gen::map(rc::gen::inRange(-50, 50), [](int i) { return i / 4.0; })));
  const double found = median(values);
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  RC_ASSERT(found == 0.5 * (values[(n - 1) / 2] + values[n / 2]));
}

TEST(Spearman, KnownValues) {
  // Ten pairs with rho = -29/165 (a widely used worked example: IQ against hours of television).
  const std::vector<double> iq{106, 100, 86, 101, 99, 103, 97, 113, 112, 110};
  const std::vector<double> hours{7, 27, 2, 50, 28, 29, 20, 12, 6, 17};
  EXPECT_NEAR(spearman(iq, hours), -29.0 / 165.0, 1e-15);
  EXPECT_EQ(spearman(std::vector{1.0, 2.0, 3.0}, std::vector{1.0, 8.0, 27.0}), 1.0);
  EXPECT_EQ(spearman(std::vector{1.0, 2.0, 3.0}, std::vector{3.0, 2.0, -9.0}), -1.0);
  // Ties share the mean rank: ranks 1 2.5 2.5 4 against 1 2 3 4.
  EXPECT_NEAR(spearman(std::vector{1.0, 2.0, 2.0, 3.0}, std::vector{1.0, 2.0, 3.0, 4.0}),
              4.5 / std::sqrt(4.5 * 5.0), 1e-15);
  EXPECT_THROW(spearman(std::vector{1.0}, std::vector{1.0}), InputError);
  EXPECT_THROW(spearman(std::vector{1.0, 2.0}, std::vector{1.0}), InputError);
  EXPECT_THROW(spearman(std::vector{1.0, 1.0}, std::vector{1.0, 2.0}), InputError);
  EXPECT_THROW(spearman(std::vector{1.0, kNaN}, std::vector{1.0, 2.0}), InputError);
}

RC_GTEST_PROP(SpearmanProperty, AgreesWithCountingRanks, ()) {
  const auto n = *rc::gen::inRange<std::size_t>(2, 30);
  const auto values = [n] {
    return *rc::gen::container<std::vector<double>>(
        n, rc::gen::map(rc::gen::inRange(0, 12), [](int i) { return double(i); }));
  };
  const std::vector<double> x = values();
  const std::vector<double> y = values();
  // Rank of v: one half for each equal, one for each smaller; then Pearson's correlation.
  const auto ranks = [](const std::vector<double>& v) {
    std::vector<double> result;
    for (const double a : v) {
      double rank = 0.5;
      for (const double b : v) rank += b < a ? 1.0 : b == a ? 0.5 : 0.0;
      result.push_back(rank);
    }
    return result;
  };
  const std::vector<double> u = ranks(x);
  const std::vector<double> v = ranks(y);
  const double mu = std::accumulate(u.begin(), u.end(), 0.0) / static_cast<double>(n);
  double uv = 0.0;
  double uu = 0.0;
  double vv = 0.0;
  for (std::size_t i = 0; i < n; ++i) {
    uv += (u[i] - mu) * (v[i] - mu);
    uu += (u[i] - mu) * (u[i] - mu);
    vv += (v[i] - mu) * (v[i] - mu);
  }
  RC_PRE(uu > 0.0 && vv > 0.0);
  RC_ASSERT(std::abs(spearman(x, y) - uv / std::sqrt(uu * vv)) < 1e-12);
}

}  // namespace carnot::inline base
