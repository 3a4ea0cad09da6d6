// SPDX-License-Identifier: Apache-2.0
#include "carnot/base/text.hpp"

#include <bit>
#include <clocale>
#include <cmath>
#include <limits>
#include <locale>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"

#include "base/testing_thrown.hpp"
#include "base/units.hpp"

namespace carnot::inline base {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

namespace {

template <class Q>
std::string refusal(const std::string& text) {
  return thrown<InputError>([&] { parse_as<Q>(text); });
}

/// Every dimension that people have a word for.
const std::vector<Dimension>& named_dimensions() {
  static const std::vector<Dimension> all{Length::kDimension,
                                          Time::kDimension,
                                          Speed::kDimension,
                                          Energy::kDimension,
                                          Power::kDimension,
                                          Information::kDimension,
                                          Operations::kDimension,
                                          Carbon::kDimension,
                                          Money::kDimension,
                                          Temperature::kDimension,
                                          Entropy::kDimension,
                                          EnergyPrice::kDimension,
                                          CarbonIntensity::kDimension,
                                          CarbonPrice::kDimension,
                                          DelayPrice::kDimension,
                                          EnergyPerBit::kDimension,
                                          EnergyPerOperation::kDimension,
                                          OperationRate::kDimension,
                                          Bandwidth::kDimension,
                                          (Power{} / Temperature{}).kDimension};
  return all;
}

}  // namespace

TEST(ParseQuantity, EveryUnitPromised) {
  const auto expect = [](auto expected, const char* text) {
    using Q = decltype(expected);
    const double found = parse_as<Q>(text).base();
    EXPECT_NEAR(found, expected.base(), 4e-16 * std::abs(expected.base())) << text;
  };
  for (const auto& [text, joules] :
       std::vector<std::pair<const char*, double>>{{"2 J", 2.0},
                                                   {"2 kJ", 2e3},
                                                   {"2 MJ", 2e6},
                                                   {"2 GJ", 2e9},
                                                   {"2 Wh", 7.2e3},
                                                   {"2 kWh", 7.2e6},
                                                   {"2 MWh", 7.2e9},
                                                   {"2 GWh", 7.2e12},
                                                   {"2 TWh", 7.2e15},
                                                   {"2 pJ", 2e-12},
                                                   {"2 nJ", 2e-9},
                                                   {"2 uJ", 2e-6},
                                                   {"2 \xC2\xB5J", 2e-6},
                                                   {"2 mJ", 2e-3},
                                                   {"2 eV", 3.204353268e-19},
                                                   {"2 zJ", 2e-21},
                                                   {"2 aJ", 2e-18},
                                                   {"2 fJ", 2e-15}})
    expect(joules * joule, text);
  for (const auto& [text, watts] : std::vector<std::pair<const char*, double>>{{"2 W", 2.0},
                                                                               {"2 mW", 2e-3},
                                                                               {"2 kW", 2e3},
                                                                               {"2 MW", 2e6},
                                                                               {"2 GW", 2e9},
                                                                               {"2 uW", 2e-6}})
    expect(watts * watt, text);
  for (const auto& [text, seconds] : std::vector<std::pair<const char*, double>>{{"2 ns", 2e-9},
                                                                                 {"2 us", 2e-6},
                                                                                 {"2 ms", 2e-3},
                                                                                 {"2 s", 2.0},
                                                                                 {"2 min", 120.0},
                                                                                 {"2 h", 7200.0},
                                                                                 {"2 d", 172800.0}})
    expect(seconds * second, text);
  for (const auto& [text, bits] :
       std::vector<std::pair<const char*, double>>{{"2 bit", 2.0},
                                                   {"2 kbit", 2e3},
                                                   {"2 Mbit", 2e6},
                                                   {"2 B", 16.0},
                                                   {"2 kB", 16e3},
                                                   {"2 MB", 16e6},
                                                   {"2 GB", 16e9},
                                                   {"2 KiB", 16384.0},
                                                   {"2 MiB", 16777216.0},
                                                   {"2 GiB", 17179869184.0}})
    expect(bits * bit, text);
  expect(2.0 * gram, "2 g");
  expect(2e3 * gram, "2 kg");
  expect(2e6 * gram, "2 t");
  expect(2.0 * gram, "2 gCO2e");
  expect(2.0 * euro, "2 EUR");
  expect(2.0 * kelvin, "2 K");
  expect(293.15 * kelvin, "20 degC");
  expect(2.0 * euro_per_kilowatt_hour, "2 EUR/kWh");
  expect(2.0 * euro_per_megawatt_hour, "2 EUR/MWh");
  expect(2.0 * gram_per_kilowatt_hour, "2 g/kWh");
  expect(2.0 * gram_per_kilowatt_hour, "2 kg/MWh");
  expect(2.0 * gram_per_kilowatt_hour, "2 gCO2e/kWh");
  expect(2.0 * euro_per_tonne, "2 EUR/t");
  expect(2.0 * euro_per_hour, "2 EUR/h");
  expect(2.0 * watt / kelvin, "2 W/K");
  expect(2.0 * metre_per_second, "2 m/s");
  expect(7.2 * metre_per_second, "25.92 km/h");
  expect(2.0 * joule / bit, "2 J/bit");
  expect(2e-12 * joule / operation, "2 pJ/op");
  expect(2e12 * operation / second, "2 TFLOP/s");
  expect(2e12 * operation / second, "2 Top/s");
  expect(16e9 * bit / second, "2 GB/s");
}

TEST(ParseQuantity, EveryFormOfNumber) {
  EXPECT_EQ(parse_as<Power>("8.5 MW"), 8.5 * megawatt);
  EXPECT_EQ(parse_as<Power>("8.5MW"), 8.5 * megawatt);
  EXPECT_EQ(parse_as<Power>("8.5   MW"), 8.5 * megawatt);
  EXPECT_EQ(parse_as<Power>("+8.5 MW"), 8.5 * megawatt);
  EXPECT_EQ(parse_as<Power>("-8.5 MW"), -8.5 * megawatt);
  EXPECT_EQ(parse_as<Power>("8.5e3 kW"), 8.5 * megawatt);
  EXPECT_EQ(parse_as<Power>("8.5E+3 kW"), 8.5 * megawatt);
  EXPECT_EQ(parse_as<Power>(".5 W"), 0.5 * watt);
  EXPECT_EQ(parse_as<Power>("5. W"), 5.0 * watt);
  EXPECT_EQ(parse_as<Energy>("5eV"), 5.0 * electronvolt);
  EXPECT_EQ(parse_as<Power>("0"), 0.0 * watt);
  EXPECT_EQ(parse_as<Power>("0.0"), 0.0 * watt);
  EXPECT_EQ(parse_as<EnergyPrice>("-0"), 0.0 * euro_per_megawatt_hour);
}

TEST(ParseQuantity, UnitsAreNeverGuessed) {
  EXPECT_THAT(refusal<Power>("5"),
              AllOf(HasSubstr("a power"), HasSubstr("`5 MW`"), HasSubstr("unit is missing")));
  EXPECT_THAT(refusal<Power>("5 "), HasSubstr("unit is missing"));
  EXPECT_THAT(refusal<Power>("0 "), HasSubstr("unit is missing"));
}

TEST(ParseQuantity, AnotherDimensionIsNamedWithWhatWasMeant) {
  EXPECT_EQ(refusal<Power>("5 MWh"), "`5 MWh` is an energy; a power is needed, such as `5 MW`");
  EXPECT_EQ(refusal<Energy>("2.5 kW"),
            "`2.5 kW` is a power; an energy is needed, such as `2.5 MWh`");
  EXPECT_EQ(refusal<CarbonIntensity>("90 EUR/MWh"),
            "`90 EUR/MWh` is an energy price; a carbon intensity is needed, such as `90 g/kWh`");
  EXPECT_THAT(refusal<Power>("5 J/K"), HasSubstr("an entropy"));
  EXPECT_THAT(refusal<Power>("5 EUR/K"), HasSubstr("a quantity in EUR K-1"));
  EXPECT_THAT(refusal<Power>("0 MWh"), HasSubstr("is an energy"));
  // A ratio of like units is a plain number, which no unit of ours is.
  EXPECT_THAT(refusal<Power>("5 J/J"), HasSubstr("a power is needed"));
}

TEST(ParseQuantity, NearMissesGetAdvice) {
  EXPECT_THAT(refusal<Power>("5 mw"),
              AllOf(HasSubstr("case-sensitive"), HasSubstr("`mW`"), HasSubstr("`MW`")));
  EXPECT_THAT(refusal<Energy>("5 KWH"), HasSubstr("did you mean `kWh`?"));
  EXPECT_THAT(refusal<Power>("5 MMW"), HasSubstr("did you mean `MW`?"));
  EXPECT_THAT(refusal<EnergyPrice>("5 eur/mwh"), HasSubstr("did you mean `EUR/MWh`?"));
  EXPECT_THAT(refusal<Power>("5 horsepower"),
              AllOf(HasSubstr("unknown unit"), Not(HasSubstr("did you mean"))));
}

TEST(ParseQuantity, OtherCurrenciesAreForTheUserToConvert) {
  for (const char* text : {"5 USD", "5 $", "5 GBP", "5 CHF"})
    EXPECT_THAT(refusal<Money>(text), HasSubstr("convert to EUR")) << text;
  EXPECT_THAT(refusal<EnergyPrice>("5 USD/MWh"), HasSubstr("convert to EUR"));
  EXPECT_THAT(refusal<Money>("5 \xE2\x82\xAC"), HasSubstr("write EUR"));
}

TEST(ParseQuantity, WhatIsNotAFiniteNumberIsRefused) {
  for (const char* text :
       {"", " ", "W", "nan W", "inf W", "-inf W", "NAN W", "infinity W", "1e400 W", "1e-400 W",
        "--5 W", "+-5 W", " 5 W", "five W", "0x10 W", ",5 W", "e5 W"})
    EXPECT_THAT(refusal<Power>(text), HasSubstr("expected a power such as `5 MW`, found `"))
        << text;
  EXPECT_THAT(refusal<Power>("1e308 GW"), HasSubstr("too great"));
}

TEST(ParseQuantity, TrailingGarbageIsRefused) {
  for (const char* text : {"5 W x", "5 W.", "5 W ", "5 W/", "5 /W", "5 W/s/s", "5 W W", "5 5 W",
                           "5,5 W", "1 000 W", "5 kkW", "5 W\n", "5\tW", "5 %", "20 degC/h"})
    EXPECT_THROW(parse_as<Power>(text), InputError) << text;
  EXPECT_THROW(parse_as<Power>(std::string("5 W\0", 4)), InputError);
}

TEST(ParseQuantity, LongTextIsCutInMessages) {
  EXPECT_LT(refusal<Power>("5 " + std::string(100'000, 'q')).size(), 300u);
}

TEST(ParseNumber, TakesExactlyOneNumber) {
  EXPECT_EQ(parse_number("2.5e3"), 2500.0);
  EXPECT_EQ(parse_number("+1"), 1.0);
  EXPECT_EQ(parse_number("-0.125"), -0.125);
  for (const char* text : {"", "x", "1x", " 1", "1 ", "nan", "inf", "-inf", "1e999", "1,5", "1_000",
                           "0x1", "--1", "+-1", "+"})
    EXPECT_THROW(parse_number(text), InputError) << text;
  EXPECT_EQ(thrown<InputError>([] { parse_number("1x"); }),
            "expected a finite number such as 5 or 2.5e3, found `1x`");
}

TEST(ParseInteger, TakesExactlyOneInteger) {
  EXPECT_EQ(parse_integer("12"), 12);
  EXPECT_EQ(parse_integer("+12"), 12);
  EXPECT_EQ(parse_integer("-9223372036854775808"), std::numeric_limits<long long>::min());
  EXPECT_EQ(parse_integer("9223372036854775807"), std::numeric_limits<long long>::max());
  for (const char* text :
       {"", "x", "1.0", "1e3", " 1", "1 ", "9223372036854775808", "0x1", "+-1", "-"})
    EXPECT_THROW(parse_integer(text), InputError) << text;
}

TEST(Format, IsTheFormForPeople) {
  EXPECT_EQ(format(2.36 * kilowatt_hour), "2.36 kWh");
  EXPECT_EQ(format(871e3 * watt), "871 kW");
  EXPECT_EQ(format(12.4 * tonne), "12.4 t");
  EXPECT_EQ(format(3.1 * euro), "3.1 EUR");
  EXPECT_EQ(format(45.0 * hour), "45 h");
  EXPECT_EQ(format(90.0 * second), "90 s");
  EXPECT_EQ(format(100.0 * minute), "100 min");
  EXPECT_EQ(format(30.0 * day), "30 d");
  EXPECT_EQ(format(1.5e-3 * second), "1.5 ms");
  EXPECT_EQ(format(3.5e6 * joule), "3.5 MJ");
  EXPECT_EQ(format(3.6e6 * joule), "1 kWh");
  EXPECT_EQ(format(500.0 * joule), "500 J");
  EXPECT_EQ(format(999.0 * gram), "999 g");
  EXPECT_EQ(format(1.0 * kilogram), "1 kg");
  EXPECT_EQ(format(400.0 * gram_per_kilowatt_hour), "400 g/kWh");
  EXPECT_EQ(format(85.25 * euro_per_megawatt_hour, 4), "85.25 EUR/MWh");
  EXPECT_EQ(format(landauer_bound(300.0 * kelvin)), "2.87 zJ/bit");
  EXPECT_EQ(format(-5.5 * kilowatt), "-5.5 kW");
  EXPECT_EQ(format(0.0 * watt), "0 W");
  EXPECT_EQ(format(-0.0 * joule), "0 J");
  EXPECT_EQ(format(0.0 * second), "0 s");
  EXPECT_EQ(format(0.0 * gram), "0 g");
  EXPECT_EQ(format(12'345'678.0 * euro), "12300000 EUR");
  EXPECT_EQ(format(1.25e12 * euro), "1.25e12 EUR");
  EXPECT_EQ(format(0.001 * euro), "0.001 EUR");
  EXPECT_EQ(format(1e308 * watt), "1e296 TW");
  EXPECT_EQ(format(1.5e308 * euro / joule), "5.4e317 EUR/MWh");
  EXPECT_EQ(format(5e-324 * watt), "4.94e-315 nW");
  EXPECT_EQ(format(2.5 * metre * metre), "2.5 m2");
  EXPECT_EQ(format(kInfinity * watt), "inf W");
  EXPECT_EQ(format(kNaN * watt), "nan W");
}

TEST(Format, RoundingNeverShowsAThousandOfAUnit) {
  EXPECT_EQ(format(999.6 * kilowatt), "1 MW");
  EXPECT_EQ(format(999.4 * kilowatt), "999 kW");
  EXPECT_EQ(format(999.96 * kilowatt, 4), "1 MW");
  EXPECT_EQ(format(999.96 * kilowatt, 5), "999.96 kW");
  EXPECT_EQ(format(1.0 * kilowatt), "1 kW");
  EXPECT_EQ(format(0.99999 * watt), "1 W");
}

TEST(Format, DigitsAreSignificantDigits) {
  const Power p = 1.23456789 * megawatt;
  EXPECT_EQ(format(p, 1), "1 MW");
  EXPECT_EQ(format(p, 2), "1.2 MW");
  EXPECT_EQ(format(p, 6), "1.23457 MW");
  EXPECT_EQ(format(p, 0), "1 MW");  // at least one
  EXPECT_EQ(parse_as<Power>(format(p, 99)), p);
}

RC_GTEST_PROP(FormatProperty, ReadsBackWithinItsDigits, ()) {
  const Dimension dimension = *rc::gen::elementOf(named_dimensions());
  const int digits = *rc::gen::inRange(1, 17);
  const int exponent = *rc::gen::inRange(-25, 25);
  const double mantissa = *rc::gen::inRange(-99'999'999, 99'999'999) * 1e-7;
  const double base = mantissa * std::pow(10.0, exponent);
  const std::string text = detail::format_quantity(base, dimension, digits);
  const double back = detail::parse_quantity(text, dimension);
  RC_LOG() << text;
  RC_ASSERT(std::abs(back - base) <=
            std::abs(base) * (0.5001 * std::pow(10.0, 1 - digits) + 1e-15));
}

TEST(Units, EveryLadderClimbsAndIsReadable) {
  for (const Dimension& dimension : named_dimensions()) {
    const auto ladder = detail::ladder_of(dimension);
    ASSERT_FALSE(ladder.empty());
    for (std::size_t i = 0; i < ladder.size(); ++i) {
      EXPECT_EQ(detail::find_unit(ladder[i].symbol)->dimension, dimension);
      if (i == 0) continue;
      EXPECT_LT(ladder[i - 1].factor, ladder[i].factor) << ladder[i].symbol;
      EXPECT_LT(ladder[i - 1].least, ladder[i].least) << ladder[i].symbol;
    }
    EXPECT_EQ(detail::find_unit(detail::example_unit_of(dimension))->dimension, dimension);
  }
}

RC_GTEST_PROP(ShortestProperty, ReadsBackToTheSameBits, ()) {
  const auto bits = *rc::gen::arbitrary<std::uint64_t>();
  const auto value = std::bit_cast<double>(bits * 0x9E3779B97F4A7C15u);
  RC_PRE(std::isfinite(value));
  RC_ASSERT(std::bit_cast<std::uint64_t>(parse_number(shortest(value))) ==
            std::bit_cast<std::uint64_t>(value));
}

TEST(Shortest, IsShort) {
  EXPECT_EQ(shortest(0.1), "0.1");
  EXPECT_EQ(shortest(1e-30), "1e-30");
  EXPECT_EQ(shortest(-0.0), "-0");
  EXPECT_EQ(shortest(1.0 / 3.0), "0.3333333333333333");
  EXPECT_EQ(shortest(5e-324), "5e-324");
  EXPECT_EQ(shortest(-1.7976931348623157e308), "-1.7976931348623157e+308");
}

namespace {
/// Decimal commas and grouping, as in much of Europe; needs no installed locale.
class Continental : public std::numpunct<char> {
 protected:
  char do_decimal_point() const override { return ','; }
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};
}  // namespace

TEST(Text, LocaleNeverMatters) {
  const std::locale before = std::locale::global(std::locale(std::locale(), new Continental));
  const std::string c_before = std::setlocale(LC_ALL, nullptr);
  for (const char* name : {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE"}) std::setlocale(LC_ALL, name);
  EXPECT_EQ(parse_as<Power>("8.5 MW"), 8.5 * megawatt);
  EXPECT_THROW(parse_as<Power>("8,5 MW"), InputError);
  EXPECT_EQ(format(1234.5 * euro, 5), "1234.5 EUR");
  EXPECT_EQ(shortest(1234.5), "1234.5");
  EXPECT_EQ(parse_number("1234.5"), 1234.5);
  std::setlocale(LC_ALL, c_before.c_str());
  std::locale::global(before);
}

}  // namespace carnot::inline base
