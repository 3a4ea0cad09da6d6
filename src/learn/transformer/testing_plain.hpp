// SPDX-License-Identifier: Apache-2.0
#pragma once

// A transformer written down plainly in binary64, sharing no code with the learner's: the oracle.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "learn/transformer/transformer.hpp"

namespace carnot::learn::testing {

using Doubles = std::vector<double>;

class PlainTransformer {
 public:
  PlainTransformer(const TransformerShape& shape, const std::vector<std::vector<float>>& parameters)
      : shape_(shape) {
    for (const auto& p : parameters) values.emplace_back(p.begin(), p.end());
  }

  std::vector<Doubles> values;  ///< as Transformer::parameters

  /// Mean of -ln p over the targets that are not negative.
  double loss(const std::vector<std::uint32_t>& inputs, const std::vector<std::int32_t>& targets,
              std::size_t length) const {
    double sum = 0.0;
    std::size_t asked = 0;
    for (std::size_t w = 0; w < inputs.size() / length; ++w) {
      const std::vector<Doubles> logits = window(inputs.data() + w * length, length);
      for (std::size_t i = 0; i < length; ++i) {
        const std::int32_t target = targets[w * length + i];
        if (target < 0) continue;
        double most = -1e300, total = 0.0;
        for (const double z : logits[i]) most = std::max(most, z);
        for (const double z : logits[i]) total += std::exp(z - most);
        sum += std::log(total) + most - logits[i][static_cast<std::size_t>(target)];
        ++asked;
      }
    }
    return sum / static_cast<double>(asked);
  }

 private:
  static Doubles normal(const Doubles& x, const Doubles& gain, const Doubles& bias) {
    const double n = static_cast<double>(x.size());
    double mean = 0.0, variance = 0.0;
    for (const double v : x) mean += v / n;
    for (const double v : x) variance += (v - mean) * (v - mean) / n;
    Doubles y(x.size());
    for (std::size_t k = 0; k < x.size(); ++k)
      y[k] = (x[k] - mean) / std::sqrt(variance + 1e-5) * gain[k] + bias[k];
    return y;
  }

  static Doubles times(const Doubles& x, const Doubles& w, const Doubles& b) {
    Doubles y(b);
    for (std::size_t j = 0; j < y.size(); ++j)
      for (std::size_t k = 0; k < x.size(); ++k) y[j] += w[j * x.size() + k] * x[k];
    return y;
  }

  std::vector<Doubles> window(const std::uint32_t* inputs, std::size_t length) const {
    const std::size_t d = shape_.width, dh = d / shape_.heads;
    std::vector<Doubles> x(length, Doubles(d));
    for (std::size_t i = 0; i < length; ++i)
      for (std::size_t k = 0; k < d; ++k)
        x[i][k] = values[0][inputs[i] * d + k] + values[1][i * d + k];
    std::size_t at = 2;
    for (std::size_t l = 0; l < shape_.layers; ++l, at += 12) {
      std::vector<Doubles> mixed;
      for (const Doubles& v : x)
        mixed.push_back(
            times(normal(v, values[at], values[at + 1]), values[at + 2], values[at + 3]));
      for (std::size_t i = 0; i < length; ++i) {
        Doubles heads(d);
        for (std::size_t h = 0; h < shape_.heads; ++h) {
          const std::size_t seen = shape_.causal ? i + 1 : length;
          Doubles share(seen);
          double total = 0.0;
          for (std::size_t j = 0; j < seen; ++j) {
            double score = 0.0;
            for (std::size_t k = h * dh; k < (h + 1) * dh; ++k)
              score += mixed[i][k] * mixed[j][d + k];
            share[j] = std::exp(score / std::sqrt(static_cast<double>(dh)));
            total += share[j];
          }
          for (std::size_t j = 0; j < seen; ++j)
            for (std::size_t k = h * dh; k < (h + 1) * dh; ++k)
              heads[k] += share[j] / total * mixed[j][2 * d + k];
        }
        const Doubles change = times(heads, values[at + 4], values[at + 5]);
        for (std::size_t k = 0; k < d; ++k) x[i][k] += change[k];
      }
      for (Doubles& v : x) {
        Doubles inner =
            times(normal(v, values[at + 6], values[at + 7]), values[at + 8], values[at + 9]);
        for (double& u : inner) u = std::max(u, 0.0);
        const Doubles change = times(inner, values[at + 10], values[at + 11]);
        for (std::size_t k = 0; k < d; ++k) v[k] += change[k];
      }
    }
    std::vector<Doubles> logits;
    for (const Doubles& v : x)
      logits.push_back(
          times(normal(v, values[at], values[at + 1]), values[at + 2], values[at + 3]));
    return logits;
  }

  TransformerShape shape_;
};

}  // namespace carnot::learn::testing
