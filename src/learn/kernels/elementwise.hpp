// SPDX-License-Identifier: Apache-2.0
#pragma once

// Elementary functions in one written order of IEEE operations: the C library's differ between
// processors in the last bit, and a run must not.

#include <bit>
#include <cstdint>

namespace carnot::learn {

/// e^x for x <= 0, relative error below 3e-7; 0 below -87. Cephes' scheme: e^x = 2^n e^r.
[[gnu::always_inline]] inline float exp_nonpositive(float x) noexcept {
  const float bounded = x > -87.0f ? x : -87.0f;
  const float scaled = bounded * 1.44269504f - 0.5f;
  const auto n = static_cast<std::int32_t>(scaled);  // towards zero: nearest, as scaled <= 0
  const auto nf = static_cast<float>(n);
  const float r = (bounded - nf * 0.693359375f) + nf * 2.12194440e-4f;
  float p = 1.0f / 5040.0f;
  p = p * r + 1.0f / 720.0f;
  p = p * r + 1.0f / 120.0f;
  p = p * r + 1.0f / 24.0f;
  p = p * r + 1.0f / 6.0f;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  const float result = p * std::bit_cast<float>((n + 127) << 23);
  // A mask, not a choice: a choice keeps GCC 12 from vectorising loops over this function.
  const std::uint32_t kept = x > -87.0f ? 0xffffffffu : 0u;
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(result) & kept);
}

/// ln x for normal x > 0, to about 1e-15 (atanh series of the mantissa).
inline double natural_log(double x) noexcept {
  const auto bits = std::bit_cast<std::uint64_t>(x);
  auto exponent = static_cast<int>((bits >> 52) & 0x7ff) - 1023;
  double m = std::bit_cast<double>((bits & 0xfffffffffffffu) | 0x3ff0000000000000u);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    ++exponent;
  }
  const double z = (m - 1.0) / (m + 1.0);  // |z| < 0.172
  const double z2 = z * z;
  double sum = 0.0;
  for (int k = 19; k >= 1; k -= 2) sum = sum * z2 + 1.0 / k;
  return 2.0 * z * sum + exponent * 0.69314718055994530942;
}

/// cos(pi t) for t in [0, 1], to about 1e-12.
inline double cos_pi(double t) noexcept {
  const bool mirrored = t > 0.5;
  const double x = 3.14159265358979323846 * (mirrored ? 1.0 - t : t);
  const double x2 = x * x;
  double sum = 0.0;
  for (int k = 18; k >= 2; k -= 2) sum = (1.0 + sum) * (-x2 / (k * (k - 1.0)));
  return mirrored ? -(1.0 + sum) : 1.0 + sum;
}

}  // namespace carnot::learn
