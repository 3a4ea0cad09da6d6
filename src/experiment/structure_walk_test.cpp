// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/experiment/structure.hpp"
#include "carnot/experiment/tradeoff.hpp"

namespace carnot::experiment {
namespace {

const learn::Split& digits() {
  static const learn::Split kSplit = [] {
    learn::DatasetOptions o;
    o.path = "digits";
    return learn::load_split(o);
  }();
  return kSplit;
}

StructureOptions options() {
  StructureOptions o;
  o.experiment.learner.model = "mlp";
  o.experiment.epochs = {60};
  o.price = 3;
  o.rungs = {0, 4, 8, 16, 64, 256};
  return o;
}

double length(const CodedPoint& p) { return p.model_bits + p.data_bits; }

TEST(StructureWalk, EndsBeyondKStarAndFindsWhatAllSizesWouldHave) {
  StructureOptions o = options();
  const StructureResult walked = walk_structure(o, digits(), learn::EnergyTable::embedded());
  EXPECT_TRUE(walked.stopped_early);
  EXPECT_LT(walked.rungs_done, walked.rungs_all);
  EXPECT_GT(walked.net_bits, 0.5 * walked.uniform_bits);
  EXPECT_LT(walked.spent, 0.5 * walked.all);
  o.exhaustive = true;
  const StructureResult all = walk_structure(o, digits(), learn::EnergyTable::embedded());
  EXPECT_EQ(all.rungs_done, walked.rungs_done);
  EXPECT_NEAR(all.spent.in(joule), walked.spent.in(joule), 1e-12 * walked.spent.in(joule));
  EXPECT_NEAR(all.all.in(joule), walked.all.in(joule), 1e-9 * walked.all.in(joule));  // closed form
  EXPECT_NEAR(all.points[all.k_star].model_bits, walked.points[walked.k_star].model_bits, 1e-9);
  EXPECT_NEAR(all.exhaustive_k_star, walked.points[walked.k_star].model_bits,
              0.1 * walked.points[walked.k_star].model_bits + 1.0);
}

TEST(StructureWalk, HullFallsAndIsConvexAndHoldsTheEmptyModel) {
  const StructureResult r = walk_structure(options(), digits(), learn::EnergyTable::embedded());
  ASSERT_EQ(r.points.front().model_bits, 0.0);
  EXPECT_TRUE(r.points.front().on_hull);
  EXPECT_DOUBLE_EQ(r.points.front().data_bits, learn::uniform_length(digits().train));
  std::vector<const CodedPoint*> hull;
  for (const CodedPoint& p : r.points)
    if (p.on_hull) hull.push_back(&p);
  std::sort(hull.begin(), hull.end(),
            [](const auto* a, const auto* b) { return a->model_bits < b->model_bits; });
  double slope = -1e300;
  for (std::size_t i = 1; i < hull.size(); ++i) {
    const double next = (hull[i]->data_bits - hull[i - 1]->data_bits) /
                        (hull[i]->model_bits - hull[i - 1]->model_bits);
    EXPECT_LT(next, 0.0);
    EXPECT_GE(next, slope);
    slope = next;
  }
  for (const CodedPoint& p : r.points) EXPECT_GE(length(p), length(r.points[r.shortest]));
}

TEST(StructureWalk, ShuffledLabelsTeachNothingAndEndTheWalk) {
  StructureOptions o = options();
  o.experiment.shuffle_labels = true;
  o.price = 12;
  o.rungs = {0, 4, 8, 16, 32, 64, 128, 256, 512};
  const StructureResult r = walk_structure(o, digits(), learn::EnergyTable::embedded());
  EXPECT_LE(r.net_bits, 0.0);
  EXPECT_EQ(r.k_star, 0u);
  EXPECT_EQ(r.rungs_done, 2u);
  EXPECT_LE(r.spent, 0.05 * r.all);
}

TEST(StructureWalk, DearJoulesChooseTheEmptyModel) {
  StructureOptions o = options();
  o.rungs = {0, 4};
  o.joule_price = 1e12;
  StructureResult r = walk_structure(o, digits(), learn::EnergyTable::embedded());
  EXPECT_EQ(r.energy_priced, 0u);
  o.joule_price = 0.0;
  r = walk_structure(o, digits(), learn::EnergyTable::embedded());
  EXPECT_EQ(r.energy_priced, r.shortest);
  o.rungs = {4, 4};
  EXPECT_THROW(walk_structure(o, digits(), learn::EnergyTable::embedded()), InputError);
}

TEST(StructureWalk, TreesWalkOverTheirLeaves) {
  StructureOptions o;
  o.experiment.learner.model = "gbdt";
  o.experiment.tree.trees = 6;
  o.rungs = {2, 4, 8};
  const StructureResult r = walk_structure(o, digits(), learn::EnergyTable::embedded());
  EXPECT_GE(r.rungs_done, 2u);
  EXPECT_GT(r.points.size(), 3u);
  EXPECT_GT(r.points[r.shortest].held_out_quality, 0.3);
}

TEST(Tradeoff, FrontIsWhatNothingBeats) {
  ExperimentOptions o;
  o.learner.model = "mlp";
  o.bits = {"f32", "int8", "int4"};
  o.hidden = {4, 16};
  o.epochs = {3};
  o.seeds = 2;
  o.learner.threads = 1;
  const ExperimentResult result = run_experiment(o, digits());
  const TradeoffResult r = tradeoff(result);
  ASSERT_EQ(r.modes.size(), 6u);
  std::size_t front = 0;
  for (const Mode& m : r.modes) {
    EXPECT_EQ(m.seeds, 2);
    EXPECT_GT(m.rows_per_second, 0.0);
    bool beaten = false;
    for (const Mode& other : r.modes)
      beaten =
          beaten || (other.quality > m.quality && other.energy < m.energy && other.time < m.time);
    EXPECT_FALSE(beaten && m.in_front);
    front += m.in_front ? 1u : 0u;
  }
  EXPECT_GE(front, 2u);
  EXPECT_DOUBLE_EQ(r.modes[r.best].relative_time, 1.0);
  EXPECT_DOUBLE_EQ(r.modes[r.best].relative_power, 1.0);
  EXPECT_TRUE(r.modes[r.best].in_front);
  EXPECT_THROW(tradeoff(ExperimentResult{}), InputError);
}

TEST(Budget, MoreJoulesBuyNoWorseAndNoneIsOverdrawn) {
  ExperimentOptions o;
  o.learner.model = "softmax";
  o.bits = {"f32", "int8"};
  o.epochs = {8};
  const BudgetResult r = best_under(o, digits(), {20e-6 * joule, 200e-6 * joule, 5e-3 * joule});
  ASSERT_EQ(r.points.size(), 3u);
  for (const BudgetPoint& p : r.points) EXPECT_LE(p.spent, p.budget);
  EXPECT_LT(r.points[0].quality, r.points[2].quality);
  EXPECT_THROW(best_under(o, digits(), {2.0 * joule, 1.0 * joule}), InputError);
  EXPECT_THROW(best_under(o, digits(), {}), InputError);
}

}  // namespace
}  // namespace carnot::experiment
