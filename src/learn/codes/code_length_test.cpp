// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/codes/code_length.hpp"

#include <bit>
#include <cmath>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"

#include "learn/codes/arithmetic_coder.hpp"
#include "learn/codes/model_code.hpp"

namespace carnot::learn {
namespace {

std::vector<std::vector<float>> random_parameters(const std::vector<std::size_t>& sizes,
                                                  std::uint64_t seed) {
  std::vector<std::vector<float>> out;
  for (std::size_t l = 0; l < sizes.size(); ++l) {
    const RandomStream stream(seed, l);
    auto& layer = out.emplace_back();
    for (std::size_t i = 0; i < sizes[l]; ++i)
      layer.push_back(static_cast<float>(0.1 * stream.normal(i)));
  }
  return out;
}

TEST(KrichevskyTrofimov, EqualsTheProductOfItsPredictions) {
  const std::vector<std::uint64_t> counts{5, 0, 3, 1};
  double bits = 0.0;
  double n = 0.0;
  for (const std::uint64_t c : counts)
    for (std::uint64_t j = 0; j < c; ++j, n += 1.0)
      bits -= std::log2((static_cast<double>(j) + 0.5) / (n + 2.0));
  EXPECT_NEAR(kt_code_length(counts), bits, 1e-10);
  EXPECT_EQ(kt_code_length(std::vector<std::uint64_t>{}), 0.0);
  EXPECT_EQ(kt_code_length(std::vector<std::uint64_t>{7}), 0.0) << "one symbol says nothing";
}

TEST(KrichevskyTrofimov, RegretIsThePublishedOne) {
  // Two symbols: at most log2(n)/2 + 1 bits over the best fixed code (Krichevsky, Trofimov 1981).
  for (std::uint64_t n : {10u, 100u, 1000u})
    for (std::uint64_t ones = 0; ones <= n; ones += n / 10) {
      const double p = static_cast<double>(ones) / static_cast<double>(n);
      const double best =
          ones == 0 || ones == n
              ? 0.0
              : -static_cast<double>(n) * (p * std::log2(p) + (1 - p) * std::log2(1 - p));
      const double regret = kt_code_length(std::vector<std::uint64_t>{n - ones, ones}) - best;
      EXPECT_GE(regret, 0.0);
      EXPECT_LE(regret, 0.5 * std::log2(static_cast<double>(n)) + 1.0);
    }
}

TEST(EliasDelta, HasThePublishedLengthsAndSatisfiesKraft) {
  // Elias 1975, table of delta: 1, 4, 4, 5, 5, 5, 5, 8, ... 8 up to 15, 9 from 16.
  const int published[] = {1, 4, 4, 5, 5, 5, 5, 8, 8, 8, 8, 8, 8, 8, 8, 9};
  for (std::uint64_t n = 1; n <= 16; ++n) EXPECT_EQ(universal_integer_length(n), published[n - 1]);
  double kraft = 0.0;
  for (std::uint64_t n = 1; n < (1u << 20); ++n) kraft += std::exp2(-universal_integer_length(n));
  EXPECT_LT(kraft, 1.0);
}

RC_GTEST_PROP(ArithmeticCoder, ReturnsWhatWasWritten, ()) {
  const auto alphabet = *rc::gen::inRange<std::size_t>(1, 40);
  const auto symbols =
      *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, alphabet));
  const auto integers = *rc::gen::container<std::vector<std::uint64_t>>(rc::gen::map(
      rc::gen::pair(rc::gen::inRange(0, 63), rc::gen::arbitrary<std::uint64_t>()),
      [](std::pair<int, std::uint64_t> p) {
        return (std::uint64_t{1} << p.first) | (p.second & ((std::uint64_t{1} << p.first) - 1));
      }));
  ArithmeticEncoder encoder;
  KrichevskyTrofimov writer(alphabet);
  for (const auto s : symbols) writer.encode(s, encoder);
  for (const auto n : integers) encoder.encode_integer(n);
  const auto bytes = encoder.finish();
  ArithmeticDecoder decoder(bytes);
  KrichevskyTrofimov reader(alphabet);
  for (const auto s : symbols) RC_ASSERT(reader.decode(decoder) == s);
  for (const auto n : integers) RC_ASSERT(decoder.decode_integer() == n);

  std::vector<std::uint64_t> counts(alphabet, 0);
  for (const auto s : symbols) ++counts[s];
  double ideal = kt_code_length(counts);
  for (const auto n : integers) ideal += universal_integer_length(n);
  RC_ASSERT(std::abs(8.0 * static_cast<double>(bytes.size()) - ideal) <= 10.0);
}

RC_GTEST_PROP(ArithmeticCoder, SurvivesAnyBytes, (const std::vector<std::uint8_t>& bytes)) {
  try {
    decode_model(bytes);
  } catch (const InputError&) {
  }
}

