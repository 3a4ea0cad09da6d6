// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/codes/model_forward.hpp"

#include <algorithm>
#include <cmath>

#include "carnot/base/error.hpp"
#include "carnot/learn/codes/code_length.hpp"

namespace carnot::learn {

namespace {

constexpr std::size_t kBlockRows = 64;

/// out[r][j] = bias[j] + sum_k in[r][k] w[j][k]. Weights are turned so that the inner loop runs
/// over outputs, which compilers make SIMD of without reordering a sum.
void layer(const std::vector<float>& turned, const std::vector<float>& bias, const float* in,
           std::size_t inputs, std::size_t rows, std::vector<float>& out) {
  const std::size_t outputs = bias.size();
  out.resize(rows * outputs);
  for (std::size_t r = 0; r < rows; ++r) {
    float* to = out.data() + r * outputs;
    std::copy(bias.begin(), bias.end(), to);
    for (std::size_t k = 0; k < inputs; ++k) {
      const float x = in[r * inputs + k];
      if (x == 0.0f) continue;  // images are mostly paper
      const float* w = turned.data() + k * outputs;
      for (std::size_t j = 0; j < outputs; ++j) to[j] += x * w[j];
    }
  }
}

void softmax(float* z, std::size_t n) {
  const float most = *std::max_element(z, z + n);
  float sum = 0.0f;
  for (std::size_t j = 0; j < n; ++j) sum += z[j] = std::exp(z[j] - most);
  for (std::size_t j = 0; j < n; ++j) z[j] /= sum;
}

}  // namespace

std::vector<float> forward(const std::vector<std::vector<float>>& parameters, const Dataset& data,
                           std::size_t first, std::size_t rows) {
  CARNOT_CHECK(first + rows <= data.rows, "rows of the data");
  std::size_t width = data.columns;
  std::vector<std::vector<float>> turned;
  for (std::size_t l = 0; l + 1 < parameters.size(); l += 2) {
    const std::size_t outputs = parameters[l + 1].size();
    if (outputs == 0 || parameters[l].size() != outputs * width)
      throw InputError("coefficients: weights and biases of a fully connected network");
    std::vector<float>& t = turned.emplace_back(parameters[l].size());
    for (std::size_t j = 0; j < outputs; ++j)
      for (std::size_t k = 0; k < width; ++k) t[k * outputs + j] = parameters[l][j * width + k];
    width = outputs;
  }
  const std::size_t wanted = std::max<std::size_t>(data.classes, 1);
  const bool logistic = data.classes == 2 && width == 1;
  if (parameters.empty() || parameters.size() % 2 != 0 || (width != wanted && !logistic))
    throw InputError("coefficients: as many outputs as classes");
  std::vector<float> result;
  result.reserve(rows * wanted);
  std::vector<float> in, out;
  for (std::size_t begin = 0; begin < rows; begin += kBlockRows) {
    const std::size_t n = std::min(kBlockRows, rows - begin);
    const float* source = data.features.data() + (first + begin) * data.columns;
    std::size_t inputs = data.columns;
    for (std::size_t l = 0; l < turned.size(); ++l) {
      layer(turned[l], parameters[2 * l + 1], source, inputs, n, out);
      inputs = parameters[2 * l + 1].size();
      if (l + 1 < turned.size())
        for (float& v : out) v = std::max(v, 0.0f);
      std::swap(in, out);
      source = in.data();
    }
    for (std::size_t r = 0; r < n; ++r) {
      float* z = in.data() + r * width;
      if (logistic) {
        const float p = 1.0f / (1.0f + std::exp(-z[0]));
        result.push_back(1.0f - p);
        result.push_back(p);
        continue;
      }
      if (!data.is_regression()) softmax(z, width);
      result.insert(result.end(), z, z + width);
    }
  }
  return result;
}

double label_bits(const std::vector<std::vector<float>>& parameters, const Dataset& data,
                  std::size_t rows) {
  const std::vector<float> out = forward(parameters, data, 0, rows);
  if (data.is_regression()) {
    double squares = 0.0;
    for (std::size_t r = 0; r < rows; ++r) {
      const double e = static_cast<double>(out[r]) - static_cast<double>(data.targets[r]);
      squares += e * e;
    }
    Quality quality;
    quality.value = 1.0 - squares / static_cast<double>(rows);
    return data_length(data, quality) * static_cast<double>(rows) / static_cast<double>(data.rows);
  }
  // The coder never gives a label less than one part in 2^26 (arithmetic_coder.hpp).
  double bits = 0.0;
  for (std::size_t r = 0; r < rows; ++r) {
    const double p = static_cast<double>(out[r * data.classes + data.labels[r]]);
    bits -= std::log2(std::clamp(p, 0x1p-26, 1.0));
  }
  return bits;
}

}  // namespace carnot::learn
