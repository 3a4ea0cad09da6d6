// SPDX-License-Identifier: Apache-2.0
#include "carnot/base/statistics.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/base/sum.hpp"

namespace carnot::inline base {

namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

/// c[0] + c[1] r + ... + c[7] r^7
constexpr double polynomial(const std::array<double, 8>& c, double r) noexcept {
  double value = c[7];
  for (std::size_t i = 7; i-- > 0;) value = value * r + c[i];
  return value;
}

// Rational approximations of Wichura (1988), Applied Statistics 37(3), 477-484, PPND16.
constexpr std::array<double, 8> kCentreNumerator{
    3.3871328727963666080e0,  1.3314166789178437745e+2, 1.9715909503065514427e+3,
    1.3731693765509461125e+4, 4.5921953931549871457e+4, 6.7265770927008700853e+4,
    3.3430575583588128105e+4, 2.5090809287301226727e+3};
constexpr std::array<double, 8> kCentreDenominator{1.0,
                                                   4.2313330701600911252e+1,
                                                   6.8718700749205790830e+2,
                                                   5.3941960214247511077e+3,
                                                   2.1213794301586595867e+4,
                                                   3.9307895800092710610e+4,
                                                   2.8729085735721942674e+4,
                                                   5.2264952788528545610e+3};
constexpr std::array<double, 8> kShoulderNumerator{
    1.42343711074968357734e0,  4.63033784615654529590e0, 5.76949722146069140550e0,
    3.64784832476320460504e0,  1.27045825245236838258e0, 2.41780725177450611770e-1,
    2.27238449892691845833e-2, 7.74545014278341407640e-4};
constexpr std::array<double, 8> kShoulderDenominator{1.0,
                                                     2.05319162663775882187e0,
                                                     1.67638483018380384940e0,
                                                     6.89767334985100004550e-1,
                                                     1.48103976427480074590e-1,
                                                     1.51986665636164571966e-2,
                                                     5.47593808499534494600e-4,
                                                     1.05075007164441684324e-9};
constexpr std::array<double, 8> kTailNumerator{
    6.65790464350110377720e0,  5.46378491116411436990e0,  1.78482653991729133580e0,
    2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
    2.71155556874348757815e-5, 2.01033439929228813265e-7};
constexpr std::array<double, 8> kTailDenominator{1.0,
                                                 5.99832206555887937690e-1,
                                                 1.36929880922735805310e-1,
                                                 1.48753612908506148525e-2,
                                                 7.86869131145613259100e-4,
                                                 1.84631831751005468180e-5,
                                                 1.42151175831644588870e-7,
                                                 2.04426310338993978564e-15};

/// ln x of a positive, normal or not, x. The C library chooses its own by instruction set, with
/// different last bits; random normals must not (see random.hpp). Error below 2 units in the last
/// place.
double portable_log(double x) noexcept {
  constexpr double kLn2High = 0x1.62e42fefa39efp-1;
  constexpr double kLn2Low = 0x1.abc9e3b39803fp-56;
  constexpr double kHalfRoot2 = 0.707106781186547524400844;
  int exponent = 0;
  double m = std::frexp(x, &exponent);  // [1/2, 1)
  if (m < kHalfRoot2) {
    m *= 2.0;
    --exponent;
  }
  // ln m = 2 artanh(s), |s| < 0.1716
  const double s = (m - 1.0) / (m + 1.0);
  const double r = s * s;
  double series = 0.0;
  for (int k = 23; k >= 3; k -= 2) series = (series + 1.0 / k) * r;
  const double e = exponent;
  return e * kLn2High + (2.0 * s + (2.0 * s * series + e * kLn2Low));
}

/// delta(a) in Gamma(a) = sqrt(2 pi / a) (a / e)^a exp(delta(a)). The asymptotic series from 16
/// upward (next term < 2e-18), below by the recurrence from Gamma(a + 1) = a Gamma(a).
double stirling_error(double a) noexcept {
  double shift = 0.0;
  for (; a < 16.0; a += 1.0) shift += (a + 0.5) * std::log1p(1.0 / a) - 1.0;
  const double r = 1.0 / (a * a);
  const double series =
      (1.0 / 12 -
       r * (1.0 / 360 - r * (1.0 / 1260 - r * (1.0 / 1680 - r * (1.0 / 1188 - r * (691.0 / 360360 -
                                                                                   r / 156)))))) /
      a;
  return series + shift;
}

/// (1 + t) ln(1 + t) - t for t >= -1, without cancellation near 0.
double relative_deviance(double t) noexcept {
  if (t <= -1.0) return 1.0;
  if (std::abs(t) > 0.1) return (1.0 + t) * std::log1p(t) - t;
  // sum over k >= 2 of (-t)^k / (k (k - 1))
  double power = t * t;
  double sum = 0.0;
  for (int k = 2; k < 40; ++k) {
    const double term = power / (k * (k - 1.0));
    sum += term;
    if (std::abs(term) <= 1e-18 * sum) break;
    power *= -t;
  }
  return sum;
}

/// a - (a + b) x, from whichever of x and y = 1 - x is small and therefore carries the digits.
double excess(double a, double b, double x, double y) noexcept {
  const double n = a + b;
  return x <= y ? std::fma(-n, x, a) : std::fma(n, y, -b);
}

/// x^a y^b / B(a, b) with y = 1 - x, from deviances instead of log-gammas (Loader 2000, "Fast and
/// accurate computation of binomial probabilities"): their difference loses digits as a + b grows.
double beta_power(double a, double b, double x, double y) noexcept {
  const double n = a + b;
  const double lambda = excess(a, b, x, y);
  const double exponent =
      n * x * relative_deviance(lambda / (n * x)) + n * y * relative_deviance(-lambda / (n * y));
  const double correction = stirling_error(n) - stirling_error(a) - stirling_error(b);
  return std::sqrt(a / n) * std::sqrt(b) * 0.398942280401432677939946 *
         std::exp(correction - exponent);
}

/// The continued fraction of I_x(a, b) B(a, b) / (x^a y^b), by the modified Lentz method. This is
/// the even part of DLMF 8.17.22 (Didonato & Morris 1992, ACM TOMS 18, 360-373, eq. 9): it sees x
/// near 1 only through `excess`. Converges fast for x < a / (a + b); all its terms with m < b are
/// positive there.
double beta_fraction(double a, double b, double x, double y) {
  constexpr double kTiny = 1e-300;
  constexpr int kMostTerms = 20'000'000;  // about sqrt(max(a, b)) are needed
  const double lambda = excess(a, b, x, y);
  double numerator = 1.0;
  double c = kTiny;
  double d = 0.0;
  double value = kTiny;
  for (int term = 0; term <= kMostTerms; ++term) {
    const double m = term;
    double denominator = (a + m) / (a + 2.0 * m + 1.0) * (lambda + 1.0 + m * (1.0 + y));
    if (term > 0) {
      const double s = a + 2.0 * m - 1.0;
      denominator += m + m * (b - m) * x / s;
      numerator = (a + m - 1.0) / s * ((a + b + m - 1.0) / s) * m * (b - m) * x * x;
    }
    d = denominator + numerator * d;
    d = 1.0 / (std::abs(d) < kTiny ? kTiny : d);
    c = denominator + numerator / c;
    if (std::abs(c) < kTiny) c = kTiny;
    const double step = c * d;
    value *= step;
    if (std::abs(step - 1.0) <= 0.5 * kEpsilon) return value;
  }
  throw InputError(fmt::format("incomplete beta: parameters {} and {} are too large", a, b));
}

struct Tails {
  double lower;  ///< I_x(a, b)
  double upper;  ///< 1 - I_x(a, b), with its own relative accuracy
};

/// Precondition: x + y = 1, both in [0, 1].
Tails beta_tails(double a, double b, double x, double y) {
  if (x <= 0.0) return {0.0, 1.0};
  if (y <= 0.0) return {1.0, 0.0};
  const double power = beta_power(a, b, x, y);
  if (excess(a, b, x, y) > 0.0) {
    const double lower = std::min(1.0, power * beta_fraction(a, b, x, y));
    return {lower, 1.0 - lower};
  }
  const double upper = std::min(1.0, power * beta_fraction(b, a, y, x));
  return {1.0 - upper, upper};
}

void require_shapes(double a, double b) {
  if (!(a > 0.0 && b > 0.0 && a < kInfinity && b < kInfinity))
    throw InputError(
        fmt::format("beta parameters must be positive and finite, found {}, {}", a, b));
}

double logistic(double t) noexcept { return 1.0 / (1.0 + std::exp(-t)); }

/// t = ln(x / (1 - x)) where one tail of Beta(a, b) is p; `upper` says which. In t both tails are
/// log-concave, so that Newton on ln(tail) - ln(p) approaches from one side; the bracket catches
/// the first overshoot. Precondition: 0 < p <= 1/2 or so, that is, p is the tail with the digits.
double tail_logit(double a, double b, double p, bool upper) {
  const double goal = std::log(p);
  double low = -745.0;
  double high = 745.0;
  double t = std::clamp(std::log(a / b), low, high);
  for (int iteration = 0; iteration < 400; ++iteration) {
    const double x = logistic(t);
    const double y = logistic(-t);
    const Tails tails = beta_tails(a, b, x, y);
    const double tail = upper ? tails.upper : tails.lower;
    const double error = std::log(tail) - goal;  // -inf where the tail underflows
    const bool too_far_right = upper ? error < 0.0 : error > 0.0;
    (too_far_right ? high : low) = t;
    // d ln(tail) / dt = +- x^a y^b / (B tail)
    const double slope = (upper ? -1.0 : 1.0) * beta_power(a, b, x, y) / tail;
    const double step = error / slope;
    if (std::abs(step) <= 1e-15 * std::max(1.0, std::abs(t))) return t;
    t = t - step > low && t - step < high ? t - step : 0.5 * (low + high);
    if (high - low <= 1e-15 * std::max(1.0, std::abs(t))) return t;
  }
  return t;
}

void require_trials(std::uint64_t successes, std::uint64_t trials, double alpha) {
  if (trials < 1) throw InputError("a binomial bound needs at least one trial");
  if (successes > trials)
    throw InputError(fmt::format("{} successes of {} trials", successes, trials));
  if (!(alpha > 0.0 && alpha < 1.0))
    throw InputError(fmt::format("alpha must lie between 0 and 1, found {}", alpha));
}

/// The alpha-quantile of Beta(s, n - s + 1) as a logit; s >= 1.
double lower_bound_logit(std::uint64_t successes, std::uint64_t trials, double alpha) {
  const double s = static_cast<double>(successes);
  const double f = static_cast<double>(trials - successes) + 1.0;
  return alpha <= 0.5 ? tail_logit(s, f, alpha, false) : tail_logit(s, f, 1.0 - alpha, true);
}

std::vector<double> mean_ranks(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t i, std::size_t j) { return values[i] < values[j]; });
  std::vector<double> ranks(values.size());
  for (std::size_t first = 0; first < order.size();) {
    std::size_t last = first;
    while (last + 1 < order.size() && values[order[last + 1]] == values[order[first]]) ++last;
    const double rank = 0.5 * static_cast<double>(first + last) + 1.0;
    for (std::size_t k = first; k <= last; ++k) ranks[order[k]] = rank;
    first = last + 1;
  }
  return ranks;
}

