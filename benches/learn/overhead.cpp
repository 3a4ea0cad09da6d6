// SPDX-License-Identifier: Apache-2.0
// What counting costs: steps of the MNIST-sized perceptron with counters against the same steps
// with none, on the same data from the same start. Bar: within 2 %.
//
//   learn_overhead [ROUNDS = 15 [STEPS = 400]]
//
// Both run in turns of `STEPS` steps, the order changing each round. Prints a JSON object a line:
// the median over rounds of the ratio within a round, and the ratio of the best times.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <vector>

#include "carnot/base/random.hpp"
#include "carnot/base/statistics.hpp"
#include "carnot/learn/network/learner.hpp"

#include "learn/network/data_copies.hpp"
#include "learn/network/network.hpp"

using namespace carnot;

namespace {

constexpr std::size_t kBatch = 64;

learn::Dataset random_images(std::size_t rows) {
  const RandomStream stream(1, "images");
  learn::Dataset data;
  data.rows = rows;
  data.columns = 784;
  data.classes = 10;
  data.unsigned_features = true;
  data.features.resize(rows * data.columns);
  for (std::size_t i = 0; i < data.features.size(); ++i) {
    data.features[i] = static_cast<float>(stream.uniform(i));
  }
  for (std::size_t i = 0; i < rows; ++i) {
    data.labels.push_back(static_cast<std::uint32_t>(i % data.classes));
  }
  return data;
}

double run(learn::Network& network, const learn::DataCopies& copies, std::uint64_t steps,
           learn::Counters* count) {
  const std::size_t rows = copies.data().rows;
  std::vector<std::uint32_t> chosen(kBatch);
  std::vector<double> nats;
  learn::Batch batch;
  const auto start = std::chrono::steady_clock::now();
  for (std::uint64_t step = 0; step < steps; ++step) {
    std::iota(chosen.begin(), chosen.end(),
              static_cast<std::uint32_t>(step * kBatch % (rows - kBatch)));
    copies.gather(chosen, network.precision().data, batch);
    network.forward(batch, count);
    network.differentiate(batch, nats, count);
    network.backward(batch, {0.05f, 1, step, nullptr}, count);
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 15;
  const auto steps = static_cast<std::uint64_t>(argc > 2 ? std::atoi(argv[2]) : 400);
  const learn::Dataset data = random_images(4096);
  bool all = true;
  for (const char* name : {"f32", "int8", "int4"}) {
    const auto precision = learn::Precision::parse(name);
    learn::DataCopies copies(data);
    copies.make(precision.data);
    learn::Network start({{784, 256, 10}, learn::Loss::Softmax, true}, 0.0f, 1, 1);
    start.set_precision(precision, learn::rounding_key(1, 1, 1), nullptr);
    learn::Counters counters;
    std::vector<double> counted, plain, ratios;
    for (int round = -1; round < rounds; ++round) {  // the first warms up
      learn::Network a(start), b(start);
      double with = 0.0, without = 0.0;
      if (round % 2 == 0) with = run(a, copies, steps, &counters);
      without = run(b, copies, steps, nullptr);
      if (round % 2 != 0) with = run(a, copies, steps, &counters);
      if (round < 0) continue;
      counted.push_back(with);
      plain.push_back(without);
      ratios.push_back(with / without);
    }
    const double ratio = carnot::median(ratios);
    const double of_best = *std::min_element(counted.begin(), counted.end()) /
                           *std::min_element(plain.begin(), plain.end());
    const bool pass = ratio <= 1.02;
    all = all && pass;
    std::printf(
        "{\"bar\": \"counting, %s step time over uncounted\", \"value\": %.4f, \"of_best_times\": "
        "%.4f, \"at_most\": 1.02, \"result\": \"%s\", \"us_per_step\": %.1f, \"macs\": %llu}\n",
        name, ratio, of_best, pass ? "pass" : "miss",
        1e6 * median(plain) / static_cast<double>(steps),
        static_cast<unsigned long long>(counters.macs()));
  }
  return all ? 0 : 1;
}
