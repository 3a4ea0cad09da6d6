// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"
#include "carnot/learn/data/text.hpp"
#include "carnot/learn/transformer/transformer.hpp"

#include "learn/transformer/scoring.hpp"

namespace carnot::learn {
namespace {

const char* const kPrecisions[] = {"f32", "bf16", "int8", "int4"};

/// Words of a small language, in random order: about 1.4 bits a letter once it is known.
std::string babble(std::size_t words, std::uint64_t seed) {
  static const char* const kWords[] = {"wind ", "power ", "joule ", "entropy ",
                                       "bit ",  "learn ", "cool ",  "grid "};
  const RandomStream random(seed, "babble");
  std::string text;
  for (std::size_t i = 0; i < words; ++i) text += kWords[random.below(i, 8)];
  return text;
}

LearnerOptions options(const std::string& objective = "causal") {
  LearnerOptions o;
  o.model = "transformer";
  o.transformer = {objective, 1, 2, 32, 32};
  o.batch = 8;
  o.epochs = 6.0;
  o.learning_rate = 0.01;
  o.weight_decay = 0.01;
  return o;
}

TEST(TransformerLearner, LearnsALanguageInEveryPrecision) {
  const Dataset text = training_text(babble(1500, 1), "babble");
  const Dataset held = text_like(text, babble(300, 2), "babble");
  for (const char* name : kPrecisions) {
    const auto learner = make_transformer(options(), text);
    const Quality before = learner->evaluate(held, Precision::parse(name));
    EXPECT_GT(before.bits_per_label, 3.5);
    learner->train(learner->total_steps(), Precision::parse(name));
    const Quality after = learner->evaluate(held, Precision::parse(name));
    // 3 bits a word of 5.5 letters are 0.55 a letter; order 0 is 3.9.
    EXPECT_LT(after.bits_per_label, std::string(name) == "int4" ? 1.2 : 0.8) << name;
    EXPECT_GT(after.bits_per_label, 0.50) << name;
    EXPECT_EQ(after.trials, held.rows);
    EXPECT_FALSE(learner->diverged());
  }
}

TEST(TransformerLearner, FillsHiddenPlacesOfALanguage) {
  const Dataset text = training_text(babble(2500, 1), "babble");
  LearnerOptions o = options("masked");
  o.epochs = 30.0;
  const auto learner = make_transformer(o, text);
  learner->train(learner->total_steps(), Precision::parse("int8"));
  const Dataset held = text_like(text, babble(300, 2), "babble");
  const Quality q = learner->evaluate(held, Precision::parse("int8"));
  EXPECT_GT(q.value, 0.8);
  EXPECT_EQ(learner->prequential_labels(), 0u);
  const std::string asked = "wind power joule entropy bit learn cool grid wind ";
  const Dataset short_text = text_like(text, asked, "short");
  std::vector<std::size_t> hidden{2, 7, 19, 26, 44};
  std::string broken = asked;
  const auto filled =
      fill_text(options("masked").transformer, learner->parameters(), short_text, hidden, nullptr);
  for (std::size_t i = 0; i < hidden.size(); ++i)
    broken[hidden[i]] = static_cast<char>(byte_of_symbol(text, filled[i]));
  EXPECT_EQ(broken, asked);
}

TEST(TransformerLearner, CountsEqualClosedForms) {
  const Dataset text = training_text(babble(400, 1), "babble");
  const Dataset held = text_like(text, babble(100, 2), "babble");
  for (const std::string objective : {"causal", "masked"}) {
    for (const char* name : kPrecisions) {
      const Precision p = Precision::parse(name), f32 = Precision::parse("f32");
      LearnerOptions o = options(objective);
      o.learning_rate = 1e-4;  // no row outgrows its grid, which is counted on top
      const auto learner = make_transformer(o, text);
      learner->train(2, f32);
      Counters before = learner->counters();
      learner->train(1, p);
      Counters expected = learner->switch_counters(f32, p);
      expected += learner->step_counters(p);
      EXPECT_EQ(learner->counters() - before, expected) << name;
      before = learner->counters();
      expected = learner->evaluation_counters(held.rows, p);
      learner->evaluate(held, p);
      EXPECT_EQ(learner->counters() - before, expected) << name;
      const std::vector<Precision> all{f32, Precision::parse("int8"), Precision::parse("int4")};
      before = learner->counters();
      expected = learner->noise_counters(all);
      const auto shares = learner->noise_shares(all);
      EXPECT_EQ(learner->counters() - before, expected) << name;
      EXPECT_LT(shares[0].gradient, 1e-6);
      EXPECT_GT(shares[2].gradient, 10 * shares[1].gradient);
    }
  }
}

TEST(TransformerLearner, SavedStateGoesOnExactly) {
  const Dataset text = training_text(babble(400, 1), "babble");
  for (const std::string objective : {"causal", "masked"}) {
    for (const char* name : kPrecisions) {
      const Precision p = Precision::parse(name), other = Precision::parse("int8");
      const auto whole = make_transformer(options(objective), text),
                 first = make_transformer(options(objective), text),
                 second = make_transformer(options(objective), text);
      whole->train(20, p);
      whole->train(5, other);
      first->train(11, p);
      const auto state = first->save();
      second->restore(state);
      EXPECT_EQ(second->save(), state);
      second->noise_shares({other});  // changes counts, not the course
      second->restore(state);
      second->train(9, p);
      second->train(5, other);
      EXPECT_EQ(whole->save(), second->save()) << name;
    }
  }
}

TEST(TransformerLearner, SpoiledStatesAreRefused) {
  const Dataset text = training_text(babble(400, 1), "babble");
  const auto learner = make_transformer(options(), text);
  learner->train(3, Precision::parse("int8"));
  const auto state = learner->save();
  LearnerOptions o = options();
  o.seed = 2;
  EXPECT_THROW(make_transformer(o, text)->restore(state), InputError);
  for (std::size_t cut = 0; cut < state.size(); cut += 1 + state.size() / 50) {
    const std::vector<std::uint8_t> part(state.begin(),
                                         state.begin() + static_cast<std::ptrdiff_t>(cut));
    EXPECT_THROW(learner->restore(part), InputError) << cut;
  }
  EXPECT_EQ(learner->save(), state);  // refusing changes nothing
}

TEST(TransformerLearner, IntegersAreTheSameForEveryInstructionSet) {
  const Dataset text = training_text(babble(300, 1), "babble");
  const std::string best = instruction_set();
  for (const char* name : {"int8", "int4"}) {
    std::vector<std::vector<std::uint8_t>> states;
    for (const char* set : {"scalar", "avx2", "avx512-vnni"}) {
      try {
        set_instruction_set(set);
      } catch (const InputError&) {
        continue;  // not on this machine
      }
      LearnerOptions o = options();
      o.threads = static_cast<int>(states.size()) + 1;
      const auto learner = make_transformer(o, text);
      learner->train(5, Precision::parse(name));
      states.push_back(learner->save());
    }
    for (const auto& state : states) EXPECT_EQ(state, states.front()) << name;
  }
  set_instruction_set(best);
}

TEST(TransformerLearner, PrequentialCodeMeetsEachSymbolOnce) {
  const Dataset text = training_text(babble(400, 1), "babble");
  const auto learner = make_transformer(options(), text);
  learner->train(learner->total_steps(), Precision::parse("f32"));
  EXPECT_EQ(learner->prequential_labels(), text.rows / 32 * 32);
  EXPECT_GT(learner->prequential_bits(), 0.0);
  EXPECT_LT(learner->prequential_bits(), 3.9 * static_cast<double>(text.rows));
}

TEST(TransformerLearner, ScoringTellsEachSymbolOnceWhateverTheLength) {
  // A causal score is a code: its symbols' bits must be those of windows written out by hand.
  const Dataset text = training_text(babble(100, 1), "babble");
  for (const std::size_t rows : {1u, 2u, 31u, 32u, 33u, 48u, 49u, 100u}) {
    Transformer network(shape_of(options().transformer, text.classes), 0.0, 1);
    Counters count;
    const Dataset part = part_of_text(text, 5, rows);
    const TextScore found = score(network, part, &count);
    EXPECT_EQ(found.symbols, rows);
    EXPECT_EQ(count, scoring_counters(network.shape(), Precision::parse("f32"), rows)) << rows;
  }
  // No symbol may help to say itself: changing the last one changes no bits of those before.
  Transformer network(shape_of(options().transformer, text.classes), 0.0, 1);
  Dataset a = part_of_text(text, 0, 32), b = a;
  b.labels.back() = (a.labels.back() + 1) % static_cast<std::uint32_t>(text.classes);
  std::vector<double> nats_a, nats_b;
  for (auto* set : {&a, &b}) {
    std::vector<std::uint32_t> inputs{static_cast<std::uint32_t>(text.classes + kStartSymbol)};
    inputs.insert(inputs.end(), set->labels.begin(), set->labels.end() - 1);
    network.forward(inputs, 32, nullptr);
    const std::vector<std::int32_t> targets(set->labels.begin(), set->labels.end());
    network.differentiate(targets, set == &a ? nats_a : nats_b, nullptr);
  }
  nats_a.pop_back();
  nats_b.pop_back();
  EXPECT_EQ(nats_a, nats_b);
}

TEST(TransformerLearner, OptionsThatDoNotFitAreRefused) {
  const Dataset text = training_text(babble(100, 1), "babble");
  const auto with = [&](auto change) {
    LearnerOptions o = options();
    change(o);
    return make_transformer(o, text);
  };
  EXPECT_THROW(with([](LearnerOptions& o) { o.transformer.width = 40; }), InputError);
  EXPECT_THROW(with([](LearnerOptions& o) { o.transformer.heads = 3; }), InputError);
  EXPECT_THROW(with([](LearnerOptions& o) { o.transformer.heads = 0; }), InputError);
  EXPECT_THROW(with([](LearnerOptions& o) { o.transformer.layers = 0; }), InputError);
  EXPECT_THROW(with([](LearnerOptions& o) { o.transformer.context = 4096; }), InputError);
  EXPECT_THROW(with([](LearnerOptions& o) { o.transformer.objective = "both"; }), InputError);
  EXPECT_THROW(with([](LearnerOptions& o) { o.batch = 0; }), InputError);
  EXPECT_THROW(make_transformer(options(), embedded_digits()), InputError);
}

TEST(Text, SymbolsAreTheBytesThatOccurAndOneForTheRest) {
  const std::string bytes = babble(30, 1) + "\n\t\\\xff";
  const Dataset text = training_text(bytes, "t");
  EXPECT_TRUE(is_text(text));
  ASSERT_EQ(text.rows, bytes.size());
  EXPECT_EQ(text.class_names.back(), "(other)");
  for (std::size_t i = 0; i < bytes.size(); ++i)
    EXPECT_EQ(byte_of_symbol(text, text.labels[i]), static_cast<unsigned char>(bytes[i]));
  const Dataset other = text_like(text, "ZZw", "o");
  EXPECT_EQ(other.labels[0], text.classes - 1);
  EXPECT_EQ(byte_of_symbol(text, other.labels[0]), -1);
  EXPECT_EQ(byte_of_symbol(text, other.labels[2]), 'w');
  EXPECT_THROW(training_text(std::string(100, 'a'), "t"), InputError);
  EXPECT_THROW(training_text("short", "t"), InputError);
  EXPECT_THROW(text_like(embedded_digits(), "abc", "t"), InputError);
}

}  // namespace
}  // namespace carnot::learn
