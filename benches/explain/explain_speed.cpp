// SPDX-License-Identifier: Apache-2.0
// explain_speed: time of a whole explanation of a 405 billion parameter model, and of a sweep over
// a hundred thousand ways to run it.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <thread>

#include "carnot/model/explain/explain.hpp"

namespace {

double seconds_since(std::chrono::steady_clock::time_point from) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - from).count();
}

}  // namespace

int main() {
  using namespace carnot::model;
  const ModelSource model = parse_transformer_config(
      R"({"model_type": "llama", "hidden_size": 16384, "intermediate_size": 53248,
          "num_hidden_layers": 126, "num_attention_heads": 128, "num_key_value_heads": 8,
          "vocab_size": 128256})",
      "405b");
  const ChipCatalogue& chips = ChipCatalogue::embedded();
  ExplainOptions o;
  o.chip = "b200";
  o.chips = 8;
  o.batch = 16;
  std::vector<double> times;
  std::size_t nodes = 0;
  for (int k = 0; k < 50; ++k) {
    const auto from = std::chrono::steady_clock::now();
    nodes = explain(model, chips, o).tree.nodes().size();
    times.push_back(seconds_since(from));
  }
  std::sort(times.begin(), times.end());
  std::printf("405B explained: %.2f ms median, %.2f ms worst, %zu nodes\n", 1e3 * times[25],
              1e3 * times.back(), nodes);
  std::vector<SweepAxis> axes = {{"batch", {}},
                                 {"context", {}},
                                 {"on", {"h200-sxm", "b200"}},
                                 {"format", {"bf16", "fp8_block"}}};
  for (int k = 1; k <= 250; ++k) axes[0].values.push_back(std::to_string(k));
  for (int k = 1; k <= 100; ++k) axes[1].values.push_back(std::to_string(128 * k));
  for (const unsigned threads : {1u, std::max(1u, std::thread::hardware_concurrency())}) {
    const auto from = std::chrono::steady_clock::now();
    const std::clock_t cpu = std::clock();
    const auto points = explain_sweep(model, chips, o, axes, threads);
    std::printf("%zu points, %u threads: %.2f s, %.2f s of processor\n", points.size(), threads,
                seconds_since(from), static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC);
  }
  return 0;
}
