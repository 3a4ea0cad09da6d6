// SPDX-License-Identifier: Apache-2.0
#include "learn/convolution/convolution.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"
#include "carnot/learn/learners/learners.hpp"

namespace carnot::learn {
namespace {

using Doubles = std::vector<double>;

/// The network in binary64, by its definition and nothing else's code.
struct PlainNetwork {
  ConvolutionShape shape;
  std::vector<Doubles> values;

  Doubles scores(const float* image) const {
    Doubles in(image, image + shape.pixels());
    std::size_t at = 0;
    for (const auto& s : shape.stages) {
      const auto value = [&](std::size_t j, long y, long x) {
        double sum = values[at + 1][j];
        for (long dy = -1; dy <= 1; ++dy)
          for (long dx = -1; dx <= 1; ++dx) {
            const long sy = y + dy, sx = x + dx;
            if (sy < 0 || sx < 0 || sy >= static_cast<long>(s.height) ||
                sx >= static_cast<long>(s.width))
              continue;
            const auto place = static_cast<std::size_t>((dy + 1) * 3 + dx + 1);
            const auto pixel =
                static_cast<std::size_t>(sy) * s.width + static_cast<std::size_t>(sx);
            for (std::size_t c = 0; c < s.inputs; ++c)
              sum += values[at][(j * 9 + place) * s.inputs + c] * in[pixel * s.inputs + c];
          }
        return std::max(sum, 0.0);
      };
      Doubles out;
      for (long y = 0; y + 1 < static_cast<long>(s.height); y += 2)
        for (long x = 0; x + 1 < static_cast<long>(s.width); x += 2)
          for (std::size_t j = 0; j < s.channels; ++j)
            out.push_back(std::max(
                {value(j, y, x), value(j, y, x + 1), value(j, y + 1, x), value(j, y + 1, x + 1)}));
      in = out;
      at += 2;
    }
    for (int l = 0; l < 2; ++l, at += 2) {
      Doubles out = values[at + 1];
      for (std::size_t j = 0; j < out.size(); ++j) {
        for (std::size_t k = 0; k < in.size(); ++k) out[j] += values[at][j * in.size() + k] * in[k];
        if (l == 0) out[j] = std::max(out[j], 0.0);
      }
      in = out;
    }
    return in;
  }

