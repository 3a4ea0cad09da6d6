// SPDX-License-Identifier: Apache-2.0
// Files as publishers and instruments write them: what is recognised, and what is left open.
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/trace/readers/read.hpp"

namespace carnot::inline trace {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

template <class Q = Power>
TraceFile<Q> read(const std::string& text, const CsvOptions& options = {}) {
  return parse_csv<Q>(text, "f.csv", options);
}
template <class Q = Power>
std::string refusal(const std::string& text, const CsvOptions& options = {}) {
  try {
    parse_csv<Q>(text, "f.csv", options);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}
std::vector<double> megawatts(const TraceFile<Power>& file) {
  std::vector<double> result;
  for (std::size_t i = 0; i < file.trace.size(); ++i) result.push_back(file.trace[i].in(megawatt));
  return result;
}
std::string begins(const auto& file) { return file.trace.begin().iso8601(); }

TEST(Shapes, RenewablesNinja) {
  const auto file = read(
      "# Renewables.ninja Wind (Point API) - 56.0, -4.0\n"
      "# Units: time in UTC, local_time in Europe/London, electricity in kW\n"
      "# \"{\"\"params\"\":{\"\"lat\"\":56.0}}\"\n"
      "time,local_time,electricity\n"
      "2024-07-01 00:00,2024-07-01 01:00,65000\n2024-07-01 01:00,2024-07-01 02:00,74000\n",
      {.column = "electricity"});
  EXPECT_EQ(begins(file), "2024-07-01T00:00:00Z");
  EXPECT_THAT(megawatts(file), ElementsAre(65, 74));
  EXPECT_THAT(file.provenance, AllOf(HasSubstr("kW"), HasSubstr("UTC")));
}

TEST(Shapes, ShareOfACapacity) {
  const auto file = read("time,national\n2024-03-01 00:00:00,0.5\n2024-03-01 01:00:00,0.25\n",
                         {.unit = "148 MW", .zone = "Z"});
  EXPECT_THAT(megawatts(file), ElementsAre(74, 37));
}

TEST(Shapes, LinesOfNamesAndValuesAboveTheHeader) {
  const std::string rows = "2024,3,1,0,30,326\n2024,3,1,1,30,374\n2024,3,1,2,30,350\n";
  const auto file = read(
      "Source,Location ID,Latitude,Longitude,Time Zone,Elevation\n"
      "NSRDB,145809,40.13,-75.42,-5,79\n"
      "Year,Month,Day,Hour,Minute,GHI\n" +
          rows,
      {.column = "GHI", .unit = "W"});
  EXPECT_EQ(begins(file), "2024-03-01T05:30:00Z");
  EXPECT_EQ(file.trace.size(), 3u);
  const auto wtk = read(
      "SiteID,102445,Site Timezone,-6,Data Timezone,0,Longitude,-100.0\n"
      "Year,Month,Day,Hour,Minute,wind direction at 100m (deg),power (MW)\n"
      "2024,3,1,0,0,210.1,65.5\n2024,3,1,1,0,210.1,74.5\n");
  EXPECT_EQ(begins(wtk), "2024-03-01T00:00:00Z");
  EXPECT_THAT(megawatts(wtk), ElementsAre(65.5, 74.5));
}

TEST(Shapes, IntervalsInOneCell) {
  const auto file = read(
      "\"Area\",\"MTU\",\"Wind Onshore  - Actual Aggregated [MW]\",\"Wind Offshore [MW]\"\n"
      "\"DE\",\"01.03.2024 00:00 - 01.03.2024 01:00 (UTC)\",\"65\",\"n/e\"\n"
      "\"DE\",\"01.03.2024 01:00 - 01.03.2024 02:00 (UTC)\",\"75\",\"n/e\"\n",
      {.column = "Wind Onshore - Actual Aggregated"});
  EXPECT_EQ(begins(file), "2024-03-01T00:00:00Z");
  EXPECT_THAT(megawatts(file), ElementsAre(65, 75));
  // In local time the header says whose.
  const auto prices = read<EnergyPrice>(
      "\"MTU (CET/CEST)\",\"Day-ahead Price [EUR/MWh]\"\n"
      "\"31.03.2024 01:00 - 31.03.2024 03:00\",\"10\"\n"
      "\"31.03.2024 03:00 - 31.03.2024 04:00\",\"-5.5\"\n");
  EXPECT_EQ(begins(prices), "2024-03-31T00:00:00Z");
  EXPECT_DOUBLE_EQ(prices.trace[1].in(euro / megawatt_hour), -5.5);
}

TEST(Shapes, DecimalCommasEnergiesAndLocalTimeOfAPublisher) {
  const auto file = read(
      "\xEF\xBB\xBF"
      "Datum von;Datum bis;Wind Onshore [MWh] Berechnete Aufl\xC3\xB6sungen;"
      "Photovoltaik [MWh] Berechnete Aufl\xC3\xB6sungen\n"
      "01.07.2024 00:00;01.07.2024 00:15;1.518,38;-\n01.07.2024 00:15;01.07.2024 00:30;482,5;-\n",
      {.column = "Wind Onshore"});
  EXPECT_EQ(begins(file), "2024-06-30T22:00:00Z");
  EXPECT_THAT(megawatts(file), ElementsAre(4 * 1518.38, 4 * 482.5));
  EXPECT_THAT(file.provenance, AllOf(HasSubstr("decimal comma"), HasSubstr("Europe/Berlin"),
                                     HasSubstr("mean power")));
}

TEST(Shapes, UnitsInTheWordsOfAName) {
  const auto file = read<CarbonIntensity>(
      "Datetime (UTC),Country,Zone id,Carbon intensity gCO\xE2\x82\x82"
      "eq/kWh (direct),"
      "Carbon intensity gCO\xE2\x82\x82"
      "eq/kWh (Life cycle),CFE (%)\n"
      "2024-03-01 00:00:00,Germany,DE,265.18,315.18,55.1\n"
      "2024-03-01 01:00:00,Germany,DE,274.82,324.82,55.1\n",
      {.column = "Carbon intensity gCO\xE2\x82\x82"
                 "eq/kWh (Life cycle)"});
  EXPECT_DOUBLE_EQ(file.trace[0].in(gram / kilowatt_hour), 315.18);
  const auto pounds = read<CarbonIntensity>(
      "point_time,value\n2024-03-01T00:00:00+00:00,1000\n2024-03-01T00:05:00+00:00,900\n",
      {.unit = "lbs CO2/MWh"});
  EXPECT_NEAR(pounds.trace[0].in(gram / kilowatt_hour), 453.59237, 1e-9);
  const auto sterling = read<EnergyPrice>(
      "time,price [\xC2\xA3/MWh]\n2024-03-01T00:00Z,86.979\n2024-03-01T01:00Z,0\n");
  EXPECT_NEAR(sterling.trace[0].in(euro / megawatt_hour), 100.0, 1e-9);
  EXPECT_THAT(sterling.provenance, HasSubstr("EUR/GBP"));
}

TEST(Shapes, SecondsAndMillisecondsSince1970) {
  EXPECT_EQ(begins(read("timestamp,power_mw\n1709251200,65\n1709254800,74\n")),
            "2024-03-01T00:00:00Z");
  EXPECT_EQ(begins(read("t,power_mw\n1709251200000,65\n1709254800000,74\n")),
            "2024-03-01T00:00:00Z");
}

TEST(Shapes, DatesInOtherOrders) {
  const CsvOptions zone{.zone = "+00:00"};
  EXPECT_EQ(begins(read("Date/Time,P (kW)\n01 03 2018 00:00,1\n01 03 2018 00:10,2\n"
                        "02 03 2018 00:00,3\n",
                        {.zone = "Z", .gaps = GapPolicy::Hold})),
            "2018-03-01T00:00:00Z");
  // Days above twelve, or evenly spaced days, tell the order; one day alone does not.
  std::string month_first = "time,p_mw\n", day_first = month_first, open = month_first;
  for (int d = 1; d <= 3; ++d)
    for (int h = 0; h < 24; ++h) {
      month_first += fmt::format("02/{:02d}/2024 {:02d}:00,1\n", d, h);
      day_first += fmt::format("{:02d}/02/2024 {:02d}:00,1\n", d, h);
      if (d == 1) open += fmt::format("01/02/2024 {:02d}:00,1\n", h);
    }
  EXPECT_EQ(begins(read(month_first, zone)), "2024-02-01T00:00:00Z");
  EXPECT_EQ(begins(read(day_first, zone)), "2024-02-01T00:00:00Z");
  EXPECT_THAT(refusal(open, zone), AllOf(HasSubstr("time_format"), HasSubstr("%d/%m/%Y")));
  EXPECT_EQ(begins(read(open, {.zone = "Z", .time_format = "%m/%d/%Y %H:%M"})),
            "2024-01-02T00:00:00Z");
  EXPECT_EQ(begins(read("t,p_mw\n3/1/2024 12:00:00 AM,1\n3/1/2024 1:00:00 AM,2\n"
                        "3/13/2024 1:00:00 PM,2\n",
                        {.zone = "Z", .gaps = GapPolicy::Hold})),
            "2024-03-01T00:00:00Z");
}

TEST(Shapes, ADateAndAnHour) {
  // Hour 1 ends at one; hour 24 at midnight.
  std::string text = "Delivery Date,Hour Ending,Price [USD/MWh]\n";
  for (int h = 1; h <= 24; ++h) text += fmt::format("03/15/2024,{:02d}:00,{}\n", h, h);
  const auto file = read<EnergyPrice>(text, {.zone = "-06:00", .euro_per_dollar = 1.0});
  EXPECT_EQ(begins(file), "2024-03-15T06:00:00Z");
  EXPECT_EQ(file.trace.size(), 24u);
  // Half hours of a day with 25 hours: clocks in Britain go back on 27 October 2024.
  text = "SETTLEMENT_DATE,SETTLEMENT_PERIOD,WIND [MW]\n";
  for (int p = 1; p <= 50; ++p) text += fmt::format("2024-10-27,{},{}\n", p, p);
  text += "2024-10-28,1,51\n";
  const auto periods = read(text);
  EXPECT_EQ(begins(periods), "2024-10-26T23:00:00Z");
  EXPECT_EQ(periods.trace.size(), 51u);
  EXPECT_TRUE(periods.filled.empty());
  const auto clock = read(
      "Datum;Uhrzeit;Leistung [kW]\n13.03.2024;00:00;1,5\n"
      "13.03.2024;00:15;2,25\n13.03.2024;00:30;3\n",
      {.zone = "Z"});
  EXPECT_EQ(clock.trace.core().step(), Duration::seconds(900));
  EXPECT_NEAR(clock.trace[1].in(kilowatt), 2.25, 1e-12);
}

// The rule of the European Union since 1996: clocks change at 01:00 UTC on the last Sundays of
// March and October. Local clocks written hour by hour come back as the same UTC hours.
TEST(Shapes, ClocksOfAYearComeBackAsTheirHours) {
  const auto last_sunday = [](int year, int month) {
    for (int day = 31;; --day) {
      const std::int64_t days =
          Instant::from_date(year, month, day).unix_nanoseconds() / 86'400'000'000'000;
      if ((days + 4) % 7 == 0)
        return Instant::from_date(year, month, day) + Duration::seconds(3600);
    }
  };
  for (const int year : {2011, 2020, 2024}) {
    const Instant begin = Instant::from_date(year, 1, 1);
    const int hours = year % 4 == 0 ? 8784 : 8760;
    std::string text = "time,p_mw\n";
    for (int h = 0; h < hours; ++h) {
      const Instant at = begin + Duration::seconds(3600LL * h);
      const bool summer = at >= last_sunday(year, 3) && at < last_sunday(year, 10);
      std::string shown = (at + Duration::seconds(summer ? 7200 : 3600)).iso8601();
      shown.pop_back();
      text += fmt::format("{},{}\n", shown, h);
    }
    const auto file = read(text, {.zone = "Europe/Berlin"});
    ASSERT_EQ(file.trace.begin(), begin) << year;
    ASSERT_EQ(file.trace.size(), static_cast<std::size_t>(hours)) << year;
    for (int h = 0; h < hours; h += 97)
      EXPECT_DOUBLE_EQ(file.trace[static_cast<std::size_t>(h)].in(megawatt), h);
  }
  EXPECT_THAT(
      refusal("time,p_mw\n2024-03-31 01:00,1\n2024-03-31 02:00,1\n", {.zone = "Europe/Berlin"}),
      HasSubstr("they skipped 2024-03-31T02:00"));
}

TEST(Shapes, AResolutionThatChanges) {
  std::string text = "time,price [EUR/MWh]\n";
  for (int h = 0; h < 24; ++h) text += fmt::format("2025-09-30T{:02d}:00Z,{}\n", h, 100 + h);
  for (int q = 0; q < 96; ++q)
    text += fmt::format("2025-10-01T{:02d}:{:02d}Z,{}\n", q / 4, q % 4 * 15, q);
  for (const bool ends : {false, true}) {
    const auto file = read<EnergyPrice>(text, {.times = ends ? TimeMark::Ends : TimeMark::Starts});
    EXPECT_EQ(file.trace.core().step(), Duration::seconds(900));
    EXPECT_TRUE(file.filled.empty());
    EXPECT_THAT(file.provenance, HasSubstr("15 min to 1 h"));
    if (ends) {
      EXPECT_EQ(begins(file), "2025-09-29T23:00:00Z");
      EXPECT_DOUBLE_EQ(file.trace[3].in(euro / megawatt_hour), 100);
      EXPECT_DOUBLE_EQ(file.trace[4].in(euro / megawatt_hour), 101);
    } else {
      EXPECT_EQ(file.trace.size(), 24u * 4 + 96);
      EXPECT_DOUBLE_EQ(file.trace[95].in(euro / megawatt_hour), 123);
      EXPECT_DOUBLE_EQ(file.trace[96].in(euro / megawatt_hour), 0);
    }
  }
}

TEST(Shapes, EnergyIsConservedWhereTheResolutionChanges) {
  std::string text = "time,energy [MWh]\n";
  double megawatt_hours = 0;
  for (int h = 0; h < 6; ++h, megawatt_hours += h)
    text += fmt::format("2025-09-30T{:02d}:00Z,{}\n", h, h + 1);
  for (int q = 0; q < 8; ++q, megawatt_hours += 0.5)
    text += fmt::format("2025-09-30T{:02d}:{:02d}Z,0.5\n", 6 + q / 4, q % 4 * 15);
  const auto file = read(text);
  double sum = 0;
  for (std::size_t i = 0; i < file.trace.size(); ++i)
    sum += (file.trace[i] * file.trace.core().step().time()).in(megawatt_hour);
  EXPECT_NEAR(sum, 21 + 4, 1e-9);
}

TEST(Shapes, GapsBeyondWhatIsNeeded) {
  const std::string text =
      "time,p_mw\n2024-03-01T00:00Z,\n2024-03-01T01:00Z,1\n2024-03-01T02:00Z,2\n"
      "2024-03-01T03:00Z,3\n2024-03-01T04:00Z,4\n2024-03-01T09:00Z,9\n2024-03-01T10:00Z,-1\n";
  EXPECT_THAT(refusal(text),
              AllOf(HasSubstr("f.csv:2"), HasSubstr("f.csv:7"), HasSubstr("f.csv:8")));
  CsvOptions options;
  options.needed_from = Instant::parse("2024-03-01T02:00Z");
  options.needed_to = Instant::parse("2024-03-01T04:00Z");
  const auto file = read(text, options);
  EXPECT_EQ(begins(file), "2024-03-01T01:00:00Z");
  EXPECT_THAT(megawatts(file), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(file.provenance, HasSubstr("3 rows beyond gaps left out"));
  options.needed_to = Instant::parse("2024-03-01T08:00Z");
  EXPECT_THAT(refusal(text, options), HasSubstr("f.csv:7: time: no gap"));
  options.gaps = GapPolicy::Hold;
  EXPECT_EQ(read(text, options).filled.size(), 1u);
  options.longest_gap = Duration::seconds(2 * 3600);
  EXPECT_THAT(refusal(text, options), HasSubstr("no gap of more than 2 h"));
}

TEST(Shapes, NegativeValuesAsAsked) {
  const std::string text = "time,p_kw\n2024-03-01T00:00Z,-3\n2024-03-01T01:00Z,5\n";
  EXPECT_THAT(refusal(text), HasSubstr("negative: zero or allow"));
  const auto zeroed = read(text, {.negative = NegativePolicy::Zero});
  EXPECT_THAT(megawatts(zeroed), ElementsAre(0, 0.005));
  EXPECT_THAT(zeroed.provenance, HasSubstr("1 negative value counted as 0"));
  EXPECT_THAT(megawatts(read(text, {.negative = NegativePolicy::Allow})),
              ElementsAre(-0.003, 0.005));
}

TEST(Shapes, TwoLinesOfHeader) {
  const std::string text =
      "variable_name,pressure,temperature,wind_speed,wind_speed\nheight,0,2,10,80\n"
      "2010-01-01 00:00:00+01:00,98405.7,267.6,5.32,7.80\n"
      "2010-01-01 01:00:00+01:00,98382.7,267.57,5.46,7.86\n";
  EXPECT_THAT(refusal<Speed>(text, {.column = "wind_speed", .unit = "m/s"}),
              AllOf(HasSubstr("`#4` (wind_speed 10)"), HasSubstr("`#5` (wind_speed 80)")));
  for (const char* const column : {"wind_speed 80", "#5"})
    EXPECT_DOUBLE_EQ(read<Speed>(text, {.column = column, .unit = "m/s"}).trace[0].base(), 7.80);
  const auto units = read("time,power\n,MW\n2024-03-01T00:00Z,3\n2024-03-01T01:00Z,4\n");
  EXPECT_THAT(megawatts(units), ElementsAre(3, 4));
}

TEST(Shapes, RowsTwiceAndBackwards) {
  const auto twice = read(
      "time,p_mw\n2024-03-01T00:00Z,3\n2024-03-01T01:00Z,4\n2024-03-01T01:00Z,4\n"
      "2024-03-01T02:00Z,5\n");
  EXPECT_THAT(megawatts(twice), ElementsAre(3, 4, 5));
  EXPECT_THAT(refusal("time,p_mw\n2024-03-01T00:00Z,3\n2024-03-01T01:00Z,4\n2024-03-01T01:00Z,5\n"),
              HasSubstr("f.csv:4: time: a time after that of the row before"));
  for (const auto& [policy, value] :
       {std::pair{RepeatPolicy::First, 4.0}, std::pair{RepeatPolicy::Last, 5.0},
        std::pair{RepeatPolicy::Mean, 4.5}})
    EXPECT_THAT(megawatts(read("time,p_mw\n2024-03-01T00:00Z,3\n2024-03-01T01:00Z,4\n"
                               "2024-03-01T01:00Z,5\n2024-03-01T02:00Z,6\n",
                               {.repeats = policy})),
                ElementsAre(3, value, 6));
  EXPECT_THAT(megawatts(read("time,p_mw\n2024-03-01T02:00Z,5\n2024-03-01T01:00Z,4\n"
                             "2024-03-01T00:00Z,3\n")),
              ElementsAre(3, 4, 5));
}

TEST(Shapes, WordsAboveAndBelowTheTable) {
  const auto file = read(
      "Latitude (decimal degrees):\t52.0\nElevation (m):\t10\n\n"
      "time,P,G(i),T2m,Int\n20160101:0010,0.0,0.0,7.5,0.0\n"
      "20160101:0110,1500.0,12.0,7.25,0.0\n20160101:0210,2500.0,0.0,7.0,0.0\n"
      "\nP: PV system power (W)\nPVGIS (c) European Union, 2001-2024\n",
      {.column = "P", .unit = "W", .zone = "Z"});
  EXPECT_EQ(begins(file), "2016-01-01T00:10:00Z");
  EXPECT_THAT(megawatts(file), ElementsAre(0, 0.0015, 0.0025));
}

TEST(Shapes, ColumnsInUtcBeforeLocalOnesAndEndsOfHours) {
  const auto file = read(
      "Data Date,Hour Number,Local Time at End of Hour,UTC Time at End of Hour,Demand (MW)\n"
      "03/01/2024,1,03/01/2024 1:00:00 AM,3/1/2024 6:00:00 AM,\"11,234\"\n"
      "03/01/2024,2,03/01/2024 2:00:00 AM,3/1/2024 7:00:00 AM,\"10,999\"\n"
      "03/01/2024,3,03/01/2024 3:00:00 AM,3/1/2024 8:00:00 AM,998\n"
      "03/01/2024,23,03/01/2024 11:00:00 PM,3/2/2024 4:00:00 AM,998\n",
      {.column = "Demand", .gaps = GapPolicy::Hold});
  EXPECT_EQ(begins(file), "2024-03-01T05:00:00Z");
  EXPECT_NEAR(megawatts(file)[0], 11234, 1e-9);
  EXPECT_THAT(file.provenance, HasSubstr("ends"));
}

TEST(Shapes, TimesFurtherApartThanTheyCanBeCounted) {
  for (const char* const rows : {"1678-01-01T00:00Z,1\n1970-01-01T00:00Z,2\n2261-12-31T00:00Z,3\n",
                                 "01.01.1678 00:00,1\n01.01.1970 00:00,2\n31.12.2261 00:00,3\n"})
    for (const TimeMark mark : {TimeMark::Starts, TimeMark::Ends})
      EXPECT_THAT(refusal(std::string("time,energy [MWh]\n") + rows, {.zone = "Z", .times = mark}),
                  HasSubstr("292 years"));
}

TEST(Shapes, OneBadRowIsNamedInAnyForm) {
  const std::string text =
      "t;p [kW]\n13.03.2024 00:00;1,5\n13.03.2024 00:15;2,5\n"
      "13.03.2024 00:30;2,5\n13.03.2024 00:45;2,5\n13.03.2024 01:00;2,5\n"
      "13.03.2024 01:15;2,5\n13.03.2024 01:30;2,5\n13.03.2024 01:45;2,5\n"
      "soon;2,5\n13.03.2024 02:15;x\n";
  EXPECT_EQ(refusal(text, {.zone = "Z"}),
            "f.csv:10: t: a time of the form `%d.%m.%Y %H:%M`, found `soon`\n"
            "f.csv:11: p [kW]: a finite number, found `x`");
}

TEST(Shapes, WhatIsLeftOpenIsAsked) {
  EXPECT_THAT(refusal("time,p_mw\n2024-03-01 00:00,1\n2024-03-01 01:00,1\n"),
              AllOf(HasSubstr("f.csv:2: time"), HasSubstr("`zone`"), Not(HasSubstr("f.csv:3"))));
  EXPECT_THAT(refusal("2024-03-01T00:00Z,1\n2024-03-01T01:00Z,1\n2024-03-01T02:00Z,1\n"),
              HasSubstr("a header line"));
  EXPECT_EQ(refusal("name,p_mw\na,1\nb,2\nc,3\n"),
            "f.csv:1: a column of times, such as `2020-01-01T00:05Z`; there is none that is "
            "recognised (`time_column` and `time_format` say where and how)");
  EXPECT_THAT(refusal("time,p\n2024-03-01T00:00Z,1\n2024-03-01T01:00Z,1\n"), HasSubstr("unit"));
  EXPECT_THAT(
      refusal("time,p_mw\n2024-03-01T00:00Z,1\n2024-03-01T01:00Z,1\n", {.zone = "Europe/Berlim"}),
      HasSubstr("Europe/Berlin"));
}

}  // namespace
}  // namespace carnot::inline trace
