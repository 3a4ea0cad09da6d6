// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"
#include "carnot/learn/data/dataset.hpp"
#include "carnot/learn/network/learner.hpp"

#include "learn/kernels/layer_kernels.hpp"
#include "learn/network/network.hpp"

namespace carnot::learn {
namespace {

const char* const kPrecisions[] = {"f32", "bf16", "int8", "int4", "d4w8g4"};

LearnerOptions options() {
  LearnerOptions o;
  o.hidden = 16;
  o.batch = 32;
  o.epochs = 3;
  o.learning_rate = 0.005;
  o.optimiser = "adam";
  o.weight_decay = 0.01;
  return o;
}

/// Adam as the paper writes it, in binary64.
struct PlainAdam {
  double m = 0.0, v = 0.0;
  int t = 0;
  double step(double w, double g, double rate, double decay) {
    ++t;
    m = 0.9 * m + 0.1 * g;
    v = 0.99 * v + 0.01 * g * g;
    const double m_hat = m / (1.0 - std::pow(0.9, t)), v_hat = v / (1.0 - std::pow(0.99, t));
    return w - rate * m_hat / (std::sqrt(v_hat) + 1e-8) - rate * decay * w;
  }
};

TEST(Adam, TheKernelFollowsThePaper) {
  constexpr std::size_t kN = 37;
  const RandomStream random(3, "adam");
  std::vector<float> w(kN), m(kN), v(kN), g(kN);
  std::vector<double> plain(kN);
  std::vector<PlainAdam> adam(kN);
  for (std::size_t i = 0; i < kN; ++i) plain[i] = w[i] = static_cast<float>(random.uniform(i));
  for (std::uint64_t t = 1; t <= 200; ++t) {
    for (std::size_t i = 0; i < kN; ++i)
      g[i] = static_cast<float>(std::pow(10.0, static_cast<double>(i % 7) - 5.0) *
                                (random.uniform(1000 * t + i) - 0.3));
    layer_kernels().adam_f32(w.data(), g.data(), m.data(), v.data(), kN, adam_step(0.01, 0.1, t));
    for (std::size_t i = 0; i < kN; ++i)
      plain[i] = adam[i].step(plain[i], static_cast<double>(g[i]), 0.01, 0.1);
  }
  for (std::size_t i = 0; i < kN; ++i) EXPECT_NEAR(w[i], plain[i], 2e-4) << i;
}

TEST(Adam, RoundedMomentsAndChangesHaveTheRightMean) {
  // One element with many keys: its moments and its change must be right on average.
  constexpr std::size_t kN = 20000;
  const float scale = 0.01f, factor = 0.003f;
  std::vector<std::int8_t> master(kN, 40), operand(kN);
  std::vector<std::int32_t> g(kN, 77);
  std::vector<float> like{0.0123f, 0.000456f};
  std::vector<std::uint16_t> m(kN), v(kN);
  for (std::size_t i = 0; i < kN; ++i) {
    m[i] = 0x3c4a;  // 0.01233
    v[i] = 0x39f0;  // 0.000458
  }
  const double m0 = static_cast<double>(from_bf16(0x3c4a)),
               v0 = static_cast<double>(from_bf16(0x39f0));
  const AdamStep step = adam_step(0.004, 0.0, 1000);
  layer_kernels().adam8(master.data(), g.data(), kN, factor, scale, m.data(), v.data(), step,
                        rounding_key(1, 2, 3), 0, 4, 7, operand.data());
  const double gradient = 77.0 * 0.003, m1 = 0.9 * m0 + 0.1 * gradient,
               v1 = 0.99 * v0 + 0.01 * gradient * gradient;
  const double change = 0.004 * m1 / (std::sqrt(v1) + 1e-8);
  double mean_m = 0.0, mean_v = 0.0, mean_w = 0.0;
  for (std::size_t i = 0; i < kN; ++i) {
    mean_m += static_cast<double>(from_bf16(m[i])) / kN;
    mean_v += static_cast<double>(from_bf16(v[i])) / kN;
    mean_w += static_cast<double>(scale) * static_cast<double>(master[i]) / kN;
  }
  EXPECT_NEAR(mean_m, m1, 3e-4 * m1);
  EXPECT_NEAR(mean_v, v1, 3e-4 * v1);
  EXPECT_NEAR(mean_w, 40.0 * 0.01 - change, 2e-4);
  EXPECT_EQ(operand[0], (master[0] + 8) >> 4);
}

TEST(Adam, CountsEqualTheClosedFormInEveryPrecision) {
  const Dataset digits = embedded_digits();
  for (const double decay : {0.0, 0.01}) {
    for (const char* name : kPrecisions) {
      LearnerOptions o = options();
      o.weight_decay = decay;
      o.epochs = 8;
      const auto learner = make_learner(o, digits);
      const Precision p = Precision::parse(name), f32 = Precision::parse("f32");
      const Counters change = learner->switch_counters(f32, p);
      learner->train(300, p);  // the first 256 may outgrow their grid
      const Counters before = learner->counters();
      learner->train(1, p);
      const Counters step = learner->counters() - before;
      EXPECT_EQ(step, learner->step_counters(p)) << name;
      const auto other = make_learner(o, digits);
      other->train(1, f32);
      const Counters start = other->counters();
      other->train(1, p);
      Counters both = change;
      both += other->step_counters(p);
      EXPECT_EQ(other->counters() - start, both) << name;
    }
  }
}

TEST(Adam, SavedStateGoesOnExactlyInEveryPrecision) {
  const Dataset digits = embedded_digits();
  for (const char* name : kPrecisions) {
    const Precision p = Precision::parse(name);
    const auto whole = make_learner(options(), digits), first = make_learner(options(), digits),
               second = make_learner(options(), digits);
    whole->train(60, p);
    first->train(25, p);
    second->restore(first->save());
    second->train(35, p);
    EXPECT_EQ(whole->save(), second->save()) << name;
  }
}

TEST(Adam, IntegerTrainingIsTheSameForEveryInstructionSet) {
  const Dataset digits = embedded_digits();
  const std::string best = instruction_set();
  for (const char* name : {"int8", "int4"}) {
    std::vector<std::vector<std::uint8_t>> states;
    for (const char* set : {"scalar", "avx2", "avx512-vnni"}) {
      try {
        set_instruction_set(set);
      } catch (const InputError&) {
        continue;  // not on this machine
      }
      const auto learner = make_learner(options(), digits);
      learner->train(40, Precision::parse(name));
      states.push_back(learner->save());
    }
    for (const auto& state : states) EXPECT_EQ(state, states.front()) << name;
  }
  set_instruction_set(best);
}

TEST(Adam, LearnsInEveryPrecisionAndAcrossChangesOfIt) {
  const Dataset digits = embedded_digits();
  LearnerOptions o = options();
  o.epochs = 10;
  o.learning_rate = 0.01;
  for (const char* name : kPrecisions) {
    const auto learner = make_learner(o, digits);
    const std::uint64_t half = learner->total_steps() / 2;
    learner->train(half, Precision::parse(name));
    learner->train(half + 1, Precision::parse(std::string(name) == "f32" ? "int8" : "f32"));
    EXPECT_GT(learner->evaluate(digits, Precision::parse("f32")).value, 0.97) << name;
  }
}

TEST(Adam, NoiseOfUpdatesGrowsWithFewerBits) {
  const Dataset digits = embedded_digits();
  const auto learner = make_learner(options(), digits);
  learner->train(50, Precision::parse("int8"));
  const std::vector<Precision> candidates{Precision::parse("f32"), Precision::parse("int8"),
                                          Precision::parse("int4")};
  const Counters before = learner->counters();
  const auto shares = learner->noise_shares(candidates);
  EXPECT_EQ(learner->counters() - before, learner->noise_counters(candidates));
  EXPECT_LT(shares[0].update, 1e-6);
  EXPECT_GT(shares[1].update, shares[0].update);
  EXPECT_GT(shares[2].update, 10 * shares[1].update);
}

TEST(Adam, OptionsThatDoNotGoTogetherAreRefused) {
  const Dataset digits = embedded_digits();
  const auto with = [&](auto change) {
    LearnerOptions o = options();
    change(o);
    return make_learner(o, digits);
  };
  EXPECT_THROW(with([](LearnerOptions& o) { o.momentum = 0.5; }), InputError);
  EXPECT_THROW(with([](LearnerOptions& o) { o.optimiser = "adagrad"; }), InputError);
  EXPECT_THROW(with([](LearnerOptions& o) { o.weight_decay = -1.0; }), InputError);
  EXPECT_THROW(with([](LearnerOptions& o) { o.optimiser = "sgd"; }), InputError);
}

}  // namespace
}  // namespace carnot::learn
