// SPDX-License-Identifier: Apache-2.0
// MNIST, a perceptron with one hidden layer, trained in every precision on one thread; runs of the
// precisions are interleaved. Prints accuracy (mean +- standard error over seeds) and wall time
// (median over seeds) with its ratio to f32 in the same process.
//
//   mnist_mlp [FOLDER [HIDDEN [EPOCHS [RATE [SEEDS]]]]]
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "carnot/base/statistics.hpp"
#include "carnot/learn/learner.hpp"

#include "idx_reader.hpp"

using namespace carnot;

int main(int argc, char** argv) {
  const std::string folder = argc > 1 ? argv[1] : "data/mnist";
  learn::LearnerOptions options;
  options.hidden = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 256;
  options.epochs = argc > 3 ? std::strtod(argv[3], nullptr) : 8.0;
  options.learning_rate = argc > 4 ? std::strtod(argv[4], nullptr) : 0.4;
  const int seeds = argc > 5 ? std::atoi(argv[5]) : 5;
  const auto train = bench::read_idx(folder + "/train-images-idx3-ubyte.gz",
                                     folder + "/train-labels-idx1-ubyte.gz");
  const auto test =
      bench::read_idx(folder + "/t10k-images-idx3-ubyte.gz", folder + "/t10k-labels-idx1-ubyte.gz");
  std::printf("instruction set %s, 784-%zu-10, %g epochs, batch %zu, rate %g, %d seeds\n",
              learn::instruction_set().c_str(), options.hidden, options.epochs, options.batch,
              options.learning_rate, seeds);
  // "4>8": int4 for three quarters of the steps, then int8.
  const std::vector<std::string> names = {"f32", "bf16", "int8", "int4", "4>8", "int2"};
  std::map<std::string, std::vector<double>> accuracy, seconds, bits;
  for (int seed = 1; seed <= seeds; ++seed) {
    for (const auto& name : names) {
      options.seed = static_cast<std::uint64_t>(seed);
      auto learner = learn::make_learner(options, train);
      const bool two = name == "4>8";
      const auto last = learn::Precision::parse(two ? "int8" : name);
      if (two) {
        learner->train(0, last);
      }
      learner->train(1, two ? learn::Precision::parse("int4") : last);  // makes the data's copy
      const auto start = std::chrono::steady_clock::now();
      if (two) learner->train(learner->total_steps() * 3 / 4, learn::Precision::parse("int4"));
      learner->train(learner->total_steps(), last);
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
      const auto quality = learner->evaluate(test, last);
      accuracy[name].push_back(quality.value);
      bits[name].push_back(quality.bits_per_label);
      seconds[name].push_back(took.count());
    }
  }
  const double base_time = median(seconds["f32"]);
  const double base_accuracy = mean(accuracy["f32"]);
  for (const auto& name : names) {
    const auto& a = accuracy[name];
    const double error =
        a.size() < 2 ? 0.0 : std::sqrt(sample_variance(a) / static_cast<double>(a.size()));
    const double time = median(seconds[name]);
    std::printf(
        "%-5s accuracy %.2f +- %.2f %%  (%+.2f pp to f32)  %.4f bit/label  %.3f s  "
        "%.3f of f32\n",
        name.c_str(), 100 * mean(a), 100 * error, 100 * (mean(a) - base_accuracy), mean(bits[name]),
        time, time / base_time);
  }
}
