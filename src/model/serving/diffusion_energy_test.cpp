// SPDX-License-Identifier: Apache-2.0
#include "carnot/model/serving/diffusion_energy.hpp"

#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/text.hpp"

#include "model/kernel/testing_golden.hpp"

namespace carnot::model {
namespace {

const Chip& chip(const std::string& id) { return ChipCatalogue::embedded().chip(id); }

DiffusionRun flux() {
  DiffusionRun run;
  run.parameters = 8.65e9;
  run.layers = 57;
  run.hidden = 3072;
  run.tokens = 4608;
  run.passes = 50;
  run.pixels = 1024 * 1024;
  return run;
}

/// Rows written by `tools/fit_diffusion_model golden`, a second implementation of the formula.
TEST(DiffusionEnergy, AgreesWithTheSecondImplementation) {
  std::size_t rows = 0;
  for (const auto& [line, cell] : golden_rows("serving/diffusion_golden.csv")) {
    ASSERT_EQ(cell.size(), 12u);
    DiffusionRun run;
    run.parameters = parse_number(cell[0]);
    run.layers = parse_number(cell[1]);
    run.hidden = parse_number(cell[2]);
    run.tokens = parse_number(cell[3]);
    run.passes = parse_number(cell[4]);
    run.linear_attention = cell[5] == "1";
    run.pixels = parse_number(cell[6]);
    run.batch = parse_number(cell[8]);
    run.chips = parse_number(cell[9]);
    const auto p = predict_diffusion(run, chip(cell[7]));
    EXPECT_NEAR(p.batch_time.value().in(second) / parse_number(cell[10]), 1, 1e-9) << line;
    EXPECT_NEAR(p.chip_power.value().in(watt) / parse_number(cell[11]), 1, 1e-9) << line;
    ++rows;
  }
  EXPECT_EQ(rows, 12u);
}

/// Measured, ML.ENERGY leaderboard v3: 7,949 J and 683 W on one H100; in the fit.
TEST(DiffusionEnergy, IsNearAMeasuredModel) {
  const auto p = predict_diffusion(flux(), chip("h100-sxm"));
  EXPECT_NEAR(p.item_energy.value().in(joule), 7949, 0.1 * 7949);
  EXPECT_NEAR(p.chip_power.value().in(watt), 683, 40);
  EXPECT_LT(p.item_energy.low().in(joule), 7949);
  EXPECT_GT(p.item_energy.high().in(joule), 7949);
  const auto other = predict_diffusion(flux(), chip("b200"));
  EXPECT_GT(other.item_energy.high() / other.item_energy.low(),
            p.item_energy.high() / p.item_energy.low());
}

TEST(DiffusionEnergy, RefusesRunsOutOfRange) {
  DiffusionRun run = flux();
  run.passes = 0;
  EXPECT_THROW(predict_diffusion(run, chip("h100-sxm")), InputError);
  run = flux();
  run.tokens = std::nan("");
  EXPECT_THROW(predict_diffusion(run, chip("h100-sxm")), InputError);
  run = flux();
  run.chips = 0.5;
  EXPECT_THROW(predict_diffusion(run, chip("h100-sxm")), InputError);
  EXPECT_THROW(predict_diffusion(flux(), chip("epyc-9654")), InputError);
}

RC_GTEST_PROP(DiffusionEnergy, MoreWorkCostsMoreAndNoChipBeatsItsPeak, ()) {
  DiffusionRun run = flux();
  run.tokens = *rc::gen::inRange(64, 200000);
  run.passes = *rc::gen::inRange(1, 100);
  run.batch = *rc::gen::inRange(1, 64);
  run.chips = *rc::gen::element(1, 2, 8);
  const auto& on = chip(*rc::gen::element<std::string>("h100-sxm", "b200", "a100-sxm-80"));
  const auto p = predict_diffusion(run, on);
  const double seconds = p.batch_time.value().in(second);
  RC_ASSERT(seconds * run.chips * on.at("bf16").value * 1e12 >
            2 * run.parameters * run.tokens * run.passes * run.batch);
  RC_ASSERT(p.chip_power.value().in(watt) < on.at("tdp").value);
  run.tokens *= 2;
  RC_ASSERT(predict_diffusion(run, on).item_energy.value() > p.item_energy.value());
}

}  // namespace
}  // namespace carnot::model
