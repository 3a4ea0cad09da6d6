// SPDX-License-Identifier: Apache-2.0
#include "learn/network/rotation.hpp"

#include <bit>
#include <cmath>

#include "carnot/learn/kernels/kernels.hpp"

namespace carnot::learn {

namespace {

/// Fixed for all time: files of learners depend on it.
bool minus(std::uint32_t pass, std::size_t column) noexcept {
  constexpr RoundingKey kSigns{0x9e3779b9u, 0x7f4a7c15u};
  return (rounding_word(kSigns, 2 * static_cast<std::uint32_t>(column) + pass) >> 16 & 1u) != 0;
}

void signs(float* x, std::size_t n, std::uint32_t pass) noexcept {
  for (std::size_t k = 0; k < n; ++k) x[k] = minus(pass, k) ? -x[k] : x[k];
}

/// Normalised, so that it is its own inverse. n a power of two.
void hadamard(float* x, std::size_t n) noexcept {
  for (std::size_t half = 1; half < n; half *= 2) {
    for (std::size_t from = 0; from < n; from += 2 * half) {
      for (std::size_t k = from; k < from + half; ++k) {
        const float a = x[k], b = x[k + half];
        x[k] = a + b;
        x[k + half] = a - b;
      }
    }
  }
  const float scale = 1.0f / std::sqrt(static_cast<float>(n));
  for (std::size_t k = 0; k < n; ++k) x[k] *= scale;
}

}  // namespace

void rotate(float* x, std::size_t n) noexcept {
  if (n < 2) return;
  const std::size_t p = std::bit_floor(n);
  signs(x, p, 0);
  hadamard(x, p);
  if (p == n) return;
  signs(x + (n - p), p, 1);
  hadamard(x + (n - p), p);
}

void rotate_back(float* x, std::size_t n) noexcept {
  if (n < 2) return;
  const std::size_t p = std::bit_floor(n);
  if (p != n) {
    hadamard(x + (n - p), p);
    signs(x + (n - p), p, 1);
  }
  hadamard(x, p);
  signs(x, p, 0);
}

std::uint64_t rotation_operations(std::size_t n) noexcept {
  if (n < 2) return 0;
  const std::size_t p = std::bit_floor(n);
  const auto one = static_cast<std::uint64_t>(p) *
                   (static_cast<std::uint64_t>(std::bit_width(p)) - 1 + 2);  // signs, scale
  return p == n ? one : 2 * one;
}

}  // namespace carnot::learn
