// SPDX-License-Identifier: Apache-2.0
// Linear regression by streaming gradient descent (a dot product and an update a row, a few rows a
// step) over data that do not fit the caches: rows a second at 32, 8 and 4 bits on one thread. The
// yardstick of the f32 kernel is a plain f32 dot product over the same rows in the same huge pages.
// Short rows are harder for 4 bits: what a step costs once is then a larger share.
//
//   learn_streaming_sgd [MEGABYTES_AT_F32 = 512 [COLUMNS = 2048 [ROUNDS = 9]]]
//
// A round runs the four after each other. Prints a JSON object a line: per kernel the median and
// the best seconds; per bar the median over rounds of the ratio within a round, which is what
// counts, and beside it the ratio of the best times, which tells how much a busy machine disturbed.
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "carnot/base/statistics.hpp"
#include "carnot/learn/kernels/kernels.hpp"
#include "carnot/learn/network/learner.hpp"

#include "learn/kernels/kernel_table.hpp"
#include "learn/kernels/memory.hpp"

using namespace carnot;

namespace {

constexpr std::size_t kRows = learn::StreamingRegression::kRows;
/// Every precision in its fastest grouping. Two f32 rows, the two that come next and the
/// coefficients fit the first-level cache; four do not, and cost f32 a sixth of its speed.
constexpr std::size_t kFloatRows = 2;
/// One pass of `model` over `rows` rows, kGroup rows a step, asking for the rows kAhead steps
/// ahead; the root mean square of (prediction before - y).
template <std::size_t kGroup, std::size_t kAhead, class Row>
double pass(learn::StreamingRegression& model, std::size_t rows, Row row,
            const std::vector<float>& y, float rate) {
  using Pointer = decltype(row(std::size_t{0}));
  double squares = 0.0;
  for (std::size_t i = 0; i + kGroup <= rows; i += kGroup) {
    std::array<Pointer, kGroup> now, next;
    for (std::size_t r = 0; r < kGroup; ++r) {
      now[r] = row(i + r);
      next[r] = row(std::min(i + kAhead * kGroup + r, rows - 1));
    }
    std::array<float, kGroup> guess;
    const auto wanted = std::span(y).subspan(i, kGroup);
    model.step(std::span<const Pointer>(now), wanted, rate, guess, std::span<const Pointer>(next));
    for (std::size_t r = 0; r < kGroup; ++r) {
      const double e = static_cast<double>(guess[r]) - static_cast<double>(wanted[r]);
      squares += e * e;
    }
  }
  return std::sqrt(squares / static_cast<double>(rows));
}

void print_bar(const char* name, std::vector<double> ratios, double of_best, double bar) {
  const double value = carnot::median(std::move(ratios));
  std::printf(
      "{\"bar\": \"%s\", \"value\": %.3f, \"of_best_times\": %.3f, \"at_least\": %.2f, "
      "\"result\": \"%s\"}\n",
      name, value, of_best, bar, value >= bar ? "pass" : "miss");
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t megabytes = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 512;
  const std::size_t columns = argc > 2 ? std::strtoul(argv[2], nullptr, 10) / 128 * 128 : 2048;
  const int rounds = argc > 3 ? std::atoi(argv[3]) : 9;
  const std::size_t rows = (megabytes << 20) / (columns * sizeof(float)) / kRows * kRows;
  learn::AlignedBytes floats(rows * columns * sizeof(float));
  float* const x = learn::as<float>(floats);
  std::vector<float> y(rows);
  double squares = 0.0;
  for (std::size_t i = 0; i < rows; ++i) {
    const learn::RoundingKey key = learn::rounding_key(1, 2, i);
    float sum = 0.0f;
    for (std::size_t j = 0; j < columns; ++j) {
      const float v = static_cast<float>(learn::rounding_draw(key, j)) * 0x1p-16f;
      x[i * columns + j] = v;
      sum += v * (j % 3 == 0 ? 0.02f : -0.01f);
    }
    y[i] = sum;
    squares += static_cast<double>(sum) * static_cast<double>(sum);
  }
  const learn::PackedMatrix x8(x, rows, columns, 8, learn::Format::UnitInterval);
  const learn::PackedMatrix x4(x, rows, columns, 4, learn::Format::UnitInterval);
  const float rate = 0.5f / static_cast<float>(columns);
  learn::StreamingRegression f32(columns, 32, 0.025f, 1), i8(columns, 8, 0.025f, 1),
      i4(columns, 4, 0.025f, 1);
  learn::AlignedBytes weights(columns * sizeof(float));
  float* const w = learn::as<float>(weights);
  for (std::size_t j = 0; j < columns; ++j) w[j] = 0.01f;
  volatile float sink = 0.0f;
  double error[4] = {};
  const std::function<void()> work[4] = {
      [&] {
        float sum = 0.0f;
        for (std::size_t i = 0; i < rows; ++i) {
          sum += learn::kernels().dot_f32(x + i * columns, w, columns);
        }
        sink = sum;
      },
      [&] {
        const auto row = [&](std::size_t i) -> const float* { return x + i * columns; };
        error[1] = pass<kFloatRows, 1>(f32, rows, row, y, rate);
      },
      [&] {
        error[2] = pass<kRows, 2>(
            i8, rows, [&](std::size_t i) { return x8.row(i); }, y, rate);
      },
      [&] {
        error[3] = pass<kRows, 2>(
            i4, rows, [&](std::size_t i) { return x4.row(i); }, y, rate);
      }};
  const char* const names[4] = {"f32 dot alone", "f32 sgd", "int8 sgd", "int4 sgd"};
  const double bits[4] = {32, 32, 8, 4};
  std::vector<double> seconds[4];
  for (int round = -1; round < rounds; ++round) {  // the first warms up
    for (std::size_t k = 0; k < 4; ++k) {
      const auto start = std::chrono::steady_clock::now();
      work[k]();
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
      if (round >= 0) seconds[k].push_back(took.count());
    }
  }
  std::printf(
      "{\"bench\": \"streaming_sgd\", \"instruction_set\": \"%s\", \"rows\": %zu, "
      "\"columns\": %zu, \"megabytes_at_f32\": %zu, \"rounds\": %d, \"rms_target\": %.4f}\n",
      learn::instruction_set().c_str(), rows, columns, megabytes, rounds,
      std::sqrt(squares / static_cast<double>(rows)));
  double best[4];
  for (std::size_t k = 0; k < 4; ++k) {
    const double s = carnot::median(seconds[k]), elements = static_cast<double>(rows * columns);
    best[k] = *std::min_element(seconds[k].begin(), seconds[k].end());
    std::printf(
        "{\"kernel\": \"%s\", \"seconds\": %.5f, \"best_seconds\": %.5f, "
        "\"rows_per_s\": %.0f, \"gigabytes_per_s\": %.2f, \"rms_error\": %.4f}\n",
        names[k], s, best[k], static_cast<double>(rows) / s, elements * bits[k] / 8.0 / s * 1e-9,
        error[k]);
  }
  const auto ratios = [&](std::size_t over, std::size_t under) {
    std::vector<double> r;
    for (std::size_t t = 0; t < seconds[over].size(); ++t) {
      r.push_back(seconds[over][t] / seconds[under][t]);
    }
    return r;
  };
  print_bar("f32 sgd, share of f32 dot bandwidth", ratios(0, 1), best[0] / best[1], 0.80);
  print_bar("int8 sgd, rows/s over f32 sgd", ratios(1, 2), best[1] / best[2], 3.0);
  print_bar("int4 sgd, rows/s over f32 sgd", ratios(1, 3), best[1] / best[3], 5.0);
}
