// SPDX-License-Identifier: Apache-2.0
#include "carnot/base/estimate.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/base/random.hpp"
#include "carnot/base/statistics.hpp"

#include "base/testing_thrown.hpp"

namespace carnot::inline base {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace {

Estimate<Energy> joules(double value, double half, const std::string& cause,
                        Boundary boundary = Boundary::Chip) {
  return {value * joule, (value - half) * joule, (value + half) * joule, Origin::Modelled, boundary,
          cause,         {cause + "-source"}};
}

Estimate<double> ratio(double value, double low, double high, const std::string& cause) {
  return {value, low, high, Origin::Assumed, Boundary::None, cause, {}};
}

/// 5 % and 95 % points of `draw(i)` over many i.
std::pair<double, double> simulated_bounds(const std::function<double(std::uint64_t)>& draw) {
  constexpr std::size_t kDraws = 100'000;
  std::vector<double> x(kDraws);
  for (std::size_t i = 0; i < kDraws; ++i) x[i] = draw(i);
  std::sort(x.begin(), x.end());
  return {x[kDraws / 20], x[kDraws - kDraws / 20]};
}

/// A normal error whose 90 % interval is value +- half.
double drawn(double value, double half, std::string_view cause, std::uint64_t i) {
  static const double kHalfWidth = normal_quantile(0.95);
  return value + half / kHalfWidth * RandomStream(77, cause).normal(i);
}

}  // namespace

TEST(Estimate, KeepsWhatItIsGiven) {
  const Estimate<Energy> e(10.0 * joule, 8.0 * joule, 15.0 * joule, Origin::Published,
                           Boundary::Node, "meter", {"b", "a", "b"});
  EXPECT_EQ(e.value(), 10.0 * joule);
  EXPECT_EQ(e.low(), 8.0 * joule);
  EXPECT_EQ(e.high(), 15.0 * joule);
  EXPECT_EQ(e.origin(), Origin::Published);
  EXPECT_EQ(e.boundary(), Boundary::Node);
  EXPECT_THAT(e.sources(), ElementsAre("a", "b"));
  EXPECT_EQ(e.at(Boundary::Facility).boundary(), Boundary::Facility);
  EXPECT_EQ(e.at(Boundary::Facility).high(), e.high());
}

TEST(Estimate, RefusesBoundsOutOfOrderOrNotFinite) {
  const auto make = [](double value, double low, double high, const char* cause) {
    return thrown<InputError>(
        [&] { Estimate<double>(value, low, high, Origin::Assumed, Boundary::None, cause, {}); });
  };
  EXPECT_EQ(make(1.0, 2.0, 3.0, "x"), "lower bound 2 lies above the value 1");
  EXPECT_EQ(make(1.0, 0.0, 0.5, "x"), "upper bound 0.5 lies below the value 1");
  EXPECT_EQ(make(1.0, -kInfinity, 2.0, "x"), "lower bound -inf is not finite");
  EXPECT_EQ(make(1.0, 0.0, kInfinity, "x"), "upper bound inf is not finite");
  EXPECT_EQ(make(std::nan(""), 0.0, 1.0, "x"), "value nan is not finite");
  EXPECT_THAT(make(1.0, 0.0, 2.0, ""), HasSubstr("named cause"));
}

TEST(Estimate, ExactFiguresHaveNoWidthAndNoCause) {
  const auto price =
      Estimate<Money>::exact(3.0 * euro, Origin::Published, Boundary::None, {"tariff"});
  EXPECT_EQ(price.low(), price.high());
  EXPECT_THAT(price.core().causes(), IsEmpty());
  const auto e = joules(10.0, 1.0, "meter");
  const auto sum = e + Estimate<Energy>::exact(5.0 * joule, Origin::Measured, Boundary::Chip);
  EXPECT_EQ(sum.value(), 15.0 * joule);
  EXPECT_EQ(sum.high(), 16.0 * joule);
  EXPECT_EQ(Estimate<double>().value(), 0.0);
}

TEST(Estimate, AFigureLessItselfIsExactlyZero) {
  const Estimate<Energy> e(0.1 * joule, 0.03 * joule, 0.7 * joule, Origin::Measured, Boundary::Chip,
                           "meter", {});
  const auto nothing = (e + joules(0.3, 0.01, "other")) - e - joules(0.3, 0.01, "other");
  EXPECT_EQ((e - e).value().base(), 0.0);
  EXPECT_EQ((e - e).low().base(), 0.0);
  EXPECT_EQ((e - e).high().base(), 0.0);
  EXPECT_THAT((e - e).core().causes(), IsEmpty());
  EXPECT_NEAR(nothing.high().base(), nothing.low().base(), 1e-16);
  const auto one = e / e;
  EXPECT_EQ(one.value(), 1.0);
  EXPECT_EQ(one.low(), 1.0);
  EXPECT_EQ(one.high(), 1.0);
}

TEST(Estimate, OneSharedCauseAddsLinearlyOwnCausesByTheRoot) {
  constexpr int kReadings = 1000;
  auto shared = joules(1.0, 0.1, "counter");
  auto own = joules(1.0, 0.1, "reading 0");
  for (int i = 1; i < kReadings; ++i) {
    shared = shared + joules(1.0, 0.1, "counter");
    own = own + joules(1.0, 0.1, "reading " + std::to_string(i));
  }
  EXPECT_NEAR((shared.high() - shared.value()).in(joule), 0.1 * kReadings, 1e-9);
  EXPECT_NEAR((shared.value() - shared.low()).in(joule), 0.1 * kReadings, 1e-9);
  EXPECT_NEAR((own.high() - own.value()).in(joule), 0.1 * std::sqrt(double{kReadings}), 1e-9);
  EXPECT_EQ(own.core().causes().size(), static_cast<std::size_t>(kReadings));
  EXPECT_EQ(shared.core().causes().size(), 1u);
}

TEST(Estimate, ANegativeFactorSwapsTheBounds) {
  const Estimate<Energy> e(10.0 * joule, 9.0 * joule, 14.0 * joule, Origin::Measured,
                           Boundary::Chip, "meter", {});
  const auto minus = -2.0 * e;
  EXPECT_EQ(minus.value(), -20.0 * joule);
  EXPECT_EQ(minus.low(), -28.0 * joule);
  EXPECT_EQ(minus.high(), -18.0 * joule);
  EXPECT_EQ((0.0 * e).high(), 0.0 * joule);
}

TEST(Estimate, BoundariesNeverMixSilently) {
  const auto chip = joules(1.0, 0.1, "a", Boundary::Chip);
  const auto facility = joules(1.0, 0.1, "b", Boundary::Facility);
  const std::string message = thrown<InputError>([&] { chip + facility; });
  EXPECT_THAT(message, HasSubstr("chip"));
  EXPECT_THAT(message, HasSubstr("facility"));
  EXPECT_THROW(facility - chip, InputError);
  EXPECT_THROW(chip / facility, InputError);
  EXPECT_THROW(EstimateCore::product(chip.core(), facility.core()), InputError);
  const auto pue = ratio(1.2, 1.1, 1.3, "pue");
  EXPECT_EQ((pue * chip).boundary(), Boundary::Chip);
  EXPECT_EQ((chip * pue).boundary(), Boundary::Chip);
  EXPECT_EQ((chip / pue).boundary(), Boundary::Chip);
  EXPECT_NO_THROW((pue * chip).at(Boundary::Facility) + facility);
}

TEST(Estimate, TheLeastTrustedPartNamesTheWhole) {
  const Origin order[] = {Origin::Measured, Origin::Published, Origin::Modelled, Origin::Assumed};
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < 4; ++j) EXPECT_EQ(worst(order[i], order[j]), order[std::max(i, j)]);
  const auto measured = Estimate<double>::exact(2.0, Origin::Measured, Boundary::None);
  const auto assumed = Estimate<double>::exact(2.0, Origin::Assumed, Boundary::None);
  EXPECT_EQ((measured + assumed).origin(), Origin::Assumed);
  EXPECT_EQ((assumed * measured).origin(), Origin::Assumed);
  EXPECT_EQ((measured / assumed).origin(), Origin::Assumed);
  EXPECT_EQ((measured - measured).origin(), Origin::Measured);
  EXPECT_EQ(name(Origin::Published), "published");
  EXPECT_EQ(name(Boundary::Facility), "facility");
}

