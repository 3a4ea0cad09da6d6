// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A Gaussian process over the unit cube (Rasmussen & Williams 2006, algorithm 2.1): the surrogate
/// of Bayesian optimisation. With n points X, targets y standardised to mean 0 and spread 1,
///   K = k(X, X) + noise I,   mean(x) = k(x, X) K^-1 y,   variance(x) = 1 - k(x, X) K^-1 k(X, x)
/// and the Matern 5/2 kernel k(r) = (1 + s + s^2 / 3) exp(-s), s = sqrt(5) |(x - x') / length|
/// (Snoek, Larochelle & Adams, NeurIPS 2012, use it for hyperparameters). Lengths, one a dimension,
/// and noise are those of a grid with the greatest marginal likelihood, found coordinate by
/// coordinate: no random start, so the same points give the same process.
/// Immutable; safe to read from many threads.

#include <memory>
#include <vector>

namespace carnot::learn {

struct GaussianMoments {
  double mean = 0.0;      ///< in the targets' own unit
  double variance = 0.0;  ///< likewise, squared, of the function without noise; >= 0
};

class GaussianProcess {
 public:
  /// \param points   shape [n x dimensions], n >= 1, in [0, 1]
  /// \param targets  shape [n], finite
  /// \throws InputError unless shapes agree and targets are finite
  GaussianProcess(std::vector<std::vector<double>> points, const std::vector<double>& targets);
  /// The same with lengths and noise given.
  GaussianProcess(std::vector<std::vector<double>> points, const std::vector<double>& targets,
                  std::vector<double> lengths, double noise);
  ~GaussianProcess();
  GaussianProcess(GaussianProcess&&) noexcept;
  GaussianProcess& operator=(GaussianProcess&&) noexcept;

  GaussianMoments at(const std::vector<double>& point) const;
  const std::vector<double>& lengths() const noexcept;
  double noise() const noexcept;           ///< variance, of standardised targets
  double log_likelihood() const noexcept;  ///< marginal, of standardised targets

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// k above, of scaled distance. \param lengths  > 0
double matern52(const std::vector<double>& a, const std::vector<double>& b,
                const std::vector<double>& lengths) noexcept;

/// E[max(0, best - f)] for f normal with those moments: how much a trial is hoped to lower the
/// loss.
double expected_improvement(const GaussianMoments& f, double best) noexcept;

}  // namespace carnot::learn
