// SPDX-License-Identifier: Apache-2.0
// Trains the same small network in binary32 and in 4-bit integers, for real, and prices both: exact
// counts of operations and bytes times a published table.
#include <cstdio>
#include <memory>

#include "carnot/learn/data/dataset.hpp"
#include "carnot/learn/knobs/precision.hpp"
#include "carnot/learn/network/learner.hpp"

using namespace carnot;

namespace {

struct Trained {
  double accuracy = 0.0;
  Estimate<Energy> energy;
};

Trained train(const learn::Split& data, const char* precision_name) {
  const learn::Precision precision = learn::Precision::parse(precision_name);
  learn::LearnerOptions options;  // a perceptron with 64 hidden units
  const std::unique_ptr<learn::Learner> learner = learn::make_learner(options, data.train);
  learner->train(learner->total_steps(), precision);
  // Evaluating is counted too; price the training alone.
  const Estimate<Energy> energy = learn::EnergyTable::embedded().energy(learner->counters());
  const double accuracy = learner->evaluate(data.test, precision).value;
  std::printf("%-5s %.1f %% correct, %.0f uJ (%.0f to %.0f, modelled, chip), %llu products\n",
              precision_name, 100.0 * accuracy, 1e6 * energy.value().in(joule),
              1e6 * energy.low().in(joule), 1e6 * energy.high().in(joule),
              static_cast<unsigned long long>(learner->counters().macs()));
  return {accuracy, energy};
}

}  // namespace

int main() {
  learn::DatasetOptions options;
  options.path = "digits";  // 1797 images, in the library itself
  const learn::Split data = learn::load_split(options);
  const Trained exact = train(data, "f32");
  const Trained coarse = train(data, "int4");
  const Estimate<double> ratio = exact.energy / coarse.energy;
  std::printf("f32 took %.1f times the energy of int4 (%.1f to %.1f)\n", ratio.value(), ratio.low(),
              ratio.high());
  return coarse.accuracy > 0.9 && ratio.low() > 1.0 ? 0 : 1;
}
