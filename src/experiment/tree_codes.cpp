// SPDX-License-Identifier: Apache-2.0
#include "experiment/tree_codes.hpp"

#include <algorithm>
#include <cmath>

#include "carnot/learn/codes/code_length.hpp"
#include "carnot/learn/trees/tree_code.hpp"

namespace carnot::experiment {

namespace {

TreeCodeData measured(const learn::TreeModel& model, std::vector<float> scores, std::size_t trees,
                      const learn::Dataset& data) {
  TreeCodeData out;
  if (model.average && trees > 0)
    for (float& s : scores) s /= static_cast<float>(trees);
  const std::vector<float> p = learn::probabilities(model, std::move(scores), trees);
  out.quality.trials = data.rows;
  const auto n = static_cast<double>(data.rows);
  if (data.is_regression()) {
    double squares = 0.0, mean = 0.0, spread = 0.0;
    for (const float t : data.targets) mean += static_cast<double>(t) / n;
    for (std::size_t r = 0; r < data.rows; ++r) {
      const double t = static_cast<double>(data.targets[r]);
      squares += (static_cast<double>(p[r]) - t) * (static_cast<double>(p[r]) - t);
      spread += (t - mean) * (t - mean);
    }
    learn::Quality standardised;
    standardised.value = 1.0 - squares / n;
    out.label_bits = learn::data_length(data, standardised);
    out.quality.metric = "r2";
    out.quality.value = spread > 0.0 ? 1.0 - squares / spread : 0.0;
    out.quality.bits_per_label = out.label_bits / n;
    return out;
  }
  for (std::size_t r = 0; r < data.rows; ++r) {
    const float* row = p.data() + r * data.classes;
    // The coder never gives a label less than one part in 2^26 (arithmetic_coder.hpp).
    out.label_bits -= std::log2(std::clamp(static_cast<double>(row[data.labels[r]]), 0x1p-26, 1.0));
    const auto likeliest =
        static_cast<std::uint32_t>(std::max_element(row, row + data.classes) - row);
    out.quality.successes += likeliest == data.labels[r] ? 1 : 0;
  }
  out.quality.metric = "accuracy";
  out.quality.value = static_cast<double>(out.quality.successes) / n;
  out.quality.bits_per_label = out.label_bits / n;
  return out;
}

}  // namespace

std::vector<TreeCodeData> coded_data(const learn::TreeModel& model,
                                     const std::vector<std::size_t>& prefixes, int width,
                                     const learn::Dataset& data) {
  const std::vector<std::vector<float>> leaves = learn::rounded_leaves(model, width);
  const std::vector<std::uint8_t> bins = learn::binned(model, data);
  const std::size_t features = model.features.size(), outputs = model.outputs;
  std::vector<float> scores(data.rows * outputs, 0.0f);
  if (!model.average)
    for (std::size_t i = 0; i < scores.size(); ++i) scores[i] = model.base[i % outputs];
  std::vector<TreeCodeData> out;
  std::size_t t = 0;
  for (const std::size_t prefix : prefixes) {
    for (; t < std::min(prefix, model.trees.size()); ++t) {
      const learn::Tree& tree = model.trees[t];
      for (std::size_t r = 0; r < data.rows; ++r) {
        const std::size_t leaf = learn::leaf_of(tree, model, bins.data() + r * features);
        for (std::size_t k = 0; k < tree.width; ++k)
          scores[r * outputs + tree.output + k] += leaves[t][leaf * tree.width + k];
      }
    }
    out.push_back(measured(model, scores, t, data));
  }
  return out;
}

}  // namespace carnot::experiment
