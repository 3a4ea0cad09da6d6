// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A quantity with an interval, an origin, a boundary and sources: the only form in which carnot
/// shows a physical figure.
///
/// Uncertainty is a first-order (GUM, JCGM 100:2008, 5.1-5.2) linear model: an estimate is
///
///     x = value + sum_k s_k * z_k,       z_k independent, unit half-width at 90 %
///
/// where k runs over named error causes ("pj-table:int8-mac", "pue"). Two estimates that share a
/// cause are correlated through it: sums add its sensitivities linearly, different causes add in
/// quadrature, so `e - e` is exactly 0 +- 0 and a thousand readings of one mis-scaled counter do
/// not average its error away. Upper and lower half-widths are kept apart per cause (asymmetric
/// ranges).
///
/// Estimates of different boundaries never add (a chip's joules and a facility's are not the same
/// thing): `operator+` throws InputError naming both. Values; not shared between threads.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "carnot/base/quantity.hpp"

namespace carnot::inline base {

/// How a number came to be. A combination takes the least trusted of its parts, in the order
/// measured, published, modelled, assumed.
enum class Origin { Measured, Published, Modelled, Assumed };

/// Which joules are inside the number.
enum class Boundary {
  Chip,      ///< one processor package or accelerator board
  Node,      ///< everything behind one power supply
  Facility,  ///< the building's meter: cooling and losses included
  None,      ///< not a physical flow (a price, a count, a ratio)
};

std::string_view name(Origin origin) noexcept;      ///< "measured", ...
std::string_view name(Boundary boundary) noexcept;  ///< "chip", ...
Origin worst(Origin a, Origin b) noexcept;          ///< the less trustworthy of the two

/// The untyped core: coherent base units, named error causes. `Estimate<Q>` wraps it.
class EstimateCore {
 public:
  /// One cause's signed half-widths at 90 %: moving the cause by +1 (-1) moves x by `up` (`down`).
  struct Cause {
    std::string name;
    double up = 0.0;
    double down = 0.0;
  };

  EstimateCore() = default;
  /// \param low, high  bounds at 90 %, low <= value <= high, all finite
  /// \param cause      the shared name of this figure's error; equal names are the same error
  /// \throws InputError naming the bound out of order or not finite
  EstimateCore(double value, double low, double high, Origin origin, Boundary boundary,
               std::string cause, std::vector<std::string> sources);

  double value() const noexcept { return value_; }
  double low() const noexcept;  ///< value minus root-sum-square over causes of downward half-widths
  double high() const noexcept;  ///< likewise upward
  Origin origin() const noexcept { return origin_; }
  Boundary boundary() const noexcept { return boundary_; }
  const std::vector<std::string>& sources() const noexcept { return sources_; }  ///< sorted, unique
  const std::vector<Cause>& causes() const noexcept { return causes_; }          ///< sorted by name

  /// a + b. \throws InputError if the boundaries differ (None joins any)
  static EstimateCore sum(const EstimateCore& a, const EstimateCore& b);
  /// factor * a, exact factor (may be negative: bounds swap).
  static EstimateCore scaled(const EstimateCore& a, double factor);
  /// a * b to first order; shared causes add. Boundary: None joins any, else must agree.
  static EstimateCore product(const EstimateCore& a, const EstimateCore& b);
  /// a / b to first order. \throws InputError if b is zero
  static EstimateCore quotient(const EstimateCore& a, const EstimateCore& b);
  /// The same figure seen from a wider boundary (after multiplying by PUE, say).
  EstimateCore at(Boundary boundary) const;

 private:
  double value_ = 0.0;
  Origin origin_ = Origin::Measured;
  Boundary boundary_ = Boundary::None;
  std::vector<Cause> causes_;
  std::vector<std::string> sources_;
};

/// An `EstimateCore` with a dimension. `Q` is a Quantity or double.
template <class Q>
class Estimate {
 public:
  Estimate() = default;
  explicit Estimate(EstimateCore core) : core_(std::move(core)) {}
  Estimate(Q value, Q low, Q high, Origin origin, Boundary boundary, std::string cause,
           std::vector<std::string> sources)
      : core_(to_base(value), to_base(low), to_base(high), origin, boundary, std::move(cause),
              std::move(sources)) {}
  /// A figure without uncertainty of its own.
  static Estimate exact(Q value, Origin origin, Boundary boundary,
                        std::vector<std::string> sources = {}) {
    return Estimate(value, value, value, origin, boundary, "", std::move(sources));
  }

  Q value() const noexcept { return from_base(core_.value()); }
  Q low() const noexcept { return from_base(core_.low()); }
  Q high() const noexcept { return from_base(core_.high()); }
  Origin origin() const noexcept { return core_.origin(); }
  Boundary boundary() const noexcept { return core_.boundary(); }
  const std::vector<std::string>& sources() const noexcept { return core_.sources(); }
  const EstimateCore& core() const noexcept { return core_; }
  Estimate at(Boundary boundary) const { return Estimate(core_.at(boundary)); }

  friend Estimate operator+(const Estimate& a, const Estimate& b) {
    return Estimate(EstimateCore::sum(a.core_, b.core_));
  }
  friend Estimate operator-(const Estimate& a, const Estimate& b) {
    return Estimate(EstimateCore::sum(a.core_, EstimateCore::scaled(b.core_, -1.0)));
  }
  friend Estimate operator*(double factor, const Estimate& a) {
    return Estimate(EstimateCore::scaled(a.core_, factor));
  }

 private:
  static constexpr double to_base(double v) noexcept { return v; }
  template <Dimension D>
  static constexpr double to_base(Quantity<D> q) noexcept {
    return q.base();
  }
  static constexpr Q from_base(double v) noexcept {
    if constexpr (requires { Q::from_base(v); }) {
      return Q::from_base(v);
    } else {
      return v;
    }
  }
  EstimateCore core_;
};

template <class A, class B>
auto operator*(const Estimate<A>& a, const Estimate<B>& b) {
  return Estimate<decltype(A{} * B{})>(EstimateCore::product(a.core(), b.core()));
}

template <class A, class B>
auto operator/(const Estimate<A>& a, const Estimate<B>& b) {
  return Estimate<decltype(A{} / B{})>(EstimateCore::quotient(a.core(), b.core()));
}

}  // namespace carnot::inline base
