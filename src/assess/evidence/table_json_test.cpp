// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "assess/testing_evidence.hpp"

namespace carnot::assess {
namespace {

using Json = nlohmann::json;
using Rows = std::array<std::uint64_t, 4>;
using testing::HasSubstr;

/// A job as Slurm writes it; `newer`: numbers as objects, states as lists.
Json job(std::int64_t id, bool newer) {
  const auto number = [&](std::int64_t n) {
    return newer ? Json{{"set", true}, {"infinite", false}, {"number", n}} : Json(n);
  };
  return {
      {"job_id", id},
      {"array", {{"job_id", 0}, {"task_id", newer ? Json{{"set", false}, {"number", 0}} : Json()}}},
      {"cluster", "east"},
      {"partition", "cpu"},
      {"nodes", "n[1-4]"},
      {"allocation_nodes", 4},
      {"state", {{"current", newer ? Json::array({"COMPLETED"}) : Json("COMPLETED")}}},
      {"comment", {{"administrator", "a \"remark\" | with\nall"}}},
      {"time",
       {{"elapsed", 3600},
        {"start", number(kSeptember)},
        {"end", number(kSeptember + 3600)},
        {"total", {{"seconds", 7200}, {"microseconds", 0}}}}},
      {"tres",
       {{"allocated", Json::array({{{"type", "cpu"}, {"name", ""}, {"count", 64}},
                                   {{"type", "energy"}, {"name", ""}, {"count", 4000000}}})}}},
      {"steps", Json::array()}};
}

Evidence read(const Json& document, ActivityGraph& graph) {
  Folder folder;
  folder.with("jobs.json", document.dump());
  Evidence e = folder.read();
  graph = merge(e, "");
  expect_accounted(e, graph);
  return e;
}

TEST(SacctJson, SaysWhatTheTableSays) {
  for (const bool newer : {false, true}) {
    ActivityGraph graph;
    const Evidence e = read(
        {{"meta", Json::object()}, {"jobs", Json::array({job(7, newer), job(7, newer)})}}, graph);
    EXPECT_EQ(e.files[0].format, "sacct");
    EXPECT_EQ(e.files[0].outcome_rows, (Rows{1, 0, 1, 0})) << newer;
    EXPECT_NEAR(joules_of(graph), 4e6, 1e-3) << newer;
    EXPECT_TRUE(e.files[0].problems.empty());
  }
}

TEST(SacctJson, StepsCountOnceAndOnlyWhereTheJobSaysNothing) {
  Json one = job(8, true);
  one["steps"] = Json::array();
  for (const int joules : {300000, 2500000, 900000})
    one["steps"].push_back(
        {{"statistics", {{"energy", {{"consumed", {{"set", true}, {"number", joules}}}}}}}});
  ActivityGraph graph;
  read({{"meta", Json::object()}, {"jobs", Json::array({one})}}, graph);
  EXPECT_NEAR(joules_of(graph), 4e6, 1e-3);
  one["tres"]["allocated"].erase(1);
  read({{"meta", Json::object()}, {"jobs", Json::array({one})}}, graph);
  EXPECT_NEAR(joules_of(graph), 2.5e6, 1e-3);
}

TEST(SacctJson, ArraysPendingJobsAndNonsenseEndSomewhere) {
  Json first = job(21, true), second = job(22, true), waiting = job(23, true), odd = job(24, true);
  first["array"] = {{"job_id", 21}, {"task_id", {{"set", true}, {"number", 1}}}};
  second["array"] = {{"job_id", 21}, {"task_id", {{"set", true}, {"number", 2}}}};
  second["nodes"] = first["nodes"] = "n1";
  waiting["state"]["current"] = Json::array({"PENDING"});
  odd["time"] = "soon";
  ActivityGraph graph;
  const Evidence e = read(
      {{"meta", Json::object()}, {"jobs", Json::array({first, second, waiting, odd, 7, nullptr})}},
      graph);
  EXPECT_EQ(e.files[0].rows, 6U);
  EXPECT_EQ(e.files[0].outcome_rows[0], 2U) << "two tasks of one array are two jobs";
  EXPECT_EQ(e.files[0].outcome_rows[1] + e.files[0].outcome_rows[3], 4U);
}

Json report() {
  return {
      {"header", {{"reportId", "r-1"}, {"reportDatetime", "2024-09-02T00:00:00"}}},
      {"task", {{"taskStage", "training"}}},
      {"measures", Json::array({{{"measurementMethod", "codecarbon"},
                                 {"powerConsumption", 0.5},
                                 {"measurementDuration", 7200},
                                 {"measurementDateTime", "2024-09-01 10:00:00"}}})},
      {"infrastructure",
       {{"components",
         Json::array({{{"componentType", "gpu"}, {"nbComponent", 2}, {"componentModel", "A100"}},
                      {{"componentType", "cpu"}, {"nbComponent", 16}}})}}},
      {"environment", {{"country", "France"}}}};
}

TEST(BoAmps, AMeasureIsARun) {
  ActivityGraph graph;
  const Evidence e = read(Json::array({report(), report()}), graph);
  EXPECT_EQ(e.files[0].format, "BoAmps");
  EXPECT_EQ(e.files[0].outcome_rows, (Rows{1, 0, 1, 0})) << "the same report twice is one";
  EXPECT_NEAR(joules_of(graph), 1.8e6, 1e-3);
  EXPECT_EQ(e.files[0].first, kSeptember + 10 * 3600);
}

TEST(BoAmps, WhatIsMissingIsNamed) {
  Json bad = report();
  bad["measures"][0].erase("powerConsumption");
  ActivityGraph graph;
  const Evidence e = read(bad, graph);
  EXPECT_EQ(e.files[0].outcome_rows, (Rows{0, 0, 0, 1}));
  ASSERT_EQ(e.files[0].problems.size(), 1U);
  EXPECT_THAT(e.files[0].problems[0], HasSubstr("energy_consumed: kWh"));
}

}  // namespace
}  // namespace carnot::assess