void require_numbers(std::span<const double> values) {
  for (const double v : values)
    if (std::isnan(v)) throw InputError("a value is not a number");
}

}  // namespace

double normal_cdf(double z) noexcept { return 0.5 * std::erfc(-z * 0.707106781186547524400844); }

double normal_quantile(double p) {
  if (!(p > 0.0 && p < 1.0))
    throw InputError(fmt::format("a probability between 0 and 1 is needed, found {}", p));
  const double q = p - 0.5;
  if (std::abs(q) <= 0.425) {
    const double r = 0.180625 - q * q;
    return q * polynomial(kCentreNumerator, r) / polynomial(kCentreDenominator, r);
  }
  const double r = std::sqrt(-portable_log(q < 0.0 ? p : 1.0 - p));
  const double z =
      r <= 5.0 ? polynomial(kShoulderNumerator, r - 1.6) / polynomial(kShoulderDenominator, r - 1.6)
               : polynomial(kTailNumerator, r - 5.0) / polynomial(kTailDenominator, r - 5.0);
  return q < 0.0 ? -z : z;
}

double incomplete_beta(double a, double b, double x) {
  require_shapes(a, b);
  if (!(x >= 0.0 && x <= 1.0))
    throw InputError(fmt::format("incomplete beta needs 0 <= x <= 1, found {}", x));
  return beta_tails(a, b, x, 1.0 - x).lower;
}

