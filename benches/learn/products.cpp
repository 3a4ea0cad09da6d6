// SPDX-License-Identifier: Apache-2.0
// Matrix products X W' of training: own u8s8 kernel, bf16 and f32 (oneDNN where built with it), on
// one thread. Bars against f32, at the larger sizes: u8s8 >= 3, bf16 >= 1.5.
//
//   learn_products [ROUNDS = 9]
//
// Prints a JSON object a line: giga multiply-accumulates a second (median), the median over rounds
// of the ratio to f32 within a round, and the ratio of the best times.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <vector>

#include "carnot/base/statistics.hpp"
#include "carnot/learn/network/learner.hpp"

#include "learn/kernels/float_products.hpp"
#include "learn/kernels/kernel_table.hpp"

using namespace carnot;

namespace {

constexpr double kBars[3] = {0.0, 1.5, 3.0};
const char* const kNames[3] = {"f32", "bf16", "u8s8"};

void bench(std::size_t m, std::size_t n, std::size_t k, int rounds, bool has_bar) {
  const std::size_t k64 = (k + 63) / 64 * 64;
  std::vector<float> a(m * k, 0.5f), b(n * k, 0.25f), c(m * n);
  std::vector<std::uint16_t> ha(m * k, 0x3f00), hb(n * k, 0x3e80);
  std::vector<std::uint8_t> qa(m * k64, 3);
  std::vector<std::int8_t> qb(n * k64, -5);
  std::vector<std::int32_t> qc(m * n);
  learn::FloatProducts products;
  const learn::ProductShape shape{m, n, k, false, true, k, k, n, false};
  const std::function<void()> work[3] = {
      [&] { products.multiply(shape, a.data(), b.data(), c.data()); },
      [&] { products.multiply(shape, ha.data(), hb.data(), c.data()); },
      [&] {
        learn::kernels().product_nt(qa.data(), k64, false, qb.data(), k64, m, n, k64, qc.data(), n);
      }};
  const int repeats = static_cast<int>(200000000 / (m * n * k)) + 1;
  std::vector<double> seconds[3], ratios[3];
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t w = 0; w < 3; ++w) {
      work[w]();
      const auto start = std::chrono::steady_clock::now();
      for (int r = 0; r < repeats; ++r) work[w]();
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
      seconds[w].push_back(took.count() / repeats);
      ratios[w].push_back(seconds[0].back() / seconds[w].back());
    }
  }
  const auto best = [&](std::size_t w) {
    return *std::min_element(seconds[w].begin(), seconds[w].end());
  };
  for (std::size_t w = 0; w < 3; ++w) {
    const double ratio = carnot::median(ratios[w]);
    std::printf(
        "{\"product\": \"%s\", \"m\": %zu, \"n\": %zu, \"k\": %zu, \"gmac_per_s\": %.1f, "
        "\"value\": %.2f, \"of_best_times\": %.2f",
        kNames[w], m, n, k, static_cast<double>(m * n * k) / carnot::median(seconds[w]) * 1e-9,
        ratio, best(0) / best(w));
    if (has_bar && w > 0) {
      std::printf(", \"at_least\": %.1f, \"result\": \"%s\"", kBars[w],
                  ratio >= kBars[w] ? "pass" : "miss");
    }
    std::printf("}\n");
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 9;
  std::printf("{\"bench\": \"products\", \"instruction_set\": \"%s\", \"rounds\": %d}\n",
              learn::instruction_set().c_str(), rounds);
  // A perceptron's layers: shown only, as calling and packing weigh there.
  bench(64, 64, 784, rounds, false);
  bench(64, 256, 784, rounds, false);
  bench(256, 128, 784, rounds, false);
  bench(256, 1024, 1024, rounds, true);
  bench(1024, 1024, 1024, rounds, true);
}
