// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"
#include "carnot/learn/codes/code_length.hpp"
#include "carnot/learn/labels/prequential.hpp"
#include "carnot/learn/labels/two_part.hpp"
#include "carnot/learn/learners/learners.hpp"

#include "learn/labels/experts.hpp"
#include "learn/labels/integer_code.hpp"
#include "learn/labels/integer_network.hpp"

namespace carnot::learn {
namespace {

/// Three classes, told apart by two of four columns, with a tenth of the labels wrong.
Dataset table(std::size_t rows, std::uint64_t seed = 5) {
  Dataset d;
  d.name = "table";
  d.rows = rows;
  d.columns = 4;
  d.classes = 3;
  d.class_names = {"a", "b", "c"};
  const RandomStream random(seed, "table");
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < 4; ++c)
      d.features.push_back(static_cast<float>(random.normal(r * 8 + c)));
    const float u = d.features[4 * r], v = d.features[4 * r + 1];
    const bool wrong = random.uniform(r * 8 + 6) < 0.1;
    d.labels.push_back(wrong          ? static_cast<std::uint32_t>(random.below(r * 8 + 7, 3))
                       : u + v > 0.7f ? 0u
                       : u - v > 0.0f ? 1u
                                      : 2u);
  }
  return d;
}

void shuffle(Dataset& d) {
  const RandomStream random(9, "null");
  for (std::size_t i = d.rows; i > 1; --i) std::swap(d.labels[i - 1], d.labels[random.below(i, i)]);
}

Dataset without_labels(Dataset d) {
  std::fill(d.labels.begin(), d.labels.end(), 0u);
  return d;
}

PrequentialOptions prequential(const std::string& model) {
  PrequentialOptions o;
  o.learner.model = model;
  o.learner.hidden = 16;
  o.learner.batch = 0;
  o.learner.epochs = 0;
  o.learner.learning_rate = 0;
  o.members = model == "mlp" ? 2 : 1;
  o.first = 16;
  return o;
}

TEST(Prequential, ReceiverRebuildsAllLabelsOfAnyLearner) {
  const Dataset data = table(300);
  for (const char* model : {"softmax", "mlp", "gbdt", "forest"}) {
    const PrequentialOptions o = prequential(model);
    const PrequentialCode code = prequential_encode(data, o);
    EXPECT_EQ(prequential_decode(without_labels(data), code.message, o), data.labels) << model;
    EXPECT_NEAR(8.0 * static_cast<double>(code.message.size()), code.bits, 16.0) << model;
    EXPECT_LT(code.bits, 0.85 * code.uniform) << model;
    double bits = 0.0, counts = 0.0;
    Counters counters;
    std::size_t told = 0;
    for (const PrequentialBlock& b : code.blocks) {
      EXPECT_EQ(b.first, told);
      told += b.rows;
      bits += b.bits;
      counts += b.counts_bits;
      counters += b.counters;
    }
    EXPECT_EQ(told, data.rows);
    EXPECT_DOUBLE_EQ(bits, code.bits);
    EXPECT_DOUBLE_EQ(counts, code.uniform);
    EXPECT_EQ(counters, code.counters);
    EXPECT_NEAR(code.uniform, uniform_length(data), 1e-6);  // the KT code of the counts
  }
}

TEST(Prequential, ReceiverRebuildsTheLabelsOfImagesUnderConvolutions) {
  const Dataset data = few_rows(embedded_digits(), 240);
  PrequentialOptions o = prequential("cnn");
  o.learner.convolution.channels = {4, 4};
  o.learner.epochs = 30;
  o.growth = 2.0;
  o.shifts = true;
  for (const char* precision : {"f32", "int8"}) {
    o.precision = Precision::parse(precision);
    const PrequentialCode code = prequential_encode(data, o);
    EXPECT_EQ(prequential_decode(without_labels(data), code.message, o), data.labels) << precision;
    EXPECT_LT(code.bits, 0.8 * code.uniform) << precision;
  }
}

TEST(Prequential, IntegerTrainingAndThreadsGiveTheSameMessage) {
  const Dataset data = table(200);
  PrequentialOptions o = prequential("gbdt");
  const PrequentialCode one = prequential_encode(data, o);
  o.learner.threads = 3;
  EXPECT_EQ(prequential_encode(data, o).message, one.message);
  PrequentialOptions whole = prequential("mlp");
  whole.precision = Precision::parse("int8");
  const PrequentialCode code = prequential_encode(data, whole);
  EXPECT_EQ(prequential_decode(without_labels(data), code.message, whole), data.labels);
}