TEST(ModelCode, RoundTripAndLengthWithinOnePercent) {
  const auto parameters = random_parameters({64 * 65, 10 * 65}, 3);
  const std::vector<std::size_t> rows{64, 10};
  for (const int bits : {2, 3, 4, 6, 8, 12, 16, 32}) {
    const ModelCode model = quantise_model(parameters, rows, bits);
    const auto bytes = encode_model(model);
    const ModelCode back = decode_model(bytes);
    EXPECT_EQ(coefficients(back), coefficients(model)) << bits;
    const double ideal = model_length(parameters, rows, bits);
    const double written = 8.0 * static_cast<double>(bytes.size());
    EXPECT_LE(std::abs(written - ideal), 0.01 * ideal + 64.0) << bits;
    if (bits == 32) {
      EXPECT_EQ(coefficients(model), parameters);
    }
  }
}

TEST(ModelCode, RoundsToTheNearestStep) {
  const auto parameters = random_parameters({50 * 20}, 5);
  for (const int bits : {2, 4, 8}) {
    const ModelCode model = quantise_model(parameters, {50}, bits);
    const auto back = coefficients(model)[0];
    const int m = (1 << (bits - 1)) - 1;
    for (std::size_t r = 0; r < 50; ++r) {
      double error = 0.0, widest_error = 0.0;
      float most = 0.0f;
      for (std::size_t c = 0; c < 20; ++c)
        most = std::max(most, std::abs(parameters[0][r * 20 + c]));
      for (std::size_t c = 0; c < 20; ++c) {
        const float w = parameters[0][r * 20 + c];
        const float scale = model.layers[0].scales[r];
        if (std::abs(w) <= static_cast<float>(m) * scale) {
          ASSERT_LE(std::abs(back[r * 20 + c] - w), 0.5f * scale * 1.0001f);
        } else {
          ASSERT_EQ(std::abs(back[r * 20 + c]), static_cast<float>(m) * scale) << "clipped";
        }
        error += std::pow(back[r * 20 + c] - w, 2);
        const float plain = std::bit_cast<float>(
            (std::bit_cast<std::uint32_t>(most / static_cast<float>(m)) + 0xFFFFu) & 0xFFFF0000u);
        widest_error += std::pow(plain * std::nearbyint(w / plain) - w, 2);
      }
      ASSERT_LE(error, widest_error * 1.0001) << "no worse than the scale that clips nothing";
    }
  }
  EXPECT_LT(model_length(parameters, {50}, 4), model_length(parameters, {50}, 8));
  EXPECT_LT(model_length(parameters, {50}, 8), model_length(parameters, {50}, 32));
  EXPECT_EQ(coefficients(quantise_model({{0.0f, 0.0f}}, {1}, 4))[0],
            (std::vector<float>{0.0f, 0.0f}));
  EXPECT_THROW(quantise_model(parameters, {50}, 13), InputError);
  EXPECT_THROW(quantise_model(parameters, {3}, 8), InputError);
  EXPECT_THROW(quantise_model({{std::nanf("")}}, {1}, 8), InputError);
}

TEST(LabelCode, RoundTripsWithinOnePercentOfTheModelsLoss) {
  constexpr std::size_t kRows = 5000, kClasses = 7;
  const RandomStream stream(9, 1);
  std::vector<float> p;
  std::vector<std::uint32_t> labels;
  double ideal = 0.0;
  for (std::size_t r = 0; r < kRows; ++r) {
    double total = 0.0;
    double w[kClasses];
    for (std::size_t c = 0; c < kClasses; ++c)
      total += w[c] = std::exp(2.0 * stream.normal(r * 8 + c));
    double u = stream.uniform(r * 8 + 7) * total;
    std::uint32_t label = 0;
    while (label + 1 < kClasses && u >= w[label]) u -= w[label++];
    labels.push_back(label);
    for (const double v : w) p.push_back(static_cast<float>(v / total));
    ideal -= std::log2(w[label] / total);
  }
  const auto bytes = encode_labels(labels, p, kClasses);
  EXPECT_EQ(decode_labels(bytes, p, kClasses, kRows), labels);
  EXPECT_LE(std::abs(8.0 * static_cast<double>(bytes.size()) - ideal), 0.01 * ideal + 64.0);
  // A model that calls the truth impossible costs bits, never correctness.
  const std::vector<float> certain{0.0f, 1.0f, std::nanf(""), 1.0f};
  const std::vector<std::uint32_t> surprise{0, 0};
  EXPECT_EQ(decode_labels(encode_labels(surprise, certain, 2), certain, 2, 2), surprise);
}

