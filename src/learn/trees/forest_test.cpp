// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/learn/trees/tree_learner.hpp"

#include "learn/trees/testing_tables.hpp"

namespace carnot::learn {
namespace {

LearnerOptions bagging(int threads = 1, std::uint64_t seed = 1) {
  LearnerOptions o;
  o.model = "forest";
  o.threads = threads;
  o.seed = seed;
  return o;
}

const Precision kF32 = Precision::parse("f32");

double brier(const TreeModel& model, const Dataset& data) {
  std::vector<float> s = scores(model, data);
  double sum = 0.0;
  for (std::size_t r = 0; r < data.rows; ++r)
    for (std::size_t k = 0; k < model.outputs; ++k) {
      const double truth = data.is_regression() ? static_cast<double>(data.targets[r])
                                                : static_cast<double>(data.labels[r] == k);
      const double e = static_cast<double>(s[r * model.outputs + k]) - truth;
      sum += e * e;
    }
  return sum / static_cast<double>(data.rows);
}

TEST(Forest, SameBytesForAnyNumberOfThreads) {
  for (const std::size_t classes : {0u, 3u}) {
    const Dataset data = small_table(1500, 6, classes, true, 2);
    std::vector<std::uint8_t> first;
    for (const int threads : {1, 2, 3}) {
      const auto learner = make_tree_learner({}, bagging(threads), data);
      learner->train(14, kF32);
      const std::vector<std::uint8_t> state = learner->save();
      if (first.empty())
        first = state;
      else
        EXPECT_EQ(state, first) << threads;
    }
  }
}

TEST(Forest, OutOfBagLossIsThatOfNewRows) {
  for (const std::size_t classes : {0u, 2u, 4u}) {
    const Dataset train = small_table(3000, 5, classes, false, 7);
    const Dataset test = small_table(3000, 5, classes, false, 8);
    TreeOptions options;
    options.trees = 60;
    options.settled = 0.0;
    const auto learner = make_tree_learner(options, bagging(2), train);
    learner->train(60, kF32);
    const double fresh = brier(learner->model(), test);
    EXPECT_NEAR(learner->judged_loss(), fresh, 0.08 * fresh) << classes << " classes";
  }
}

TEST(Forest, EndsWhereTheDrawOfBootstrapsNoLongerMatters) {
  const Dataset train = small_table(2000, 5, 2, false, 7);
  TreeOptions options;
  options.trees = 400;
  options.settled = 0.01;
  const auto learner = make_tree_learner(options, bagging(2), train);
  learner->train(400, kF32);
  EXPECT_LT(learner->steps_done(), 300u);
  EXPECT_GE(learner->steps_done(), 10u);
  EXPECT_NE(learner->ended_early(), "");
  // The spread over seeds of the out-of-bag loss at that count is what was promised, within the
  // error of twelve draws.
  std::vector<double> losses;
  double mean = 0.0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    TreeOptions fixed = options;
    fixed.trees = learner->steps_done();
    fixed.settled = 0.0;
    const auto again = make_tree_learner(fixed, bagging(2, 100 + seed), train);
    again->train(fixed.trees, kF32);
    losses.push_back(again->judged_loss());
    mean += losses.back() / 12.0;
  }
  double squares = 0.0;
  for (const double l : losses) squares += (l - mean) * (l - mean);
  EXPECT_LT(std::sqrt(squares / 11.0), 0.02 * mean);
}

TEST(Forest, GoesOnFromAStateAsIfNothingHadHappened) {
  const Dataset data = small_table(600, 4, 3, true, 4);
  TreeOptions options;
  options.trees = 20;
  const auto straight = make_tree_learner(options, bagging(2), data);
  straight->train(20, kF32);
  const auto first = make_tree_learner(options, bagging(1), data);
  first->train(7, kF32);
  const auto second = make_tree_learner(options, bagging(2), data);
  second->restore(first->save());
  second->train(13, kF32);
  EXPECT_EQ(second->model(), straight->model());
  EXPECT_EQ(second->judged_loss(), straight->judged_loss());
}

TEST(Forest, OneDeepTreeOfAllFeaturesFitsItsBootstrap) {
  const Dataset data = small_table(400, 6, 2, false, 9);
  TreeOptions options;
  options.trees = 1;
  options.feature_share = 1.0;
  const auto learner = make_tree_learner(options, bagging(), data);
  learner->train(1, kF32);
  // Rows of the bootstrap (63 %) are fitted but where equal rows have unequal labels.
  EXPECT_GT(learner->evaluate(data, kF32).value, 0.8);
  EXPECT_THROW(learner->train(1, gradient_precision(3)), InputError);
}

TEST(Forest, ACategoryIsOneFeature) {
  const Dataset data = category_table(1000, 10, 0.05, 3);
  TreeOptions options;
  options.trees = 30;
  const auto learner = make_tree_learner(options, bagging(), data);
  learner->train(30, kF32);
  ASSERT_EQ(learner->model().features.size(), 2u);
  EXPECT_GT(learner->evaluate(category_table(1000, 10, 0.0, 4), kF32).value, 0.97);
}

TEST(TreeModels, BrokenOnesAreRefused) {
  const Dataset data = small_table(300, 4, 3, false, 4);
  TreeOptions options;
  options.trees = 2;
  const auto learner = make_tree_learner(options, bagging(), data);
  learner->train(2, kF32);
  const TreeModel good = learner->model();
  EXPECT_NO_THROW(check_model(good));
  const auto refused = [&](auto&& spoil) {
    TreeModel bad = good;
    spoil(bad);
    EXPECT_THROW(check_model(bad), InputError);
  };
  refused([](TreeModel& m) { m.trees[0].nodes[0].left = 0; });
  refused([](TreeModel& m) { m.trees[0].nodes[0].feature = 99; });
  refused([](TreeModel& m) { m.trees[1].nodes.back().left = 1u << 20; });
  refused([](TreeModel& m) { m.trees[0].values.pop_back(); });
  refused([](TreeModel& m) { m.trees[0].nodes.clear(); });
  refused([](TreeModel& m) { m.features[1].column = 4; });
  refused([](TreeModel& m) { m.features[0].bins = 0; });
  refused([](TreeModel& m) { m.base.clear(); });
}

}  // namespace
}  // namespace carnot::learn
