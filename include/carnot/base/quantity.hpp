// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Physical quantities as types. A `Quantity<D>` is one `double` in coherent base units plus the
/// exponents `D` of eight base dimensions, checked by the compiler: power times time is energy,
/// power plus energy does not compile.
///
/// Types are quantities (`Energy`), units are constants (`kilowatt_hour`). A number enters by
/// multiplication with a unit and leaves only with its unit named:
///
///     Energy e = 3.0 * kilowatt * (2.0 * hour);
///     double kwh = e.in(kilowatt_hour);   // 6.0
///
/// Base dimensions and coherent units: length (metre, for sites and wind), time (second),
/// energy (joule), information (bit), operations (one floating-point or integer operation),
/// carbon (gram CO2-equivalent), money (euro), temperature (kelvin, differences and absolutes
/// alike: conversions from degrees Celsius are functions, never units).
/// Energy is a base dimension here instead of mass: the system never leaves joules.
/// A dimensionless result collapses to plain `double`.
///
/// Everything is constexpr and noexcept; values are trivially copyable; no thread touches another.

#include <cmath>
#include <compare>

namespace carnot::inline base {

/// Exponents of the base dimensions; a structural type so that it can be a template argument.
struct Dimension {
  int length = 0;
  int time = 0;
  int energy = 0;
  int information = 0;
  int operations = 0;
  int carbon = 0;
  int money = 0;
  int temperature = 0;

  constexpr bool operator==(const Dimension&) const = default;
};

constexpr Dimension operator+(const Dimension& a, const Dimension& b) noexcept {
  return {a.length + b.length,         a.time + b.time,
          a.energy + b.energy,         a.information + b.information,
          a.operations + b.operations, a.carbon + b.carbon,
          a.money + b.money,           a.temperature + b.temperature};
}

constexpr Dimension operator-(const Dimension& a, const Dimension& b) noexcept {
  return {a.length - b.length,         a.time - b.time,
          a.energy - b.energy,         a.information - b.information,
          a.operations - b.operations, a.carbon - b.carbon,
          a.money - b.money,           a.temperature - b.temperature};
}

inline constexpr Dimension kDimensionless{};

/// A number with dimension `D`, held in coherent base units. Default: zero.
template <Dimension D>
class Quantity {
 public:
  static constexpr Dimension kDimension = D;

  constexpr Quantity() noexcept = default;

  /// The quantity whose value in coherent base units is `value`. For parsers and serialisers;
  /// everywhere else multiply by a unit.
  static constexpr Quantity from_base(double value) noexcept {
    Quantity q;
    q.value_ = value;
    return q;
  }

  /// The value in coherent base units. For serialisers; everywhere else name the unit with `in`.
  constexpr double base() const noexcept { return value_; }

  /// How many of `unit` this is.
  constexpr double in(Quantity unit) const noexcept { return value_ / unit.value_; }

  constexpr auto operator<=>(const Quantity&) const noexcept = default;

  constexpr Quantity operator-() const noexcept { return from_base(-value_); }
  constexpr Quantity& operator+=(Quantity other) noexcept {
    value_ += other.value_;
    return *this;
  }
  constexpr Quantity& operator-=(Quantity other) noexcept {
    value_ -= other.value_;
    return *this;
  }
  constexpr Quantity& operator*=(double factor) noexcept {
    value_ *= factor;
    return *this;
  }
  constexpr Quantity& operator/=(double divisor) noexcept {
    value_ /= divisor;
    return *this;
  }

  friend constexpr Quantity operator+(Quantity a, Quantity b) noexcept { return a += b; }
  friend constexpr Quantity operator-(Quantity a, Quantity b) noexcept { return a -= b; }
  friend constexpr Quantity operator*(Quantity a, double b) noexcept { return a *= b; }
  friend constexpr Quantity operator*(double a, Quantity b) noexcept { return b *= a; }
  friend constexpr Quantity operator/(Quantity a, double b) noexcept { return a /= b; }

