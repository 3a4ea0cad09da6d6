// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/web/runs.hpp"

#include <cmath>
#include <variant>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "carnot/base/error.hpp"
#include "carnot/measure/attribution/spans.hpp"
#include "carnot/report/web/fleet.hpp"
#include "carnot/report/web/why.hpp"

#include "measure/testing/testing_measurement.hpp"
#include "report/run/testing_run.hpp"

namespace carnot::report {
namespace {

using Json = nlohmann::ordered_json;
using ::testing::HasSubstr;

std::vector<ledger::Entry> measured(const std::string& boot, std::size_t samples = 61,
                                    bool modelled = false) {
  measure::sample::MeasurementOptions options;
  options.samples = samples;
  options.modelled = modelled;
  auto entries = measure::sample::measurement(options);
  std::get<ledger::MeasurementBegin>(entries.front()).boot_id = boot;
  return entries;
}

Json difference(const RunDocument& a, const RunDocument& b, const char* quantity = "energy_j") {
  const Json json = Json::parse(compare_json({{&a, 0}, {&b, 0}}));
  for (const Json& d : json["differences"][0]["differences"])
    if (d["quantity"] == quantity) return d;
  return {};
}

TEST(Compare, WhatIsComparedWithItselfDoesNotDiffer) {
  const RunDocument a = run_document("a", "a", measured("boot"));
  for (const char* quantity : {"energy_j", "carbon_g", "cost_eur"}) {
    const Json same = difference(a, a, quantity);
    EXPECT_EQ(same["verdict"], "equal") << same;
    EXPECT_EQ(same["difference"]["low"], 0.0);
  }
}

TEST(Compare, ASensorsGainCancelsOnOneMachineSinceOneStartAlone) {
  const RunDocument a = run_document("a", "a", measured("boot", 61)),
                    b = run_document("b", "b", measured("boot", 121)),
                    elsewhere = run_document("c", "c", measured("other", 121)),
                    unknown = run_document("d", "d", measured("", 121));
  const auto width = [](const Json& d) {
    return d["difference"]["high"].get<double>() - d["difference"]["low"].get<double>();
  };
  const Json here = difference(a, b);
  EXPECT_GT(here["shared_causes"], 0);
  EXPECT_NEAR(here["difference"]["value"].get<double>(),
              (b.measurement->energy.value() - a.measurement->energy.value()).in(joule), 1e-9);
  for (const RunDocument* other : {&elsewhere, &unknown}) {
    const Json apart = difference(a, *other);
    EXPECT_EQ(apart["shared_causes"], 0);
    EXPECT_GT(width(apart), width(here));
    // By hand: nothing shared, so the squares of the half-widths add.
    const auto& x = a.measurement->energy;
    const auto& y = other->measurement->energy;
    const double up = std::hypot((y.high() - y.value()).in(joule), (x.value() - x.low()).in(joule));
    EXPECT_NEAR(
        apart["difference"]["high"].get<double>() - apart["difference"]["value"].get<double>(), up,
        1e-9 * up);
  }
}

TEST(Compare, VerdictsAreWhatTheIntervalSays) {
  for (std::size_t samples : {3U, 30U, 61U, 62U, 63U, 80U, 121U}) {
    const RunDocument a = run_document("a", "a", measured("boot", 61)),
                      b = run_document("b", "b", measured("boot", samples));
    const Json d = difference(a, b);
    const double low = d["difference"]["low"], high = d["difference"]["high"];
    EXPECT_EQ(d["verdict"], low > 0                 ? "more"
                            : high < 0              ? "less"
                            : low == 0 && high == 0 ? "equal"
                                                    : "not told apart")
        << d;
  }
  const RunDocument a = run_document("a", "a", measured("boot"));
  EXPECT_THROW(compare_json({{&a, 0}}), InputError);
  const RunDocument bad = run_document("x", "x", {});
  EXPECT_FALSE(bad.problem.empty());
  EXPECT_THROW(compare_json({{&a, 0}, {&bad, 0}}), InputError);
}

TEST(Runs, ASeriesKeepsTheIntegralHoweverShort) {
  const auto entries = measured("boot", 121);
  const RunDocument d = run_document("a", "a", entries);
  const double whole = d.measurement->machine_energy.value().in(joule);
  for (std::size_t most = 1; most < 200; ++most) {
    const measure::EnergySpans spans = measure::energy_spans(entries, most);
    ASSERT_LE(spans.spans.size(), most);
    double joules = 0, until = 0;
    for (const measure::EnergySpan& s : spans.spans) {
      joules += s.energy.value().in(joule);
      EXPECT_EQ(s.from_s, until) << "no time is left out";
      until = s.to_s;
    }
    EXPECT_NEAR(joules, whole, 1e-9 * whole) << most;
  }
  const Json series = Json::parse(run_series_json(d, 0, entries, 17));
  EXPECT_LE(series["power_w"].size(), 17U);
  EXPECT_NEAR(series["energy_j"].get<double>(), whole, 1e-9 * whole);
}

TEST(Runs, ARunIsARowForEachPolicyAndABrokenJournalSaysWhy) {
  const auto entries = sample::run();
  const RunDocument run = run_document("r", "<b>&\" 🔥 مرحبا", entries);
  ASSERT_TRUE(run.run.has_value()) << run.problem;
  const Json rows = Json::parse(runs_json({&run}, "next"));
  EXPECT_EQ(rows["runs"].size(), run.run->lanes.size());
  EXPECT_EQ(rows["next"], "next");
  EXPECT_EQ(rows["runs"][0]["id"], "r.0");
  for (std::size_t lane = 0; lane < run.run->lanes.size(); ++lane) {
    const Json series = Json::parse(run_series_json(run, lane, entries, 5));
    const double whole = run.run->lanes[lane].energy.value().in(joule);
    EXPECT_NEAR(series["energy_j"].get<double>(), whole, 1e-9 * whole + 1e-12);
  }
  EXPECT_THROW(run_series_json(run, 99, entries, 5), InputError);
  const RunDocument cut = run_document("c", "c", {entries.begin() + 1, entries.begin() + 2});
  const Json row = Json::parse(runs_json({&cut}, ""))["runs"][0];
  EXPECT_EQ(row["kind"], "unreadable");
  EXPECT_FALSE(row["problem"].get<std::string>().empty());
}

TEST(Fleet, ASimulationsSourcesAreNamedWithoutTheirFolders) {
  const Json json = Json::parse(fleet_simulation_json(
      R"({"schema":"carnot.simulate/1","jobs_source":"/home/me/t.swf.zip: 5 jobs, a/b","runs":[)"
      R"({"policy":"p","cost_eur":12.5,"ensemble":{"cost_eur":{"mean":1,"low":0.5,"high":2}}},7]})",
      "id", "name"));
  EXPECT_EQ(json["jobs_source"], "t.swf.zip: 5 jobs, a/b");
  EXPECT_FALSE(json["runs"][0]["texts"]["cost_eur"]["range"].get<std::string>().empty());
  EXPECT_THROW(fleet_simulation_json("{}", "id", "name"), InputError);
  EXPECT_THROW(fleet_simulation_json("7", "id", "name"), InputError);
}

TEST(PlanDifference, IsWhatTheBoundsProve) {
  const auto plan = [](double cost, double bound) {
    return R"({"schema":"carnot.plan/1","objective_eur":)" + std::to_string(cost) +
           R"(,"bound_eur":)" + std::to_string(bound) +
           R"(,"energy_j":1,"free_energy_j":1,"grid_energy_j":0,"carbon_g":0,"dropped":0})";
  };
  const auto verdict = [&](double a, double a_bound, double b, double b_bound) {
    return Json::parse(plan_difference_json(plan(a, a_bound), plan(b, b_bound)))["bound"];
  };
  EXPECT_EQ(verdict(100, 95, 120, 101)["verdict"], "more");
  EXPECT_EQ(verdict(100, 95, 90, 80)["verdict"], "less");
  EXPECT_EQ(verdict(100, 95, 101, 90)["verdict"], "not told apart");
  EXPECT_EQ(verdict(100, 95, 120, 101)["low"], 1.0);
  EXPECT_EQ(verdict(100, 95, 120, 101)["high"], 25.0);
  EXPECT_THROW(plan_difference_json("{}", plan(1, 1)), InputError);
}

TEST(Why, TextsThatAreNoExplanationAreRefused) {
  for (const char* bad :
       {"", "[]", "{}", R"({"schema":"carnot.explain/1"})",
        R"({"schema":"carnot.explain/1","tree":7})", R"({"schema":"carnot.explain/1","tree":[]})",
        R"({"schema":"carnot.explain/1","tree":{"children":3}})",
        R"({"schema":"carnot.explain/1","tree":{"energy_j":"x"}})"})
    EXPECT_THROW(why_json(bad, "id", "name"), InputError) << bad;
  std::string deep = R"({"schema":"carnot.explain/1","tree":)";
  for (int i = 0; i < 2000; ++i) deep += R"({"children":[)";
  for (int i = 0; i < 2000; ++i) deep += "]}";
  EXPECT_THROW(why_json(deep + "}", "id", "name"), InputError);
}

}  // namespace
}  // namespace carnot::report
