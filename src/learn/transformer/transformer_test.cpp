// SPDX-License-Identifier: Apache-2.0
#include "learn/transformer/transformer.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"

#include "learn/transformer/testing_plain.hpp"

namespace carnot::learn {
namespace {

using testing::PlainTransformer;

const char* const kPrecisions[] = {"f32", "bf16", "int8", "int4", "d4w8g4"};

TransformerShape small(bool causal) { return {2, 2, 32, 37, 11, causal}; }

struct Example {
  std::vector<std::uint32_t> inputs;
  std::vector<std::int32_t> targets;
  std::size_t length;
};

/// Some targets are not asked for; inputs of all kinds.
Example example(const TransformerShape& s, std::size_t windows, std::size_t length) {
  const RandomStream random(5, "example");
  Example e{{}, {}, length};
  for (std::size_t i = 0; i < windows * length; ++i) {
    e.inputs.push_back(static_cast<std::uint32_t>(random.below(2 * i, s.classes + kExtraSymbols)));
    e.targets.push_back(i % 5 == 3 ? -1
                                   : static_cast<std::int32_t>(random.below(2 * i + 1, s.classes)));
  }
  return e;
}

/// A network whose every coefficient has a say: gains and biases too.
Transformer stirred(const TransformerShape& s) {
  Transformer network(s, 0.1, 7);
  auto parameters = network.parameters();
  const RandomStream random(9, "stir");
  std::uint64_t at = 0;
  for (auto& p : parameters)
    for (float& v : p) v += 0.1f * static_cast<float>(random.normal(at++));
  network.take_parameters(parameters);
  return network;
}

double mean_nats(Transformer& network, const Example& e) {
  std::vector<double> nats;
  network.forward(e.inputs, e.length, nullptr);
  network.differentiate(e.targets, nats, nullptr);
  double sum = 0.0;
  std::size_t asked = 0;
  for (std::size_t i = 0; i < nats.size(); ++i) {
    sum += nats[i];
    asked += e.targets[i] >= 0 ? 1 : 0;
  }
  return sum / static_cast<double>(asked);
}

TEST(Transformer, ForwardIsThatOfThePlainOne) {
  for (const bool causal : {true, false}) {
    for (const std::size_t length : {37u, 32u, 5u, 1u}) {
      const TransformerShape s = small(causal);
      Transformer network = stirred(s);
      const Example e = example(s, 3, length);
      const PlainTransformer plain(s, network.parameters());
      EXPECT_NEAR(mean_nats(network, e), plain.loss(e.inputs, e.targets, length), 2e-5)
          << causal << " " << length;
    }
  }
}

/// Gradients of the matrices (captured) and of the rest, in the order of parameters().
std::vector<std::vector<float>> gradients(Transformer& network, const Example& e,
                                          const Precision& precision, std::uint64_t seed) {
  network.set_precision(precision, {}, nullptr);
  std::vector<std::vector<float>> matrices;
  for (const Linear* m : network.matrices()) matrices.emplace_back(m->layer().weights());
  std::vector<double> nats;
  network.forward(e.inputs, e.length, nullptr);
  network.differentiate(e.targets, nats, nullptr);
  network.backward({0.0f, seed, 1, &matrices}, nullptr);
  const std::size_t d = network.shape().width;
  std::vector<std::vector<float>> all;
  const auto floats = network.float_coefficients();
  const auto vector = [&](std::size_t i) {
    const auto& g = floats[i]->gradient;
    all.emplace_back(g.begin(), g.begin() + static_cast<std::ptrdiff_t>(d));
  };
  const auto matrix = [&](std::size_t i) {
    all.push_back(matrices[i]);
    const auto& b = network.matrices()[i]->bias_gradient();
    all.emplace_back(b.begin(),
                     b.begin() + static_cast<std::ptrdiff_t>(network.matrices()[i]->outputs()));
  };
  all.push_back(floats[0]->gradient);
  all.push_back(floats[1]->gradient);
  for (std::size_t l = 0; l < network.shape().layers; ++l) {
    vector(2 + 4 * l);
    vector(3 + 4 * l);
    matrix(4 * l);
    matrix(4 * l + 1);
    vector(4 + 4 * l);
    vector(5 + 4 * l);
    matrix(4 * l + 2);
    matrix(4 * l + 3);
  }
  vector(2 + 4 * network.shape().layers);
  vector(3 + 4 * network.shape().layers);
  matrix(4 * network.shape().layers);
  return all;
}

TEST(Transformer, GradientsAreTheDerivativesOfThePlainLoss) {
  const Precision f32 = Precision::parse("f32");
  for (const bool causal : {true, false}) {
    const TransformerShape s = small(causal);
    Transformer network = stirred(s);
    const Example e = example(s, 2, 37);
    PlainTransformer plain(s, network.parameters());
    const auto found = gradients(network, e, f32, 1);
    ASSERT_EQ(found.size(), plain.values.size());
    for (std::size_t p = 0; p < found.size(); ++p) {
      ASSERT_EQ(found[p].size(), plain.values[p].size()) << p;
      double scale = 0.0;
      for (const float g : found[p]) scale = std::max(scale, std::abs(static_cast<double>(g)));
      for (std::size_t k = 0; k < 4; ++k) {
        const std::size_t i = (k * 7919 + 13 * p) % found[p].size();
        const double was = plain.values[p][i], h = 1e-6;
        plain.values[p][i] = was + h;
        const double up = plain.loss(e.inputs, e.targets, 37);
        plain.values[p][i] = was - h;
        const double down = plain.loss(e.inputs, e.targets, 37);
        plain.values[p][i] = was;
        EXPECT_NEAR(found[p][i], (up - down) / (2 * h), 1e-3 * scale + 1e-6)
            << "causal " << causal << " entry " << p << " number " << i;
      }
    }
  }
}

TEST(Transformer, LowPrecisionGradientsPointTheSameWayAndAreRightOnAverage) {
  const TransformerShape s = small(true);
  const Example e = example(s, 4, 32);
  Transformer exact = stirred(s);
  const auto truth = gradients(exact, e, Precision::parse("f32"), 1);
  for (const auto& [name, least] : {std::pair{"bf16", 0.998}, {"int8", 0.99}, {"int4", 0.7}}) {
    Transformer network = stirred(s);
    const auto one = gradients(network, e, Precision::parse(name), 1);
    for (std::size_t p = 0; p < truth.size(); ++p) {
      double along = 0.0, a = 0.0, b = 0.0;
      for (std::size_t i = 0; i < truth[p].size(); ++i) {
        const double x = static_cast<double>(truth[p][i]), y = static_cast<double>(one[p][i]);
        along += x * y;
        a += x * x;
        b += y * y;
      }
      EXPECT_GT(along, least * std::sqrt(a * b)) << name << " entry " << p;
    }
  }
  // Rounding of gradients is random and unbiased: the mean of many is nearer than one.
  const auto distance = [&](const std::vector<float>& g, std::size_t p) {
    double sum = 0.0;
    for (std::size_t i = 0; i < g.size(); ++i)
      sum += std::pow(static_cast<double>(g[i] - truth[p][i]), 2);
    return std::sqrt(sum);
  };
  const std::size_t last = truth.size() - 2;  // the output matrix: its gradient is rounded once
  Transformer network = stirred(s);
  const Precision p = Precision::parse("d8w8g2");
  std::vector<float> mean(truth[last].size());
  double one = 0.0;
  constexpr int kMany = 64;
  for (int i = 0; i < kMany; ++i) {
    const auto g = gradients(network, e, p, static_cast<std::uint64_t>(100 + i))[last];
    one += distance(g, last) / kMany;
    for (std::size_t k = 0; k < g.size(); ++k) mean[k] += g[k] / kMany;
  }
  EXPECT_LT(distance(mean, last), 0.25 * one);
}

TEST(Transformer, CountsEqualClosedForms) {
  for (const bool causal : {true, false}) {
    const TransformerShape s = small(causal);
    for (const char* name : kPrecisions) {
      for (const double decay : {0.0, 0.1}) {
        const Precision p = Precision::parse(name), f32 = Precision::parse("f32");
        Transformer network(s, decay, 3);
        Counters c;
        network.set_precision(p, {}, &c);
        EXPECT_EQ(c, transformer_conversion_counters(s, f32, p)) << name;
        const Example e = example(s, 3, 37);
        std::vector<double> nats;
        Counters forward, loss, backward, measured;
        network.forward(e.inputs, 37, &forward);
        network.differentiate(e.targets, nats, &loss);
        network.backward({1e-3f, 1, 1, nullptr}, &backward);
        EXPECT_EQ(forward, transformer_forward_counters(s, p, 3, 37)) << name;
        EXPECT_EQ(loss, transformer_loss_counters(s, 3 * 37)) << name;
        EXPECT_EQ(backward, transformer_backward_counters(s, p, 3, 37, decay > 0.0, true)) << name;
        std::vector<std::vector<float>> captured;
        for (const Linear* m : network.matrices()) captured.emplace_back(m->layer().weights());
        network.forward(e.inputs, 37, nullptr);
        network.differentiate(e.targets, nats, nullptr);
        network.backward({0.0f, 1, 1, &captured}, &measured);
        EXPECT_EQ(measured, transformer_backward_counters(s, p, 3, 37, decay > 0.0, false)) << name;
        Counters back;
        network.set_precision(f32, {}, &back);
        EXPECT_EQ(back, transformer_conversion_counters(s, p, f32)) << name;
      }
    }
  }
}

TEST(Transformer, MultiplyAccumulatesOfATrainingStepByHand) {
  // 2 blocks of 12 d^2 weights and the output; forward, and both gradients. Causal attention of 64
  // rows in strips of 32: 32 x 32 + 32 x 64 pairs a head, two products forward and four back.
  const TransformerShape s{2, 2, 32, 64, 10, true};
  const Precision int8 = Precision::parse("int8");
  Counters c = transformer_forward_counters(s, int8, 4, 64);
  c += transformer_backward_counters(s, int8, 4, 64, false, true);
  const std::uint64_t weights = 2 * 12 * 32 * 32 + 32 * 10;
  EXPECT_EQ(transformer_weights(s), weights);
  EXPECT_EQ(c.at(OperationKind::Int8Mac), 3 * 4 * 64 * weights);
  EXPECT_EQ(c.at(OperationKind::F32Mac), 2u * 6 * 4 * 2 * (32 * 32 + 32 * 64) * 16);
}

TEST(Transformer, ShapesOfParametersAreAsSaid) {
  const TransformerShape s = small(true);
  const auto parameters = Transformer(s, 0.0, 1).parameters();
  const auto sizes = Transformer::parameter_sizes(s), rows = Transformer::parameter_rows(s);
  ASSERT_EQ(parameters.size(), sizes.size());
  ASSERT_EQ(parameters.size(), rows.size());
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    EXPECT_EQ(parameters[i].size(), sizes[i]) << i;
    EXPECT_EQ(sizes[i] % rows[i], 0u) << i;
  }
  Transformer other(s, 0.0, 2);
  other.take_parameters(parameters);
  EXPECT_EQ(other.parameters(), parameters);
  auto wrong = parameters;
  wrong[3].pop_back();
  EXPECT_THROW(other.take_parameters(wrong), InputError);
  wrong = parameters;
  wrong[3][0] = std::nanf("");
  EXPECT_THROW(other.take_parameters(wrong), InputError);
}

TEST(Transformer, AChangeOfPrecisionKeepsTheCoefficients) {
  const TransformerShape s = small(true);
  Transformer network = stirred(s);
  const auto before = network.parameters();
  network.set_precision(Precision::parse("int8"), {}, nullptr);
  network.set_precision(Precision::parse("int4"), {}, nullptr);
  network.set_precision(Precision::parse("f32"), {}, nullptr);
  const auto after = network.parameters();
  for (std::size_t p = 0; p < before.size(); ++p)
    for (std::size_t i = 0; i < before[p].size(); ++i)
      EXPECT_NEAR(after[p][i], before[p][i], 2e-5) << p;  // half a step of a 16-bit grid
}

}  // namespace
}  // namespace carnot::learn
