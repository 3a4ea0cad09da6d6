// SPDX-License-Identifier: Apache-2.0
#include "carnot/experiment/experiment.hpp"

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/learn/codes/model_forward.hpp"

#include "base/testing_files.hpp"
#include "base/testing_stop.hpp"
#include "experiment/precision_schedule.hpp"
#include "learn/codes/arithmetic_coder.hpp"
#include "learn/codes/model_code.hpp"

namespace carnot::experiment {
namespace {

using ::testing::HasSubstr;

ExperimentOptions digits(std::vector<std::string> bits, double epochs = 4.0) {
  ExperimentOptions o;
  o.data.path = "digits";
  o.learner.hidden = 16;
  o.learner.epochs = epochs;
  o.learner.batch = 32;
  o.bits = std::move(bits);
  o.curve_points = 6;
  return o;
}

void expect_consistent(const ExperimentPoint& p, double budget_j = 0.0) {
  Energy legs;
  for (const auto& l : p.cycle.legs) legs += l.energy;
  EXPECT_NEAR(legs.in(joule) / p.energy.value().in(joule), 1.0, 1e-9);
  EXPECT_LT(p.cycle.efficiency, 1.0);
  EXPECT_DOUBLE_EQ(p.lengths.two_part, p.lengths.model + p.lengths.data);
  EXPECT_DOUBLE_EQ(p.lengths.learned_net, p.lengths.uniform - p.lengths.two_part);
  EXPECT_LE(p.quality_low, p.quality.value);
  EXPECT_GE(p.quality_high, p.quality.value);
  for (std::size_t i = 1; i < p.curve.size(); ++i)
    EXPECT_GE(p.curve[i].energy, p.curve[i - 1].energy);
  if (budget_j > 0.0) {
    EXPECT_LE(p.energy.value().in(joule), budget_j * (1.0 + 1e-12));
  }
}

TEST(Experiment, SweepsPrecisionsOnDigits) {
  const ExperimentResult r = run_experiment(digits({"32", "int8", "4>8@0.75"}));
  ASSERT_EQ(r.points.size(), 3u);
  for (const ExperimentPoint& p : r.points) {
    expect_consistent(p);
    EXPECT_GT(p.quality.value, 0.85) << p.precision;
    EXPECT_GT(p.lengths.learned_net, 0.0) << p.precision;
    EXPECT_EQ(p.steps, p.total_steps);
    EXPECT_EQ(p.stopped, "schedule ended");
    EXPECT_LT(p.lengths.prequential, p.lengths.uniform);
  }
  EXPECT_LT(r.points[1].energy.value(), 0.6 * r.points[0].energy.value());
  EXPECT_EQ(r.points[0].energy.origin(), Origin::Modelled);
  EXPECT_EQ(r.structure.size(), 19u);  // three runs at six widths, and the empty model
  EXPECT_EQ(r.structure.back().width, 0);
  EXPECT_EQ(r.structure.back().model_bits, 0.0);
  EXPECT_TRUE(r.structure[r.k_star_structure].on_hull);
  EXPECT_FALSE(r.measured_note.empty());
}

TEST(Experiment, ATargetLeavesTheBudgetToTraining) {
  ExperimentOptions options = digits({"32"}, 8.0);
  options.budget = 500e-6 * joule;
  const ExperimentResult without = run_experiment(options);
  options.target = 0.99;  // never certified here
  const ExperimentResult with = run_experiment(options);
  EXPECT_GT(with.points[0].quality.value, without.points[0].quality.value - 0.03);
  EXPECT_GT(with.points[0].energy.value(), 0.9 * without.points[0].energy.value());
  EXPECT_LE(with.points[0].energy.value(), options.budget);
}

TEST(Experiment, OfNoiseTheEmptyModelIsTheBest) {
  ExperimentOptions options = digits({"32"}, 4.0);
  options.shuffle_labels = true;
  const ExperimentResult r = run_experiment(options);
  EXPECT_EQ(r.k_star, 0.0);
  EXPECT_EQ(r.structure[r.k_star_structure].width, 0);
  EXPECT_LE(r.points[0].lengths.learned_net, 0.0);
}

TEST(Experiment, StoppedAnywhereHasTheRunsThatWereDone) {
  ExperimentOptions options = digits({"32", "int8"}, 1.0);
  carnot::testing::CountedStop never(INT64_MAX);
  options.stop = never.token();
  const ExperimentResult whole = run_experiment(options);
  EXPECT_FALSE(whole.stopped);
  ASSERT_GT(never.asked(), 4);
  for (std::int64_t k = 0; k < never.asked(); ++k) {
    carnot::testing::CountedStop stop(k);
    options.stop = stop.token();
    try {
      const ExperimentResult some = run_experiment(options);
      EXPECT_GT(k, 0);
      ASSERT_FALSE(some.points.empty()) << k;
      if (some.points.size() == 2 && some.points[1].steps == whole.points[1].steps) continue;
      EXPECT_TRUE(some.stopped) << k;
      EXPECT_EQ(some.points.back().stopped, "stopped by the caller") << k;
      EXPECT_LT(some.points.back().steps, whole.points.back().steps) << k;
      if (some.points.size() == 2) {
        EXPECT_EQ(some.points[0].quality.value, whole.points[0].quality.value);
      }
    } catch (const Stopped&) {
      EXPECT_EQ(k, 0) << "before the first run alone there is nothing";
    }
  }
}

TEST(Experiment, IsTheSameTwice) {
  const ExperimentResult a = run_experiment(digits({"int4"}, 1.0));
  const ExperimentResult b = run_experiment(digits({"int4"}, 1.0));
  EXPECT_EQ(a.points[0].counters, b.points[0].counters);
  EXPECT_EQ(a.points[0].quality.successes, b.points[0].quality.successes);
  EXPECT_EQ(a.points[0].lengths.two_part, b.points[0].lengths.two_part);
  EXPECT_EQ(a.k_star, b.k_star);
}

TEST(Experiment, NeverOverdrawsItsBudget) {
  const double full = run_experiment(digits({"int8"})).points[0].energy.value().in(joule);
  for (const double share : {1e-6, 0.05, 0.3, 0.9, 2.0}) {
    ExperimentOptions o = digits({"int8", "f32", "4>8@0.5"});
    o.budget = share * full * joule;
    const ExperimentResult r = run_experiment(o);
    for (const ExperimentPoint& p : r.points) {
      if (p.steps == 0) {
        EXPECT_EQ(p.stopped, "budget too small for one step");
        continue;
      }
      expect_consistent(p, o.budget.in(joule));
    }
    if (share == 0.9) {  // below that, packing the data alone costs more than half
      EXPECT_GT(r.points[0].energy.value().in(joule), 0.8 * o.budget.in(joule)) << "and uses it";
    }
  }
}

TEST(Experiment, NorWhereRowsOutgrowTheirGrids) {
  ExperimentOptions o = digits({"int8", "int4"});
  o.learner.learning_rate = 3.0;
  o.model_widths = {8};
  o.curve_points = 1;
  const double full = run_experiment(o).points[0].energy.value().in(joule);
  const auto expect_within = [&](double share) {
    o.budget = share * full * joule;
    for (const ExperimentPoint& p : run_experiment(o).points)
      EXPECT_LE(p.energy.value(), o.budget) << p.precision << ' ' << share;
  };
  for (int i = 1; i <= 4; ++i) expect_within(0.4 + 0.03 * i);
  for (int i = 1; i <= 12; ++i) expect_within(0.001 * i);  // the first steps
}

TEST(Experiment, StopsWhenTheTargetIsCertified) {
  ExperimentOptions o = digits({"int8"}, 12.0);
  o.curve_points = 12;
  o.target = 0.85;
  const ExperimentResult r = run_experiment(o);
  EXPECT_TRUE(r.target_met());
  EXPECT_THAT(r.points[0].stopped, HasSubstr("target certified at look"));
  EXPECT_LT(r.points[0].steps, r.points[0].total_steps);
  expect_consistent(r.points[0]);
  EXPECT_GE(r.points[0].curve.back().certified_bound, 0.85);
  o.target = 0.9999;  // 450 held-out rows cannot show that
  const ExperimentResult never = run_experiment(o);
  EXPECT_FALSE(never.target_met());
  EXPECT_EQ(never.points[0].stopped, "schedule ended");
}

TEST(Experiment, ShuffledLabelsTeachNothing) {
  ExperimentOptions o = digits({"int8", "f32"}, 2.0);
  o.shuffle_labels = true;
  for (const ExperimentPoint& p : run_experiment(o).points) {
    EXPECT_LE(p.lengths.learned_net, 0.0) << p.precision;
    EXPECT_LT(p.quality.value, 0.2);
  }
}

TEST(Experiment, StopsWhenTheCallerSaysSo) {
  ExperimentOptions o = digits({"int8", "f32"});
  o.progress = [](const ExperimentProgress& p) { return p.steps < 20; };
  const ExperimentResult r = run_experiment(o);
  EXPECT_TRUE(r.stopped);
  EXPECT_EQ(r.points.size(), 1u);
  EXPECT_EQ(r.points[0].stopped, "stopped by the caller");
}

TEST(Experiment, RefusesNonsense) {
  ExperimentOptions o = digits({"5"});
  EXPECT_THROW(run_experiment(o), InputError);
  o = digits({"8"});
  o.seeds = 0;
  EXPECT_THROW(run_experiment(o), InputError);
  o = digits({"8"});
  o.target = 1.5;
  EXPECT_THROW(run_experiment(o), InputError);
  o = digits({"8"});
  o.model_widths = {};
  EXPECT_THROW(run_experiment(o), InputError);
}

/// The whole claim, carried out: model and labels go through the coder, and the receiver, who has
/// the features alone, gets every label back within the stated length.
TEST(Experiment, TwoPartCodeIsDecodable) {
  const learn::Split split = learn::load_split(digits({}).data);
  learn::LearnerOptions options = digits({}).learner;
  options.model = "softmax";
  const auto learner = learn::make_learner(options, split.train);
  learner->train(learner->total_steps(), learn::Precision::parse("int8"));
  const auto parameters = learner->parameters();
  const auto rows = learn::parameter_rows(parameters, split.train.columns, split.train.classes);
  EXPECT_EQ(rows, (std::vector<std::size_t>{10, 1}));
  const auto model_bytes = learn::encode_model(learn::quantise_model(parameters, rows, 3));
  const auto sender = learn::rounded(parameters, rows, 3);
  const auto label_bytes = learn::encode_labels(
      split.train.labels, learn::forward(sender, split.train, 0, split.train.rows),
      split.train.classes);

  learn::Dataset receiver = split.train;
  receiver.labels.assign(receiver.rows, 0);
  const auto decoded = learn::coefficients(learn::decode_model(model_bytes));
  EXPECT_EQ(learn::decode_labels(label_bytes, learn::forward(decoded, receiver, 0, receiver.rows),
                                 receiver.classes, receiver.rows),
            split.train.labels);
  const double ideal = learn::model_length(parameters, rows, 3) +
                       learn::label_bits(sender, split.train, split.train.rows);
  const double written = 8.0 * static_cast<double>(model_bytes.size() + label_bytes.size());
  EXPECT_LE(std::abs(written - ideal), 0.01 * ideal + 64.0);
  EXPECT_LT(written, learn::uniform_length(split.train));
}

TEST(ExperimentSlow, LowPrecisionLearnsMoreBitsAJouleOnMnist) {
  CARNOT_NEED_SHARED_DATA(mnist, "mnist");
  ExperimentOptions o;
  o.data.path = "mnist";
  o.data.data_dir = shared_data("");
  o.learner.hidden = 128;
  o.learner.epochs = 4.0;
  o.bits = {"32", "8", "4"};
  o.curve_points = 6;
  const ExperimentResult r = run_experiment(o);
  for (const ExperimentPoint& p : r.points) {
    expect_consistent(p);
    EXPECT_GT(p.quality.value, r.points[0].quality.value - 0.006) << p.precision;
    EXPECT_GT(p.lengths.learned_net, 0.0) << p.precision;
    RecordProperty("bits_per_joule_" + p.precision, std::to_string(p.bits_per_joule));
  }
  EXPECT_GT(r.points[1].bits_per_joule, 3.0 * r.points[0].bits_per_joule);
  EXPECT_GT(r.points[2].bits_per_joule, 5.0 * r.points[0].bits_per_joule);
}

TEST(Forward, AgreesWithTheLearnersOwnEvaluation) {
  const learn::Split split = learn::load_split(digits({}).data);
  const auto learner = learn::make_learner(digits({}).learner, split.train);
  const auto f32 = learn::Precision::parse("f32");
  learner->train(60, f32);
  const double theirs = learner->evaluate(split.test, f32).bits_per_label;
  const double ours = learn::label_bits(learner->parameters(), split.test, split.test.rows) /
                      static_cast<double>(split.test.rows);
  EXPECT_NEAR(ours / theirs, 1.0, 1e-4);
  EXPECT_THROW(learn::forward({{1.0f}, {0.0f}}, split.test, 0, 1), InputError);
}

TEST(Schedule, ReadsStagesAndRefusesDisorder) {
  EXPECT_EQ(parse_schedule("8")[0].precision, learn::Precision::parse("int8"));
  const auto stages = parse_schedule("4>8@0.5>f32@0.9");
  ASSERT_EQ(stages.size(), 3u);
  EXPECT_EQ(stages[2].from, 0.9);
  EXPECT_EQ(stage_start(stages[1], 101), 51u);
  for (const char* bad : {"4>8", "4@0.5", "4>8@0.5>32@0.5", "4>8@1", "", "4>", "7"})
    EXPECT_THROW(parse_schedule(bad), InputError) << bad;
}

std::vector<StructurePoint> points_of(const std::vector<std::pair<double, double>>& coordinates) {
  std::vector<StructurePoint> out;
  for (const auto& [k, d] : coordinates) {
    StructurePoint p;
    p.model_bits = k;
    p.data_bits = d;
    out.push_back(p);
  }
  return out;
}

TEST(StructureFunction, FindsTheKnee) {
  auto points = points_of({{0, 100}, {10, 40}, {20, 39}, {30, 10}, {60, 8}, {80, 8}});
  EXPECT_EQ(structure_function(points, 0.0), 3u);
  EXPECT_FALSE(points[2].on_hull) << "above the line from 10 to 30";
  EXPECT_TRUE(points[1].on_hull);
  EXPECT_FALSE(points[5].on_hull) << "no data bit gained";
  EXPECT_EQ(structure_function(points, 0.5), 1u) << "slack prefers the smaller model";
  std::vector<StructurePoint> none;
  EXPECT_THROW(structure_function(none, 0.0), InputError);
  auto broken = points_of({{0, std::nan("")}});
  EXPECT_THROW(structure_function(broken, 0.0), InputError);
}

RC_GTEST_PROP(StructureFunction, HullIsConvexFallingAndBelowAllPoints, ()) {
  const auto n = *rc::gen::inRange<std::size_t>(1, 40);
  std::vector<std::pair<double, double>> c;
  for (std::size_t i = 0; i < n; ++i)
    c.emplace_back(*rc::gen::inRange(0, 50), *rc::gen::inRange(0, 50));
  auto points = points_of(c);
  const std::size_t star = structure_function(points, 0.0);
  std::vector<StructurePoint> hull;
  for (const auto& p : points)
    if (p.on_hull) hull.push_back(p);
  std::sort(hull.begin(), hull.end(),
            [](const auto& a, const auto& b) { return a.model_bits < b.model_bits; });
  RC_ASSERT(!hull.empty());
  for (std::size_t i = 1; i < hull.size(); ++i) {
    RC_ASSERT(hull[i].data_bits < hull[i - 1].data_bits);
    RC_ASSERT(hull[i].model_bits > hull[i - 1].model_bits);
  }
  for (std::size_t i = 2; i < hull.size(); ++i) {
    const auto slope = [&](std::size_t j) {
      return (hull[j].data_bits - hull[j - 1].data_bits) /
             (hull[j].model_bits - hull[j - 1].model_bits);
    };
    RC_ASSERT(slope(i) > slope(i - 1));
  }
  double least = 1e9;
  for (const auto& p : points) {
    least = std::min(least, p.model_bits + p.data_bits);
    for (std::size_t i = 1; i < hull.size(); ++i) {
      if (p.model_bits < hull[i - 1].model_bits || p.model_bits > hull[i].model_bits) continue;
      const double t =
          (p.model_bits - hull[i - 1].model_bits) / (hull[i].model_bits - hull[i - 1].model_bits);
      RC_ASSERT(p.data_bits >= (1 - t) * hull[i - 1].data_bits + t * hull[i].data_bits - 1e-9);
    }
  }
  RC_ASSERT(points[star].model_bits + points[star].data_bits == least);
}

TEST(Experiment, SaysWhatOneClassAloneWouldReach) {
  // 30 of 40 training rows and 12 of 20 held-out ones say class 1.
  learn::Split split;
  const auto fill = [](learn::Dataset& d, std::size_t rows, std::size_t ones) {
    d.rows = rows;
    d.columns = 1;
    d.classes = 2;
    d.class_names = {"no", "yes"};
    for (std::size_t r = 0; r < rows; ++r) {
      d.features.push_back(r % 2 == 0 ? 1.0f : -1.0f);
      d.labels.push_back(r < ones ? 1 : 0);
    }
  };
  fill(split.train, 40, 30);
  fill(split.test, 20, 12);
  ExperimentOptions options;
  options.learner.model = "logistic";
  options.learner.batch = 8;
  options.learner.epochs = 1;
  const ExperimentResult result = run_experiment(options, split);
  EXPECT_EQ(result.constant_class, "yes");
  EXPECT_DOUBLE_EQ(result.constant_accuracy, 0.6);
}

}  // namespace
}  // namespace carnot::experiment
