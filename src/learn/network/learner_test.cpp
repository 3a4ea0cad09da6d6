// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/network/learner.hpp"

#include <cmath>
#include <cstring>

#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"

#include "learn/network/sgd_learner.hpp"

namespace carnot::learn {
namespace {

/// Blobs in [0, 1]^columns, one centre a class; learnable but not trivially.
Dataset blobs(std::size_t rows, std::size_t columns, std::size_t classes, bool unit = true,
              std::uint64_t seed = 3) {
  const RandomStream centre(11, "centre"), noise(seed, "noise"), pick(seed, "pick");
  Dataset data;
  data.rows = rows;
  data.columns = columns;
  data.classes = classes;
  data.unsigned_features = unit;
  for (std::size_t i = 0; i < rows; ++i) {
    const auto label = static_cast<std::uint32_t>(pick.below(i, classes));
    data.labels.push_back(label);
    for (std::size_t j = 0; j < columns; ++j) {
      const double c = centre.uniform(label * columns + j);
      double x = 0.7 * c + 0.3 * noise.uniform(i * columns + j);
      if (!unit) x = 4.0 * x - 2.0;
      data.features.push_back(static_cast<float>(x));
    }
  }
  return data;
}

Dataset plane(std::size_t rows, std::size_t columns) {
  Dataset data = blobs(rows, columns, 2, false);
  data.labels.clear();
  data.classes = 0;
  const RandomStream noise(5, "noise");
  for (std::size_t i = 0; i < rows; ++i) {
    double y = 0.1 * (noise.uniform(i) - 0.5);
    for (std::size_t j = 0; j < columns; ++j) {
      y += static_cast<double>(data.features[i * columns + j]) * (j % 2 == 0 ? 0.3 : -0.2);
    }
    data.targets.push_back(static_cast<float>(y));
  }
  return data;
}

LearnerOptions small(const std::string& model) {
  LearnerOptions options;
  options.model = model;
  options.hidden = 20;
  options.batch = 32;
  options.epochs = 10;
  options.learning_rate = model == "linear" ? 0.1 : 0.3;
  return options;
}

const char* const kPrecisions[] = {"f32", "bf16", "int8", "int4", "int2", "d8w4g8", "d4w8g2"};

TEST(Learner, LearnsInEveryPrecision) {
  const Dataset train = blobs(2000, 30, 5), test = blobs(500, 30, 5, true, 4);
  for (const char* name : kPrecisions) {
    auto learner = make_learner(small("mlp"), train);
    const auto p = Precision::parse(name);
    const double before = learner->evaluate(test, p).bits_per_label;
    EXPECT_EQ(learner->train(1u << 30, p), learner->total_steps());
    EXPECT_EQ(learner->train(10, p), 0u);
    const Quality q = learner->evaluate(test, p);
    EXPECT_EQ(q.metric, "accuracy");
    EXPECT_GT(q.value, p.data == 2 ? 0.85 : 0.97) << name;
    EXPECT_EQ(q.trials, 500u);
    EXPECT_DOUBLE_EQ(q.value, static_cast<double>(q.successes) / 500.0);
    EXPECT_LT(q.bits_per_label, before) << name;
    EXPECT_EQ(learner->prequential_labels(), 2000u);
    EXPECT_GT(learner->prequential_bits(), 2000 * learner->smoothed_loss());
  }
}

TEST(Learner, SignedInputsAndOtherModelsLearnToo) {
  for (const char* name : kPrecisions) {
    const auto p = Precision::parse(name);
    const bool coarse = p.data == 2 || p.gradient == 2;
    const Dataset two = blobs(1000, 12, 2, false);
    for (const char* model : {"logistic", "softmax", "mlp"}) {
      auto learner = make_learner(small(model), two);
      learner->train(learner->total_steps(), p);
      EXPECT_GT(learner->evaluate(two, p).value, 0.95) << model << ' ' << name;
    }
    const Dataset line = plane(1000, 12);
    for (const char* model : {"linear", "mlp"}) {
      auto learner = make_learner(small(model), line);
      learner->train(learner->total_steps(), p);
      const Quality q = learner->evaluate(line, p);
      EXPECT_EQ(q.metric, "r2");
      EXPECT_GT(q.value, coarse ? 0.2 : 0.9) << model << ' ' << name;
      EXPECT_TRUE(std::isnan(q.bits_per_label));
      EXPECT_EQ(learner->prequential_labels(), 0u);
    }
  }
}

TEST(DataCopies, AreSharedWhileHeldAndFollowTheirData) {
  Dataset data = blobs(70, 40, 4);
  data.features[0] = 0.0f;
  data.features[1] = 1.0f;
  DataCopies first(data), second(data);
  for (const int bits : {8, 4, 2, 16, 32}) {
    first.make(bits);
    second.make(bits);
    if (bits <= 8) {
      EXPECT_EQ(&first.store(bits), &second.store(bits)) << bits;
    }
  }
  // What is read is the nearest byte, or its upper half.
  const std::vector<std::uint32_t> rows = {69, 0, 3};
  Batch batch;
  for (const int bits : {8, 4}) {
    second.gather(rows, bits, batch);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      for (std::size_t c = 0; c < data.columns; ++c) {
        const int byte = round_to_nearest(data.features[rows[i] * data.columns + c] * 255.0f);
        EXPECT_EQ(batch.values.data()[i * batch.stride + c], bits == 8 ? byte : byte >> 4);
      }
    }
  }
  const Dataset equal = data;
  DataCopies other(equal);
  other.make(8);
  EXPECT_NE(&other.store(8), &first.store(8)) << "data sets are told apart by where they are";
  for (float& x : data.features) x = 1.0f - x;
  DataCopies changed(data);
  changed.make(8);
  EXPECT_NE(&changed.store(8), &first.store(8)) << "changed in place";
  const Dataset signed_data = blobs(70, 40, 4, false);
  DataCopies standardised(signed_data), again(signed_data);
  for (const int bits : {8, 4, 2}) {
    standardised.make(bits);
    again.make(bits);
    EXPECT_EQ(&standardised.store(bits), &again.store(bits)) << bits;
    EXPECT_EQ(standardised.store(bits).bits(), bits);
  }
}

// The gradient of the loss, against central differences.
TEST(Learner, FloatGradientIsTheDerivativeOfTheLoss) {
  for (const Loss loss : {Loss::Softmax, Loss::Logistic, Loss::Squared}) {
    const std::size_t outputs = loss == Loss::Softmax ? 3 : 1;
    Network network({{7, 5, outputs}, loss, false}, {}, 9, 1);
    Dataset data =
        loss == Loss::Squared ? plane(6, 7) : blobs(6, 7, loss == Loss::Softmax ? 3 : 2, false);
    DataCopies copies(data);
    Batch batch;
    const std::vector<std::uint32_t> rows = {0, 1, 2, 3, 4, 5};
    copies.gather(rows, 32, batch);
    std::vector<double> nats;
    const auto mean_loss = [&] {
      network.forward(batch, nullptr);
      network.differentiate(batch, nats, nullptr);
      double sum = 0;
      for (const double nat : nats) sum += nat;
      return sum / 6;
    };
    std::vector<std::vector<float>> gradient;
    for (const Layer& layer : network.layers()) gradient.emplace_back(layer.weights());
    mean_loss();
    network.backward(batch, {0.0f, 1, 1, &gradient}, nullptr);
    for (std::size_t l = 0; l < 2; ++l) {
      Layer& layer = network.layers()[l];
      for (std::size_t at = 0; at < layer.weights(); ++at) {
        auto* w = reinterpret_cast<float*>(layer.master.data()) + at / layer.inputs * layer.stride +
                  at % layer.inputs;
        const float before = *w;
        *w = before + 1e-3f;
        const double up = mean_loss();
        *w = before - 1e-3f;
        const double down = mean_loss();
        *w = before;
        EXPECT_NEAR(gradient[l][at], (up - down) / 2e-3, 2e-3) << l << ' ' << at;
      }
    }
  }
}

// Integer gradients average to the float gradient at the same rounded coefficients and inputs.
TEST(Learner, IntegerGradientsApproachTheFloatOnes) {
  const Dataset data = blobs(64, 40, 4);
  LearnerOptions options = small("mlp");
  options.batch = 64;
  auto learner = make_learner(options, data);
  const auto shares = learner->noise_shares({Precision::parse("bf16"), Precision::parse("int8"),
                                             Precision::parse("int4"), Precision::parse("int2")});
  ASSERT_EQ(shares.size(), 4u);
  EXPECT_LT(shares[0].gradient, 0.05);
  EXPECT_LT(shares[1].gradient, 0.05);
  EXPECT_GT(shares[2].gradient, shares[1].gradient);
  EXPECT_GT(shares[3].gradient, shares[2].gradient);
}

TEST(Learner, NoiseSharesDoNotDisturbTraining) {
  const Dataset data = blobs(500, 20, 3);
  const auto p = Precision::parse("int8");
  auto a = make_learner(small("mlp"), data), b = make_learner(small("mlp"), data);
  a->train(50, p);
  b->train(20, p);
  b->noise_shares({Precision::parse("int4"), Precision::parse("f32")});
  b->evaluate(data, Precision::parse("int4"));
  b->train(30, p);
  EXPECT_EQ(a->parameters(), b->parameters());
  EXPECT_EQ(a->prequential_bits(), b->prequential_bits());
}

// Same run cut in two through save and restore: equal to the bit, counters included.
TEST(Learner, SplitRunsAreEqual) {
  const Dataset data = blobs(700, 25, 4), signed_data = blobs(700, 25, 4, false);
  for (const char* name : kPrecisions) {
    for (const double momentum : {0.0, 0.9}) {
      for (const Dataset* d : {&data, &signed_data}) {
        LearnerOptions options = small("mlp");
        options.momentum = momentum;
        options.learning_rate = momentum > 0 ? 0.03 : 0.3;
        const auto p = Precision::parse(name);
        auto whole = make_learner(options, *d);
        whole->train(150, p);
        auto first = make_learner(options, *d);
        first->train(70, p);
        const auto state = first->save();
        auto second = make_learner(options, *d);
        second->restore(state);
        EXPECT_EQ(second->save(), state) << name;
        second->train(80, p);
        EXPECT_EQ(second->save(), whole->save()) << name << ' ' << momentum;
      }
    }
  }
}

TEST(Learner, RestoreRefusesEverythingElse) {
  const Dataset data = blobs(300, 10, 3), other = blobs(300, 10, 3, true, 99);
  auto learner = make_learner(small("mlp"), data);
  learner->train(20, Precision::parse("int4"));
  const auto state = learner->save();
  const auto refused = [&](const std::vector<std::uint8_t>& bytes) {
    const auto before = learner->save();
    EXPECT_THROW(learner->restore(bytes), InputError);
    EXPECT_EQ(learner->save(), before);  // nothing changed
  };
  refused({});
  refused({1, 2, 3});
  refused(std::vector<std::uint8_t>(5000, 0xAB));
  for (std::size_t cut = 0; cut < state.size(); cut += 97) {
    refused({state.begin(), state.begin() + static_cast<std::ptrdiff_t>(cut)});
  }
  for (std::size_t at = 0; at < state.size(); at += 131) {
    auto damaged = state;
    damaged[at] ^= 0x10;
    refused(damaged);
  }
  LearnerOptions wider = small("mlp");
  wider.hidden = 21;
  EXPECT_THROW(make_learner(wider, data)->restore(state), InputError);
  EXPECT_THROW(make_learner(small("mlp"), other)->restore(state), InputError);
}

// Bytes with a right checksum but wrong contents must be refused or be harmless, never crash.
TEST(Learner, RestoreSurvivesForgedStates) {
  const Dataset data = blobs(300, 10, 3);
  auto learner = make_learner(small("mlp"), data);
  learner->train(20, Precision::parse("int8"));
  const auto state = learner->save();
  for (std::size_t at = 8; at + 8 < state.size(); at += 7) {
    auto forged = state;
    forged[at] = static_cast<std::uint8_t>(forged[at] ^ (0xFF - at % 3));
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (std::size_t i = 0; i + 8 < forged.size(); ++i) hash = (hash ^ forged[i]) * 0x100000001b3u;
    std::memcpy(forged.data() + forged.size() - 8, &hash, 8);
    try {
      auto victim = make_learner(small("mlp"), data);
      victim->restore(forged);
      victim->train(2, Precision::parse("int8"));
    } catch (const InputError&) {
    }
  }
}

// 200 steps give the same bits in every instruction set, switches and refreshes included.
TEST(Learner, InstructionSetsAgreeToTheBit) {
  const std::string before = instruction_set();
  const Dataset data = blobs(900, 70, 4), signed_data = blobs(900, 70, 4, false);
  for (const char* name : {"int8", "int4", "int2", "d8w4g8", "d2w8g4"}) {
    for (const Dataset* d : {&data, &signed_data}) {
      std::vector<std::uint8_t> expected;
      int sets = 0;
      for (const char* set : {"scalar", "avx2", "avx512-vnni"}) {
        try {
          set_instruction_set(set);
        } catch (const InputError&) {
          continue;
        }
        ++sets;
        LearnerOptions options = small("mlp");
        options.hidden = 37;
        options.batch = 30;
        auto learner = make_learner(options, *d);
        learner->train(150, Precision::parse(name));
        learner->train(50, Precision::parse("int8"));
        const auto bits = learner->evaluate(*d, Precision::parse(name)).bits_per_label;
        auto state = learner->save();
        const auto* p = reinterpret_cast<const std::uint8_t*>(&bits);
        state.insert(state.end(), p, p + sizeof bits);
        if (expected.empty()) expected = state;
        EXPECT_EQ(state, expected) << name << ' ' << set;
      }
      EXPECT_GE(sets, 1);
    }
  }
  set_instruction_set(before);
}

TEST(Learner, WideningTheMasterIsExact) {
  const Dataset data = blobs(300, 10, 3);
  auto learner = make_learner(small("mlp"), data);
  learner->train(20, Precision::parse("int4"));
  auto& network = dynamic_cast<SgdLearner&>(*learner);
  (void)network;
  Network copy({{10, 20, 3}, Loss::Softmax, true}, {}, 4, 1);
  copy.set_precision(Precision::parse("int4"), {1, 2}, nullptr);
  const auto narrow = copy.parameters();
  copy.set_precision(Precision::parse("int8"), {1, 2}, nullptr);
  EXPECT_EQ(copy.parameters(), narrow);
  copy.set_precision(Precision::parse("int4"), {1, 2}, nullptr);  // shifted-in bits are zero
  EXPECT_EQ(copy.parameters(), narrow);
  copy.set_precision(Precision::parse("f32"), {1, 2}, nullptr);
  EXPECT_EQ(copy.parameters(), narrow);
}

TEST(Learner, IntegerModesKeepNoFloatWeights) {
  Network network({{100, 30, 3}, Loss::Softmax, true}, {}, 4, 1);
  const std::size_t floats = network.layers()[0].master.size();
  network.set_precision(Precision::parse("int8"), {1, 2}, nullptr);
  EXPECT_EQ(network.layers()[0].master.size(), floats / 2);
  network.set_precision(Precision::parse("int4"), {1, 2}, nullptr);
  EXPECT_EQ(network.layers()[0].master.size(), floats / 4);
  EXPECT_TRUE(network.layers()[0].velocity.empty());
}

// What training counts is the closed form, exactly, in every precision and situation.
TEST(Accounting, TrainingCountsItsClosedForms) {
  for (const bool unit : {true, false}) {
    const Dataset data = blobs(701, 27, 3, unit), held_out = blobs(300, 27, 3, unit, 8);
    for (const char* model : {"mlp", "softmax"}) {
      for (const double momentum : {0.0, 0.5}) {
        LearnerOptions options = small(model);
        options.momentum = momentum;
        options.learning_rate = 1e-5;  // no row outgrows its grid: that would come on top
        auto learner = make_learner(options, data);
        Counters expected;
        Precision now = Precision::parse("f32");
        for (const char* name : {"int4", "int8", "int8", "f32", "bf16", "d2w4g8", "int2", "int4"}) {
          const auto p = Precision::parse(name);
          expected += learner->switch_counters(now, p);
          expected += learner->step_counters(p) * 13;
          learner->train(13, p);
          ASSERT_EQ(learner->counters(), expected) << model << ' ' << name;
          now = p;
          const std::vector<Precision> some = {Precision::parse("int8"), Precision::parse("bf16")};
          expected += learner->noise_counters(some);
          learner->noise_shares(some);
          ASSERT_EQ(learner->counters(), expected) << model << ' ' << name;
        }
        for (const char* name : {"int8", "f32", "int4"}) {
          const auto p = Precision::parse(name);
          // int4 delivers a model of eight bits, and that copy is there by then.
          if (p.data != 4) expected += learner->copy_counters(300, p);
          expected += learner->evaluation_counters(300, p) * 2;
          learner->evaluate(held_out, p);
          learner->evaluate(held_out, p);
          ASSERT_EQ(learner->counters(), expected) << model << ' ' << name;
        }
      }
    }
  }
}

TEST(Accounting, ARowThatOutgrowsItsGridCountsOnTop) {
  const Dataset data = blobs(701, 27, 3, false);
  LearnerOptions options = small("softmax");
  options.learning_rate = 0.3;
  for (const char* name : {"int8", "int4"}) {
    const auto p = Precision::parse(name);
    auto learner = make_learner(options, data);
    const Counters start = learner->switch_counters(Precision::parse("f32"), p);
    learner->train(40, p);
    const Counters extra = learner->counters() - start - learner->step_counters(p) * 40;
    const std::uint64_t rows = extra.at(OperationKind::F32Elementwise) / 27;
    EXPECT_GT(rows, 0u) << name;  // each time 27 coefficients are halved
    EXPECT_LT(rows, 60u) << name;
    EXPECT_EQ(extra.at(OperationKind::F32Elementwise), rows * 27);
    EXPECT_EQ(extra.at(OperationKind::Rounding), rows * 54);
    EXPECT_EQ(extra.at(MemoryLevel::Dram), 0u);
  }
}

TEST(Accounting, StepOfTheDocumentedPerceptron) {
  // 784-64-10 at batch 64: products by hand.
  Dataset data = blobs(128, 784, 10);
  LearnerOptions options;
  auto learner = make_learner(options, data);
  const std::uint64_t first = 64 * 784 * 64, second = 64 * 64 * 10;
  for (const char* name : {"f32", "int8"}) {
    const auto c = learner->step_counters(Precision::parse(name));
    EXPECT_EQ(c.macs(), 2 * first + 3 * second);
  }
  EXPECT_EQ(learner->step_counters(Precision::parse("f32")).at(MemoryLevel::Dram),
            64u * (784 * 4 + 4));
  EXPECT_EQ(learner->step_counters(Precision::parse("int8")).at(MemoryLevel::Dram),
            64u * (784 + 4));
  EXPECT_EQ(learner->step_counters(Precision::parse("int4")).at(MemoryLevel::Dram),
            64u * (392 + 4));
  const auto mixed = learner->step_counters(Precision::parse("d4w4g8"));
  EXPECT_EQ(mixed.at(OperationKind::Int4Mac), first + second);      // forward
  EXPECT_EQ(mixed.at(OperationKind::Int8Mac), first + 2 * second);  // both gradients
}

TEST(Options, AreChecked) {
  const Dataset three = blobs(100, 5, 3), line = plane(100, 5);
  const auto refused = [](const LearnerOptions& options, const Dataset& data, const char* field) {
    try {
      make_learner(options, data);
      ADD_FAILURE() << field;
    } catch (const InputError& e) {
      EXPECT_NE(std::string(e.what()).find(field), std::string::npos) << e.what();
    }
  };
  const auto with = [](auto change) {
    LearnerOptions options = small("mlp");
    change(options);
    return options;
  };
  refused(with([](auto& o) { o.model = "forest"; }), three, "model");
  refused(with([](auto& o) { o.model = "linear"; }), three, "model");
  refused(with([](auto& o) { o.model = "logistic"; }), three, "model");
  refused(with([](auto& o) { o.model = "softmax"; }), line, "model");
  refused(with([](auto& o) { o.batch = 101; }), three, "batch");
  refused(with([](auto& o) { o.batch = 0; }), three, "batch");
  refused(with([](auto& o) { o.hidden = 0; }), three, "hidden");
  refused(with([](auto& o) { o.epochs = NAN; }), three, "epochs");
  refused(with([](auto& o) { o.learning_rate = -1; }), three, "learning_rate");
  refused(with([](auto& o) { o.momentum = 1; }), three, "momentum");
  refused(with([](auto& o) { o.threads = 0; }), three, "threads");
  Dataset one = three;
  std::fill(one.labels.begin(), one.labels.end(), 1u);
  refused(small("mlp"), one, "two classes");
  Dataset outside = three;
  outside.labels[5] = 3;
  refused(small("mlp"), outside, "labels");
  auto learner = make_learner(small("mlp"), three);
  EXPECT_THROW(learner->evaluate(line, Precision::parse("f32")), InputError);
}

TEST(Learner, HandlesOddShapes) {
  for (const std::size_t columns : {1u, 3u, 64u, 65u}) {
    for (const std::size_t batch : {1u, 2u, 5u, 33u}) {
      const Dataset data = blobs(67, columns, 3, batch % 2 == 0);
      LearnerOptions options = small("mlp");
      options.hidden = columns == 64 ? 1 : 9;
      options.batch = batch;
      options.epochs = 0.7;
      for (const char* name : kPrecisions) {
        auto learner = make_learner(options, data);
        learner->train(1000, Precision::parse(name));
        const double loss = learner->smoothed_loss();
        EXPECT_TRUE(std::isfinite(loss)) << name;
        learner->evaluate(data, Precision::parse(name));
        if (batch > 1) learner->noise_shares({Precision::parse(name)});
      }
    }
  }
}

}  // namespace
}  // namespace carnot::learn
