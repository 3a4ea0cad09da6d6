// SPDX-License-Identifier: Apache-2.0
// Linear regression by streaming gradient descent (one dot product and one update a row) over data
// that does not fit the caches: rows a second at 32, 8 and 4 bits, and plain f32 dot products as
// the yardstick of the f32 kernel. Interleaved passes, medians.
//
//   streaming_sgd [MEGABYTES_AT_F32 [COLUMNS [PASSES]]]
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>

#include "carnot/base/statistics.hpp"
#include "carnot/learn/kernels.hpp"
#include "carnot/learn/learner.hpp"

#include "learn/kernel_table.hpp"

using namespace carnot;

int main(int argc, char** argv) {
  const std::size_t megabytes = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 512;
  const std::size_t columns = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 2048;
  const int passes = argc > 3 ? std::atoi(argv[3]) : 7;
  const std::size_t rows = (megabytes << 20) / (columns * sizeof(float));
  std::vector<float> x(rows * columns), y(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    const learn::RoundingKey key = learn::rounding_key(1, 2, i);
    float sum = 0.0f;
    for (std::size_t j = 0; j < columns; ++j) {
      const float v = static_cast<float>(learn::rounding_draw(key, j)) * 0x1p-16f;
      x[i * columns + j] = v;
      sum += v * (j % 3 == 0 ? 0.02f : -0.01f);
    }
    y[i] = sum;
  }
  const learn::PackedMatrix x8(x.data(), rows, columns, 8, learn::Format::UnitInterval);
  const learn::PackedMatrix x4(x.data(), rows, columns, 4, learn::Format::UnitInterval);
  const float rate = 1.0f / static_cast<float>(columns);
  learn::StreamingRegression f32(columns, 32, 0.05f, 1), i8(columns, 8, 0.05f, 1),
      i4(columns, 4, 0.05f, 1);
  const std::vector<float> w(columns, 0.01f);
  volatile float sink = 0.0f;
  double error[4] = {};
  const std::function<void()> work[4] = {
      [&] {
        float sum = 0.0f;
        for (std::size_t i = 0; i < rows; ++i) {
          sum += learn::kernels().dot_f32(x.data() + i * columns, w.data(), columns);
        }
        sink = sum;
      },
      [&] {
        error[1] = 0;
        for (std::size_t i = 0; i < rows; ++i) {
          const double e = f32.step(x.data() + i * columns, y[i], rate) - y[i];
          error[1] += e * e;
        }
      },
      [&] {
        error[2] = 0;
        for (std::size_t i = 0; i < rows; ++i) {
          const double e = i8.step(x8.row(i), y[i], rate) - y[i];
          error[2] += e * e;
        }
      },
      [&] {
        error[3] = 0;
        for (std::size_t i = 0; i < rows; ++i) {
          const double e = i4.step(x4.row(i), y[i], rate) - y[i];
          error[3] += e * e;
        }
      }};
  const char* const names[4] = {"f32 dot alone", "f32 sgd", "int8 sgd", "int4 sgd"};
  std::vector<double> seconds[4];
  for (int pass = 0; pass < passes; ++pass) {
    for (int k = 0; k < 4; ++k) {
      const auto start = std::chrono::steady_clock::now();
      work[k]();
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
      seconds[k].push_back(took.count());
    }
  }
  std::printf("instruction set %s, %zu rows x %zu columns, %zu MB at f32, median of %d passes\n",
              learn::instruction_set().c_str(), rows, columns, megabytes, passes);
  const double base = median(seconds[1]);
  for (int k = 0; k < 4; ++k) {
    const double s = median(seconds[k]);
    std::printf("%-14s %9.0f rows/s  %6.2f Gelement/s  %5.2f x f32 sgd  rms error %.4f\n", names[k],
                static_cast<double>(rows) / s, static_cast<double>(rows * columns) / s * 1e-9,
                base / s, std::sqrt(error[k] / static_cast<double>(rows)));
  }
}
