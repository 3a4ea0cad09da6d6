// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// How much more energy half the error takes: laws fitted to a user's points, with intervals that
/// come from the points themselves.
///
///     power law      error = a C^-b                 C: FLOP, joules, hours, any measure of effort
///                    half the error takes 2^(1/b) times the effort
///     two terms      L = E + A N^-alpha + B D^-beta                 N parameters, D tokens
///                    at C = 6 N D least for N = G (C/6)^(beta/(alpha+beta)),
///                    G = (alpha A / (beta B))^(1/(alpha+beta))
///
/// Power law: least squares of ln error on ln C, as Thompson et al. (arXiv 2007.05558) fitted
/// theirs. Two terms: Huber loss (1e-3) of ln L, the least of several starts by Levenberg and
/// Marquardt (Hoffmann et al., 2022, with the care of Besiroglu et al., arXiv 2404.10102).
/// Intervals: 5 and 95 % of refits to resampled points, at least 500 unless asked otherwise. A law
/// says nothing about where it stops: a floor that the points do not reach cannot be told from
/// them, and with one every factor here is too small.
///
/// Pure functions of points and seed; the same bits for any caller. Thread-safe.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace carnot::model {

struct FittedValue {
  double value = 0, low = 0, high = 0;  ///< 90 %
};

struct EffortPoint {
  double effort = 0, error = 0;  ///< both > 0
};
struct PowerLaw {
  FittedValue scale, exponent;  ///< a, b
  FittedValue half;             ///< effort for half the error; infinite where b may be 0 or less
  double r2 = 0;                ///< of the logarithms
  std::size_t points = 0, resamples = 0;
  std::vector<std::pair<double, double>> refits;  ///< ln a, b of each

  FittedValue error_at(double effort) const;   ///< of the law, not of a next point
  FittedValue effort_for(double error) const;  ///< infinite where the law never gets there
};
/// \throws InputError for fewer than 4 points, values not above 0, or one effort throughout
PowerLaw fit_power_law(std::span<const EffortPoint> points, std::uint64_t seed = 1,
                       std::size_t resamples = 1000);

struct LossPoint {
  double parameters = 0, tokens = 0, loss = 0;  ///< all > 0
};
struct TwoTermConstants {
  double floor = 0, a = 0, b = 0, alpha = 0, beta = 0;
  double loss(double parameters, double tokens) const;
  double optimal_parameters(double flops) const;  ///< at 6 N D = flops
  double optimal_tokens_per_parameter(double flops) const;
};
struct TwoTermLaw {
  TwoTermConstants best;
  FittedValue floor, a, b, alpha, beta;
  double huber = 0;  ///< mean loss of the fit
  std::size_t points = 0, resamples = 0;
  std::vector<TwoTermConstants> refits;
  FittedValue tokens_per_parameter(double flops) const;
};
/// \throws InputError for fewer than 8 points, values not above 0, or points that cannot tell N
///         from D
TwoTermLaw fit_two_terms(std::span<const LossPoint> points, std::uint64_t seed = 1,
                         std::size_t resamples = 500);

}  // namespace carnot::model