 private:
  double value_ = 0.0;
};

namespace detail {
/// `Quantity<D>`, or `double` where every exponent cancels.
template <Dimension D>
constexpr auto collapse(double base_value) noexcept {
  if constexpr (D == kDimensionless) {
    return base_value;
  } else {
    return Quantity<D>::from_base(base_value);
  }
}
}  // namespace detail

template <Dimension A, Dimension B>
constexpr auto operator*(Quantity<A> a, Quantity<B> b) noexcept {
  return detail::collapse<A + B>(a.base() * b.base());
}

template <Dimension A, Dimension B>
constexpr auto operator/(Quantity<A> a, Quantity<B> b) noexcept {
  return detail::collapse<A - B>(a.base() / b.base());
}

template <Dimension B>
constexpr auto operator/(double a, Quantity<B> b) noexcept {
  return detail::collapse<kDimensionless - B>(a / b.base());
}

template <Dimension D>
constexpr Quantity<D> abs(Quantity<D> q) noexcept {
  return q.base() < 0 ? -q : q;
}

template <Dimension D>
constexpr Quantity<D> min(Quantity<D> a, Quantity<D> b) noexcept {
  return b < a ? b : a;
}

template <Dimension D>
constexpr Quantity<D> max(Quantity<D> a, Quantity<D> b) noexcept {
  return a < b ? b : a;
}

template <Dimension D>
bool is_finite(Quantity<D> q) noexcept {
  return std::isfinite(q.base());
}

using Length = Quantity<Dimension{.length = 1}>;
using Time = Quantity<Dimension{.time = 1}>;
using Speed = Quantity<Dimension{.length = 1, .time = -1}>;
using Energy = Quantity<Dimension{.energy = 1}>;
using Power = Quantity<Dimension{.time = -1, .energy = 1}>;
using Information = Quantity<Dimension{.information = 1}>;
using Operations = Quantity<Dimension{.operations = 1}>;
using Carbon = Quantity<Dimension{.carbon = 1}>;
using Money = Quantity<Dimension{.money = 1}>;
using Temperature = Quantity<Dimension{.temperature = 1}>;
using Entropy = Quantity<Dimension{.energy = 1, .temperature = -1}>;
using EnergyPrice = Quantity<Dimension{.energy = -1, .money = 1}>;       ///< EUR per joule
using CarbonIntensity = Quantity<Dimension{.energy = -1, .carbon = 1}>;  ///< gCO2e per joule
using CarbonPrice = Quantity<Dimension{.carbon = -1, .money = 1}>;       ///< EUR per gCO2e
using DelayPrice = Quantity<Dimension{.time = -1, .money = 1}>;          ///< EUR per second
using EnergyPerBit = Quantity<Dimension{.energy = 1, .information = -1}>;
using EnergyPerOperation = Quantity<Dimension{.energy = 1, .operations = -1}>;
using OperationRate = Quantity<Dimension{.time = -1, .operations = 1}>;
using Bandwidth = Quantity<Dimension{.time = -1, .information = 1}>;

inline constexpr Length metre = Length::from_base(1.0);
inline constexpr Time second = Time::from_base(1.0);
inline constexpr Time minute = 60.0 * second;
inline constexpr Time hour = 3600.0 * second;
inline constexpr Time day = 24.0 * hour;
inline constexpr Speed metre_per_second = metre / second;
inline constexpr Energy joule = Energy::from_base(1.0);
inline constexpr Energy picojoule = 1e-12 * joule;
inline constexpr Energy electronvolt = 1.602176634e-19 * joule;  // exact since the 2019 SI
inline constexpr Power watt = joule / second;
inline constexpr Power kilowatt = 1e3 * watt;
inline constexpr Power megawatt = 1e6 * watt;
inline constexpr Energy watt_hour = watt * hour;
inline constexpr Energy kilowatt_hour = kilowatt * hour;
inline constexpr Energy megawatt_hour = megawatt * hour;
inline constexpr Information bit = Information::from_base(1.0);
inline constexpr Information byte = 8.0 * bit;
inline constexpr Operations operation = Operations::from_base(1.0);
inline constexpr Carbon gram = Carbon::from_base(1.0);
inline constexpr Carbon kilogram = 1e3 * gram;
inline constexpr Carbon tonne = 1e6 * gram;
inline constexpr Money euro = Money::from_base(1.0);
inline constexpr Temperature kelvin = Temperature::from_base(1.0);
inline constexpr EnergyPrice euro_per_kilowatt_hour = euro / kilowatt_hour;
inline constexpr EnergyPrice euro_per_megawatt_hour = euro / megawatt_hour;
inline constexpr CarbonIntensity gram_per_kilowatt_hour = gram / kilowatt_hour;
inline constexpr CarbonPrice euro_per_tonne = euro / tonne;
inline constexpr DelayPrice euro_per_hour = euro / hour;

/// Boltzmann's constant, exact since the 2019 SI (BIPM, SI Brochure 9th ed., 2019).
inline constexpr Entropy boltzmann_constant = 1.380649e-23 * joule / kelvin;

/// Absolute temperature of `celsius` degrees Celsius.
constexpr Temperature from_celsius(double celsius) noexcept { return (celsius + 273.15) * kelvin; }
/// Degrees Celsius of an absolute temperature.
constexpr double to_celsius(Temperature t) noexcept { return t.in(kelvin)-273.15; }

/// Least heat of erasing one bit at `temperature`: k_B T ln 2 (Landauer 1961).
constexpr EnergyPerBit landauer_bound(Temperature temperature) noexcept {
  return boltzmann_constant * temperature * 0.693147180559945309417 / bit;
}

static_assert((3.0 * kilowatt * (2.0 * hour)).in(kilowatt_hour) == 6.0);
static_assert(watt * second / joule == 1.0);

}  // namespace carnot::inline base