TEST(Prequential, NothingIsLearnedFromShuffledLabels) {
  Dataset data = table(400);
  shuffle(data);
  const PrequentialCode code = prequential_encode(data, prequential("softmax"));
  EXPECT_GE(code.bits, code.uniform - 2.0);          // no bits out of nothing
  EXPECT_LE(code.bits, code.uniform * 1.05 + 16.0);  // the counts are among the experts
}

TEST(Prequential, SmallAndOddDataAndWrongOptions) {
  for (const std::size_t rows : {2u, 3u, 17u}) {
    Dataset data = table(rows);
    const PrequentialCode code = prequential_encode(data, prequential("softmax"));
    EXPECT_EQ(prequential_decode(without_labels(data), code.message, prequential("softmax")),
              data.labels);
    std::fill(data.labels.begin(), data.labels.end(), 1u);  // one class: no learner trains on it
    const PrequentialCode constant = prequential_encode(data, prequential("softmax"));
    EXPECT_EQ(prequential_decode(without_labels(data), constant.message, prequential("softmax")),
              data.labels);
  }
  const Dataset data = table(20);
  PrequentialOptions o = prequential("softmax");
  o.growth = 1.0;
  EXPECT_THROW(prequential_encode(data, o), InputError);
  o = prequential("softmax");
  o.shifts = true;  // no picture
  EXPECT_THROW(prequential_encode(data, o), InputError);
  Dataset numbers = data;
  numbers.classes = 0;
  numbers.targets.assign(numbers.rows, 0.0f);
  EXPECT_THROW(prequential_encode(numbers, prequential("linear")), InputError);
  o = prequential("softmax");
  o.stop = StopToken([] { return true; });
  EXPECT_THROW(prequential_encode(data, o), Stopped);
}

TEST(Experts, MixtureIsADistributionAndCalibratesWhatIsTooSure) {
  LabelExperts experts(3);
  const RandomStream random(2, "experts");
  const std::vector<float> sure = {0.98f, 0.01f, 0.01f};
  double said = 0.0, calibrated = 0.0;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const auto p = experts.mix(sure, {});
    ASSERT_NEAR(std::accumulate(p.begin(), p.end(), 0.0), 1.0, 1e-5);
    // Right in seven of ten cases only.
    const std::uint32_t label =
        random.uniform(i) < 0.7 ? 0u : 1u + static_cast<std::uint32_t>(i % 2);
    said -= std::log2(static_cast<double>(sure[label]));
    calibrated -= std::log2(static_cast<double>(p[label]));
    experts.learn(label);
  }
  EXPECT_LT(calibrated, 0.62 * said);
  const double entropy = 2000 * (-0.7 * std::log2(0.7) - 0.3 * std::log2(0.15));
  EXPECT_LT(calibrated, 1.05 * entropy);
  EXPECT_TRUE(experts.temperature() > 1.5 || experts.temperature() == 0.0);
}

TwoPartOptions two_part() {
  TwoPartOptions o;
  o.hidden = 6;
  o.epochs = 150;
  o.batch = 32;
  o.price = 3;
  return o;
}

TEST(TwoPart, ReceiverRebuildsAllLabelsAndEveryBitIsCounted) {
  const Dataset data = table(800);
  for (const std::size_t hidden : {0u, 6u}) {
    TwoPartOptions o = two_part();
    o.hidden = hidden;
    const TwoPartCode code = two_part_encode(data, o);
    EXPECT_EQ(two_part_decode(without_labels(data), code.message), data.labels);
    EXPECT_EQ(code.total_bits, 8.0 * static_cast<double>(code.message.size()));
    // Padding of the labels' message and the checksum.
    EXPECT_NEAR(code.model_bits + code.data_bits + 32, code.total_bits, 16.0);
    EXPECT_LT(code.total_bits, 0.85 * code.uniform);
    EXPECT_GT(code.accuracy, 0.8);
    EXPECT_LT(code.nonzero, code.coefficients);
    EXPECT_EQ(code.coefficients, hidden == 0 ? 15u : 30u + 21u);
  }
}

TEST(TwoPart, PriceMakesTheModelSmaller) {
  const Dataset data = table(800);
  TwoPartOptions o = two_part();
  o.price = 0.1;
  const TwoPartCode cheap = two_part_encode(data, o);
  o.price = 60;
  const TwoPartCode dear = two_part_encode(data, o);
  EXPECT_LT(dear.nonzero, cheap.nonzero);
  EXPECT_LT(dear.model_bits, cheap.model_bits);
  EXPECT_GT(dear.data_bits, cheap.data_bits);
}

