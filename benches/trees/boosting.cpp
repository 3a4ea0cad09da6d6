// SPDX-License-Identifier: Apache-2.0
// Gradient boosting on a synthetic table of two classes: seconds and area under the ROC curve, with
// binary32 and with integer gradients.
//
//   trees_boosting [ROWS = 1000000 [COLUMNS = 28 [ROUNDS = 100 [LEAVES = 255 [FILE]]]]]
//
// With FILE the table is written there (float32, row-major, then labels as float32; training rows
// first, then a tenth as many held out) for xgboost_hist.py. Prints a JSON object a line. Each
// setting runs three times, in turn with the others; seconds are the median and the least.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <numeric>
#include <string>
#include <vector>

#include "carnot/base/random.hpp"
#include "carnot/learn/trees/tree_learner.hpp"

using namespace carnot;

namespace {

/// Normal features; the log odds hold products, a ring and steps, and noise that no model explains.
learn::Dataset table(std::size_t rows, std::size_t columns, std::uint64_t seed) {
  learn::Dataset d;
  d.rows = rows;
  d.columns = columns;
  d.classes = 2;
  d.class_names = {"0", "1"};
  d.features.resize(rows * columns);
  d.labels.resize(rows);
  const RandomStream draw(seed, "synthetic table"), coin(seed, "synthetic labels");
  for (std::size_t r = 0; r < rows; ++r) {
    float* x = d.features.data() + r * columns;
    for (std::size_t c = 0; c < columns; c += 2) {
      // Box-Muller: two normals from two uniforms.
      const double u = 1.0 - draw.uniform(r * columns + c), v = draw.uniform(r * columns + c + 1);
      const double length = std::sqrt(-2.0 * std::log(u));
      x[c] = static_cast<float>(length * std::cos(6.283185307179586 * v));
      if (c + 1 < columns) x[c + 1] = static_cast<float>(length * std::sin(6.283185307179586 * v));
    }
    double odds = 0.0;
    for (std::size_t c = 0; c + 3 < columns; c += 4) {
      const double a = x[c], b = x[c + 1], e = x[c + 2], f = x[c + 3];
      odds += 0.5 * a * b + 0.4 * std::sin(2.0 * e) + (f > 0.5 ? 0.4 : -0.2) +
              0.3 * (a * a + e * e < 1.0 ? 1.0 : -0.6);
    }
    d.labels[r] = coin.uniform(r) < 1.0 / (1.0 + std::exp(-odds)) ? 1 : 0;
  }
  return d;
}

double area_under_curve(const std::vector<float>& score, const std::vector<std::uint32_t>& labels) {
  std::vector<std::size_t> order(score.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return score[a] < score[b]; });
  double rank_sum = 0.0, positives = 0.0;
  for (std::size_t i = 0; i < order.size();) {
    std::size_t j = i;
    while (j < order.size() && score[order[j]] == score[order[i]]) ++j;
    const double rank = 0.5 * static_cast<double>(i + j + 1);
    for (; i < j; ++i)
      if (labels[order[i]] == 1) {
        rank_sum += rank;
        positives += 1.0;
      }
  }
  const double negatives = static_cast<double>(labels.size()) - positives;
  return (rank_sum - positives * (positives + 1.0) / 2.0) / (positives * negatives);
}

std::size_t argument(int count, char** values, int at, std::size_t otherwise) {
  return count > at ? static_cast<std::size_t>(std::strtoull(values[at], nullptr, 10)) : otherwise;
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t rows = argument(argc, argv, 1, 1000000), columns = argument(argc, argv, 2, 28);
  const std::size_t rounds = argument(argc, argv, 3, 100), leaves = argument(argc, argv, 4, 255);
  const learn::Dataset train = table(rows, columns, 1), test = table(rows / 10, columns, 2);
  if (argc > 5) {
    std::ofstream out(argv[5], std::ios::binary);
    for (const learn::Dataset* d : {&train, &test}) {
      out.write(reinterpret_cast<const char*>(d->features.data()),
                static_cast<std::streamsize>(4 * d->features.size()));
      const std::vector<float> labels(d->labels.begin(), d->labels.end());
      out.write(reinterpret_cast<const char*>(labels.data()),
                static_cast<std::streamsize>(4 * labels.size()));
    }
  }
  struct Setting {
    const char* name;
    int bits;
    bool refit, random;
    std::vector<double> seconds, binning;
    double area = 0.0;
  };
  std::vector<Setting> settings{{"f32", 32, true, true, {}, {}},
                                {"3 bit", 3, true, true, {}, {}},
                                {"2 bit", 2, true, true, {}, {}},
                                {"2 bit, to the nearest, no refit", 2, false, false, {}, {}}};
  learn::LearnerOptions learner;
  learner.model = "gbdt";
  learner.threads = 2;
  for (int repeat = 0; repeat < 3; ++repeat)
    for (Setting& s : settings) {
      if (repeat > 0 && s.bits == 2) continue;
      learn::TreeOptions options;
      options.trees = rounds;
      options.leaves = leaves;
      options.least_rows = 1;
      options.least_hessian = 1.0;
      options.hold_out = 0.0;
      options.refit_leaves = s.refit;
      options.random_rounding = s.random;
      const auto start = std::chrono::steady_clock::now();
      const auto made = learn::make_tree_learner(options, learner, train);
      const auto binned = std::chrono::steady_clock::now();
      made->train(rounds, learn::gradient_precision(s.bits));
      const auto end = std::chrono::steady_clock::now();
      s.binning.push_back(std::chrono::duration<double>(binned - start).count());
      s.seconds.push_back(std::chrono::duration<double>(end - start).count());
      if (repeat == 0) s.area = area_under_curve(learn::scores(made->model(), test), test.labels);
    }
  for (Setting& s : settings) {
    std::sort(s.seconds.begin(), s.seconds.end());
    std::sort(s.binning.begin(), s.binning.end());
    std::printf(
        "{\"gradients\": \"%s\", \"rows\": %zu, \"columns\": %zu, \"rounds\": %zu, \"leaves\": "
        "%zu, \"threads\": 2, \"seconds\": %.3f, \"least_seconds\": %.3f, \"binning_seconds\": "
        "%.3f, \"auc\": %.5f}\n",
        s.name, rows, columns, rounds, leaves, s.seconds[s.seconds.size() / 2], s.seconds[0],
        s.binning[s.binning.size() / 2], s.area);
  }
}
