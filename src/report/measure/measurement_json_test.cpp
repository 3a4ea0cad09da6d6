// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "carnot/report/measure/measurement.hpp"

#include "measure/testing/testing_measurement.hpp"
#include "report/draw/testing_schema.hpp"

namespace carnot::report {
namespace {

using Json = nlohmann::ordered_json;

std::vector<std::string> problems_of(const std::string& document) {
  return schema_problems(std::string(CARNOT_SOURCE_DIR) + "/docs/formats/measure.schema.json",
                         document);
}

std::vector<measure::Measurement> several() {
  std::vector<measure::Measurement> out;
  measure::sample::MeasurementOptions options;
  model::AccountOptions account;
  out.push_back(measure::summarise_measurement(measure::sample::measurement(options), account));
  account.functional_units = 3;
  account.functional_unit = "epoch";
  account.pue = 1.2;
  options.modelled = true;
  options.ended = false;
  out.push_back(measure::summarise_measurement(measure::sample::measurement(options), account));
  options.whole_machine = true;
  options.samples = 1;
  out.push_back(measure::summarise_measurement(measure::sample::measurement(options), account));
  out.push_back(
      measure::summarise_measurement({measure::sample::measurement(options).front()}, account));
  return out;
}

TEST(MeasurementJson, KeepsItsSchema) {
  for (const measure::Measurement& m : several()) {
    for (const bool series : {false, true}) {
      EXPECT_THAT(problems_of(measurement_json(m, series)), testing::IsEmpty());
    }
  }
}

TEST(MeasurementJson, SchemaCheckSeesWhatIsWrong) {
  const Json json = Json::parse(measurement_json(several().front(), true));
  const auto broken = [&](const std::function<void(Json&)>& change) {
    Json copy = json;
    change(copy);
    return !problems_of(copy.dump()).empty();
  };
  EXPECT_TRUE(broken([](Json& j) { j.erase("energy_j"); }));
  EXPECT_TRUE(broken([](Json& j) { j["energy_j"]["origin"] = "guessed"; }));
  EXPECT_TRUE(broken([](Json& j) { j["by_process"][0]["energy_j"] = -1; }));
  EXPECT_TRUE(broken([](Json& j) { j["outcome"] = "fine"; }));
  EXPECT_TRUE(broken([](Json& j) { j["series"].erase("job_w"); }));
  EXPECT_FALSE(broken([](Json& j) { j["new key"] = 1; }));
}

TEST(MeasurementJson, RowsSumToTheMachine) {
  for (const measure::Measurement& m : several()) {
    const Json json = Json::parse(measurement_json(m));
    double sum = 0;
    for (const Json& row : json["by_process"]) sum += row["energy_j"].get<double>();
    const double machine = json["machine_energy_j"]["value"].get<double>();
    EXPECT_NEAR(sum, machine, 1e-9 * machine);
    EXPECT_NEAR(json["static_j"].get<double>() + json["dynamic_j"].get<double>(), machine,
                1e-9 * machine);
    EXPECT_EQ(json["by_process"].back()["name"], "unattributed");
    EXPECT_NEAR(json["facility_energy_j"]["value"].get<double>(),
                json["pue"].get<double>() * json["energy_j"]["value"].get<double>(),
                1e-9 * machine);
    // The facility's overhead is on power as on energy, or on neither.
    for (const char* bound : {"value", "low", "high"}) {
      EXPECT_NEAR(json["facility_power_w"][bound].get<double>() * json["duration_s"].get<double>(),
                  json["facility_energy_j"][bound].get<double>(), 1e-9 * machine);
    }
    EXPECT_GE(json["facility_power_w"]["value"], json["power_w"]["value"]);
  }
}

TEST(MeasurementJson, MovedBytesHaveEnergiesBesideTheSum) {
  measure::Measurement m = measure::summarise_measurement(measure::sample::measurement({}), {});
  m.disk_read_b = 3'000'000'000;
  m.disk_write_b = 1'000'000'000;
  m.net_b = 0;
  const Json json = Json::parse(measurement_json(m));
  EXPECT_NEAR(json["disk_j"]["low"].get<double>(), 4 * 0.7, 1e-9);
  EXPECT_NEAR(json["disk_j"]["high"].get<double>(), 4 * 80.0, 1e-9);
  EXPECT_EQ(json["disk_j"]["origin"], "assumed");
  EXPECT_EQ(json["network_j"]["high"], 0.0);
  EXPECT_EQ(json["machine_energy_j"]["value"], m.machine_energy.value().in(joule));
}

TEST(MeasurementJson, SaysWhyAndHowToMend) {
  const Json json = Json::parse(measurement_json(several().front()));
  EXPECT_EQ(json["notes"][0]["reason"], "powercap: energy_uj is readable by root only");
  EXPECT_EQ(json["notes"][0]["remedy"], "sudo chmod a+r /sys/class/powercap/*/energy_uj");
  EXPECT_EQ(json["gaps"][0]["channel"], "powercap/intel-rapl:0:0");
}

TEST(MeasurementCsv, HasARowAnIntervalAndItsEnergy) {
  const measure::Measurement m = several().front();
  std::istringstream lines(measurement_csv(m));
  std::string line;
  ASSERT_TRUE(std::getline(lines, line));
  const auto columns = std::count(line.begin(), line.end(), ',');
  EXPECT_EQ(columns, 7 + 5);
  double joules = 0;
  std::size_t rows = 0;
  for (; std::getline(lines, line); ++rows) {
    EXPECT_EQ(std::count(line.begin(), line.end(), ','), columns);
    double at = 0, length = 0, machine = 0;
    ASSERT_EQ(std::sscanf(line.c_str(), "%lf,%lf,%lf", &at, &length, &machine), 3);
    joules += length * machine;
  }
  EXPECT_EQ(rows, 120U);
  EXPECT_NEAR(joules, m.machine_energy.value().in(joule), 1e-6);
}

}  // namespace
}  // namespace carnot::report
