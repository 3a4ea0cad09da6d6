// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The few distribution functions the system rests on: normal, incomplete beta, exact binomial
/// bounds. All pure functions, thread-safe, relative accuracy 1e-10 or better (tested against
/// published tables and numerical integration).

#include <cstdint>
#include <span>

namespace carnot::inline base {

/// Standard normal distribution function.
double normal_cdf(double z) noexcept;
/// Its inverse, p in (0, 1) (Wichura 1988, algorithm AS 241, PPND16). \throws InputError outside
double normal_quantile(double p);
/// Regularised incomplete beta function I_x(a, b), a, b > 0, x in [0, 1] (continued fraction,
/// Lentz).
double incomplete_beta(double a, double b, double x);
/// Inverse in x of I_x(a, b) = p. \throws InputError unless 0 <= p <= 1
double inverse_incomplete_beta(double a, double b, double p);

/// One-sided exact (Clopper-Pearson 1934) lower bound at confidence 1 - alpha for a success
/// probability after `successes` of `trials`: the alpha-quantile of Beta(s, n - s + 1); 0 for s =
/// 0. \throws InputError unless successes <= trials, trials >= 1, 0 < alpha < 1
double clopper_pearson_lower(std::uint64_t successes, std::uint64_t trials, double alpha);
/// Likewise the upper bound.
double clopper_pearson_upper(std::uint64_t successes, std::uint64_t trials, double alpha);

/// Empirical Bernstein bound (Maurer & Pontil 2009, thm 4): with probability >= 1 - delta the mean
/// of n i.i.d. values in [0, range] is at most sample mean + sqrt(2 V ln(2/delta) / n)
/// + 7 range ln(2/delta) / (3 (n - 1)). Returns the half-width. n >= 2.
double empirical_bernstein_half_width(double sample_variance, std::uint64_t n, double range,
                                      double delta);

/// Median of a copy of `values`. \throws InputError if empty
double median(std::span<const double> values);
double mean(std::span<const double> values);             ///< \throws InputError if empty
double sample_variance(std::span<const double> values);  ///< n - 1 in the denominator, n >= 2
/// Spearman's rank correlation, mean ranks for ties. \throws InputError unless sizes agree, >= 2
double spearman(std::span<const double> x, std::span<const double> y);

}  // namespace carnot::inline base
