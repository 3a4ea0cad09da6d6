// SPDX-License-Identifier: Apache-2.0
#include "carnot/simulate/fleet_source.hpp"

#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>
#include <unistd.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"

namespace carnot::simulate {
namespace {

namespace fs = std::filesystem;

/// A folder of tables of three days, gone afterwards.
class FleetSource : public ::testing::Test {
 protected:
  FleetSource()
      : folder_(fs::temp_directory_path() / ("carnot-fleet-" + std::to_string(getpid()))) {
    fs::create_directories(folder_);
    write("price_usd_per_mwh.csv", {"A", "B", "C"}, [](int t, int z) { return 10.0 * z + t; });
    write("carbon_direct_g_per_kwh.csv", {"B", "A"}, [](int t, int z) { return 100.0 * z + t; });
    write("temperature_c.csv", {"A", "B"}, [](int t, int) { return t % 24; });
    write("windspeed_10m_kmh.csv", {"A", "B"}, [](int t, int) { return t; });
    options_.folder = folder_.string();
  }
  ~FleetSource() override { fs::remove_all(folder_); }

  template <class Value>
  void write(const std::string& name, const std::vector<std::string>& zones, Value value,
             int missing_before = 0, int missing_from = 72) {
    std::string text = "utc";
    for (const std::string& z : zones) text += "," + z;
    for (int t = 0; t < 72; ++t) {
      text += "\n" + (Instant::from_date(2023, 1, 1) + Duration::seconds(3600 * t)).iso8601();
      for (int z = 0; z < static_cast<int>(zones.size()); ++z)
        text += t < missing_before || t >= missing_from || t == 30
                    ? std::string(t == 30 && missing_before == 0 ? "," + std::to_string(value(t, z))
                                                                 : ",")
                    : "," + std::to_string(value(t, z));
    }
    write_file(folder_ / name, text + "\n");
  }

