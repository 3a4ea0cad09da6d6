// SPDX-License-Identifier: Apache-2.0
#pragma once

// Products of binary32 and bfloat16 matrices with binary32 accumulation: oneDNN where it was found
// at build time and the processor suits it, own kernels otherwise.

#include <cstddef>
#include <cstdint>
#include <memory>

namespace carnot::learn {

/// c (+)= op(a) op(b), all row-major; op transposes where its flag says so.
struct ProductShape {
  std::size_t m = 0, n = 0, k = 0;
  bool a_transposed = false, b_transposed = false;
  std::size_t lda = 0, ldb = 0, ldc = 0;
  bool add = false;
  auto operator<=>(const ProductShape&) const = default;
};

/// Keeps one primitive a shape. Belongs to one thread at a time.
class FloatProducts {
 public:
  explicit FloatProducts(int threads = 1);
  ~FloatProducts();
  /// Own kernels for binary32 from now on: slower a product, but nothing to set up, which is what a
  /// product done once wants (oneDNN takes milliseconds to prepare a shape).
  void use_own_kernels() noexcept;
  FloatProducts(FloatProducts&&) noexcept;
  FloatProducts& operator=(FloatProducts&&) noexcept;

  void multiply(const ProductShape& shape, const float* a, const float* b, float* c);
  /// bfloat16 as its upper 16 bits of binary32.
  void multiply(const ProductShape& shape, const std::uint16_t* a, const std::uint16_t* b,
                float* c);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace carnot::learn