TEST(TwoPart, NothingIsLearnedFromShuffledLabels) {
  Dataset data = table(800);
  shuffle(data);
  TwoPartOptions o = two_part();
  o.price = 20;
  const TwoPartCode code = two_part_encode(data, o);
  EXPECT_EQ(two_part_decode(without_labels(data), code.message), data.labels);
  EXPECT_GE(code.total_bits, code.uniform);
}

TEST(TwoPart, DamageAndOtherInputsAreRefused) {
  const Dataset data = table(200);
  TwoPartOptions o = two_part();
  o.epochs = 20;
  const std::vector<std::uint8_t> message = two_part_encode(data, o).message;
  const Dataset inputs = without_labels(data);
  EXPECT_THROW(two_part_decode(inputs, {}), InputError);
  EXPECT_THROW(two_part_decode(table(199), message), InputError);
  Dataset other = inputs;
  other.features[0] += 1.0f;
  EXPECT_THROW(two_part_decode(other, message), InputError);
  const RandomStream random(4, "damage");
  for (std::uint64_t i = 0; i < 1000; ++i) {
    std::vector<std::uint8_t> bad = message;
    bad[random.below(2 * i, bad.size())] ^=
        static_cast<std::uint8_t>(1 + random.below(2 * i + 1, 255));
    if (i % 9 == 0) bad.resize(random.below(i, bad.size()));
    try {
      // A byte of padding may be any; what is accepted is right.
      EXPECT_EQ(two_part_decode(inputs, bad), data.labels);
    } catch (const InputError&) {
    }
  }
}

TEST(TwoPart, PicturesAreReadAtHalfTheirSide) {
  Dataset d;
  d.rows = 1;
  d.columns = 256;
  d.classes = 2;
  d.unsigned_features = true;
  d.features.assign(256, 0.0f);
  d.features[0] = d.features[1] = 1.0f;  // two pixels of the first four
  d.features[16 * 15 + 15] = 1.0f;       // one of the last
  EXPECT_EQ(fitting_pool(d), 2);
  const IntegerInputs in = integer_inputs(d, 2);
  ASSERT_EQ(in.columns, 64u);
  EXPECT_EQ(in.values[0], 128);
  EXPECT_EQ(in.values[63], 64);
  EXPECT_EQ(in.values[1], 0);
  EXPECT_THROW(integer_inputs(d, 3), InputError);
}

TEST(TwoPart, IntegerSoftmaxIsTheSoftmax) {
  IntegerNetwork n;
  n.inputs = 2;
  n.hidden = 1;
  n.classes = 3;
  n.first_step = n.second_step = 6;  // 1/8
  n.first = {4, -2, 8};
  n.second = {8, 0, 0, 4, -16, 8};
  IntegerInputs in;
  in.rows = 1;
  in.columns = 2;
  in.values = {255, 51};
  const double hidden = (4 * 1.0 - 2 * 0.2 + 8) / 8;
  const double odds[] = {hidden, 0.5, -2.0 * hidden + 1.0};
  double sum = 0.0;
  for (const double o : odds) sum += std::exp(o);
  const std::vector<std::uint64_t> f = class_frequencies(n, in, 0);
  for (std::size_t c = 0; c < 3; ++c)
    EXPECT_NEAR(static_cast<double>(f[c]) / 0x1p26, std::exp(odds[c]) / sum, 1e-3) << c;
}

RC_GTEST_PROP(IntegerCode, CoefficientsComeBack, ()) {
  IntegerNetwork n;
  n.hidden = *rc::gen::inRange<std::size_t>(0, 4);
  n.inputs = 9;
  n.classes = 3;
  const auto value =
      rc::gen::oneOf(rc::gen::just(0), rc::gen::inRange(-3, 4), rc::gen::inRange(-127, 128));
  n.first = *rc::gen::container<std::vector<std::int32_t>>(n.hidden * 10, value);
  n.second =
      *rc::gen::container<std::vector<std::int32_t>>(3 * (n.hidden > 0 ? n.hidden + 1 : 10), value);
  for (const std::size_t side : {0u, 3u}) {
    BitEncoder encoder;
    encode_coefficients(n, side, encoder);
    const std::vector<std::uint8_t> bytes = encoder.finish();
    IntegerNetwork back = n;
    std::fill(back.first.begin(), back.first.end(), 0);
    std::fill(back.second.begin(), back.second.end(), 0);
    BitDecoder decoder(bytes);
    decode_coefficients(back, side, decoder);
    RC_ASSERT(back.first == n.first);
    RC_ASSERT(back.second == n.second);
  }
}

}  // namespace
}  // namespace carnot::learn
