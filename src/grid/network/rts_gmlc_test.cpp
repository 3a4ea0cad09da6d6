// SPDX-License-Identifier: Apache-2.0
#include "carnot/grid/network/rts_gmlc.hpp"

#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"

namespace carnot::grid {
namespace {

namespace fs = std::filesystem;

/// A folder of the same form with two buses of two areas, two hours and one unit of each kind.
class RtsGmlcSmall : public ::testing::Test {
 protected:
  RtsGmlcSmall()
      : folder_(fs::temp_directory_path() / ("carnot_rts_" + std::to_string(::getpid()))) {
    write("SourceData/bus.csv",
          "Bus ID,Bus Type,MW Load,MW Shunt G,Area,lat,lng\n1,Ref,30,0,1,33.5,-113.25\n"
          "2,PQ,10,0,1,33,-113\n3,PV,50,0,2,34,-114\n");
    write("SourceData/branch.csv",
          "From Bus,To Bus,R,X,Cont Rating,Tr Ratio\n1,2,0.01,0.1,175,0\n2,3,0.01,0.1,400,1.015\n");
    write("SourceData/dc_branch.csv", "From Bus,To Bus,MW Load\n1,3,100\n");
    write("SourceData/gen.csv",
          gen_header() +
              "1_CT_1,1,CT,8,20,10,0,0.4,0.6,1,NA,NA,13000,9000,9500,NA,NA,160\n"
              "3_WIND_1,3,WIND,0,90,0,0,0,0,0,NA,NA,0,0,0,NA,NA,0\n"
              "2_HYDRO_1,2,HYDRO,5,50,0,0,0,1,0,NA,NA,NA,3412,0,NA,NA,0\n"
              "2_CSP_1,2,CSP,0,200,0,0,0,0,0,NA,NA,0,0,0,NA,NA,0\n");
    series("Load/DAY_AHEAD_regional_Load.csv", "1,2", "80,60", "40,20");
    series("WIND/DAY_AHEAD_wind.csv", "3_WIND_1", "70", "33");
    series("PV/DAY_AHEAD_pv.csv", "9_PV_1", "0", "0");
    series("RTPV/DAY_AHEAD_rtpv.csv", "9_RTPV_1", "0", "0");
    series("Hydro/DAY_AHEAD_hydro.csv", "2_HYDRO_1", "4", "6");
  }
  ~RtsGmlcSmall() override { fs::remove_all(folder_); }

  static std::string gen_header() {
    return "GEN UID,Bus ID,Unit Type,MW Inj,PMax MW,Fuel Price $/MMBTU,VOM,Output_pct_0,"
           "Output_pct_1,Output_pct_2,Output_pct_3,Output_pct_4,HR_avg_0,HR_incr_1,HR_incr_2,"
           "HR_incr_3,HR_incr_4,Emissions CO2 Lbs/MMBTU\n";
  }
  void write(const std::string& path, const std::string& text) {
    write_file(folder_ / path, text, Directories::Create);
  }
  void series(const std::string& path, const std::string& names, const std::string& first,
              const std::string& second, int second_period = 2) {
    write("timeseries_data_files/" + path, "Year,Month,Day,Period," + names + "\n2020,1,1,1," +
                                               first + "\r\n2020,1,1," +
                                               std::to_string(second_period) + "," + second + "\n");
  }
  std::string refusal() {
    try {
      RtsGmlc::read(folder_.string());
      return "accepted";
    } catch (const Error& error) {
      return error.what();
    }
  }