double inverse_incomplete_beta(double a, double b, double p) {
  require_shapes(a, b);
  if (!(p >= 0.0 && p <= 1.0))
    throw InputError(fmt::format("a probability between 0 and 1 is needed, found {}", p));
  if (p == 0.0 || p == 1.0) return p;
  return logistic(p <= 0.5 ? tail_logit(a, b, p, false) : tail_logit(a, b, 1.0 - p, true));
}

double clopper_pearson_lower(std::uint64_t successes, std::uint64_t trials, double alpha) {
  require_trials(successes, trials, alpha);
  return successes == 0 ? 0.0 : logistic(lower_bound_logit(successes, trials, alpha));
}

double clopper_pearson_upper(std::uint64_t successes, std::uint64_t trials, double alpha) {
  require_trials(successes, trials, alpha);
  // One minus the lower bound of the failures, taken in t so that small bounds keep their digits.
  return successes == trials ? 1.0
                             : logistic(-lower_bound_logit(trials - successes, trials, alpha));
}

double empirical_bernstein_half_width(double sample_variance, std::uint64_t n, double range,
                                      double delta) {
  if (n < 2) throw InputError("an empirical Bernstein bound needs at least two values");
  if (!(sample_variance >= 0.0 && range > 0.0))
    throw InputError("an empirical Bernstein bound needs variance >= 0 and range > 0");
  if (!(delta > 0.0 && delta < 1.0))
    throw InputError(fmt::format("delta must lie between 0 and 1, found {}", delta));
  const double count = static_cast<double>(n);
  const double log_term = std::log(2.0 / delta);
  return std::sqrt(2.0 * sample_variance * log_term / count) +
         7.0 * range * log_term / (3.0 * (count - 1.0));
}

