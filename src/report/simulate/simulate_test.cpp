// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/simulate/simulate.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "report/draw/text_columns.hpp"

namespace carnot::report {
namespace {

simulate::FleetResult sample(const std::string& policy, double scale) {
  simulate::FleetResult r;
  r.policy = policy;
  r.jobs = 10;
  r.finished = 9;
  r.late = 2;
  r.begin = Instant::from_date(2023, 1, 1);
  r.end = r.begin + Duration::seconds(1000);
  r.wait_mean = 90.0 * second;
  r.wait_90 = 300.0 * second;
  r.seconds = 0.25;
  simulate::FleetSiteResult site;
  site.name = "DE-LU";
  site.nodes = 4;
  site.flows.facility = scale * 100.0 * kilowatt_hour;
  site.flows.grid = scale * 75.0 * kilowatt_hour;
  site.flows.own_used = scale * 25.0 * kilowatt_hour;
  site.flows.carbon = scale * 30.0 * kilogram;
  site.flows.cost = scale * 12.0 * euro;
  site.flows.node_time = 2000.0 * second;
  r.flows = site.flows;
  r.sites = {site};
  return r;
}

SimulateReport sample_report() {
  SimulateReport report;
  report.command = "carnot simulate";
  report.started = "2026-01-01T00:00:00Z";
  report.seed = 7;
  report.runs.push_back({sample("no-wait", 1.0), std::nullopt, {}});
  report.runs.push_back({sample("wait-awhile", 0.5), 5.0 * euro, {}});
  report.runs[1].result.knowledge.future = true;
  report.runs[1].members = {sample("wait-awhile", 0.5), sample("wait-awhile", 0.7)};
  return report;
}

TEST(SimulateReport, TheDocumentHasTheKeysOfTheContract) {
  const auto json = nlohmann::json::parse(simulate_json(sample_report()));
  EXPECT_EQ(json["schema"], "carnot.simulate/1");
  for (const char* key : {"carnot", "seed", "started", "command"}) EXPECT_TRUE(json.contains(key));
  ASSERT_EQ(json["runs"].size(), 2u);
  const auto& run = json["runs"][0];
  EXPECT_EQ(run["policy"], "no-wait");
  EXPECT_EQ(run["jobs"], 10);
  EXPECT_EQ(run["finished"], 9);
  EXPECT_EQ(run["late"], 2);
  EXPECT_DOUBLE_EQ(run["energy_j"].get<double>(), 3.6e8);
  EXPECT_DOUBLE_EQ(run["grid_energy_j"].get<double>(), 2.7e8);
  EXPECT_DOUBLE_EQ(run["own_energy_j"].get<double>(), 9e7);
  EXPECT_DOUBLE_EQ(run["carbon_g"].get<double>(), 3e4);
  EXPECT_DOUBLE_EQ(run["cost_eur"].get<double>(), 12);
  EXPECT_DOUBLE_EQ(run["mean_wait_s"].get<double>(), 90);
  EXPECT_DOUBLE_EQ(run["seconds"].get<double>(), 0.25);
  EXPECT_DOUBLE_EQ(run["utilisation"].get<double>(), 0.5);
  EXPECT_TRUE(run["bound"].is_null());
  EXPECT_EQ(json["runs"][1]["bound"], 5.0);
  EXPECT_EQ(run["sites"][0]["site"], "DE-LU");
  EXPECT_FALSE(run.contains("ensemble"));
  EXPECT_NEAR(json["runs"][1]["ensemble"]["cost_eur"]["mean"].get<double>(), 7.2, 1e-12);
  EXPECT_EQ(json["origin"], "modelled");
}

TEST(SimulateReport, TheTableFitsAndMarksTheBest) {
  for (const int width : {40, 60, 80, 120, 200}) {
    const std::string text = simulate_terminal(sample_report(), width, false);
    EXPECT_NE(text.find("> wait-awhile"), std::string::npos) << width;
    EXPECT_NE(text.find("  no-wait"), std::string::npos);
    EXPECT_NE(text.find("an oracle"), std::string::npos);
    std::size_t row = 0;
    for (std::size_t at = 0; at < text.size(); ++row) {
      const std::size_t end = text.find('\n', at);
      if (row < 7) {
        EXPECT_LE(columns(text.substr(at, end - at)), static_cast<std::size_t>(width)) << text;
      }
      at = end + 1;
    }
  }
  const std::string wide = simulate_terminal(sample_report(), 200, false);
  EXPECT_NE(wide.find("-50.0"), std::string::npos);  // against the first
  EXPECT_EQ(wide.find('\x1b'), std::string::npos);
  EXPECT_NE(simulate_terminal(sample_report(), 80, true).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace carnot::report
