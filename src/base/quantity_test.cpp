// SPDX-License-Identifier: Apache-2.0
#include "carnot/base/quantity.hpp"

#include <type_traits>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/limits.hpp"

namespace carnot::inline base {

namespace {

/// A multiple of 2^-10 below 2^20: sums and products of a few are exact, so that algebraic laws
/// hold to the bit.
double exact_number() { return *rc::gen::inRange(-(1 << 30), 1 << 30) * 0x1p-10; }
double small_number() { return *rc::gen::inRange(-(1 << 15), 1 << 15) * 0x1p-5; }

Energy any_energy() { return exact_number() * joule; }

template <class A, class B>
concept Addable = requires(A a, B b) {
  a + b;
};
template <class A, class B>
concept Comparable = requires(A a, B b) {
  a < b;
};

}  // namespace

TEST(Quantity, NumbersEnterAndLeaveWithUnits) {
  EXPECT_DOUBLE_EQ((3.0 * kilowatt * (2.0 * hour)).in(kilowatt_hour), 6.0);
  EXPECT_DOUBLE_EQ((1.0 * kilowatt_hour).in(joule), 3.6e6);
  EXPECT_DOUBLE_EQ((90.0 * euro_per_megawatt_hour * (2.0 * megawatt_hour)).in(euro), 180.0);
  EXPECT_DOUBLE_EQ((400.0 * gram_per_kilowatt_hour * (5.0 * megawatt_hour)).in(tonne), 2.0);
  EXPECT_DOUBLE_EQ((80.0 * euro_per_tonne * (250.0 * kilogram)).in(euro), 20.0);
  EXPECT_DOUBLE_EQ((12.0 * euro_per_hour * (30.0 * minute)).in(euro), 6.0);
  EXPECT_DOUBLE_EQ((1.0 * byte).in(bit), 8.0);
  EXPECT_DOUBLE_EQ((1.0 * day).in(minute), 1440.0);
}

TEST(Quantity, DimensionsAreThoseOfTheArithmetic) {
  static_assert(std::is_same_v<decltype(watt * second), Energy>);
  static_assert(std::is_same_v<decltype(joule / second), Power>);
  static_assert(std::is_same_v<decltype(metre / second), Speed>);
  static_assert(std::is_same_v<decltype(euro / joule), EnergyPrice>);
  static_assert(std::is_same_v<decltype(gram / joule), CarbonIntensity>);
  static_assert(std::is_same_v<decltype(joule / joule), double>);
  static_assert(std::is_same_v<decltype(1.0 / second * second), double>);
  static_assert(std::is_same_v<decltype(operation / second), OperationRate>);
}

TEST(Quantity, WhatHasNoMeaningHasNoOverload) {
  static_assert(!Addable<Power, Energy>);
  static_assert(!Addable<Power, double>);
  static_assert(!Comparable<Power, Energy>);
  static_assert(!Comparable<Energy, double>);
  static_assert(!std::is_convertible_v<double, Energy>);
  static_assert(!std::is_constructible_v<Energy, double>);
  static_assert(!std::is_convertible_v<Energy, double>);
  static_assert(!std::is_constructible_v<double, Energy>);
  static_assert(std::is_trivially_copyable_v<Energy> && sizeof(Energy) == sizeof(double));
}

TEST(Quantity, LandauerBoundAtRoomTemperature) {
  // 2.871e-21 J at 300 K; 0.017920 eV.
  EXPECT_NEAR((landauer_bound(300.0 * kelvin) * bit).in(joule), 2.87098e-21, 1e-26);
  EXPECT_NEAR((landauer_bound(300.0 * kelvin) * bit).in(electronvolt), 0.0179193, 1e-6);
}

TEST(Quantity, CelsiusIsAShiftNotAUnit) {
  EXPECT_DOUBLE_EQ(from_celsius(25.0).in(kelvin), 298.15);
  EXPECT_DOUBLE_EQ(to_celsius(373.15 * kelvin), 100.0);
  EXPECT_NEAR(to_celsius(from_celsius(-40.0)), -40.0, 1e-12);
}

TEST(Quantity, DefaultIsZeroAndFinitenessIsVisible) {
  EXPECT_EQ(Energy{}.base(), 0.0);
  EXPECT_TRUE(is_finite(1.0 * joule));
  EXPECT_FALSE(is_finite(kInfinity * joule));
  EXPECT_FALSE(is_finite(kNaN * joule));
}

RC_GTEST_PROP(QuantityProperty, AdditionIsACommutativeGroup, ()) {
  const Energy a = any_energy();
  const Energy b = any_energy();
  const Energy c = any_energy();
  RC_ASSERT(a + b == b + a);
  RC_ASSERT((a + b) + c == a + (b + c));
  RC_ASSERT(a + Energy{} == a);
  RC_ASSERT(a + -a == Energy{});
  RC_ASSERT(a - b == a + -b);
  Energy d = a;
  d += b;
  RC_ASSERT(d == a + b);
  d -= b;
  RC_ASSERT(d == a);
}

RC_GTEST_PROP(QuantityProperty, ScalingDistributes, ()) {
  const Energy a = small_number() * joule;
  const Energy b = small_number() * joule;
  const double k = small_number();
  const double l = small_number();
  RC_ASSERT(k * (a + b) == k * a + k * b);
  RC_ASSERT((k + l) * a == k * a + l * a);
  RC_ASSERT((k * l) * a == k * (l * a));
  RC_ASSERT(k * a == a * k);
  RC_ASSERT(1.0 * a == a);
  Energy scaled = a;
  scaled *= 8.0;
  RC_ASSERT(scaled == 8.0 * a);
  scaled /= 8.0;
  RC_ASSERT(scaled == a && scaled == (a * 8.0) / 8.0);
}

RC_GTEST_PROP(QuantityProperty, ProductsAndQuotientsUndoEachOther, ()) {
  const Power p = small_number() * watt;
  const Time t = small_number() * second;
  RC_PRE(t != Time{} && p != Power{});
  const Energy e = p * t;
  RC_ASSERT(e == t * p);
  RC_ASSERT(e / t == p);
  RC_ASSERT(e / p == t);
  RC_ASSERT((e / t) / p == 1.0);
  RC_ASSERT(e.base() == p.base() * t.base());
}

RC_GTEST_PROP(QuantityProperty, OrderIsThatOfTheNumbers, ()) {
  const double x = exact_number();
  const double y = exact_number();
  const Energy a = x * joule;
  const Energy b = y * joule;
  RC_ASSERT((a < b) == (x < y));
  RC_ASSERT((a == b) == (x == y));
  RC_ASSERT(min(a, b).base() == std::min(x, y));
  RC_ASSERT(max(a, b).base() == std::max(x, y));
  RC_ASSERT(abs(a).base() == std::abs(x));
  RC_ASSERT(min(a, b) + max(a, b) == a + b);
}

RC_GTEST_PROP(QuantityProperty, LeavingInAUnitInvertsEntering, ()) {
  const double x = exact_number();
  const auto close = [x](double y) { return std::abs(y - x) <= 4e-16 * std::abs(x); };
  RC_ASSERT(close((x * kilowatt_hour).in(kilowatt_hour)));
  RC_ASSERT(close((x * electronvolt).in(electronvolt)));
  RC_ASSERT(close((x * gram_per_kilowatt_hour).in(gram_per_kilowatt_hour)));
  RC_ASSERT((x * joule).in(joule) == x);
  RC_ASSERT(Energy::from_base(x).base() == x);
}

}  // namespace carnot::inline base
