// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/measure/codecarbon.hpp"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"

#include "measure/testing/testing_measurement.hpp"
#include "report/draw/csv_cell.hpp"
#include "report/draw/csv_records.hpp"

namespace carnot::report {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string kHead =
    "timestamp,project_name,run_id,experiment_id,duration,emissions,emissions_rate,cpu_power,"
    "gpu_power,ram_power,cpu_energy,gpu_energy,ram_energy,energy_consumed,country_name,region,"
    "tracking_mode,pue\n";

/// 100 s: 36 J of processor a second and 18 J of memory, at 400 g a kWh.
std::string row(const std::string& cpu_energy = "0.001", const std::string& energy = "0.0015",
                const std::string& cpu_power = "36", const std::string& pue = "1.0",
                const std::string& duration = "100", const std::string& run = "None") {
  return "2026-03-01T12:00:00,\"a, b\"," + run + ",e," + duration + ",0.0006,6e-06," + cpu_power +
         ",0,18," + cpu_energy + ",0,0.0005," + energy + ",Germany,,machine," + pue + "\n";
}

TEST(Emissions, ReadsARunInOurUnits) {
  ASSERT_TRUE(is_emissions_csv(kHead));
  const EmissionsFile file = parse_emissions_csv(kHead + row() + "\n" + row(), "e.csv");
  ASSERT_EQ(file.runs.size(), 2U);
  const EmissionsRun& run = file.runs[1];
  EXPECT_EQ(run.line, 4U);
  EXPECT_EQ(run.project, "a, b");
  EXPECT_NEAR(run.energy.in(joule), 5400, 1e-9);
  EXPECT_NEAR(run.cpu.in(joule), 3600, 1e-9);
  EXPECT_NEAR(run.carbon.in(gram), 0.6, 1e-12);
  EXPECT_THAT(run.flags, IsEmpty());
  EXPECT_NEAR(file.energy.in(joule), 10800, 1e-9);
  EXPECT_EQ(file.duration_s, 200);
}

TEST(Emissions, FlagsWhatContradictsItself) {
  const auto flags = [](const std::string& text) {
    return parse_emissions_csv(kHead + text, "e.csv").runs.at(0).flags;
  };
  // A counter that turned: energy below zero.
  EXPECT_THAT(flags(row("-0.0725", "-0.072", "23910")),
              testing::IsSupersetOf(
                  {HasSubstr("cpu_energy is negative"), HasSubstr("energy_consumed is negative")}));
  EXPECT_THAT(flags(row("0.001", "0.0025")), ElementsAre(HasSubstr("its parts 5.40 kJ")));
  EXPECT_THAT(flags(row("0.001", "0.0015", "200")), ElementsAre(HasSubstr("cpu_power is 200 W")));
  EXPECT_THAT(flags(row("0.001", "0.0018", "36", "1.2")), IsEmpty());
  EXPECT_THAT(flags(row("0.001", "0.0015", "36", "1.2")),
              ElementsAre(HasSubstr("its parts times PUE")));
  EXPECT_THAT(flags(row("0.001", "0.0015", "36", "0.5")), testing::Contains(HasSubstr("below 1")));
  EXPECT_THAT(flags(row("0.001", "0.0015", "36", "1.0", "")),
              testing::Contains(HasSubstr("duration")));
}

TEST(Emissions, SaysWhereItIsWrong) {
  const auto words = [](const std::string& text) {
    try {
      parse_emissions_csv(text, "e.csv");
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string("nothing was refused");
  };
  EXPECT_THAT(words(kHead + row("much")), HasSubstr("e.csv:2: cpu_energy: a number"));
  EXPECT_THAT(words(kHead + "1,2,3\n"), HasSubstr("e.csv:2: 18 columns, found 3"));
  EXPECT_THAT(words("a,b\n1,2\n"), HasSubstr("e.csv:1: timestamp"));
  EXPECT_THAT(words(""), HasSubstr("e.csv"));
  EXPECT_THAT(words(kHead + "\"open\n"), HasSubstr("a closing quote"));
  EXPECT_THAT(words(kHead + row("1e308", "1e308") + row("1e308", "1e308")),
              HasSubstr("e.csv:3: cpu_energy: a number"));
  EXPECT_FALSE(is_emissions_csv("time,power\n"));
  EXPECT_FALSE(is_emissions_csv("carnot-journal/1"));
}

TEST(Emissions, RowsOfOneRunAreItsTotalsSoFar) {
  const auto at = [](int n, const std::string& run) {
    return row(std::to_string(0.001 * n), std::to_string(0.0015 * n), "36", "1.0",
               std::to_string(100 * n), run);
  };
  // Two runs that flush by turns, one of them stopped twice; then one of the same name again.
  const EmissionsFile file = parse_emissions_csv(
      kHead + at(1, "a") + at(1, "b") + at(2, "a") + at(4, "b") + at(4, "b") + at(1, "a"), "e.csv");
  ASSERT_EQ(file.runs.size(), 3U);
  EXPECT_NEAR(file.energy.in(kilowatt_hour), 0.0015 * (2 + 4 + 1), 1e-12);
  EXPECT_EQ(file.duration_s, 700);
  EXPECT_EQ(file.runs[0].rows, 2U);
  EXPECT_EQ(file.runs[1].rows, 3U);
  EXPECT_THAT(emissions_terminal(file, 80, false), HasSubstr("3 rows are totals so far"));
}

TEST(Emissions, OneBadRowCostsOneRow) {
  const EmissionsFile file =
      parse_emissions_csv(kHead + row() + "1,2,3\n" + row("much") + kHead + row(), "e.csv");
  EXPECT_EQ(file.runs.size(), 2U);
  EXPECT_THAT(file.left_out, ElementsAre(HasSubstr("e.csv:3: 18 columns, found 3"),
                                         HasSubstr("e.csv:4: cpu_energy: a number")));
  EXPECT_THAT(emissions_terminal(file, 80, false), HasSubstr("left out: e.csv:3"));
}

TEST(Emissions, ReadsTheFirstVersions) {
  const EmissionsFile one = parse_emissions_csv(
      "timestamp,project_name,duration,emissions,energy_consumed,country_name\n"
      "2021-06-29T11:00:38,x,210.4,0.001,0.0013,Morocco\n",
      "e.csv");
  EXPECT_NEAR(one.energy.in(kilowatt_hour), 0.0013, 1e-15);
  EXPECT_THAT(one.runs.at(0).flags, IsEmpty());
  const EmissionsFile zero = parse_emissions_csv(
      "timestamp,experiment_id,project_name,duration,emissions\n2020-11-09T11:08:54,e,x,39,0.002\n",
      "e.csv");
  EXPECT_TRUE(std::isnan(zero.runs.at(0).energy.in(joule)));
  EXPECT_TRUE(std::isnan(zero.energy.in(joule)));
  EXPECT_NEAR(zero.carbon.in(gram), 2.0, 1e-12);
}

TEST(Emissions, NamesTheSeparatorAndOtherPrograms) {
  const auto words = [](std::string head, char separator) {
    std::replace(head.begin(), head.end(), ',', separator);
    EXPECT_TRUE(is_emissions_csv(head));
    try {
      parse_emissions_csv(head, "e.csv");
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string("nothing was refused");
  };
  EXPECT_THAT(words(kHead, ';'), HasSubstr("`;`"));
  EXPECT_THAT(words(kHead, '\t'), HasSubstr("a tab"));
  EXPECT_THAT(words("id,project_name,start_time,power_consumption(kWh),CO2_emissions(kg)\n", ','),
              HasSubstr("Eco2AI"));
}

// Up to version 2 cpu_power is the last reading, no mean.
TEST(Emissions, OldPowersAreNoMeans) {
  std::string head = kHead, line = row("0.001", "0.0015", "200");
  head.insert(head.size() - 1, ",codecarbon_version");
  const auto with = [&](const std::string& version) {
    std::string text = line;
    text.insert(text.size() - 1, "," + version);
    return parse_emissions_csv(head + text, "e.csv").runs.at(0).flags;
  };
  EXPECT_THAT(with("2.3.1"), IsEmpty());
  EXPECT_THAT(with("3.0.2"), ElementsAre(HasSubstr("cpu_power is 200 W")));
}

TEST(Emissions, ShowsRunsAndDocument) {
  const EmissionsFile file = parse_emissions_csv(kHead + row() + row("0.001", "0.0025"), "e.csv");
  const std::string text = emissions_terminal(file, 80, false);
  EXPECT_THAT(text, HasSubstr("modelled by CodeCarbon"));
  EXPECT_THAT(text, HasSubstr("! energy_consumed"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  const auto json = nlohmann::json::parse(emissions_json(file, "carnot report e.csv"));
  EXPECT_EQ(json["schema"], "carnot.emissions/1");
  EXPECT_EQ(json["runs"][0]["energy_j"]["origin"], "modelled");
  EXPECT_EQ(json["runs"].size(), 2U);
  EXPECT_EQ(json["runs"][1]["flags"].size(), 1U);
}

TEST(Emissions, WhatIsWrittenIsReadBack) {
  for (const bool modelled : {false, true}) {
    measure::sample::MeasurementOptions options;
    options.modelled = modelled;
    model::AccountOptions account;
    account.pue = 1.3;
    const measure::Measurement m =
        measure::summarise_measurement(measure::sample::measurement(options), account);
    const std::string csv = codecarbon_csv(m);
    ASSERT_TRUE(is_emissions_csv(csv));
    const EmissionsFile file = parse_emissions_csv(csv, "e.csv");
    ASSERT_EQ(file.runs.size(), 1U);
    const double joules = m.energy.value().in(joule);
    EXPECT_NEAR(file.energy.in(joule), 1.3 * joules, 1e-9 * joules);
    EXPECT_NEAR(file.carbon.in(gram), m.account.operational.value().in(gram), 1e-9);
    EXPECT_THAT(file.runs[0].flags, IsEmpty());
  }
}

RC_GTEST_PROP(CsvProperty, QuotedCellsComeBack, ()) {
  const auto cells = *rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(
      rc::gen::container<std::string>(rc::gen::element('a', ',', '"', ' '))));
  std::string line;
  for (const std::string& cell : cells) line += (&cell == &cells[0] ? "" : ",") + csv_cell(cell);
  line += "\n";
  CsvRecords records(line);
  std::vector<std::string> back;
  const bool empty = cells.size() == 1 && cells[0].empty();
  RC_ASSERT(records.next(back) == !empty);
  if (!empty) RC_ASSERT(back == cells);
}

}  // namespace
}  // namespace carnot::report
