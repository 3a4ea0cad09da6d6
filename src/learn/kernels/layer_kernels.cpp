// SPDX-License-Identifier: Apache-2.0
#include "learn/kernels/layer_kernels.hpp"

#include <bit>
#include <cmath>

#include "learn/kernels/elementwise.hpp"
#include "learn/kernels/kernel_table.hpp"

namespace carnot::learn {

namespace scalar {
namespace {
#define CARNOT_TARGET
#include "learn/kernels/portable_layers.inc"
#undef CARNOT_TARGET
}  // namespace
}  // namespace scalar

#if defined(__x86_64__)
namespace avx2 {
namespace {
#define CARNOT_TARGET __attribute__((target("avx2")))
#include "learn/kernels/portable_layers.inc"
#undef CARNOT_TARGET
}  // namespace
}  // namespace avx2

namespace avx512 {
namespace {
#if defined(__clang__)
#define CARNOT_TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#else
#define CARNOT_TARGET \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")))
#endif
#include "learn/kernels/portable_layers.inc"
#undef CARNOT_TARGET
}  // namespace
}  // namespace avx512
#endif

const LayerKernels& layer_kernels() noexcept {
#if defined(__x86_64__)
  const KernelTable* table = &kernels();
  if (table == &scalar_kernels()) return scalar::kTable;
  return table == &avx2_kernels() ? avx2::kTable : avx512::kTable;
#else
  return scalar::kTable;
#endif
}

AdamStep adam_step(double rate, double weight_decay, std::uint64_t t) noexcept {
  // By squaring: the C library's power differs between processors in the last bit.
  const auto power = [](double base, std::uint64_t n) {
    double out = 1.0;
    for (; n > 0; n >>= 1, base *= base)
      if ((n & 1) != 0) out *= base;
    return out;
  };
  AdamStep step;
  step.rate = static_cast<float>(rate / (1.0 - power(kAdamFirst, t)));
  step.first_share = static_cast<float>(1.0 - kAdamFirst);
  step.second_share = static_cast<float>(1.0 - kAdamSecond);
  step.second_correction = static_cast<float>(1.0 / std::sqrt(1.0 - power(kAdamSecond, t)));
  step.decay = static_cast<float>(rate * weight_decay);
  return step;
}

}  // namespace carnot::learn
