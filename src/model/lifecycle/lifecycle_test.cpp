// SPDX-License-Identifier: Apache-2.0
#include "carnot/model/lifecycle/lifecycle.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "carnot/base/error.hpp"

namespace carnot::model {
namespace {

ModelSource small() {
  return parse_transformer_config(
      R"({"model_type": "llama", "hidden_size": 2048, "intermediate_size": 8192,
          "num_hidden_layers": 16, "num_attention_heads": 32, "num_key_value_heads": 8,
          "vocab_size": 32000})",
      "small.json");
}

LifeCycleOptions options() {
  LifeCycleOptions o;
  o.training_tokens = 1e12;
  o.development = 0.5;
  o.tunings = 10;
  o.tuning_tokens = 1e9;
  o.answers = 1e9;
  o.training.batch = 64;
  o.training.context = 2048;
  o.training.split = ExplainSplit{1, 1, 64, 1};
  o.training.pue = o.answering.pue = 1.1;
  o.answering.batch = 32;
  o.account.location = "FR";
  return o;
}

TEST(LifeCycle, StagesSumToTheWhole) {
  const LifeCycle life = life_cycle(small(), ChipCatalogue::embedded(), options());
  ASSERT_EQ(life.stages.size(), 4u);
  EXPECT_LE(life.tree.worst_imbalance(), 1e-12);
  double sum = 0, carbon = 0;
  for (const LifeStage& s : life.stages) {
    sum += s.energy.value().in(joule);
    carbon += s.operational.value().in(gram);
  }
  EXPECT_NEAR(sum / life.energy.value().in(joule), 1, 1e-12);
  EXPECT_NEAR(carbon / life.operational.value().in(gram), 1, 1e-12);
  EXPECT_NEAR(life.stages[0].energy.value() / life.stages[1].energy.value(), 0.5, 1e-9);
  EXPECT_NEAR(life.stages[2].energy.value() / life.stages[1].energy.value(), 0.01, 1e-9);
  EXPECT_NEAR(life.energy.value() * life.grid.intensity.value() / life.operational.value(), 1,
              1e-12);
  EXPECT_GT(life.embodied.low(), Carbon{});
  EXPECT_LT(life.embodied.low(), life.embodied.high());
  // As many answers as break even cost what making it cost.
  EXPECT_NEAR(life.break_even_answers * life.answer.value().in(joule) /
                  (1.5 * life.stages[1].energy.value().in(joule)),
              1, 1e-9);
  // The rule of 6 N D is near the exact count, which attends besides and embeds for nothing.
  EXPECT_NEAR(life.exact_flops / life.six_nd, 1.1, 0.2);
  EXPECT_NEAR(life.learning_bound.in(joule), 2 * 1.38e9 * 1e12 * 1.380649e-23 * 300,
              0.2 * 2 * 1.38e9 * 1e12 * 4.14e-21);
  EXPECT_EQ(life.provider_unit, "FLOP");
  EXPECT_EQ(life.consumer_unit, "token");
}

// Twice the answers, twice their joules; nothing else moves.
TEST(LifeCycle, IsLinearInItsCounts) {
  LifeCycleOptions o = options();
  const LifeCycle one = life_cycle(small(), ChipCatalogue::embedded(), o);
  o.answers *= 2;
  const LifeCycle two = life_cycle(small(), ChipCatalogue::embedded(), o);
  EXPECT_NEAR(two.stages[3].energy.value() / one.stages[3].energy.value(), 2, 1e-12);
  EXPECT_NEAR(two.stages[1].energy.value() / one.stages[1].energy.value(), 1, 1e-12);
  EXPECT_NEAR(two.consumer.value() / one.consumer.value(), 1, 1e-12);
  EXPECT_NEAR(two.break_even_answers / one.break_even_answers, 1, 1e-12);
}

TEST(LifeCycle, WhatIsNotKnownSaysWhy) {
  LifeCycleOptions o = options();
  o.training_tokens = o.development = o.tunings = o.tuning_tokens = 0;
  const LifeCycle life = life_cycle(small(), ChipCatalogue::embedded(), o);
  EXPECT_TRUE(life.provider_unit.empty());
  EXPECT_THAT(life.remarks, testing::Contains(testing::HasSubstr("provider: N/A")));
  const Explanation e = explain(small(), ChipCatalogue::embedded(), o.answering);
  for (const GpaiField& field : gpai_fields(e, life)) {
    EXPECT_EQ(field.value.has_value(), field.reason.empty()) << field.field;
  }
  o = options();
  o.development = -1;
  EXPECT_THROW(life_cycle(small(), ChipCatalogue::embedded(), o), InputError);
  o = options();
  o.tuning_tokens = 0;
  EXPECT_THROW(life_cycle(small(), ChipCatalogue::embedded(), o), InputError);
}

}  // namespace
}  // namespace carnot::model