TEST(ParameterRows, FollowTheLayers) {
  using Rows = std::vector<std::size_t>;
  const auto shaped = [](std::vector<std::size_t> sizes) { return random_parameters(sizes, 1); };
  EXPECT_EQ(parameter_rows(shaped({64 * 65, 10 * 65}), 64, 10), (Rows{64, 10}));
  EXPECT_EQ(parameter_rows(shaped({32 * 64, 32, 10 * 32, 10}), 64, 10), (Rows{32, 1, 10, 1}));
  EXPECT_EQ(parameter_rows(shaped({10 * 64, 10}), 64, 10), (Rows{10, 1}));
  EXPECT_EQ(parameter_rows(shaped({29}), 28, 1), (Rows{1}));
  EXPECT_EQ(parameter_rows(shaped({7, 11}), 64, 10), (Rows{1, 1})) << "no such network";
}

/// A learner of fixed coefficients, for code lengths.
class FixedLearner : public Learner {
 public:
  explicit FixedLearner(std::vector<std::vector<float>> p) : parameters_(std::move(p)) {}
  std::uint64_t total_steps() const noexcept override { return 1; }
  std::uint64_t steps_done() const noexcept override { return 1; }
  std::uint64_t train(std::uint64_t, const Precision&) override { return 0; }
  double remaining_learning() const noexcept override { return 0.0; }
  double smoothed_loss() const noexcept override { return 0.0; }
  double prequential_bits() const noexcept override { return 123.0; }
  std::uint64_t prequential_labels() const noexcept override { return 1; }
  std::vector<NoiseShare> noise_shares(const std::vector<Precision>&) override { return {}; }
  Quality evaluate(const Dataset&, const Precision&) override { return {}; }
  const Counters& counters() const noexcept override { return counters_; }
  Counters step_counters(const Precision&) const override { return {}; }
  Counters switch_counters(const Precision&, const Precision&) const override { return {}; }
  Counters copy_counters(std::size_t, const Precision&) const override { return {}; }
  Counters evaluation_counters(std::size_t, const Precision&) const override { return {}; }
  Counters noise_counters(const std::vector<Precision>&) const override { return {}; }
  std::vector<std::uint8_t> save() const override { return {}; }
  void restore(const std::vector<std::uint8_t>&) override {}
  std::vector<std::vector<float>> parameters() const override { return parameters_; }

 private:
  std::vector<std::vector<float>> parameters_;
  Counters counters_;
};

TEST(CodeLengths, AddUpForClassesAndTargets) {
  Dataset d;
  d.rows = 1000;
  d.columns = 4;
  d.classes = 8;
  for (std::size_t i = 0; i < d.rows; ++i) d.labels.push_back(static_cast<std::uint32_t>(i % 8));
  const FixedLearner learner(random_parameters({8 * 5}, 2));
  const CodeLengths l = code_lengths(learner, d, {"accuracy", 0.9, 1000, 900, 0.5}, 4);
  // Balanced: n log2 C and what telling the eight counts costs, (C - 1) / 2 log2 n or so.
  EXPECT_GT(l.uniform, 3000.0);
  EXPECT_LT(l.uniform, 3000.0 + 3.5 * std::log2(1000.0) + 8.0);
  Dataset rare = d;
  for (std::size_t i = 0; i < rare.rows; ++i) rare.labels[i] = i % 50 == 0 ? 1u : 0u;
  rare.classes = 2;  // one in fifty: H = 0.1414 bits a label
  EXPECT_NEAR(uniform_length(rare), 141.4, 8.0);
  EXPECT_DOUBLE_EQ(l.data, 500.0);
  EXPECT_DOUBLE_EQ(l.model, model_length(learner.parameters(), {8}, 4));
  EXPECT_DOUBLE_EQ(l.two_part, l.model + l.data);
  EXPECT_DOUBLE_EQ(l.learned_net, l.uniform - l.two_part);
  EXPECT_DOUBLE_EQ(l.prequential, 123.0);
  EXPECT_GT(l.model_raw, l.model);

  d.classes = 0;
  d.labels.clear();
  const FixedLearner line(random_parameters({5}, 2));
  const CodeLengths half = code_lengths(line, d, {"r2", 0.75, 1000, 0, std::nan("")}, 8);
  EXPECT_NEAR(half.uniform - half.data, 1000.0, 1e-9) << "a quarter of the variance saves a bit";
  EXPECT_GE(half.model, 32.0 + 5 * 1.0);
  // A model that predicts nothing has learned less than nothing.
  EXPECT_LT(code_lengths(line, d, {"r2", 0.0, 1000, 0, 0.0}, 8).learned_net, 0.0);
}

CodeLengths lengths_of(double uniform, double data) {
  CodeLengths l;
  l.uniform = uniform;
  l.data = data;
  l.model = 100.0;
  l.model_raw = 800.0;
  return l;
}

