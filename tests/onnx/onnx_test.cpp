// SPDX-License-Identifier: Apache-2.0
// Exported models as this project's own reader of ONNX sees them. What an outside runtime makes of
// them is tests/onnx/check.
#include "carnot/model/workload/onnx.hpp"

#include <gtest/gtest.h>

#include "carnot/learn/data/text.hpp"
#include "carnot/learn/learners/learners.hpp"
#include "carnot/learn/saved/onnx_export.hpp"

namespace carnot {
namespace {

learn::SavedModel perceptron(std::size_t inputs, std::size_t hidden, std::size_t classes) {
  learn::SavedModel m;
  m.learner = "mlp";
  m.shape.columns = inputs;
  m.shape.classes = classes;
  for (std::size_t k = 0; k < classes; ++k) m.shape.class_names.push_back(std::to_string(k));
  m.shape.unsigned_features = true;
  m.parameters = {std::vector<float>(inputs * hidden, 0.5f), std::vector<float>(hidden, 0.1f),
                  std::vector<float>(hidden * classes, 0.25f), std::vector<float>(classes)};
  return m;
}

TEST(OnnxExport, OwnReaderCountsThePerceptronsProducts) {
  const learn::SavedModel m = perceptron(36, 7, 4);
  model::OnnxOptions options;
  options.dimensions["rows"] = 5;
  const model::Workload w = model::parse_onnx(learn::to_onnx(m), "m.onnx", options);
  ASSERT_EQ(w.unknown.size(), 1u);  // classes to words: no arithmetic
  EXPECT_EQ(w.unknown[0].type, "ai.onnx.ml::LabelEncoder");
  EXPECT_EQ(w.parameters, 36u * 7 + 7 + 7 * 4 + 4);
  std::uint64_t macs = 0;
  for (const model::Operator& o : w.operators) macs += o.counts.macs;
  EXPECT_EQ(macs, 5u * (36 * 7 + 7 * 4));
  EXPECT_EQ(learn::to_onnx(m), learn::to_onnx(m));
}

TEST(OnnxExport, OwnReaderCountsTheTransformersProducts) {
  std::string text;
  for (int i = 0; i < 400; ++i) text += static_cast<char>('a' + i * i % 7);
  const learn::Dataset train = learn::few_rows(learn::training_text(text, "text"), 400);
  learn::LearnerOptions o;
  o.model = "transformer";
  o.optimiser = "adam";
  o.transformer = {"causal", 3, 2, 16, 10};
  o.batch = 2;
  o.epochs = 1;
  o.learning_rate = 0.01;
  const auto learner = learn::make_any_learner(o, train);
  const learn::SavedModel m = learn::saved_model(*learner, o, train, 32);
  model::OnnxOptions options;
  options.dimensions = {{"texts", 2}, {"length", 9}};
  const model::Workload w = model::parse_onnx(learn::to_onnx(m), "m.onnx", options);
  EXPECT_TRUE(w.unknown.empty());
  std::uint64_t macs = 0;
  for (const model::Operator& each : w.operators) macs += each.counts.macs * each.repeats;
  EXPECT_EQ(macs, 2u * 9 * (3 * 12 * 16 * 16 + 16 * train.classes) + 2u * 3 * 2 * 9 * 9 * 16);
}

}  // namespace
}  // namespace carnot
