// SPDX-License-Identifier: Apache-2.0
// The cases that MATPOWER ships, where they are at hand: all are read and flow, and optima are what
// HiGHS finds for the same programme written by another hand (taps, shifts and direct-current lines
// included; NaN: no dispatch is feasible).
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/grid/dispatch/optimal_power_flow.hpp"

#include "base/testing_files.hpp"

namespace carnot::grid {
namespace {

TEST(MatpowerCases, NineInTenAreReadAndFlow) {
  CARNOT_NEED_SHARED_DATA(folder, std::string("matpower"));
  std::size_t cases = 0, flowing = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".m") continue;
    ++cases;
    try {
      const Grid grid = read_matpower(entry.path().string());
      const DcFlow flow = dc_flow(grid, BranchModel::TapAndShift);
      flowing += std::all_of(flow.flow_mw.begin(), flow.flow_mw.end(),
                             [](double mw) { return std::isfinite(mw); });
    } catch (const InputError& error) {
      ADD_FAILURE() << error.what();
    }
  }
  EXPECT_GT(cases, 20u);
  EXPECT_GE(10 * flowing, 9 * cases);
}

#ifdef CARNOT_HAVE_CLP

struct Known {
  const char* name;
  double cost_per_h;
};

class MatpowerOptimum : public ::testing::TestWithParam<Known> {};

TEST_P(MatpowerOptimum, IsWhatAnotherSolverFinds) {
  CARNOT_NEED_SHARED_DATA(path, std::string("matpower/") + GetParam().name + ".m");
  const OpfResult r =
      dc_opf(read_matpower(path), {.branch_model = BranchModel::TapAndShift, .dc_links = true});
  if (std::isnan(GetParam().cost_per_h)) {
    EXPECT_EQ(r.status, OpfStatus::Infeasible) << r.why;
  } else {
    ASSERT_EQ(r.status, OpfStatus::Optimal) << r.why;
    EXPECT_NEAR(r.cost_per_h, GetParam().cost_per_h, 1e-6 * GetParam().cost_per_h);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shipped, MatpowerOptimum,
    ::testing::Values(
        Known{"case10ba", kNaN}, Known{"case118", 125947.8814}, Known{"case1197", kNaN},
        Known{"case1354pegase", 73059.67}, Known{"case14", 7642.591784}, Known{"case141", 238.8925},
        Known{"case15da", 24.528}, Known{"case16ci", kNaN}, Known{"case17me", kNaN},
        Known{"case1888rte", 59110.5}, Known{"case2383wp", 1796340.101},
        Known{"case300", 706292.3251}, Known{"case3012wp", 2504535.7}, Known{"case30pwl", 5732.8},
        Known{"case33bw", 74.3}, Known{"case39", 41263.94074}, Known{"case5", 17479.89693},
        Known{"case57", 41006.73691}, Known{"case6468rte", 85265.9}, Known{"case69", 76.042},
        Known{"case74ds", 132.34}, Known{"case89pegase", 5733.37087}, Known{"case9target", kNaN},
        Known{"case_ACTIVSg2000", 1201320.784}, Known{"case_RTS_GMLC", 225806.0715},
        Known{"case_ieee30", 8343.401757}),
    [](const auto& one) { return std::string(one.param.name); });

#endif

}  // namespace
}  // namespace carnot::grid
