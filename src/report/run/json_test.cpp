// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "carnot/report/run/result.hpp"

#include "report/draw/testing_schema.hpp"
#include "report/run/testing_run.hpp"

namespace carnot::report {
namespace {

using Json = nlohmann::ordered_json;

std::string schema_path() {
  return std::string(CARNOT_SOURCE_DIR) + "/docs/formats/run.schema.json";
}

std::vector<std::string> problems_of(const std::string& document) {
  return schema_problems(schema_path(), document);
}

std::vector<RunResult> several() {
  std::vector<RunResult> results{summarise(sample::run())};
  sample::Options options;
  options.interrupted = true;
  results.push_back(summarise(sample::run(options)));
  options.interrupted = false;
  options.slots = 1;
  results.push_back(summarise(sample::run(options)));
  const auto entries = sample::run();
  results.push_back(summarise({entries[0]}));
  results.push_back(summarise({entries[0], entries[1]}));
  return results;
}

TEST(RunJson, KeepsItsSchema) {
  for (const RunResult& result : several()) {
    EXPECT_THAT(problems_of(to_json(result)), testing::IsEmpty());
  }
}

TEST(RunJson, SchemaCheckSeesWhatIsWrong) {
  Json json = Json::parse(to_json(summarise(sample::run())));
  const auto broken = [&](const std::function<void(Json&)>& change) {
    Json copy = json;
    change(copy);
    return !problems_of(copy.dump()).empty();
  };
  EXPECT_TRUE(broken([](Json& j) { j["schema"] = "carnot.run/2"; }));
  EXPECT_TRUE(broken([](Json& j) { j.erase("runs"); }));
  EXPECT_TRUE(broken([](Json& j) { j["runs"][0].erase("grid_energy_j"); }));
  EXPECT_TRUE(broken([](Json& j) { j["runs"][0]["energy_j"] = 5; }));
  EXPECT_TRUE(broken([](Json& j) { j["runs"][0]["energy_j"]["origin"] = "guess"; }));
  EXPECT_TRUE(broken([](Json& j) { j["runs"][0]["outcome"] = "won"; }));
}

/// The same by an independent validator, where one is installed.
TEST(RunJson, KeepsItsSchemaForJsonschema) {
  if (std::system("python3 -c 'import jsonschema' >/dev/null 2>&1") != 0) {
    GTEST_SKIP() << "python3 has no jsonschema; install python3-jsonschema to run this check";
  }
  const std::string folder = testing::TempDir();
  int number = 0;
  for (const RunResult& result : several()) {
    const std::string path = folder + "carnot_run_" + std::to_string(number++) + ".json";
    std::ofstream(path) << to_json(result);
    const std::string command =
        "python3 -c \"import json,sys,jsonschema;"
        "jsonschema.Draft202012Validator(json.load(open(sys.argv[1]))).validate("
        "json.load(open(sys.argv[2])))\" '" +
        schema_path() + "' '" + path + "'";
    EXPECT_EQ(std::system(command.c_str()), 0) << path;
    std::remove(path.c_str());
  }
}

TEST(RunJson, SameInputGivesSameBytes) {
  EXPECT_EQ(to_json(summarise(sample::run())), to_json(summarise(sample::run())));
}

TEST(RunJson, SaysWhatTheResultSays) {
  const RunResult result = summarise(sample::run());
  const Json json = Json::parse(to_json(result));
  EXPECT_EQ(json["schema"], "carnot.run/1");
  EXPECT_EQ(json["seed"], 7);
  EXPECT_EQ(json["best"], result.best);
  EXPECT_EQ(json["bound"]["policy"], "oracle");
  ASSERT_EQ(json["runs"].size(), result.lanes.size());
  for (std::size_t i = 0; i < result.lanes.size(); ++i) {
    const Json& row = json["runs"][i];
    EXPECT_EQ(row["policy"], result.lanes[i].policy);
    EXPECT_EQ(row["energy_j"]["value"].get<double>(), result.lanes[i].energy.value().in(joule));
    EXPECT_EQ(row["energy_j"]["boundary"], "facility");
    const double balance = row["own_energy_j"].get<double>() + row["grid_energy_j"].get<double>();
    EXPECT_LE(row["battery_energy_j"].get<double>(), row["own_energy_j"].get<double>());
    EXPECT_NEAR(balance, row["energy_j"]["value"].get<double>(), 1e-9 * balance);
    // What only the run knows goes through as written.
    EXPECT_EQ(row["bits"]["uniform"], 4774.0);
    EXPECT_EQ(row["measured"]["note"], "on the test machine");
    EXPECT_EQ(row["cycle"]["legs"].size(), 3U);
  }
}

TEST(RunJson, SurvivesBrokenTextAndKeepsNanOut) {
  sample::Options options;
  options.scenario = "broken \xFF\xFE \"quotes\" </script>";
  const std::string text = to_json(summarise(sample::run(options)));
  EXPECT_NO_THROW(Json::parse(text));
  EXPECT_EQ(text.find("nan"), std::string::npos);
  sample::Options cut;
  cut.interrupted = true;
  const Json json = Json::parse(to_json(summarise(sample::run(cut))));
  EXPECT_FALSE(json["complete"].get<bool>());
  EXPECT_EQ(json["runs"].back()["outcome"], "unfinished");
  EXPECT_TRUE(json["runs"].back()["bits_learned"].is_null());
}

}  // namespace
}  // namespace carnot::report
