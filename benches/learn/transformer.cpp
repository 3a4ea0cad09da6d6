// SPDX-License-Identifier: Apache-2.0
// Training time of the transformer in every precision, in turns in one process: seconds of
// processor time of one thread, median of `rounds` blocks of `steps` steps.
//   learn_transformer TEXT [width 128] [layers 2] [heads 4] [context 128] [batch 16] [rounds 5]
//   [steps 5]
#include <algorithm>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "carnot/base/file.hpp"
#include "carnot/learn/data/text.hpp"
#include "carnot/learn/learners/learners.hpp"

int main(int argc, char** argv) {
  using namespace carnot;
  if (argc < 2) return 2;
  const auto number = [&](int i, std::size_t otherwise) {
    return argc > i ? std::stoul(argv[i]) : otherwise;
  };
  const learn::Dataset text = learn::training_text(read_file(argv[1]), "text");
  learn::LearnerOptions o;
  o.model = "transformer";
  o.transformer.width = number(2, 128);
  o.transformer.layers = number(3, 2);
  o.transformer.heads = number(4, 4);
  o.transformer.context = number(5, 128);
  o.batch = number(6, 16);
  o.epochs = 1000;
  o.learning_rate = 0.001;
  o.weight_decay = 0.1;
  const std::size_t rounds = number(7, 5), steps = number(8, 5);
  const char* const names[] = {"f32", "bf16", "int8", "int4"};
  std::vector<std::unique_ptr<learn::Learner>> learners;
  std::vector<std::vector<double>> seconds(std::size(names));
  for (const char* name : names) {
    learners.push_back(learn::make_any_learner(o, text));
    learners.back()->train(2, learn::Precision::parse(name));
  }
  const auto now = [] {
    timespec t{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
  };
  for (std::size_t r = 0; r < rounds; ++r) {
    for (std::size_t i = 0; i < learners.size(); ++i) {
      const double start = now();
      learners[i]->train(steps, learn::Precision::parse(names[i]));
      seconds[i].push_back((now() - start) / static_cast<double>(steps));
    }
  }
  double f32 = 0.0;
  for (std::size_t i = 0; i < learners.size(); ++i) {
    std::sort(seconds[i].begin(), seconds[i].end());
    const double median = seconds[i][rounds / 2];
    if (i == 0) f32 = median;
    fmt::print(
        "{{\"precision\": \"{}\", \"isa\": \"{}\", \"step_cpu_s\": {:.6f}, \"least_s\": {:.6f}, "
        "\"greatest_s\": {:.6f}, \"of_f32\": {:.3f}}}\n",
        names[i], learn::instruction_set(), median, seconds[i].front(), seconds[i].back(),
        median / f32);
  }
}
