// SPDX-License-Identifier: Apache-2.0
// Matrix products X W' of training: own u8s8 kernel, bf16 and f32 (oneDNN where built with it).
// Giga multiply-accumulates a second on one thread, medians of interleaved runs, ratio to f32.
#include <chrono>
#include <cstdio>
#include <functional>

#include "carnot/base/statistics.hpp"
#include "carnot/learn/learner.hpp"

#include "learn/float_products.hpp"
#include "learn/kernel_table.hpp"

using namespace carnot;

int main() {
  std::printf("instruction set %s\n", learn::instruction_set().c_str());
  const std::size_t sizes[][3] = {
      {64, 64, 784}, {64, 256, 784}, {256, 128, 784}, {256, 1024, 1024}, {1024, 1024, 1024}};
  for (const auto& size : sizes) {
    const std::size_t m = size[0], n = size[1], k = size[2], k64 = (k + 63) / 64 * 64;
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
          learn::kernels().product_nt(qa.data(), k64, false, qb.data(), k64, m, n, k64, qc.data(),
                                      n);
        }};
    const int repeats = static_cast<int>(200000000 / (m * n * k)) + 1;
    std::vector<double> seconds[3];
    for (int run = 0; run < 9; ++run) {
      for (int w = 0; w < 3; ++w) {
        work[w]();
        const auto start = std::chrono::steady_clock::now();
        for (int r = 0; r < repeats; ++r) work[w]();
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
        seconds[w].push_back(took.count() / repeats);
      }
    }
    const char* const names[3] = {"f32", "bf16", "u8s8"};
    for (int w = 0; w < 3; ++w) {
      const double s = median(seconds[w]);
      std::printf("%4zu x %4zu x %4zu %-5s %7.1f GMAC/s  %.2f x f32\n", m, n, k, names[w],
                  static_cast<double>(m * n * k) / s * 1e-9, median(seconds[0]) / s);
    }
  }
}