  fs::path folder_;
};

TEST_F(RtsGmlcSmall, CostsFollowTheHeatRateCurve) {
  const RtsGmlc rts = RtsGmlc::read(folder_.string());
  ASSERT_EQ(rts.grid().generators.size(), 3u);  // not the tower
  const std::vector<GeneratorCost::Point>& points = rts.grid().generators[0].cost.points;
  ASSERT_EQ(points.size(), 4u);
  EXPECT_EQ(points[0].cost_per_h, 0.0);
  EXPECT_NEAR(points[1].cost_per_h, 8 * 13.0 * 10, 1e-9);  // 8 MW at 13,000 BTU/kWh, 10 $/MMBTU
  EXPECT_NEAR(points[3].cost_per_h, 8 * 130.0 + 4 * 90.0 + 8 * 95.0, 1e-9);
  EXPECT_EQ(points[3].output_mw, 20.0);
  EXPECT_EQ(points[0].co2_kg_per_h, 0.0);
  EXPECT_NEAR(points[1].co2_kg_per_h, 8 * 13.0 * 160 * 0.45359237, 1e-9);  // pounds to kg
  EXPECT_NEAR(points[3].co2_kg_per_h, (8 * 13.0 + 4 * 9.0 + 8 * 9.5) * 160 * 0.45359237, 1e-9);
  EXPECT_EQ(rts.grid().buses[0].latitude_deg, 33.5);
  EXPECT_EQ(rts.grid().buses[0].longitude_deg, -113.25);
  EXPECT_FALSE(rts.grid().generators[0].weather_driven);
  EXPECT_EQ(rts.grid().branches[1].tap, 1.015);
  EXPECT_EQ(rts.grid().dc_lines.at(0).minimum_mw, -100.0);
}

TEST_F(RtsGmlcSmall, HoursShareAreasAndFixWater) {
  const RtsGmlc rts = RtsGmlc::read(folder_.string());
  ASSERT_EQ(rts.hours(), 2u);
  const GridState second = rts.state(1);
  EXPECT_NEAR(second.demand_mw[0], 30.0, 1e-12);  // three quarters of its area's 40
  EXPECT_NEAR(second.demand_mw[1], 10.0, 1e-12);
  EXPECT_NEAR(second.demand_mw[2], 20.0, 1e-12);
  EXPECT_EQ(second.maximum_mw[1], 33.0);
  EXPECT_EQ(second.minimum_mw[1], 0.0);
  EXPECT_EQ(second.minimum_mw[2], 6.0);
  EXPECT_EQ(second.maximum_mw[2], 6.0);
  EXPECT_EQ(rts.start(1).iso8601(), "2020-01-01T01:00:00Z");
}

TEST_F(RtsGmlcSmall, RefusesWithPlace) {
  EXPECT_EQ(refusal(), "accepted");
  series("WIND/DAY_AHEAD_wind.csv", "3_WIND_1", "70", "33", 3);
  EXPECT_THAT(refusal(), ::testing::HasSubstr("DAY_AHEAD_wind.csv:3: Period: an hour later"));
  series("WIND/DAY_AHEAD_wind.csv", "3_WIND_1", "70", "x");
  EXPECT_THAT(refusal(), ::testing::HasSubstr("DAY_AHEAD_wind.csv:3: 3_WIND_1"));
  series("WIND/DAY_AHEAD_wind.csv", "3_WIND_1", "70", "33,5");
  EXPECT_THAT(refusal(), ::testing::HasSubstr("5 cells as in the header, found 6"));
  series("WIND/DAY_AHEAD_wind.csv", "3_WIND_1", "70", "33");
  write("timeseries_data_files/Load/DAY_AHEAD_regional_Load.csv", "Year,Month,Day,Period,1,2\n");
  EXPECT_THAT(refusal(), ::testing::HasSubstr("Load.csv: 1: a column with rows for each area"));
  series("Load/DAY_AHEAD_regional_Load.csv", "1", "80", "40");
  EXPECT_THAT(refusal(), ::testing::HasSubstr("Load.csv: 2: a column with rows for each area"));
  write("SourceData/dc_branch.csv", "From Bus,To Bus,MW Load\n1,8,100\n");
  EXPECT_THAT(refusal(), ::testing::HasSubstr("dc_branch.csv:2: To Bus: a bus of bus.csv"));
  write("SourceData/dc_branch.csv", "From Bus,To Bus\n1,3\n");
  EXPECT_THAT(refusal(), ::testing::HasSubstr("MW Load: a column of this name"));
  fs::remove(folder_ / "SourceData/gen.csv");
  EXPECT_THAT(refusal(), ::testing::HasSubstr("gen.csv"));
}

TEST_F(RtsGmlcSmall, SaysWhereAGridCannotBe) {
  const std::string branches = "From Bus,To Bus,R,X,Cont Rating,Tr Ratio\n";
  write("SourceData/branch.csv", branches + "1,2,0.01,0.1,-175,0\n2,2,0.01,0.1,400,0\n");
  EXPECT_THAT(refusal(),
              ::testing::HasSubstr("branch.csv:2: branch 1 from bus 1 to 2: a limit of"));
  EXPECT_THAT(refusal(), ::testing::HasSubstr("branch.csv:3: branch 2: two different buses"));
}

}  // namespace
}  // namespace carnot::grid