double median(std::span<const double> values) {
  if (values.empty()) throw InputError("a median needs at least one value");
  require_numbers(values);
  std::vector<double> copy(values.begin(), values.end());
  const auto middle = copy.begin() + static_cast<std::ptrdiff_t>(copy.size() / 2);
  std::nth_element(copy.begin(), middle, copy.end());
  if (copy.size() % 2 == 1) return *middle;
  const double below = *std::max_element(copy.begin(), middle);
  return below + 0.5 * (*middle - below);
}

double mean(std::span<const double> values) {
  if (values.empty()) throw InputError("a mean needs at least one value");
  return sum(values) / static_cast<double>(values.size());
}

double sample_variance(std::span<const double> values) {
  if (values.size() < 2) throw InputError("a sample variance needs at least two values");
  const double centre = mean(values);
  Sum<double> squares;
  for (const double v : values) squares += (v - centre) * (v - centre);
  return squares.value() / static_cast<double>(values.size() - 1);
}

double spearman(std::span<const double> x, std::span<const double> y) {
  if (x.size() != y.size() || x.size() < 2)
    throw InputError(
        fmt::format("a rank correlation needs two lists of one length >= 2, found {} "
                    "and {} values",
                    x.size(), y.size()));
  require_numbers(x);
  require_numbers(y);
  const std::vector<double> u = mean_ranks(x);
  const std::vector<double> v = mean_ranks(y);
  const double centre = 0.5 * (static_cast<double>(x.size()) + 1.0);
  double uv = 0.0;
  double uu = 0.0;
  double vv = 0.0;
  for (std::size_t i = 0; i < u.size(); ++i) {
    uv += (u[i] - centre) * (v[i] - centre);
    uu += (u[i] - centre) * (u[i] - centre);
    vv += (v[i] - centre) * (v[i] - centre);
  }
  if (uu == 0.0 || vv == 0.0) throw InputError("a rank correlation needs lists that vary");
  // One root, not two: equal ranks then give exactly 1.
  return std::clamp(uv / std::sqrt(uu * vv), -1.0, 1.0);
}

}  // namespace carnot::inline base
