// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/trees/tree_code.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/learn/trees/tree_learner.hpp"

#include "learn/trees/testing_tables.hpp"

namespace carnot::learn {
namespace {

std::unique_ptr<TreeLearner> trained(const char* kind, const Dataset& data) {
  LearnerOptions learner;
  learner.model = kind;
  TreeOptions options;
  options.trees = 12;
  auto out = make_tree_learner(options, learner, data);
  out->train(12, Precision::parse("f32"));
  return out;
}

TEST(TreeCode, ComesBackAndIsAsLongAsItSays) {
  for (const char* kind : {"gbdt", "forest"})
    for (const Dataset& data : {small_table(800, 4, 0, true, 1), small_table(800, 4, 3, true, 2),
                                category_table(800, 9, 0.1, 3)}) {
      const auto learner = trained(kind, data);
      const TreeModel& model = learner->model();
      for (const int bits : {2, 4, 8, 12, 32}) {
        const std::vector<std::uint8_t> bytes = encode_trees(model, bits);
        TreeModel back = model;
        decode_trees(bytes, back);
        // The receiver's scores are those of the rounded leaves.
        TreeModel rounded = model;
        const auto leaves = rounded_leaves(model, bits);
        for (std::size_t t = 0; t < leaves.size(); ++t) rounded.trees[t].values = leaves[t];
        EXPECT_EQ(scores(back, data), scores(rounded, data)) << kind << " " << bits;
        const std::size_t all[] = {model.trees.size()};
        const double length = tree_code_lengths(model, bits, all)[0];
        EXPECT_NEAR(length, 8.0 * static_cast<double>(bytes.size()), 0.01 * length + 64.0);
      }
      EXPECT_EQ(rounded_leaves(model, 32).back(), model.trees.back().values);
    }
}

TEST(TreeCode, PrefixesAscendAndLeavesAreRoundedToHalfAStep) {
  const Dataset data = small_table(800, 4, 2, false, 5);
  const TreeModel model = trained("gbdt", data)->model();
  const std::size_t prefixes[] = {0, 1, 1, 5, 12};
  const std::vector<double> lengths = tree_code_lengths(model, 6, prefixes);
  EXPECT_LT(lengths[0], 64.0);
  EXPECT_EQ(lengths[1], lengths[2]);
  EXPECT_LT(lengths[2], lengths[3]);
  EXPECT_LT(lengths[3], lengths[4]);
  const auto leaves = rounded_leaves(model, 6);
  for (std::size_t t = 0; t < leaves.size(); ++t) {
    float most = 0.0f;
    for (const float v : model.trees[t].values) most = std::max(most, std::abs(v));
    for (std::size_t i = 0; i < leaves[t].size(); ++i)  // a step is at most 2 most / 31
      EXPECT_LE(std::abs(leaves[t][i] - model.trees[t].values[i]), most / 31.0f * 1.0001f);
  }
  EXPECT_THROW(rounded_leaves(model, 13), InputError);
}

TEST(TreeCode, BrokenMessagesAreRefusedOrHarmless) {
  const Dataset data = small_table(500, 4, 3, true, 6);
  const TreeModel model = trained("gbdt", data)->model();
  const std::vector<std::uint8_t> good = encode_trees(model, 8);
  for (std::size_t i = 0; i < 3000; ++i) {
    std::vector<std::uint8_t> bad = good;
    bad[(i * 7919) % bad.size()] ^= static_cast<std::uint8_t>(1u << (i % 8));
    if (i % 3 == 0) bad.resize(bad.size() / (2 + i % 5));
    TreeModel back = model;
    try {
      decode_trees(bad, back);
      scores(back, data);
    } catch (const InputError&) {
    }
  }
}

}  // namespace
}  // namespace carnot::learn
