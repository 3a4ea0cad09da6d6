// SPDX-License-Identifier: Apache-2.0
// Tables as nobody wants them: each learner says something right, or what is wrong.
#include <cmath>
#include <string>

#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"
#include "carnot/learn/learners/learners.hpp"
#include "carnot/learn/trees/tree_learner.hpp"

#include "base/testing_files.hpp"

namespace carnot::learn {
namespace {

Split read(const std::string& text) {
  const TemporaryFolder folder;
  DatasetOptions o;
  o.path = folder.write("odd.csv", text);
  return load_split(o);
}

std::string said(const std::string& text) {
  try {
    read(text);
  } catch (const InputError& error) {
    return error.what();
  }
  return {};
}

double quality(const Split& split, const char* model) {
  LearnerOptions o;
  o.model = model;
  const TrainingDefaults fits = defaults_for(o, split.train);
  o.batch = fits.batch;
  o.epochs = fits.epochs;
  o.learning_rate = fits.learning_rate;
  const bool trees = o.model == "gbdt" || o.model == "forest";
  const auto learner = trees ? std::unique_ptr<Learner>(make_tree_learner({}, o, split.train))
                             : make_any_learner(o, split.train);
  const Precision f32 = Precision::parse("f32");
  learner->train(learner->total_steps(), f32);
  return learner->evaluate(split.test, f32).value;
}

TEST(OddTables, LabelsOfOneKindOneRowAndInfinityAreNamed) {
  const RandomStream random(1, "odd");
  std::string constant = "a,label\n", infinite = "a,label\n", number = "a,target\n";
  for (std::size_t r = 0; r < 40; ++r) {
    const std::string x = std::to_string(random.uniform(r));
    constant += x + ",yes\n";
    number += x + ",3.5\n";
    infinite += (r == 7 ? "inf" : x) + "," + (r % 2 == 0 ? "u" : "v") + "\n";
  }
  EXPECT_NE(said(constant).find("every row says `yes`"), std::string::npos) << said(constant);
  EXPECT_NE(said(number).find("two different values"), std::string::npos) << said(number);
  EXPECT_NE(said("a,label\n1,yes\n").find("at least two classes"), std::string::npos);
  EXPECT_NE(said("a,label\n1,yes\n2,no\n").find("more rows"), std::string::npos);
  EXPECT_NE(said(infinite).find("odd.csv:9: a: a finite number"), std::string::npos)
      << said(infinite);
}

TEST(OddTables, AColumnThatIsAlwaysMissingChangesNothing) {
  const RandomStream random(2, "odd");
  std::string text = "a,nothing,label\n";
  for (std::size_t r = 0; r < 400; ++r) {
    const double x = random.uniform(r);
    text += std::to_string(x) + ",," + (x > 0.5 ? "y" : "n") + "\n";
  }
  const Split split = read(text);
  for (const float v : split.train.features) ASSERT_TRUE(std::isfinite(v));
  for (const char* model : {"mlp", "logistic", "gbdt", "forest"})
    EXPECT_GT(quality(split, model), 0.9) << model;
}

TEST(OddTables, ACategoryOfManyLevelsIsOneColumn) {
  const RandomStream random(3, "odd");
  std::string text = "a,code,label\n";
  for (std::size_t r = 0; r < 100000; ++r) {
    const double x = random.uniform(r);
    text += std::to_string(x) + ",k" + std::to_string(r) + "x," + (x > 0.5 ? "y" : "n") + "\n";
  }
  const Split split = read(text);
  EXPECT_EQ(split.train.columns, 2u);
  const Split few{few_rows(split.train, 2000), few_rows(split.test, 500)};
  for (const char* model : {"mlp", "gbdt"}) EXPECT_GT(quality(few, model), 0.9) << model;
}

TEST(OddTables, MoreColumnsThanSumsCanHoldAreRefusedByNetworks) {
  Dataset wide;
  wide.rows = 4;
  wide.columns = 65537;
  wide.classes = 2;
  wide.class_names = {"a", "b"};
  wide.labels = {0, 1, 0, 1};
  wide.features.assign(wide.rows * wide.columns, 0.5f);
  LearnerOptions o;
  o.model = "softmax";
  o.batch = 2;
  EXPECT_THROW(make_any_learner(o, wide), InputError);
}

}  // namespace
}  // namespace carnot::learn
