// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/codes/certificate.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/statistics.hpp"

namespace carnot::learn {

namespace {

constexpr double kClip = 9.0;  // squared errors, in target variances

double budget(double alpha, std::uint64_t look) noexcept {
  const auto k = static_cast<double>(look);
  return alpha * 6.0 / (std::numbers::pi * std::numbers::pi * k * k);
}

/// Half-width of the bound on the mean clipped squared error. Quality carries the mean m alone; of
/// all samples in [0, 9] with that mean the widest have variance m (9 - m) (Bhatia & Davis 2000),
/// so that stands in for the sample variance, and errors are taken as clipped no more than they
/// are: both on the safe side.
double squared_error_half_width(double mean, std::uint64_t n, double alpha) {
  const double m = std::min(mean, kClip / 2.0);
  const double correction = static_cast<double>(n) / static_cast<double>(n - 1);
  return empirical_bernstein_half_width(correction * m * (kClip - m), n, kClip, alpha);
}

}  // namespace

Certificate::Certificate(double floor, double alpha) : floor_(floor), alpha_(alpha) {
  if (!std::isfinite(floor) || floor > 1.0)
    throw InputError(describe({}, "quality floor", "a number up to 1"));
  if (!(alpha > 0.0 && alpha < 1.0))
    throw InputError(describe({}, "alpha", "an error chance between 0 and 1, ends excluded"));
}

CertificateResult Certificate::look(const Quality& quality) {
  if (quality.metric != "accuracy" && quality.metric != "r2")
    throw InputError(
        describe({}, "metric", fmt::format("accuracy or r2, found `{}`", quality.metric)));
  const bool accuracy = quality.metric == "accuracy";
  if (quality.trials < (accuracy ? 1u : 2u))
    throw InputError(describe({}, "held-out rows", accuracy ? "at least 1" : "at least 2"));
  CertificateResult result;
  result.alpha = budget(alpha_, ++state_.looks);
  if (accuracy) {
    result.lower_bound = clopper_pearson_lower(quality.successes, quality.trials, result.alpha);
    result.upper_bound = clopper_pearson_upper(quality.successes, quality.trials, result.alpha);
  } else {
    CARNOT_CHECK(std::isfinite(quality.value) && quality.value <= 1.0, "r2 is at most 1");
    const double error = 1.0 - quality.value;
    const double half = squared_error_half_width(error, quality.trials, result.alpha);
    result.lower_bound = 1.0 - (error + half);
    result.upper_bound = std::min(1.0, 1.0 - (error - half));
  }
  result.certified = result.lower_bound >= floor_;
  return result;
}

double Certificate::needed(std::uint64_t trials, bool regression, std::uint64_t failed) const {
  constexpr double kNone = 2.0;
  const double alpha = budget(alpha_, state_.looks + 1 + failed);
  if (trials < 2) return kNone;
  if (!regression) {
    std::uint64_t low = 0, high = trials + 1;  // successes that do not suffice, that do
    while (high - low > 1) {
      const std::uint64_t middle = low + (high - low) / 2;
      (clopper_pearson_lower(middle, trials, alpha) >= floor_ ? high : low) = middle;
    }
    return high > trials ? kNone : static_cast<double>(high) / static_cast<double>(trials);
  }
  double low = 0.0, high = kClip;  // mean squared errors that suffice, that do not
  const auto suffices = [&](double error) {
    return 1.0 - (error + squared_error_half_width(error, trials, alpha)) >= floor_;
  };
  if (!suffices(low)) return kNone;
  for (int i = 0; i < 60; ++i) {
    const double middle = 0.5 * (low + high);
    (suffices(middle) ? low : high) = middle;
  }
  return 1.0 - low;
}

double Certificate::highest(std::uint64_t trials) const {
  if (trials == 0) return 0.0;
  // All right: the alpha-quantile of Beta(n, 1).
  return std::pow(budget(alpha_, state_.looks + 1), 1.0 / static_cast<double>(trials));
}

double Certificate::highest_r2(std::uint64_t trials) const {
  if (trials < 2) return -kClip;
  return 1.0 - squared_error_half_width(0.0, trials, budget(alpha_, state_.looks + 1));
}

bool Certificate::reachable(std::uint64_t trials) const {
  return trials > 0 && highest(trials) >= floor_;
}

}  // namespace carnot::learn