TEST(Estimate, SourcesAreMergedSortedAndUnique) {
  const auto a = Estimate<double>::exact(2.0, Origin::Measured, Boundary::None, {"z", "m"});
  const auto b = Estimate<double>::exact(2.0, Origin::Measured, Boundary::None, {"m", "a"});
  EXPECT_THAT((a + b).sources(), ElementsAre("a", "m", "z"));
  EXPECT_THAT((a * b).sources(), ElementsAre("a", "m", "z"));
  EXPECT_THAT((a / b).sources(), ElementsAre("a", "m", "z"));
}

TEST(Estimate, DivisionByZeroIsRefused) {
  const auto zero = Estimate<double>::exact(0.0, Origin::Measured, Boundary::None);
  EXPECT_THROW(ratio(1.0, 0.9, 1.1, "a") / zero, InputError);
}

TEST(Estimate, DimensionsMultiplyAndDivide) {
  const Estimate<EnergyPrice> price(90.0 * euro_per_megawatt_hour, 80.0 * euro_per_megawatt_hour,
                                    100.0 * euro_per_megawatt_hour, Origin::Published,
                                    Boundary::None, "price", {});
  const Estimate<Energy> energy =
      Estimate<Energy>::exact(2.0 * megawatt_hour, Origin::Measured, Boundary::Facility);
  const Estimate<Money> cost = price * energy;
  EXPECT_NEAR(cost.value().in(euro), 180.0, 1e-12);
  EXPECT_NEAR(cost.high().in(euro), 200.0, 1e-12);
  EXPECT_EQ(cost.boundary(), Boundary::Facility);
  const Estimate<double> share = energy / energy;
  EXPECT_EQ(share.value(), 1.0);
}

