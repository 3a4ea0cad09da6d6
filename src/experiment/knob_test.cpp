// SPDX-License-Identifier: Apache-2.0
#include "carnot/experiment/knob.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"
#include "carnot/learn/learners/learners.hpp"
#include "carnot/learn/learners/reduced_inputs.hpp"
#include "carnot/learn/saved/saved_model.hpp"

#include "base/testing_files.hpp"

namespace carnot::experiment {
namespace {

learn::Split digits() {
  learn::DatasetOptions o;
  o.path = "digits";
  return learn::load_split(o);
}

ExperimentOptions options_of(const learn::Split& split, const char* model = "mlp") {
  ExperimentOptions o;
  o.learner.model = model;
  o.learner.hidden = 32;
  const learn::TrainingDefaults d = learn::defaults_for(o.learner, split.train);
  o.learner.batch = d.batch;
  o.learner.epochs = 4;
  o.learner.learning_rate = d.learning_rate;
  return o;
}

/// Ten columns of which two directions hold nearly all the spread.
learn::Split plane() {
  const RandomStream random(5, "plane");
  learn::Split split;
  for (learn::Dataset* d : {&split.train, &split.test}) {
    d->rows = 400;
    d->columns = 10;
    d->classes = 2;
    d->class_names = {"a", "b"};
    for (std::size_t r = 0; r < d->rows; ++r) {
      const RandomStream row = random.child(r + (d == &split.test ? 1000 : 0));
      const double a = row.normal(0) * 3.0, b = row.normal(1) * 2.0;
      for (std::size_t k = 0; k < 10; ++k)
        d->features.push_back(static_cast<float>(a * std::cos(0.7 * static_cast<double>(k)) +
                                                 b * std::sin(0.7 * static_cast<double>(k)) +
                                                 0.01 * row.normal(2 + k) + 5.0));
      d->labels.push_back(a > 0.0 ? 1 : 0);
    }
  }
  return split;
}

TEST(Inputs, PrincipalComponentsAreOrthogonalAndHoldTheSpread) {
  const learn::Split split = plane();
  const learn::ReducedInputs two = learn::principal_inputs(split, 3, 1);
  const learn::Dataset& d = two.split.train;
  ASSERT_EQ(d.columns, 3u);
  double moment[3][3] = {}, mean[3] = {};
  for (std::size_t r = 0; r < d.rows; ++r)
    for (std::size_t i = 0; i < 3; ++i) {
      mean[i] += static_cast<double>(d.features[r * 3 + i]) / 400.0;
      for (std::size_t j = 0; j < 3; ++j)
        moment[i][j] += static_cast<double>(d.features[r * 3 + i]) *
                        static_cast<double>(d.features[r * 3 + j]) / 400.0;
    }
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(mean[i], 0.0, 1e-4);
  EXPECT_NEAR(moment[0][0] + moment[1][1] + moment[2][2], 3.0, 1e-3);
  EXPECT_GT(moment[0][0], moment[1][1]);
  EXPECT_LT(moment[2][2], 1e-4);
  EXPECT_NEAR(moment[0][1], 0.0, 1e-3);
  EXPECT_GT(two.fitting.at(learn::OperationKind::F32Mac),
            400 * two.per_row.at(learn::OperationKind::F32Mac));
  EXPECT_THROW(learn::principal_inputs(split, 11, 1), InputError);
  EXPECT_THROW(learn::principal_inputs(split, 0, 1), InputError);
}

TEST(Inputs, RandomDirectionsKeepDistancesNearly) {
  const learn::Split split = digits();
  const learn::ReducedInputs less = learn::random_inputs(split, 48, 3);
  const auto distance = [](const learn::Dataset& d, std::size_t a, std::size_t b) {
    double sum = 0.0;
    for (std::size_t k = 0; k < d.columns; ++k)
      sum += std::pow(d.features[a * d.columns + k] - d.features[b * d.columns + k], 2);
    return sum;
  };
  double least = 1e9, most = 0.0;
  for (std::size_t i = 0; i + 1 < 60; ++i) {
    const double ratio = distance(less.split.train, i, i + 1) / distance(split.train, i, i + 1);
    least = std::min(least, ratio);
    most = std::max(most, ratio);
  }
  EXPECT_LT(most / least, 6.0);
}

TEST(Inputs, PoolingIsTheMeanAndSharesOfRowsKeepTheirLabels) {
  const learn::Split split = digits();
  const learn::ReducedInputs half = learn::pooled_inputs(split, 2);
  ASSERT_EQ(half.split.test.columns, 16u);
  const float* x = split.test.features.data() + 3 * 64;
  EXPECT_NEAR(half.split.test.features[3 * 16 + 5], (x[18] + x[19] + x[26] + x[27]) / 4.0f, 1e-6);
  EXPECT_THROW(learn::pooled_inputs(split, 3), InputError);
  EXPECT_THROW(learn::pooled_inputs(plane(), 1), InputError);
  const learn::ReducedInputs tenth = learn::fewer_rows(split, 0.1, 1);
  EXPECT_EQ(tenth.split.train.rows, 135u);
  EXPECT_EQ(tenth.split.train.labels.size(), 135u);
  EXPECT_EQ(tenth.split.test.rows, split.test.rows);
}

TEST(Knob, EverySettingHasItsEnergyAndQuality) {
  const learn::Split split = digits();
  const ExperimentOptions o = options_of(split);
  for (const auto& [knob, settings] :
       {std::pair<std::string, std::vector<std::string>>{"pool", {"1", "2"}},
        {"pca", {"64", "8"}},
        {"projection", {"64", "8"}},
        {"rows", {"1", "0.2"}},
        {"epochs", {"4", "1"}},
        {"precision", {"32", "4"}},
        {"prune", {"0", "0.9"}}}) {
    const KnobResult r = knob_curve(o, split, knob, settings);
    ASSERT_EQ(r.points.size(), 2u) << knob;
    EXPECT_GT(r.points[0].quality, 0.8) << knob;
    EXPECT_LT(r.points[1].training, r.points[0].training) << knob;
    EXPECT_GT(r.points[1].prediction, Energy{}) << knob;
    EXPECT_LE(r.points[1].quality_low, r.points[1].quality) << knob;
    if (knob == "prune") {
      EXPECT_EQ(r.points[1].parameters, 3 * 64 + 3 + 30 + 10);
    }
    if (knob == "pca" || knob == "pool") {
      EXPECT_LT(r.points[1].inputs, 64u);
    }
  }
}

TEST(Knob, AFewPassesFromASavedModelBeatAsManyAnew) {
  const TemporaryFolder folder;
  const learn::Split split = digits();
  ExperimentOptions o = options_of(split);
  const auto whole = learn::make_any_learner(o.learner, split.train);
  whole->train(whole->total_steps(), learn::Precision::parse("f32"));
  const std::string file = folder / "start.model";
  learn::save_model(learn::saved_model(*whole, o.learner, split.train, 32), file);
  const KnobResult r = knob_curve(o, split, "transfer", {"0.1"}, file);
  ASSERT_EQ(r.points.size(), 2u);
  EXPECT_EQ(r.points[0].setting, "0.1 from the start");
  EXPECT_GT(r.points[0].quality, r.points[1].quality + 0.02);
  EXPECT_EQ(r.points[0].parameters, 64 * 32 + 32 + 32 * 10 + 10);
  o.learner.model = "softmax";
  EXPECT_THROW(knob_curve(o, split, "transfer", {"0.1"}, file), InputError);
}

// The chip that is named prices the curve, as it prices every other document.
TEST(Knob, JoulesAreOfTheChipThatIsNamed) {
  const learn::Split split = digits();
  ExperimentOptions o = options_of(split);
  const KnobPoint plain = knob_curve(o, split, "epochs", {"1"}).points.front();
  o.chip = "asic-7nm";
  const KnobPoint newer = knob_curve(o, split, "epochs", {"1"}).points.front();
  EXPECT_LT(newer.training / plain.training, 0.8);  // arithmetic falls to a third, DRAM does not
  EXPECT_EQ(newer.quality, plain.quality);
  o.energy_table = "mine.csv";
  EXPECT_THROW(knob_curve(o, split, "epochs", {"1"}), InputError);
}

TEST(Knob, WhatAKnobCannotTakeIsRefused) {
  const learn::Split split = digits();
  const ExperimentOptions o = options_of(split);
  EXPECT_THROW(knob_settings("colour", split.train), InputError);
  EXPECT_THROW(knob_curve(o, split, "pool", {"3"}), InputError);
  EXPECT_THROW(knob_curve(o, split, "pca", {"65"}), InputError);
  EXPECT_THROW(knob_curve(o, split, "rows", {"0"}), InputError);
  EXPECT_THROW(knob_curve(o, split, "prune", {"1"}), InputError);
  EXPECT_THROW(knob_curve(o, split, "hidden", {"many"}), InputError);
  EXPECT_THROW(knob_curve(o, split, "transfer", {"0.5"}), InputError);
  EXPECT_THROW(knob_curve(o, split, "rows", {}), InputError);
  EXPECT_THROW(knob_curve(options_of(split, "softmax"), split, "prune", {"0.5"}), InputError);
}

}  // namespace
}  // namespace carnot::experiment
