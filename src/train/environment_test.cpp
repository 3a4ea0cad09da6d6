// SPDX-License-Identifier: Apache-2.0
#include "carnot/train/environment.hpp"

#include <cstdlib>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/testing_files.hpp"
#include "train/testing_run.hpp"

namespace carnot::train {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::kTiny;
using testing::message;
using testing::tiny;

/// kTiny with a line of [signals] in place of its own.
std::string with(std::string text, const std::string& key, const std::string& value) {
  const std::size_t from = text.find("\n" + key + " = ") + 1;
  return text.replace(from, text.find('\n', from) - from, key + " = " + value);
}
std::string with(const std::string& key, const std::string& value) {
  return with(kTiny, key, value);
}

Environment load(const TemporaryFolder& folder, const std::string& text) {
  return load_environment(site::read_scenario(folder.write("s.toml", text)), "");
}
std::string refusal(const TemporaryFolder& folder, const std::string& text) {
  return message<InputError>([&] { load(folder, text); });
}

/// Hourly rows from `from`; the value is `at(i)`.
template <class At>
std::string hourly(Instant from, int hours, const std::string& column, const At& at) {
  std::string text = "time," + column + "\n";
  for (int i = 0; i < hours; ++i)
    text += fmt::format("{},{}\n", (from + Duration::seconds(3600 * i)).iso8601(), at(i));
  return text;
}

const Instant kStart = Instant::from_date(2024, 3, 4) + Duration::seconds(6 * 3600);

TEST(Environment, GeneratedHistoryRunsIntoTheJob) {
  const Environment e = load_environment(tiny(), "");
  EXPECT_EQ(e.start, kStart);
  EXPECT_EQ(e.weather.size(), 72u);
  EXPECT_EQ(e.end(), kStart + Duration::seconds(6 * 3600));
  ASSERT_TRUE(e.power_history);
  EXPECT_EQ(e.power_history->end(), e.start);
  EXPECT_EQ(e.power_history->begin(), e.start - Duration::seconds(30 * 86400));
  // One wind: the first slot differs from the last of the past by a gust, not by a new world.
  EXPECT_NEAR(e.weather.front().total.in(megawatt), e.power_history->mean().back() / 1e6, 30.0);
  for (const site::Weather& w : e.weather) {
    EXPECT_GE(w.total, Power{});
    EXPECT_LE(w.total, 148.0 * megawatt);
    EXPECT_EQ(w.export_price, 55.0 * euro_per_megawatt_hour);
  }
}

TEST(Environment, SeedsMakeOtherWeatherAndOnlySeeds) {
  const auto total = [](const std::string& seed) {
    double sum = 0;
    for (const site::Weather& w : load_environment(tiny({"seed=" + seed}), "").weather)
      sum += w.total.in(watt);
    return sum;
  };
  EXPECT_EQ(total("7"), total("7"));
  EXPECT_NE(total("7"), total("8"));
}

TEST(Environment, CapacityIsNeverReadFromTheTruthAhead) {
  const TemporaryFolder folder;
  // Calm until the job starts, then a storm.
  folder.write("p.csv", hourly(kStart - Duration::seconds(72 * 3600), 100, "p [MW]",
                               [](int i) { return i < 72 ? 10 : 140; }));
  const Environment e = load(folder, with("power", "{ kind = \"csv\", file = \"p.csv\" }"));
  EXPECT_EQ(e.capacity, 10.0 * megawatt);
  EXPECT_EQ(e.weather.front().total, 140.0 * megawatt);
  EXPECT_EQ(e.power_history->size(), 72u * 12u);
}

TEST(Environment, ScaleAndUnitsOfACsv) {
  const TemporaryFolder folder;
  folder.write("p.csv", hourly(kStart, 6, "p (kW)", [](int i) { return 1000 * i; }));
  const Environment e =
      load(folder, with("power", "{ kind = \"csv\", file = \"p.csv\", scale = 2.0 }"));
  EXPECT_EQ(e.weather[0].total, Power{});
  EXPECT_NEAR(e.weather[12].total.in(megawatt), 2.0, 1e-12);
  EXPECT_NEAR(e.weather[71].total.in(megawatt), 10.0, 1e-12);
  EXPECT_FALSE(e.power_history);
}

TEST(Environment, ADeadlineInsideASlotCountsTheWholeSlotsBeforeIt) {
  EXPECT_EQ(load_environment(tiny({"work.deadline_after=17 min"}), "").weather.size(), 3u);
  EXPECT_EQ(load_environment(tiny({"work.deadline_after=15 min"}), "").weather.size(), 3u);
  EXPECT_THAT(
      message<InputError>([] { load_environment(tiny({"work.deadline_after=4 min"}), ""); }),
      HasSubstr("work.deadline_after: at least one slot"));
}

TEST(Environment, CalendarAlignmentReadsTheSameDayOfTheFilesYear) {
  const TemporaryFolder folder;
  const Instant january = Instant::from_date(2023, 1, 1);
  folder.write("p.csv", hourly(january, 8760, "p [MW]", [](int i) { return i % 1000; }));
  const std::string power = "{ kind = \"csv\", file = \"p.csv\", align = \"calendar\" }";
  std::string text = with("power", power);
  const Environment e = load(folder, text);
  const auto hour_of = [&](Instant at) {
    return static_cast<double>(((at - january).nanoseconds() / 3'600'000'000'000) % 1000);
  };
  const Instant same = Instant::from_date(2023, 3, 4) + Duration::seconds(6 * 3600);
  EXPECT_EQ(e.weather[0].total.in(megawatt), hour_of(same));
  EXPECT_EQ(e.weather[71].total.in(megawatt), hour_of(same) + 5);
  // 29 February 2024 lends from 28 February 2023, the day after from 1 March.
  text = text.replace(text.find("2024-03-04T06"), 13, "2024-02-29T22");
  const Environment leap = load(folder, text);
  const Instant february = Instant::from_date(2023, 2, 28) + Duration::seconds(22 * 3600);
  EXPECT_EQ(leap.weather[0].total.in(megawatt), hour_of(february));
  EXPECT_EQ(leap.weather[24].total.in(megawatt), hour_of(Instant::from_date(2023, 3, 1)));
}

TEST(Environment, CalendarAlignmentMovesTheForecastDocumentToo) {
  const TemporaryFolder folder;
  const Instant january = Instant::from_date(2023, 1, 1);
  for (const char* name : {"p.csv", "day_ahead.csv"})
    folder.write(name, hourly(january, 8760, "p [MW]", [](int i) { return i % 1000; }));
  const Environment e = load(folder, with("power",
                                          "{ kind = \"csv\", file = \"p.csv\", forecast_file = "
                                          "\"day_ahead.csv\", align = \"calendar\" }"));
  ASSERT_TRUE(e.power_forecast);
  EXPECT_EQ(e.power_forecast->begin(), e.start);
  EXPECT_EQ(e.power_forecast->end(), e.end());
  EXPECT_EQ(e.power_forecast->at(e.start), e.weather[0].total.in(watt));
}

TEST(Environment, AFileThatMissesTheJobIsRefusedWithBothSpans) {
  const TemporaryFolder folder;
  folder.write("p.csv", hourly(kStart, 3, "p [MW]", [](int) { return 5; }));
  EXPECT_THAT(refusal(folder, with("power", "{ kind = \"csv\", file = \"p.csv\" }")),
              AllOf(HasSubstr("s.toml:14: signals.power: "),
                    HasSubstr("2024-03-04T06:00:00Z to 2024-03-04T12:00:00Z"),
                    HasSubstr("it covers 2024-03-04T06:00:00Z to 2024-03-04T09:00:00Z")));
}

TEST(Environment, BadCellsAreRefusedWithTheirLines) {
  const TemporaryFolder folder;
  const auto said = [&](const std::string& rows, const std::string& header = "p [MW]") {
    folder.write("p.csv", "time," + header + "\n" + rows);
    return refusal(folder, with("power", "{ kind = \"csv\", file = \"p.csv\" }"));
  };
  const std::string a = "2024-03-04T06:00:00Z,1\n", b = "2024-03-04T07:00:00Z,2\n",
                    c = "2024-03-04T08:00:00Z,3\n";
  EXPECT_THAT(said(a + "2024-03-04T07:00:00Z,nan\n" + c), HasSubstr("p.csv:3: "));
  EXPECT_THAT(said(a + "2024-03-04T07:00:00Z,-4\n" + c), HasSubstr("p.csv:3: "));
  EXPECT_THAT(said(a + b + "2024-03-04T11:00:00Z,3\n2024-03-04T12:00:00Z,3\n"),
              HasSubstr("p.csv:4: "));                                             // gap
  EXPECT_THAT(said(a + b + "2024-03-04T07:30:00Z,3\n" + c), HasSubstr("p.csv:"));  // overlap
  EXPECT_THAT(said(a + b + c, "p [EUR]"), HasSubstr("p.csv:1: "));
  EXPECT_THAT(said(a + b + c, "p"), HasSubstr("unit"));
  EXPECT_THAT(said(""), HasSubstr("p.csv"));
}

TEST(Environment, UnknownColumnsNameTheNearest) {
  const TemporaryFolder folder;
  folder.write("p.csv", "time,north [MW],south [MW]\n2024-03-04T06:00:00Z,1,2\n");
  EXPECT_THAT(
      refusal(folder, with("power", "{ kind = \"csv\", file = \"p.csv\", column = \"nort\" }")),
      HasSubstr("north"));
}

TEST(Environment, SeveralBadSignalsAreReportedTogether) {
  const TemporaryFolder folder;
  std::string text = with("power", "{ kind = \"csv\", file = \"none.csv\" }");
  text = with(text, "price", "{ kind = \"csv\", file = \"nowhere.csv\" }");
  text = with(text, "temperature", "{ kind = \"generated\", mean = \"8 kW\" }");
  EXPECT_THAT(refusal(folder, text),
              AllOf(HasSubstr("none.csv"), HasSubstr("nowhere.csv"), HasSubstr("mean"),
                    HasSubstr("s.toml:14: "), HasSubstr("s.toml:15: "), HasSubstr("s.toml:18: ")));
}

TEST(Environment, GeneratorParametersAreCheckedWithTheirDimension) {
  const TemporaryFolder folder;
  EXPECT_THAT(refusal(folder, with("power",
                                   "{ kind = \"generated\", source = \"wind\", capacity "
                                   "= \"5 m/s\" }")),
              AllOf(HasSubstr("s.toml:14: "), HasSubstr("capacity")));
  EXPECT_THAT(refusal(folder, with("power",
                                   "{ kind = \"generated\", source = \"wind\", "
                                   "weibul_scale = \"9 m/s\" }")),
              HasSubstr("weibull_scale"));
  EXPECT_THAT(refusal(folder, with("power",
                                   "{ kind = \"generated\", source = \"wind\", capacity "
                                   "= \"-5 MW\" }")),
              HasSubstr("capacity"));
}

TEST(Environment, ReadsThePublishedSets) {
  CARNOT_NEED_SHARED_DATA(sites, "sites-2023-hourly");
  CARNOT_NEED_SHARED_DATA(grid, "rts-gmlc");
  const TemporaryFolder folder;
  std::string text = with("power",
                          "{ kind = \"rts-gmlc\", column = \"309_WIND_1\", align = "
                          "\"calendar\" }");
  for (const char* key : {"price", "carbon", "temperature"})
    text = with(text, key, "{ kind = \"sites-2023\", column = \"DE-LU\", align = \"calendar\" }");
  const site::Scenario s = site::read_scenario(folder.write("s.toml", text));
  const Environment e = load_environment(s, shared_data(""));
  EXPECT_EQ(e.weather.size(), 72u);
  for (const site::Weather& w : e.weather) {
    EXPECT_GE(w.total, Power{});
    EXPECT_LE(w.total, 149.0 * megawatt);  // 309_WIND_1 has 148.3 MW
    EXPECT_GT(w.outside, from_celsius(-30.0));
    EXPECT_LT(w.outside, from_celsius(30.0));
    EXPECT_LT(w.price, 1000.0 * euro_per_megawatt_hour);
    EXPECT_GT(w.carbon, CarbonIntensity{});
  }
  const std::string wrong = with(text, "price",
                                 "{ kind = \"sites-2023\", column = \"DE-LX\", align = "
                                 "\"calendar\" }");
  const site::Scenario mistyped = site::read_scenario(folder.write("w.toml", wrong));
  EXPECT_THAT(message<InputError>([&] { load_environment(mistyped, shared_data("")); }),
              HasSubstr("DE-LU"));
}

}  // namespace
}  // namespace carnot::train