// The Monte-Carlo oracle: 100 000 draws place a 5 % point within about 1 % of the half-width; sums
// of normals are exact, products and quotients are first order, with errors of the order of the
// square of the relative widths (here up to 5 %).
TEST(Estimate, SumsAgreeWithSimulation) {
  const auto a = joules(100.0, 5.0, "a");
  const auto b = joules(40.0, 8.0, "b");
  const auto sum = a + b - 0.5 * a;
  const auto [low, high] = simulated_bounds([](std::uint64_t i) {
    const double x = drawn(100.0, 5.0, "a", i);
    return x + drawn(40.0, 8.0, "b", i) - 0.5 * x;
  });
  EXPECT_NEAR(sum.low().in(joule), low, 0.02 * 8.4);
  EXPECT_NEAR(sum.high().in(joule), high, 0.02 * 8.4);
}

TEST(Estimate, ProductsAndQuotientsAgreeWithSimulation) {
  const auto power = ratio(200.0, 190.0, 210.0, "meter");
  const auto factor = ratio(1.3, 1.25, 1.35, "factor");
  const auto product = power * factor;
  const auto quotient = power / (factor + 0.01 * power);  // the meter's error stands twice
  const auto product_bounds = simulated_bounds([](std::uint64_t i) {
    return drawn(200.0, 10.0, "meter", i) * drawn(1.3, 0.05, "factor", i);
  });
  const auto quotient_bounds = simulated_bounds([](std::uint64_t i) {
    const double p = drawn(200.0, 10.0, "meter", i);
    return p / (drawn(1.3, 0.05, "factor", i) + 0.01 * p);
  });
  const double product_half = product.high() - product.value();
  EXPECT_NEAR(product.low(), product_bounds.first, 0.04 * product_half);
  EXPECT_NEAR(product.high(), product_bounds.second, 0.04 * product_half);
  const double quotient_half = quotient.high() - quotient.value();
  EXPECT_NEAR(quotient.low(), quotient_bounds.first, 0.04 * quotient_half);
  EXPECT_NEAR(quotient.high(), quotient_bounds.second, 0.04 * quotient_half);
  // Had the shared error been taken for two, the quotient would look wider than it is.
  const auto careless = power / (factor + 0.01 * ratio(200.0, 190.0, 210.0, "another meter"));
  EXPECT_GT(careless.high() - careless.value(), 1.2 * quotient_half);
}

namespace {
Estimate<double> any_estimate() {
  const double value = *rc::gen::inRange(-100, 101) / 8.0;
  const double down = *rc::gen::inRange(0, 40) / 8.0;
  const double up = *rc::gen::inRange(0, 40) / 8.0;
  const auto cause = *rc::gen::element<std::string>("p", "q", "r", "s");
  return ratio(value, value - down, value + up, cause);
}
void assert_same(const Estimate<double>& a, const Estimate<double>& b) {
  RC_ASSERT(std::abs(a.value() - b.value()) < 1e-9);
  RC_ASSERT(std::abs(a.low() - b.low()) < 1e-9);
  RC_ASSERT(std::abs(a.high() - b.high()) < 1e-9);
}
}  // namespace

RC_GTEST_PROP(EstimateProperty, AlgebraHoldsWithItsErrors, ()) {
  const auto a = any_estimate();
  const auto b = any_estimate();
  const auto c = any_estimate();
  assert_same(a + b, b + a);
  assert_same((a + b) + c, a + (b + c));
  assert_same(a * b, b * a);
  assert_same(a * (b + c), a * b + a * c);
  assert_same((a + b) - b, a);
  assert_same(a - b, -1.0 * (b - a));
  RC_ASSERT((a + b).low() <= (a + b).value() && (a + b).value() <= (a + b).high());
}

RC_GTEST_PROP(EstimateProperty, IntervalsNeverExceedTheWorstCase, ()) {
  const auto a = any_estimate();
  const auto b = any_estimate();
  RC_ASSERT((a + b).high() <= a.high() + b.high() + 1e-12);
  RC_ASSERT((a + b).low() >= a.low() + b.low() - 1e-12);
}

RC_GTEST_PROP(EstimateProperty, CausesStaySorted, ()) {
  const auto sum = any_estimate() + any_estimate() * any_estimate() - any_estimate();
  const auto& causes = sum.core().causes();
  RC_ASSERT(std::is_sorted(causes.begin(), causes.end(),
                           [](const auto& x, const auto& y) { return x.name < y.name; }));
  RC_ASSERT(std::adjacent_find(causes.begin(), causes.end(), [](const auto& x, const auto& y) {
              return x.name == y.name;
            }) == causes.end());
}

}  // namespace carnot::inline base