  fs::path folder_;
  FleetSourceOptions options_;
};

TEST_F(FleetSource, ZonesThatStandInAllThreeTables) {
  const FleetScenario fleet = load_fleet(options_);
  ASSERT_EQ(fleet.sites.size(), 2u);
  EXPECT_EQ(fleet.sites[0].name, "A");
  EXPECT_EQ(fleet.step, Duration::seconds(3600));
  ASSERT_EQ(fleet.sites[1].price.size(), 72u);
  EXPECT_NEAR(fleet.sites[1].price[5].in(euro_per_megawatt_hour), 15 * kEuroPerDollar2023, 1e-12);
  EXPECT_NEAR(fleet.sites[0].carbon[5].in(gram_per_kilowatt_hour), 105, 1e-12);  // its column
  EXPECT_NEAR(to_celsius(fleet.sites[0].outside[30]), 6, 1e-9);
  options_.zones = {"B"};
  EXPECT_EQ(load_fleet(options_).sites.size(), 1u);
  options_.zones = {"C"};  // has no carbon
  EXPECT_THROW(load_fleet(options_), InputError);
  options_.folder = "/no/such/folder";
  EXPECT_THROW(load_fleet(options_), InputFileError);
}

TEST_F(FleetSource, WhatIsMissingComesFromTheNearestDayOrALine) {
  write(
      "temperature_c.csv", {"A", "B"}, [](int t, int) { return t; }, 5, 70);
  const FleetScenario fleet = load_fleet(options_);
  const auto at = [&](std::size_t t) { return to_celsius(fleet.sites[0].outside[t]); };
  EXPECT_NEAR(at(3), 27, 1e-9);   // the same hour of the next day
  EXPECT_NEAR(at(71), 47, 1e-9);  // of the day before
  EXPECT_NEAR(at(30), 30, 1e-9);  // between its neighbours
}

TEST_F(FleetSource, AShortTableIsEnoughIfItIsWhole) {
  const auto short_table = [&](const std::string& name, const std::string& first) {
    write_file(folder_ / name, "utc,A\n2023-01-01T00:00Z," + first + "\n2023-01-01T01:00Z,2\n");
  };
  for (const char* name :
       {"price_usd_per_mwh.csv", "carbon_direct_g_per_kwh.csv", "temperature_c.csv"})
    short_table(name, "1");
  EXPECT_EQ(load_fleet(options_).sites[0].price.size(), 2u);
  short_table("temperature_c.csv", "");  // no day to take it from
  EXPECT_THROW(load_fleet(options_), InputError);
}

TEST_F(FleetSource, FilledCellsAndRoundsAreSaid) {
  EXPECT_EQ(load_fleet(options_).provenance.find("filled"), std::string::npos);
  write(
      "temperature_c.csv", {"A", "B"}, [](int t, int) { return t % 24; }, 3);
  const FleetScenario fleet = load_fleet(options_);
  EXPECT_NE(fleet.provenance.find("; 8 empty cells filled"), std::string::npos) << fleet.provenance;
  const Instant end = fleet.series_start + Duration::seconds(72 * 3600);
  EXPECT_EQ(rounds_words(fleet, end), "");
  EXPECT_NE(rounds_words(fleet, end + Duration::seconds(1)).find("from their start once"),
            std::string::npos);
  EXPECT_NE(rounds_words(fleet, end + Duration::seconds(73 * 3600)).find("start 2 times"),
            std::string::npos);
  Workload jobs;
  EXPECT_EQ(begin_of(jobs, fleet), fleet.series_start);
  jobs.start = fleet.series_start + Duration::seconds(7200);
  EXPECT_EQ(begin_of(jobs, fleet), *jobs.start);
  EXPECT_EQ(jobs.provenance, "");
  jobs.start = end;
  EXPECT_EQ(begin_of(jobs, fleet), fleet.series_start);
  EXPECT_NE(jobs.provenance.find("outside the tables"), std::string::npos);
}

TEST_F(FleetSource, OwnPowerFromSpeedsOrFromATable) {
  options_.own = folder_.string();
  options_.own_capacity = 1000.0 * kilowatt;
  const FleetScenario wind = load_fleet(options_);
  ASSERT_EQ(wind.sites[0].own.size(), 72u);
  EXPECT_EQ(wind.sites[0].own[0], Power{});
  for (std::size_t t = 1; t < 72; ++t) {
    EXPECT_GE(wind.sites[0].own[t], wind.sites[0].own[t - 1]);
    EXPECT_LE(wind.sites[0].own[t], 1000.0 * kilowatt);
  }
  EXPECT_GT(wind.sites[0].own[71], 900.0 * kilowatt);  // 20 m/s at 10 m
  write("own.csv", {"A", "B"}, [](int t, int z) { return t + 0.5 * z; });
  options_.own = (folder_ / "own.csv").string();
  EXPECT_NEAR(load_fleet(options_).sites[1].own[7].in(kilowatt), 7.5, 1e-9);
}

TEST(FleetSourceJobs, OriginsGoRoundAndFit) {
  FleetScenario fleet;
  fleet.sites.resize(3);
  fleet.sites[0].hall.nodes = 2;
  fleet.sites[1].hall.nodes = 8;
  fleet.sites[2].hall.nodes = 2;
  Workload w;
  for (const int nodes : {1, 1, 1, 4, 1, 8}) {
    JobRequest job;
    job.nodes = nodes;
    job.allowed = kNoDeadline;
    w.jobs.push_back(job);
    w.length.push_back(Duration::seconds(100));
  }
  w.jobs[4].origin = 2;
  spread_origins(w, fleet);
  const std::vector<std::uint32_t> expected = {0, 1, 2, 1, 2, 1};
  for (std::size_t j = 0; j < w.size(); ++j) EXPECT_EQ(w.jobs[j].origin, expected[j]) << j;
  w.jobs[0].nodes = 9;
  w.jobs[0].origin = control::SiteIndex::none();
  EXPECT_THROW(spread_origins(w, fleet), InputError);

  set_deadlines(w, 1.5);
  EXPECT_EQ(w.jobs[0].allowed, Duration::seconds(150));
  w.jobs.back().arrival = Duration::seconds(1000);
  // (9 + 1 + 1 + 4 + 1 + 8) x 100 node-seconds in 1000 s at half load of 3: 2 nodes; the widest: 9
  EXPECT_EQ(nodes_for(w, 3, 0.5), 9);
  EXPECT_EQ(nodes_for(w, 3, 0.05), 16);
}

TEST(FleetSourceData, TheYearOf2023HasFifteenZones) {
  const char* shared = std::getenv("CARNOT_SHARED_DATA");
  const fs::path folder =
      fs::path(shared ? shared : CARNOT_SOURCE_DIR "/../shared/data") / "sites-2023-hourly";
  if (!fs::exists(folder)) GTEST_SKIP() << folder << " is not there";
  FleetSourceOptions options;
  options.folder = folder.string();
  options.own = folder.string();
  options.own_capacity = 1000.0 * kilowatt;
  const FleetScenario fleet = load_fleet(options);
  EXPECT_EQ(fleet.sites.size(), 15u);
  for (const FleetSite& site : fleet.sites) {
    EXPECT_EQ(site.price.size(), 8760u);
    double mean = 0;
    for (const Power p : site.own) mean += p.in(kilowatt) / 8760;
    EXPECT_GT(mean, 5.0) << site.name;
    EXPECT_LT(mean, 600.0) << site.name;
  }
}

}  // namespace
}  // namespace carnot::simulate