  double loss(const Dataset& data) const {
    double sum = 0.0;
    for (std::size_t r = 0; r < data.rows; ++r) {
      const Doubles z = scores(data.features.data() + r * data.columns);
      double total = 0.0;
      for (const double v : z) total += std::exp(v);
      sum += std::log(total) - z[data.labels[r]];
    }
    return sum / static_cast<double>(data.rows);
  }
};

/// Images whose class says in which quarter of the picture a blot is; not square, of two colours.
Dataset blots(std::size_t rows, std::size_t height, std::size_t width, std::size_t colours) {
  const RandomStream random(11, "blots");
  Dataset d;
  d.rows = rows;
  d.columns = height * width * colours;
  d.unsigned_features = true;
  d.classes = 4;
  d.class_names = {"a", "b", "c", "d"};
  for (std::size_t r = 0; r < rows; ++r) {
    const auto label = static_cast<std::uint32_t>(random.below(3 * r, 4));
    const std::size_t y0 = label / 2 * (height / 2) + random.below(3 * r + 1, height / 2);
    const std::size_t x0 = label % 2 * (width / 2) + random.below(3 * r + 2, width / 2);
    const RandomStream noise = random.child(r);
    for (std::size_t i = 0; i < d.columns; ++i) {
      const std::size_t pixel = i / colours;
      const bool inside = pixel / width == y0 && pixel % width == x0;
      d.features.push_back(inside ? 1.0f : 0.2f * static_cast<float>(noise.uniform(i)));
    }
    d.labels.push_back(label);
  }
  return d;
}

ConvolutionShape small() { return convolution_shape({{5, 7}, 6, 9}, 6 * 9 * 2, 11, 4); }

ConvolutionNetwork stirred(const ConvolutionShape& shape) {
  ConvolutionNetwork network(shape, 0.0, 3);
  auto parameters = network.parameters();
  const RandomStream random(9, "stir");
  std::uint64_t at = 0;
  for (auto& p : parameters)
    for (float& v : p) v += 0.1f * static_cast<float>(random.normal(at++));
  network.take_parameters(parameters);
  return network;
}

std::vector<std::vector<float>> gradients(ConvolutionNetwork& network, const Dataset& data,
                                          const char* precision, std::uint64_t seed) {
  network.set_precision(Precision::parse(precision), {}, nullptr);
  std::vector<std::vector<float>> all, matrices;
  for (const Linear* m : network.matrices()) matrices.emplace_back(m->layer().weights());
  std::vector<double> nats;
  network.forward(data.features, data.rows, nullptr);
  network.differentiate(data.labels, nats, nullptr);
  network.backward({0.0f, seed, 1, &matrices}, nullptr);
  for (std::size_t i = 0; i < matrices.size(); ++i) {
    all.push_back(matrices[i]);
    const Linear& m = *network.matrices()[i];
    all.emplace_back(m.bias_gradient().begin(),
                     m.bias_gradient().begin() + static_cast<std::ptrdiff_t>(m.outputs()));
  }
  return all;
}

PlainNetwork plain_of(const ConvolutionNetwork& network) {
  PlainNetwork plain{network.shape(), {}};
  for (const auto& p : network.parameters()) plain.values.emplace_back(p.begin(), p.end());
  return plain;
}

TEST(Convolution, GradientsAreTheDerivativesOfThePlainLoss) {
  const Dataset data = blots(5, 6, 9, 2);
  ConvolutionNetwork network = stirred(small());
  PlainNetwork plain = plain_of(network);
  const auto found = gradients(network, data, "f32", 1);
  ASSERT_EQ(found.size(), plain.values.size());
  for (std::size_t p = 0; p < found.size(); ++p) {
    ASSERT_EQ(found[p].size(), plain.values[p].size()) << p;
    double scale = 0.0;
    for (const float g : found[p]) scale = std::max(scale, std::abs(static_cast<double>(g)));
    for (std::size_t k = 0; k < 12; ++k) {
      const std::size_t i = (k * 7919 + 13 * p) % found[p].size();
      const double was = plain.values[p][i], h = 1e-6;
      plain.values[p][i] = was + h;
      const double up = plain.loss(data);
      plain.values[p][i] = was - h;
      const double down = plain.loss(data);
      plain.values[p][i] = was;
      EXPECT_NEAR(found[p][i], (up - down) / (2 * h), 1e-3 * scale + 1e-6) << p << " " << i;
    }
  }
}

TEST(Convolution, LearnerAndDecoderSayWhatThePlainOneSays) {
  const Dataset data = blots(9, 6, 9, 2);
  ConvolutionNetwork network = stirred(small());
  const PlainNetwork plain = plain_of(network);
  const std::vector<float> decoded =
      convolution_forward({{5, 7}, 6, 9}, network.parameters(), data, 2, 5);
  ASSERT_EQ(decoded.size(), 5u * 4);
  const float* z = network.forward(data.features, data.rows, nullptr);
  for (std::size_t r = 0; r < data.rows; ++r) {
    const Doubles right = plain.scores(data.features.data() + r * data.columns);
    double total = 0.0;
    for (const double v : right) total += std::exp(v);
    for (std::size_t k = 0; k < 4; ++k) {
      EXPECT_NEAR(z[r * network.score_stride() + k], right[k], 1e-4);
      if (r >= 2 && r < 7) {
        EXPECT_NEAR(decoded[(r - 2) * 4 + k], std::exp(right[k]) / total, 1e-5);
      }
    }
  }
}

TEST(Convolution, LowPrecisionGradientsPointTheSameWay) {
  const Dataset data = blots(32, 6, 9, 2);
  ConvolutionNetwork exact = stirred(small());
  const auto right = gradients(exact, data, "f32", 1);
  for (const auto& [precision, least] :
       {std::pair{"bf16", 0.999}, {"int8", 0.99}, {"int4", 0.8}, {"d4w8g4", 0.8}}) {
    ConvolutionNetwork trial = stirred(small());
    const auto found = gradients(trial, data, precision, 5);
    for (std::size_t p = 0; p < right.size(); p += 2) {
      double dot = 0.0, a = 0.0, b = 0.0;
      for (std::size_t i = 0; i < right[p].size(); ++i) {
        const double x = right[p][i], y = found[p][i];
        dot += x * y;
        a += x * x;
        b += y * y;
      }
      EXPECT_GT(dot / std::sqrt(a * b), least) << precision << " " << p;
    }
  }
}

LearnerOptions options_of(double epochs) {
  LearnerOptions o;
  o.model = "cnn";
  o.optimiser = "adam";
  o.hidden = 16;
  o.batch = 16;
  o.epochs = epochs;
  o.learning_rate = 0.01;
  o.convolution = {{8, 8}, 0, 0};
  return o;
}

/// Floats exactly; integers a little more, for rows that outgrew their grid.
void counted(const Counters& found, const Counters& expected, const Precision& p) {
  if (!p.is_integer()) {
    EXPECT_EQ(found, expected) << p.name;
    return;
  }
  for (std::size_t i = 0; i < std::size(found.operations); ++i) {
    EXPECT_GE(found.operations[i], expected.operations[i]) << p.name << " " << i;
    EXPECT_LE(static_cast<double>(found.operations[i]),
              1.002 * static_cast<double>(expected.operations[i]) + 0.5)
        << p.name << " " << i;
  }
}

TEST(Convolution, LearnsInEveryPrecisionWithTheCountsOfTheClosedForm) {
  const Dataset train = blots(600, 8, 8, 1), test = blots(900, 8, 8, 1);
  for (const char* name : {"f32", "bf16", "int8", "int4"}) {
    const Precision p = Precision::parse(name);
    const auto learner = make_any_learner(options_of(6), train);
    Counters expected = learner->switch_counters(Precision::parse("f32"), p);
    learner->train(70, p);
    expected += learner->step_counters(p) * 70;
    counted(learner->counters(), expected, p);
    expected += learner->evaluation_counters(test.rows, p);
    const double early = learner->evaluate(test, p).value;
    counted(learner->counters(), expected, p);
    expected += learner->noise_counters({p});
    learner->noise_shares({p});
    counted(learner->counters(), expected, p);
    learner->train(1000, p);
    EXPECT_EQ(learner->steps_done(), learner->total_steps());
    const double late = learner->evaluate(test, p).value;
    EXPECT_GT(late, 0.97) << name << " after " << early;
    EXPECT_FALSE(learner->diverged());
  }
}

TEST(Convolution, ATrainingGoesOnFromItsSavedStateToTheSameBytes) {
  const Dataset train = blots(200, 8, 8, 1);
  for (const char* name : {"f32", "int4"}) {
    const Precision p = Precision::parse(name);
    const auto whole = make_any_learner(options_of(4), train);
    whole->train(20, p);
    const auto state = whole->save();
    whole->train(100, p);
    const auto resumed = make_any_learner(options_of(4), train);
    resumed->restore(state);
    resumed->train(100, p);
    EXPECT_EQ(resumed->save(), whole->save()) << name;
    auto spoilt = state;
    spoilt.resize(spoilt.size() / 2);
    EXPECT_THROW(resumed->restore(spoilt), InputError);
    EXPECT_EQ(resumed->save(), whole->save()) << "a refused state changes nothing";
    LearnerOptions other = options_of(4);
    other.convolution.channels = {8, 4};
    EXPECT_THROW(make_any_learner(other, train)->restore(state), InputError);
  }
}

TEST(Convolution, WhatDoesNotFitIsRefused) {
  const Dataset images = blots(40, 8, 8, 1);
  const auto refuses = [&](const LearnerOptions& o, const Dataset& d) {
    EXPECT_THROW(make_any_learner(o, d), InputError);
  };
  LearnerOptions o = options_of(1);
  Dataset table = images;
  table.unsigned_features = false;
  refuses(o, table);
  o.convolution.channels = {8, 8, 8, 8};  // 8 x 8 halves three times
  refuses(o, images);
  o.convolution.channels = {};
  refuses(o, images);
  o = options_of(1);
  o.convolution.height = 5;
  o.convolution.width = 8;
  refuses(o, images);
  o = options_of(1);
  o.batch = 41;
  refuses(o, images);
  Dataset odd = blots(40, 5, 7, 1);
  refuses(options_of(1), odd);  // 35 pixels are no square
  LearnerOptions said = options_of(1);
  said.convolution = {{4, 4}, 5, 7};
  EXPECT_NO_THROW(make_any_learner(said, odd));
}

}  // namespace
}  // namespace carnot::learn
