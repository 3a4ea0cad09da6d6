// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"
#include "carnot/learn/data/text.hpp"
#include "carnot/learn/learners/learners.hpp"
#include "carnot/learn/saved/saved_model.hpp"
#include "carnot/learn/transformer/transformer.hpp"

namespace carnot::learn {
namespace {

struct Trained {
  Dataset text;
  LearnerOptions options;
  std::unique_ptr<Learner> learner;
};

Trained trained() {
  std::string bytes;
  for (int i = 0; i < 40; ++i) bytes += i % 3 == 0 ? "less heat, " : "more bits, ";
  Trained t;
  t.text = training_text(bytes, "t");
  t.options.model = "transformer";
  t.options.transformer = {"causal", 1, 2, 32, 16};
  t.options.batch = 4;
  t.options.epochs = 10;
  t.options.learning_rate = 0.01;
  t.learner = make_any_learner(t.options, t.text);
  t.learner->train(t.learner->total_steps(), Precision::parse("int8"));
  return t;
}

TEST(SavedText, AModelComesBackAndScoresTheSame) {
  const Trained t = trained();
  for (const int width : {32, 16}) {
    const SavedModel model = saved_model(*t.learner, t.options, t.text, width);
    const auto bytes = pack_model(model);
    const SavedModel read = unpack_model(bytes);
    EXPECT_TRUE(read.is_text());
    EXPECT_EQ(read.transformer, t.options.transformer);
    EXPECT_EQ(read.parameters, model.parameters);
    EXPECT_EQ(pack_model(read), bytes);
    const Dataset text = text_like(read.shape, "less heat, more bits, Z", "x");
    EXPECT_EQ(score_text(read.transformer, read.parameters, text).bits,
              score_text(t.options.transformer, model.parameters, text).bits);
    EXPECT_EQ(text.labels.back(), t.text.classes - 1);
    EXPECT_THROW(predict(read, text), InputError);
  }
}

TEST(SavedText, SpoiledFilesAreRefusedOrHarmless) {
  const Trained t = trained();
  const auto bytes = pack_model(saved_model(*t.learner, t.options, t.text, 4));
  for (std::size_t cut = 0; cut < bytes.size(); cut += 97)
    EXPECT_THROW(unpack_model(std::span(bytes).first(cut)), InputError);
  const RandomStream random(3, "spoil");
  for (std::uint64_t i = 0; i < 300; ++i) {
    auto spoiled = bytes;
    spoiled[random.below(2 * i, spoiled.size())] ^=
        static_cast<std::uint8_t>(1u << random.below(2 * i + 1, 8));
    EXPECT_THROW(unpack_model(spoiled), InputError) << i;  // the checksum tells
  }
}

}  // namespace
}  // namespace carnot::learn
