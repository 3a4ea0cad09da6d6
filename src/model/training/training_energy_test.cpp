// SPDX-License-Identifier: Apache-2.0
#include "carnot/model/training/training_energy.hpp"

#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/text.hpp"

#include "model/kernel/testing_golden.hpp"

namespace carnot::model {
namespace {

const Chip& chip(const std::string& id) { return ChipCatalogue::embedded().chip(id); }

/// Rows written by `tools/fit_training_model golden`, a second implementation of the formulas.
TEST(TrainingEnergy, AgreesWithTheSecondImplementation) {
  std::size_t rows = 0;
  for (const auto& [line, cell] : golden_rows("training/training_golden.csv")) {
    if (cell[0] == "step") {
      ASSERT_EQ(cell.size(), 10u);
      TrainingStep step;
      step.layers = parse_number(cell[1]);
      step.hidden = parse_number(cell[2]);
      step.heads = parse_number(cell[3]);
      step.batch = parse_number(cell[4]);
      step.micro = parse_number(cell[5]);
      step.pipeline = parse_number(cell[6]);
      step.stages = parse_number(cell[7]);
      step.selective = cell[8] == "1";
      EXPECT_NEAR(
          training_step_time(step, chip("a100-sxm-80")).value().in(second) / parse_number(cell[9]),
          1, 1e-9)
          << line;
    } else {
      ASSERT_EQ(cell.size(), 9u);
      TrainingRun run;
      run.with_host = cell[0] == "system";
      run.format = cell[2];
      run.chips = parse_number(cell[3]);
      run.layer_parameters = parse_number(cell[4]);
      run.tokens = parse_number(cell[5]);
      run.flop = parse_number(cell[6]);
      EXPECT_NEAR(training_power(run, chip(cell[1])).value().in(watt) / parse_number(cell[7]), 1,
                  1e-9)
          << line;
      if (run.flop > 0) {
        const auto p = predict_training(run, chip(cell[1]));
        EXPECT_NEAR(p.time.value().in(second) / 3600 / parse_number(cell[8]), 1, 1e-9) << line;
        EXPECT_NEAR(p.energy.value().in(joule) /
                        (run.chips * p.time.value().in(second)*p.chip_power.value().in(watt)),
                    1, 1e-12);
        EXPECT_EQ(p.energy.boundary(), run.with_host ? Boundary::Node : Boundary::Chip);
      }
    }
    ++rows;
  }
  EXPECT_EQ(rows, 25u);
}

/// Measured by Patterson et al. (arXiv 2104.10350, table 4): kWh before PUE = chips x hours x W.
/// None of these runs is in the efficiency; their watts are in the fit.
TEST(TrainingEnergy, IntervalsHoldPublishedRuns) {
  struct Row {
    const char *on, *format;
    double chips, layer, tokens, flop, kwh;
  };
  for (const Row& row :
       {Row{"tpu-v3", "bf16", 512, 11e9 / 48, 2048, 4.05e22, 512 * 480 * 0.310},
        Row{"tpu-v3", "bf16", 1024, 1.5e9 / 15, 1024, 8.22e22, 1024 * 648 * 0.245},
        Row{"v100-sxm2", "fp16", 10000, 175e9 / 96, 1600, 3.14e23, 10000 * 355.2 * 0.330}}) {
    TrainingRun run;
    run.format = row.format;
    run.chips = row.chips;
    run.layer_parameters = row.layer;
    run.tokens = row.tokens;
    run.flop = row.flop;
    run.with_host = true;
    const auto energy = predict_training(run, chip(row.on)).energy;
    EXPECT_LT(energy.low().in(joule) / 3.6e6, row.kwh);
    EXPECT_GT(energy.high().in(joule) / 3.6e6, row.kwh);
  }
}

TEST(TrainingEnergy, RefusesRunsOutOfRange) {
  TrainingRun run;
  EXPECT_THROW(training_power(run, chip("h100-sxm")), InputError);  // no layer
  run.layer_parameters = 1e6;
  EXPECT_NO_THROW(training_power(run, chip("h100-sxm")));
  EXPECT_THROW(predict_training(run, chip("h100-sxm")), InputError);  // no work
  run.tokens = std::nan("");
  EXPECT_THROW(training_power(run, chip("h100-sxm")), InputError);
  run.tokens = 4096;
  run.format = "fp8";
  EXPECT_THROW(training_power(run, chip("v100-sxm2")), InputError);
  TrainingStep step;
  step.layers = 48;
  step.hidden = 6144;
  EXPECT_THROW(training_step_time(step, chip("a100-sxm-80")), InputError);  // no heads
}

RC_GTEST_PROP(TrainingEnergy, PowerStaysBetweenStaticAndLimitAndGrowsWithTheLayer, ()) {
  TrainingRun run;
  run.chips = *rc::gen::inRange(1, 20000);
  run.layer_parameters = 1e3 * *rc::gen::inRange(1, 1000000);
  run.tokens = *rc::gen::inRange(1, 100000);
  const auto& on = chip(*rc::gen::element<std::string>("h100-sxm", "a100-sxm-80", "tpu-v3"));
  const double w = training_power(run, on).value().in(watt), tdp = on.at("tdp").value;
  RC_ASSERT(w > 0.2 * tdp && w < tdp);
  run.layer_parameters *= 2;
  RC_ASSERT(training_power(run, on).value().in(watt) >= w);
}

RC_GTEST_PROP(TrainingEnergy, AStepIsNeverFasterThanThePeak, ()) {
  TrainingStep step;
  step.layers = *rc::gen::inRange(1, 200);
  step.hidden = 64 * *rc::gen::inRange(1, 400);
  step.heads = *rc::gen::inRange(1, 128);
  step.batch = step.micro = *rc::gen::inRange(1, 8);
  step.tensor = *rc::gen::element(1, 2, 4, 8);
  step.selective = *rc::gen::arbitrary<bool>();
  const double flop = 72 * step.batch * step.length * step.layers * step.hidden * step.hidden;
  RC_ASSERT(training_step_time(step, chip("a100-sxm-80")).value().in(second) >
            flop / (312e12 * step.tensor));
}

}  // namespace
}  // namespace carnot::model
