// SPDX-License-Identifier: Apache-2.0
// Sun, plant, temperature, price, carbon and the option tables of the generators.
#include <algorithm>
#include <cmath>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/trace/weather/generate.hpp"

namespace carnot::inline trace {
namespace {

using ::testing::HasSubstr;

const Instant kStart = Instant::from_date(2021, 1, 1);
const Duration kOneHour = Duration::seconds(3600);
constexpr std::size_t kYearOfHours = 8766;

std::vector<double> values(const TraceCore& core) {
  return {core.mean().begin(), core.mean().end()};
}

double average(const std::vector<double>& x) {
  double sum = 0.0;
  for (double v : x) sum += v;
  return sum / static_cast<double>(x.size());
}

double correlation(const std::vector<double>& x, const std::vector<double>& y) {
  const double mx = average(x), my = average(y);
  double xy = 0.0, xx = 0.0, yy = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xy += (x[i] - mx) * (y[i] - my);
    xx += (x[i] - mx) * (x[i] - mx);
    yy += (y[i] - my) * (y[i] - my);
  }
  return xy / std::sqrt(xx * yy);
}

// Reda & Andreas, "Solar position algorithm for solar radiation applications", NREL/TP-560-34302
// (2004, revised 2008), worked example of appendix A.5: 2003-10-17 12:30:30 at UTC-7, 39.742476 N,
// 105.1786 W; topocentric elevation without refraction 39.872046, azimuth 194.340241 degrees.
TEST(Sun, AgreesWithTheSolarPositionAlgorithmsExample) {
  const Instant at = Instant::parse("2003-10-17T12:30:30-07:00");
  const SunPosition sun = sun_position(at, 39.742476, -105.1786);
  EXPECT_NEAR(sun.elevation, 39.872046, 0.05);
  EXPECT_NEAR(sun.azimuth, 194.340241, 0.05);
}

// Seen from the north pole the elevation is the declination. Instants of the 2020 seasons: US Naval
// Observatory, "Earth's seasons": equinox 20 March 03:50, solstices 20 June 21:44, 21 December
// 10:02.
TEST(Sun, DeclinationFollowsTheSeasons) {
  const auto declination = [](const char* at) {
    return sun_position(Instant::parse(at), 90.0, 0.0).elevation;
  };
  EXPECT_NEAR(declination("2020-03-20T03:50Z"), 0.0, 0.02);
  EXPECT_NEAR(declination("2020-06-20T21:44Z"), 23.4366, 0.02);
  EXPECT_NEAR(declination("2020-12-21T10:02Z"), -23.4366, 0.02);
}

// The sun crosses Greenwich 16.4 minutes early around 3 November and 14.2 minutes late around
// 11 February (the extremes of the equation of time, e.g. Meeus, Astronomical Algorithms, ch. 28).
TEST(Sun, CrossesTheMeridianByTheEquationOfTime) {
  const auto minutes_after_noon = [](Instant noon) {
    double low = -40.0, high = 40.0;
    for (int i = 0; i < 40; ++i) {
      const double middle = 0.5 * (low + high);
      const Instant at = noon + Duration::from(middle * minute);
      (sun_position(at, 50.0, 0.0).azimuth < 180.0 ? low : high) = middle;
    }
    return low;
  };
  EXPECT_NEAR(minutes_after_noon(Instant::parse("2020-11-03T12:00Z")), -16.4, 0.15);
  EXPECT_NEAR(minutes_after_noon(Instant::parse("2020-02-11T12:00Z")), 14.2, 0.15);
}

TEST(Solar, IsDarkAtNightAndBoundedByTheInverter) {
  const SolarOptions options;
  const TimeGrid grid{kStart, Duration::seconds(300), 288 * 365};
  const Trace<Power> power = generate_solar(options, grid, 1);
  std::size_t clipped = 0;
  for (std::size_t i = 0; i < power.size(); ++i) {
    ASSERT_GE(power[i].in(watt), 0.0);
    ASSERT_LE(power[i], options.capacity);
    const SunPosition sun = sun_position(power.core().edge(i) + Duration::seconds(150),
                                         options.latitude, options.longitude);
    if (sun.elevation <= 0.0) {
      ASSERT_EQ(power[i].in(watt), 0.0) << power.core().edge(i).iso8601();
    }
    if (power[i] == options.capacity) ++clipped;
  }
  EXPECT_GT(clipped, 50u);
  const double factor = power.mean_over(power.begin(), power.end()) / options.capacity;
  EXPECT_GT(factor, 0.15);
  EXPECT_LT(factor, 0.28);
}

// Under a clear sky on flat modules without losses the plant shows Haurwitz' irradiance.
TEST(Solar, ClearNoonIsTheClearSkyModel) {
  SolarOptions options;
  options.dc_ac_ratio = 1.0;
  options.tilt = 0.0;
  options.cloud_cover = 0.01;
  options.cloud_spread = 0.0;
  options.temperature_coefficient = 0.0;
  options.system_loss = 0.0;
  options.inverter_efficiency = 1.0;
  const Instant noon = Instant::parse("2021-03-20T12:00Z");
  const Trace<Power> power = generate_solar(options, {noon, Duration::seconds(300), 1}, 1);
  const SunPosition sun = sun_position(noon + Duration::seconds(150), 40.0, 0.0);
  const double cosine = std::sin(sun.elevation * 0.017453292519943295);
  const double expected = 1098.0 * cosine * std::exp(-0.057 / cosine) / 1000.0;
  EXPECT_NEAR(power[0] / options.capacity, expected, 1e-3);
}

TEST(Solar, CloudsHeatAndSeasonsCost) {
  const TimeGrid grid{kStart, kOneHour, kYearOfHours};
  const auto yield = [&](const SolarOptions& options) {
    const Trace<Power> power = generate_solar(options, grid, 2);
    return power.mean_over(power.begin(), power.end()).in(megawatt);
  };
  SolarOptions usual, cloudy, hot, south;
  cloudy.cloud_cover = 0.85;
  hot.air_temperature = from_celsius(40.0);
  south.latitude = -40.0;
  EXPECT_LT(yield(cloudy), 0.75 * yield(usual));
  EXPECT_LT(yield(hot), 0.95 * yield(usual));
  EXPECT_LT(yield(south), yield(usual));  // its modules face away from the sun
  const Trace<Power> power = generate_solar(usual, grid, 2);
  EXPECT_GT(
      power.mean_over(Instant::from_date(2021, 6, 1), Instant::from_date(2021, 7, 1)),
      1.4 * power.mean_over(Instant::from_date(2021, 12, 1), Instant::from_date(2021, 12, 31)));
}

TEST(Temperature, HasItsSeasonItsDayAndItsNoise) {
  const TemperatureOptions options;
  const Trace<Temperature> air =
      generate_temperature(options, {kStart, kOneHour, 20 * kYearOfHours}, 3);
  double january = 0.0, july = 0.0, night = 0.0, noon = 0.0, n_january = 0.0, n_july = 0.0;
  double sum = 0.0, square = 0.0;
  for (std::size_t i = 0; i < air.size(); ++i) {
    const Instant::Calendar calendar = air.core().edge(i).calendar();
    const double celsius = to_celsius(air[i]);
    sum += celsius;
    if (calendar.month == 1) january += celsius, n_january += 1.0;
    if (calendar.month == 7) july += celsius, n_july += 1.0;
    if (calendar.hour == 4.0) night += celsius;
    if (calendar.hour == 16.0) noon += celsius;
    const double expected = 11.0 - 8.5 * std::cos(2 * M_PI * (calendar.day_of_year - 19) / 365.25) -
                            3.5 * std::cos(2 * M_PI * (calendar.hour + 0.5 - 4.0) / 24.0);
    square += (celsius - expected) * (celsius - expected);
  }
  const double n = static_cast<double>(air.size());
  EXPECT_NEAR(sum / n, 11.0, 0.3);
  EXPECT_NEAR(july / n_july - january / n_january, 16.6, 0.8);
  EXPECT_NEAR((noon - night) / (n / 24.0), 7.0, 0.3);
  EXPECT_NEAR(std::sqrt(square / n), options.noise, 0.25);
}

TEST(Price, FallsWithWindSpikesAndGoesNegative) {
  const TimeGrid grid{kStart, kOneHour, 4 * kYearOfHours};
  const PriceOptions options;
  std::vector<double> price;
  const Trace<EnergyPrice> trace = generate_price(options, grid, 4);
  double weekday = 0.0, weekend = 0.0;
  for (std::size_t i = 0; i < trace.size(); ++i) {
    price.push_back(trace[i].in(euro_per_megawatt_hour));
    // 2021-01-01 was a Friday.
    ((i / 24 + 4) % 7 >= 5 ? weekend : weekday) += price.back();
  }
  EXPECT_NEAR(average(price), 75.0, 6.0);
  EXPECT_LT(weekend / 2.0, 0.92 * weekday / 5.0);
  EXPECT_LT(*std::min_element(price.begin(), price.end()), 0.0);
  EXPECT_GT(*std::max_element(price.begin(), price.end()), 250.0);
  EXPECT_LT(correlation(price, values(generate_wind({}, grid, 4).core())), -0.4);
}

TEST(Carbon, FallsWithWindAndStaysAboveItsFloor) {
  const TimeGrid grid{kStart, kOneHour, 4 * kYearOfHours};
  const CarbonOptions options;
  const Trace<CarbonIntensity> carbon = generate_carbon(options, grid, 4);
  for (std::size_t i = 0; i < carbon.size(); ++i) {
    ASSERT_GE(carbon[i].in(gram_per_kilowatt_hour), 14.999);
  }
  EXPECT_NEAR(carbon.core().mean_over(kStart, carbon.end()) / gram_per_kilowatt_hour.base(), 300.0,
              20.0);
  EXPECT_LT(correlation(values(carbon.core()), values(generate_wind({}, grid, 4).core())), -0.8);
}

TEST(Markets, FollowTheWindTheyAreGiven) {
  const TimeGrid grid{kStart, Duration::seconds(900), 4 * 24};
  const TraceCore calm(kStart, Duration::seconds(86400), {0.0});
  const TraceCore storm(kStart, Duration::seconds(86400), {1.0});
  const Trace<EnergyPrice> dear = generate_price({}, grid, 1, &calm);
  const Trace<EnergyPrice> cheap = generate_price({}, grid, 1, &storm);
  EXPECT_NEAR((cheap[0] - dear[0]).in(euro_per_megawatt_hour), -70.0, 0.01);
  const Trace<CarbonIntensity> dirty = generate_carbon({}, grid, 1, &calm);
  const Trace<CarbonIntensity> clean = generate_carbon({}, grid, 1, &storm);
  EXPECT_NEAR((clean[5] - dirty[5]).in(gram_per_kilowatt_hour), -260.0, 0.01);
  const TraceCore short_wind(kStart, Duration::seconds(3600), {1.0});
  EXPECT_THROW(generate_price({}, grid, 1, &short_wind), InputError);
}

TEST(Generators, LongerGridsOnlyAppend) {
  const TimeGrid a{kStart, kOneHour, 500}, b{kStart, kOneHour, 900};
  const auto starts_with = [](const TraceCore& x, const TraceCore& y) {
    return std::equal(x.mean().begin(), x.mean().end(), y.mean().begin());
  };
  EXPECT_TRUE(starts_with(generate_solar({}, a, 1).core(), generate_solar({}, b, 1).core()));
  EXPECT_TRUE(
      starts_with(generate_temperature({}, a, 1).core(), generate_temperature({}, b, 1).core()));
  EXPECT_TRUE(starts_with(generate_price({}, a, 1).core(), generate_price({}, b, 1).core()));
  EXPECT_TRUE(starts_with(generate_carbon({}, a, 1).core(), generate_carbon({}, b, 1).core()));
}

template <class Call>
std::string refusal(Call call) {
  try {
    call();
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Generators, RefuseBadOptionsByName) {
  const TimeGrid grid{kStart, kOneHour, 2};
  WindOptions wind;
  wind.weibull_shape = kNaN;
  EXPECT_THAT(refusal([&] { generate_wind(wind, grid, 1); }), HasSubstr("wind.weibull_shape"));
  wind = {};
  wind.groups = 2.5;
  EXPECT_THAT(refusal([&] { generate_wind(wind, grid, 1); }), HasSubstr("whole number"));
  wind = {};
  wind.rated = 2.0 * wind.cut_out;
  EXPECT_THAT(refusal([&] { generate_wind(wind, grid, 1); }), HasSubstr("wind.rated"));
  wind = {};
  wind.restart = 30.0 * metre_per_second;
  EXPECT_THAT(refusal([&] { generate_wind(wind, grid, 1); }), HasSubstr("at most cut_out"));
  SolarOptions solar;
  solar.latitude = 91.0;
  EXPECT_THAT(refusal([&] { generate_solar(solar, grid, 1); }), HasSubstr("solar.latitude"));
  PriceOptions price;
  price.floor = price.cap;
  EXPECT_THAT(refusal([&] { generate_price(price, grid, 1); }), HasSubstr("price.floor"));
  EXPECT_THAT(refusal([&] {
                generate_wind({}, {kStart, kOneHour, 0}, 1);
              }),
              HasSubstr("grid.size"));
  EXPECT_THAT(refusal([&] {
                generate_wind({}, {kStart, Duration(), 1}, 1);
              }),
              HasSubstr("grid.step"));
  EXPECT_THAT(refusal([&] {
                generate_wind({}, {kStart, kOneHour, std::size_t{1} << 60}, 1);
              }),
              HasSubstr("century"));
}

TEST(Generators, TakeParametersByNameInBaseUnitsAndAsText) {
  WindOptions wind;
  Problems problems;
  set_parameters({{"weibull_scale", 8.0}, {"capacity", 5e6}}, {}, problems, &wind);
  EXPECT_TRUE(problems.empty());
  EXPECT_EQ(wind.weibull_scale.in(metre_per_second), 8.0);
  EXPECT_EQ(wind.capacity.in(megawatt), 5.0);
  set_parameters({{"weibul_scale", 8.0}, {"density", 9.0}}, {"s.toml", 4}, problems, &wind);
  ASSERT_EQ(problems.lines().size(), 2u);
  EXPECT_THAT(problems.lines()[0], HasSubstr("s.toml:4: density: 0.6 <= x <= 1.6"));
  EXPECT_THAT(problems.lines()[1], HasSubstr("did you mean `weibull_scale`?"));
  EXPECT_EQ(wind.density, 1.225);
  Problems of_text;
  OptionTable table = option_table(&wind);
  table.set({"s.toml", 5}, "cut_out", "28 m/s", of_text);
  EXPECT_TRUE(of_text.empty());
  EXPECT_EQ(wind.cut_out.in(metre_per_second), 28.0);
  table.set({"s.toml", 6}, "cut_in", "28 MW", of_text);
  EXPECT_FALSE(of_text.empty());
}

TEST(Generators, TablesDescribeEveryField) {
  SolarOptions solar;
  TemperatureOptions temperature;
  PriceOptions price;
  CarbonOptions carbon;
  EXPECT_EQ(option_table(&solar).keys().size(), 15u);
  EXPECT_EQ(option_table(&temperature).keys().size(), 8u);
  EXPECT_EQ(option_table(&price).keys().size(), 13u);
  EXPECT_EQ(option_table(&carbon).keys().size(), 9u);
}

}  // namespace
}  // namespace carnot::inline trace