RC_GTEST_PROP(LearningCycle, LegsSumToTheTotalAndTheAreaIsTheEnergy, ()) {
  const auto n = *rc::gen::inRange<std::size_t>(2, 30);
  std::vector<double> loss;
  std::vector<Energy> energy;
  double spent = 0.0;
  for (std::size_t i = 0; i < n; ++i) {
    loss.push_back(*rc::gen::inRange(1, 100000) * 0.37);
    spent += *rc::gen::inRange(0, 1000) * 1e-3;
    energy.push_back(spent * joule);
  }
  const Energy ingest = (*rc::gen::inRange(0, 1000) * 1e-4) * joule;
  const Energy rounding = (*rc::gen::inRange(0, 1000) * 1e-6) * joule;
  const LearningCycle c = learning_cycle(lengths_of(loss[0], loss.back()), loss, energy, ingest,
                                         300.0 * kelvin, rounding);
  Energy legs;
  for (const CycleLeg& l : c.legs) legs += l.energy;
  const double scale = std::max(1e-12, c.total.in(joule));
  RC_ASSERT(std::abs((legs - c.total).in(joule)) <= 1e-9 * scale);
  const Energy reset = c.legs[3].energy;
  RC_ASSERT(std::abs((ingest + rounding + energy.back() + reset - c.total).in(joule)) <=
            1e-9 * scale);
  // k_B ln 2 times the trapezoid area under T over S.
  double area = 0.0;
  for (std::size_t i = 1; i < c.curve.size(); ++i)
    area += 0.5 * (c.curve[i - 1].temperature + c.curve[i].temperature).in(kelvin) *
            (c.curve[i - 1].remaining_bits - c.curve[i].remaining_bits);
  const double heat = area * 1.380649e-23 * std::log(2.0);
  if (c.bits_learned > 0.0)
    RC_ASSERT(std::abs(heat - energy.back().in(joule)) <= 1e-9 * std::max(1e-12, spent));
  else
    RC_ASSERT(c.curve.empty());
  for (std::size_t i = 1; i < c.curve.size(); ++i)
    RC_ASSERT(c.curve[i].remaining_bits <= c.curve[i - 1].remaining_bits);
  RC_ASSERT(c.efficiency >= 0.0);
  if (spent > 0.0) RC_ASSERT(c.efficiency < 1.0);
}

TEST(LearningCycle, ReproducesTheHandCalculation) {
  // 1000 bits to 400 bits for 6 J: 10 mJ a bit, T = 0.01 / (k ln 2) = 1.0449e21 K.
  const std::vector<double> loss{1000.0, 400.0};
  const std::vector<Energy> energy{Energy{}, 6.0 * joule};
  const LearningCycle c =
      learning_cycle(lengths_of(1000.0, 400.0), loss, energy, 1.0 * joule, 300.0 * kelvin);
  EXPECT_NEAR(c.legs[1].temperature.in(kelvin) / 1.04494e21, 1.0, 1e-5);
  EXPECT_NEAR(c.efficiency / (600.0 * 2.87098e-21 / 7.0), 1.0, 1e-4);
  EXPECT_EQ(c.legs[0].leg, "ingest");
  EXPECT_EQ(c.legs[0].entropy_bits_to, 1000.0);
  EXPECT_EQ(c.legs[3].entropy_bits_to, 0.0);
  EXPECT_NEAR(c.legs[3].temperature.in(kelvin), 300.0, 1e-9) << "erasing is priced at T0";
}

TEST(LearningCycle, NothingLearnedIsSaid) {
  const std::vector<double> loss{1000.0, 1100.0, 1000.0};
  const std::vector<Energy> energy{Energy{}, 1.0 * joule, 2.0 * joule};
  const LearningCycle c =
      learning_cycle(lengths_of(1000.0, 1000.0), loss, energy, Energy{}, 300.0 * kelvin);
  EXPECT_EQ(c.bits_learned, 0.0);
  EXPECT_EQ(c.efficiency, 0.0);
  EXPECT_EQ(c.legs[1].temperature, Temperature{});
  EXPECT_DOUBLE_EQ(c.legs[1].energy.in(joule), 2.0) << "the joules are gone all the same";
  EXPECT_THROW(learning_cycle({}, std::vector<double>{1.0}, std::vector<Energy>{Energy{}}, Energy{},
                              300.0 * kelvin),
               InputError);
  const std::vector<Energy> falling{2.0 * joule, 1.0 * joule, 3.0 * joule};
  EXPECT_THROW(learning_cycle({}, loss, falling, Energy{}, 300.0 * kelvin), InputError);
}

}  // namespace
}  // namespace carnot::learn
