// SPDX-License-Identifier: Apache-2.0
#include "carnot/model/footprint/accounting.hpp"

#include <cmath>
#include <filesystem>
#include <regex>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <unistd.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"

namespace carnot::model {
namespace {

using testing::Contains;
using testing::HasSubstr;

Estimate<Energy> measured(double kwh) {
  return {kwh * kilowatt_hour,
          0.95 * kwh * kilowatt_hour,
          1.05 * kwh * kilowatt_hour,
          Origin::Measured,
          Boundary::Node,
          "rapl",
          {"rapl"}};
}

Instant at_hour(int hour) {
  return Instant::from_date(2023, 5, 1) + Duration::seconds(3600) * hour;
}
const Duration kHour = Duration::seconds(3600);

std::string thrown(const AccountOptions& options) {
  try {
    account(measured(1), at_hour(0), kHour, {}, options);
  } catch (const InputError& error) {
    return error.what();
  }
  return "nothing thrown";
}

class TraceFileOf {
 public:
  explicit TraceFileOf(const std::string& name, const std::string& rows)
      : path_((std::filesystem::temp_directory_path() /
               ("carnot_" + name + std::to_string(::getpid()) + ".csv"))
                  .string()) {
    write_file(path_, "time,carbon [g/kWh]\n" + rows);
  }
  ~TraceFileOf() { std::filesystem::remove(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(Grid, FindsCountriesByEitherCodeOrName) {
  const auto france = grid_intensity("FR");
  EXPECT_EQ(france.name, "France");
  EXPECT_EQ(grid_intensity("fra").code, "FR");
  EXPECT_EQ(grid_intensity(" France ").code, "FR");
  // Ember: France 2023, 56 g/kWh.
  EXPECT_NEAR(france.intensity.value().in(gram_per_kilowatt_hour), 56.0, 1.0);
  EXPECT_EQ(france.intensity.origin(), Origin::Published);
  EXPECT_LT(france.intensity.low(), france.intensity.value());
  EXPECT_GT(france.intensity.high(), france.intensity.value());
}

TEST(Grid, KnowsStatesApartFromCountriesOfTheSameName) {
  EXPECT_EQ(grid_intensity("Georgia").code, "GE");
  EXPECT_EQ(grid_intensity("US-GA").name, "Georgia");
  EXPECT_EQ(grid_intensity("CA").name, "Canada");
  EXPECT_EQ(grid_intensity("us-ca").name, "California");
}

TEST(Grid, UnknownWordNamesTheNearest) {
  try {
    grid_intensity("Frence");
    FAIL() << "accepted";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("France"));
  }
  EXPECT_THROW(grid_intensity("XX-nowhere"), InputError);
}

TEST(Grid, TheWorldSpansWhatItsElectricityIsMadeOf) {
  const auto world = grid_intensity("");
  EXPECT_EQ(world.code, "WORLD");
  const auto g = [](CarbonIntensity i) { return i.in(gram_per_kilowatt_hour); };
  // Ember: 2023, 480 g/kWh; at least a factor of five between clean and dirty.
  EXPECT_NEAR(g(world.intensity.value()), 480, 10);
  EXPECT_GT(g(world.intensity.high()) / g(world.intensity.low()), 5);
  for (const auto* big : {"CN", "US", "IN", "DE", "BR"}) {
    const double value = g(grid_intensity(big).intensity.value());
    EXPECT_GE(value, 0.99 * g(world.intensity.low())) << big;
    EXPECT_LE(value, 1.01 * g(world.intensity.high())) << big;
  }
}

TEST(Grid, KnowsTheOtherCodesOfTwoCountries) {
  for (const char* code : {"GB", "gbr", "UK", "United Kingdom"})
    EXPECT_EQ(grid_intensity(code).code, "GB") << code;
  for (const char* code : {"GR", "grc", "EL", "Greece"})
    EXPECT_EQ(grid_intensity(code).code, "GR") << code;
}

TEST(Grid, EveryRowIsPlausibleAndUnique) {
  std::set<std::string> codes;
  const std::regex shape("[A-Z]{2}|US-[A-Z]{2}");
  for (const auto& grid : grid_intensities()) {
    EXPECT_TRUE(codes.insert(grid.code).second) << grid.code;
    EXPECT_TRUE(grid.code == "WORLD" || std::regex_match(grid.code, shape)) << grid.code;
    const double value = grid.intensity.value().in(gram_per_kilowatt_hour);
    EXPECT_GT(value, 0) << grid.code;
    EXPECT_LT(value, 1400) << grid.code;  // the dirtiest: gas flared and burnt in old plants
    EXPECT_GT(grid.intensity.low().base(), 0) << grid.code;
    EXPECT_GE(grid.year, 2016) << grid.code;
    EXPECT_FALSE(grid.source.empty()) << grid.code;
    EXPECT_EQ(grid_intensity(grid.code).code, grid.code);
  }
  EXPECT_GT(codes.size(), 250U);
}

TEST(Embodied, NamesAreFoundInAnyCase) {
  EXPECT_EQ(embodied("nvidia h100").name, "NVIDIA H100");
  EXPECT_NEAR(embodied("NVIDIA H100").total.value().in(kilogram), 1312.0 / 8, 0.5);
  EXPECT_GT(embodied("server").lifetime, 3.9 * 365 * day);
  EXPECT_THROW(embodied("toaster"), InputError);
}

TEST(Account, KnownAnswer) {
  AccountOptions options;
  options.pue = 1.5;
  options.carbon_g_per_kwh = 400;
  options.price_eur_per_kwh = 0.25;
  options.machine = "server";
  options.machine_share = 0.5;
  options.functional_units = 10;
  options.functional_unit = "epoch";
  const auto a = account(measured(2), at_hour(0), kHour, {}, options);
  EXPECT_DOUBLE_EQ(a.facility.value().in(kilowatt_hour), 3);
  EXPECT_EQ(a.facility.boundary(), Boundary::Facility);
  EXPECT_EQ(a.facility.origin(), Origin::Assumed);  // nobody measured the building
  EXPECT_EQ(a.machine.boundary(), Boundary::Node);
  EXPECT_EQ(a.machine.origin(), Origin::Measured);
  EXPECT_NEAR(a.operational.value().in(gram), 1200, 1e-9);
  EXPECT_NEAR(a.cost.value().in(euro), 0.75, 1e-12);
  const double lifetime_h = 5 * 365.25 * 24;
  EXPECT_NEAR(a.embodied.value().in(gram), 1300e3 / lifetime_h * 0.5, 1e-6);
  EXPECT_NEAR(a.sci.value().in(gram), (1200 + a.embodied.value().in(gram)) / 10, 1e-9);
  EXPECT_EQ(a.functional_unit, "epoch");
  EXPECT_EQ(a.scope2.value(), a.operational.value());
  EXPECT_EQ(a.scope3.value(), a.embodied.value());
  // The same relative error as the energy: nothing else is uncertain.
  EXPECT_NEAR(a.operational.high() / a.operational.value(), 1.05, 1e-9);
  EXPECT_TRUE(a.pue_known);
}

TEST(Account, NothingKnownIsTheWorldAndItsOwnEnergy) {
  const auto a = account(measured(1), at_hour(0), kHour, {}, {});
  EXPECT_EQ(a.grid.code, "WORLD");
  EXPECT_FALSE(a.pue_known);
  EXPECT_EQ(a.facility.value(), a.machine.value());
  EXPECT_EQ(a.facility.origin(), Origin::Measured);
  EXPECT_THAT(a.remarks, Contains(HasSubstr("location unknown")));
  EXPECT_THAT(a.remarks, Contains(HasSubstr("PUE unknown")));
  EXPECT_EQ(a.cost.origin(), Origin::Assumed);
  EXPECT_GT(a.operational.high() / a.operational.low(), 5.0);
  EXPECT_EQ(a.sci.value(), Carbon{});
}

TEST(Account, CausesAreKeptApart) {
  AccountOptions options;
  options.location = "DE";
  const auto a = account(measured(1), at_hour(0), kHour, {}, options);
  std::set<std::string> causes;
  for (const auto& cause : a.operational.core().causes()) causes.insert(cause.name);
  EXPECT_EQ(causes, (std::set<std::string>{"grid:DE", "rapl"}));
  // The meter's error is in carbon and cost alike; a difference of the two jobs' carbon has none.
  EXPECT_EQ((a.operational - a.operational).high(), Carbon{});
}

TEST(Account, WideFactorsNeverMakeNegativeCarbon) {
  const Estimate<Energy> wide(1 * kilowatt_hour, 0.1 * kilowatt_hour, 6 * kilowatt_hour,
                              Origin::Modelled, Boundary::Node, "power-model", {});
  const auto a = account(wide, at_hour(0), kHour, {}, {});
  EXPECT_GT(a.operational.low(), Carbon{});
  EXPECT_LT(a.operational.low().in(gram), 0.1 * 480);  // wider than by the energy alone
  EXPECT_EQ(a.operational.core().causes().size(), 2U);
}

TEST(Account, PricesFollowTheLocation) {
  AccountOptions options;
  options.location = "US-TX";
  const auto texas = account(measured(1), at_hour(0), kHour, {}, options);
  // EIA, 2023, commercial: 8.82 US cents.
  EXPECT_NEAR(texas.cost.value().in(euro), 0.0882 / 1.0813, 1e-4);
  options.location = "FR";
  EXPECT_NEAR(account(measured(1), at_hour(0), kHour, {}, options).cost.value().in(euro), 0.2,
              1e-9);
  options.location = "KE";
  EXPECT_EQ(account(measured(1), at_hour(0), kHour, {}, options).cost.origin(), Origin::Assumed);
}

TEST(Account, RefusesEverythingWrongAtOnce) {
  AccountOptions options;
  options.pue = 0.9;
  options.carbon_g_per_kwh = -1;
  options.machine_share = 1.5;
  options.functional_units = 0;
  const auto text = thrown(options);
  for (const auto* word : {"pue", "carbon_g_per_kwh", "machine_share", "functional_units"}) {
    EXPECT_THAT(text, HasSubstr(word));
  }
  options = {};
  options.pue = std::nan("");
  EXPECT_THAT(thrown(options), HasSubstr("pue"));
  EXPECT_THROW(account(measured(1), at_hour(0), Duration::seconds(-1), {}, {}), InputError);
}

TEST(Account, TraceIsWeightedByPower) {
  const TraceFileOf file("weighted", "2023-05-01T00:00Z,100\n2023-05-01T01:00Z,500\n");
  AccountOptions options;
  options.carbon_trace = file.path();
  options.carbon_g_per_kwh = 1;  // overridden
  // 3 kW in the clean hour, 1 kW in the dirty one: (3 x 100 + 500) / 4.
  const TraceCore power(at_hour(0), kHour, {3000, 1000});
  const auto a = account(measured(4), at_hour(0), kHour * 2, power, options);
  EXPECT_NEAR(a.operational.value().in(gram), 4 * 200, 1e-6);
  EXPECT_EQ(a.grid.code, "TRACE");
  // Without power the hours count alike.
  const auto b = account(measured(4), at_hour(0), kHour * 2, {}, options);
  EXPECT_NEAR(b.operational.value().in(gram), 4 * 300, 1e-6);
}

TEST(Account, TraceThatIsTooShortIsRefused) {
  const TraceFileOf file("short", "2023-05-01T00:00Z,100\n2023-05-01T01:00Z,500\n");
  AccountOptions options;
  options.carbon_trace = file.path();
  EXPECT_THROW(account(measured(1), at_hour(1), kHour * 2, {}, options), InputError);
  options.carbon_trace = "/nonexistent.csv";
  EXPECT_THROW(account(measured(1), at_hour(1), kHour, {}, options), IoError);
}

RC_GTEST_PROP(Account, IsLinearInEnergy, ()) {
  AccountOptions options;
  options.location = "PL";
  options.pue = 1.2;
  const double kwh = *rc::gen::inRange(1, 100000) / 1000.0;
  const double times = *rc::gen::inRange(1, 100);
  const auto one = account(measured(kwh), at_hour(0), kHour, {}, options);
  const auto many = account(measured(times * kwh), at_hour(0), kHour, {}, options);
  const auto near = [](double a, double b) { return std::abs(a - b) <= 1e-9 * std::abs(b); };
  RC_ASSERT(near(many.operational.value().base(), times * one.operational.value().base()));
  RC_ASSERT(near(many.operational.low().base(), times * one.operational.low().base()));
  RC_ASSERT(near(many.operational.high().base(), times * one.operational.high().base()));
  RC_ASSERT(near(many.cost.value().base(), times * one.cost.value().base()));
  RC_ASSERT(many.embodied.value() == one.embodied.value());
}

RC_GTEST_PROP(Account, AConstantTraceIsThatConstant, ()) {
  const int g = *rc::gen::inRange(1, 1000);
  std::string rows;
  for (int hour = 0; hour < 6; ++hour) {
    rows += "2023-05-01T0" + std::to_string(hour) + ":00Z," + std::to_string(g) + "\n";
  }
  const TraceFileOf file("constant", rows);
  AccountOptions options;
  options.carbon_trace = file.path();
  std::vector<double> watts = *rc::gen::container<std::vector<double>>(
      4, rc::gen::map(rc::gen::inRange(0, 1000), [](int w) { return static_cast<double>(w); }));
  const TraceCore power(at_hour(1), kHour, watts);
  const auto a = account(measured(1), at_hour(1), kHour * 4, power, options);
  RC_ASSERT(std::abs(a.operational.value().in(gram)-g) <= 1e-9 * g);
}

}  // namespace
}  // namespace carnot::model
