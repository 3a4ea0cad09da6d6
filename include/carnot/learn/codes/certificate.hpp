// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// When may training stop and say "the floor is reached"? Only when an exact one-sided lower
/// confidence bound on held-out quality reaches it, corrected for having looked several times.
///
/// Look k (k = 1, 2, ...) uses error budget alpha_k = alpha * 6 / (pi^2 k^2), which sums to alpha:
/// by the union bound the chance that any look certifies a model below the floor is at most alpha,
/// however the looks were timed. Accuracy: Clopper-Pearson bound. The held-out rows are the same at
/// each look; the union bound needs no independence between looks. What it does need is that
/// training never sees the held-out rows.

#include <cstdint>

#include "carnot/learn/network/learner.hpp"

namespace carnot::learn {

struct CertificateState {
  std::uint64_t looks = 0;
};

struct CertificateResult {
  double lower_bound = 0.0;  ///< at this look's corrected level
  double upper_bound = 1.0;  ///< two-sided partner, for display
  double alpha = 0.0;        ///< spent on this look
  bool certified = false;
};

class Certificate {
 public:
  /// \param floor  least quality to certify  \param alpha  total error, default 5 %
  explicit Certificate(double floor, double alpha = 0.05);
  /// Takes a look. For "r2" the bound is empirical Bernstein on squared errors clipped to 9 target
  /// variances (an outlier beyond 3 sigma counts as 9: stated, pessimistic).
  CertificateResult look(const Quality& quality);
  /// The floor that the next look could certify if every one of `trials` held-out rows were right.
  double highest(std::uint64_t trials) const;
  /// The same for R2: what an error of zero on `trials` rows would certify.
  double highest_r2(std::uint64_t trials) const;
  /// Least quality on `trials` rows that the look after `failed` more looks would certify; above 1
  /// if none would.
  double needed(std::uint64_t trials, bool regression, std::uint64_t failed = 0) const;
  /// Whether a look could certify at all if every held-out row were right.
  bool reachable(std::uint64_t trials) const;
  CertificateState state() const noexcept { return state_; }
  void restore(CertificateState state) noexcept { state_ = state; }

 private:
  double floor_, alpha_;
  CertificateState state_;
};

}  // namespace carnot::learn
