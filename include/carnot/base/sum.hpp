// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Sums that neither drift nor depend on anything but the order of their terms: Neumaier's variant
/// of compensated summation (Neumaier 1974, ZAMM 54, 39-51). The error of n terms is bounded by
/// 2 u |sum| + O(n u^2) sum |terms| with u = 2^-53, so that a year of one-second joules keeps all
/// the digits of a double. Use it wherever parts must add up to their whole.
/// Values; not shared between threads.

#include <cmath>
#include <limits>
#include <span>

#include "carnot/base/quantity.hpp"

#ifdef __FAST_MATH__
#error "carnot needs IEEE arithmetic: compile without -ffast-math"
#endif

namespace carnot::inline base {

/// A running sum of `Q`, a Quantity or double.
template <class Q = double>
class Sum {
 public:
  constexpr Sum() noexcept = default;
  constexpr explicit Sum(Q start) noexcept : sum_(start) {}

  constexpr Sum& operator+=(Q term) noexcept {
    const Q next = sum_ + term;
    // The digits that `next` lost are those of the smaller operand.
    lost_ += magnitude(sum_) >= magnitude(term) ? (sum_ - next) + term : (term - next) + sum_;
    sum_ = next;
    return *this;
  }
  constexpr Sum& operator-=(Q term) noexcept { return *this += -term; }

  /// The sum so far; infinite or NaN exactly where plain summation in this order is.
  constexpr Q value() const noexcept {
    const bool finite = magnitude(sum_) <= magnitude(from(std::numeric_limits<double>::max()));
    return finite ? sum_ + lost_ : sum_;
  }

 private:
  static constexpr Q from(double v) noexcept {
    if constexpr (requires { Q::from_base(v); }) {
      return Q::from_base(v);
    } else {
      return v;
    }
  }
  static constexpr Q magnitude(Q q) noexcept { return q < Q{} ? -q : q; }

  Q sum_{};
  Q lost_{};
};

/// The sum of `terms` in their order.
template <class Q>
constexpr Q sum(std::span<const Q> terms) noexcept {
  Sum<Q> total;
  for (const Q& term : terms) total += term;
  return total.value();
}

}  // namespace carnot::inline base
