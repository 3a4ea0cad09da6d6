// SPDX-License-Identifier: Apache-2.0
// Softmax attention in binary32, head by head, in strips of rows: where it is causal, what lies
// beyond a strip's last row is neither computed nor counted.
#include <algorithm>
#include <cmath>

#include "learn/kernels/kernel_table.hpp"
#include "learn/kernels/memory.hpp"
#include "learn/transformer/transformer.hpp"

namespace carnot::learn {

void Transformer::attend(Block& b, Counters* count) {
  const std::size_t t = length_, dh = shape_.width / shape_.heads, ld = b.qkv.out_stride();
  const float factor = 1.0f / std::sqrt(static_cast<float>(dh));
  reserve(turned_, dh * t * sizeof(float));
  std::uint64_t pairs = 0;
  for (std::size_t w = 0; w < windows_; ++w) {
    for (std::size_t h = 0; h < shape_.heads; ++h) {
      const float* q = as<float>(b.mixed) + w * t * ld + h * dh;
      const float *k = q + shape_.width, *v = k + shape_.width;
      float* p = as<float>(b.shares) + (w * shape_.heads + h) * t * t;
      float* out = as<float>(b.heads) + w * t * stride_ + h * dh;
      layer_kernels().transpose(k, ld, t, dh, as<float>(turned_), t);
      for (std::size_t r = 0; r < t; r += kAttentionStrip) {
        const std::size_t rows = std::min(kAttentionStrip, t - r);
        const std::size_t seen = shape_.causal ? r + rows : t;
        kernels().float_product(q + r * ld, ld, 1, as<float>(turned_), t, rows, seen, dh, false,
                                p + r * t, t);
        layer_kernels().softmax_rows(p + r * t, t, rows, seen, factor, shape_.causal ? r + 1 : seen,
                                     shape_.causal ? 1 : 0);
        kernels().float_product(p + r * t, t, 1, v, ld, rows, dh, seen, false, out + r * stride_,
                                stride_);
        pairs += rows * seen;
      }
    }
  }
  if (count == nullptr) return;
  const std::uint64_t rows = windows_ * t;
  count->at(OperationKind::F32Mac) += 2 * pairs * dh;
  count->at(OperationKind::F32Elementwise) += 4 * pairs;
  count->at(OperationKind::Special) += pairs + rows * shape_.heads;
  count->at(MemoryLevel::Cache) += 8 * pairs + 16 * rows * shape_.width;
}

void Transformer::attend_back(Block& b, Counters* count) {
  const std::size_t t = length_, dh = shape_.width / shape_.heads, ld = b.qkv.out_stride();
  const float factor = 1.0f / std::sqrt(static_cast<float>(dh));
  reserve(dshares_, t * t * sizeof(float));
  std::uint64_t pairs = 0;
  for (std::size_t w = 0; w < windows_; ++w) {
    for (std::size_t h = 0; h < shape_.heads; ++h) {
      const float* q = as<float>(b.mixed) + w * t * ld + h * dh;
      const float *k = q + shape_.width, *v = k + shape_.width;
      float* dq = as<float>(dmixed_) + w * t * ld + h * dh;
      float *dk = dq + shape_.width, *dv = dk + shape_.width;
      const float* p = as<float>(b.shares) + (w * shape_.heads + h) * t * t;
      float* ds = as<float>(dshares_);
      const float* d = as<float>(dheads_) + w * t * stride_ + h * dh;
      layer_kernels().transpose(v, ld, t, dh, as<float>(turned_), t);
      for (std::size_t r = 0; r < t; r += kAttentionStrip) {
        const std::size_t rows = std::min(kAttentionStrip, t - r);
        const std::size_t seen = shape_.causal ? r + rows : t;
        kernels().float_product(d + r * stride_, stride_, 1, as<float>(turned_), t, rows, seen, dh,
                                false, ds + r * t, t);
        layer_kernels().softmax_back(p + r * t, ds + r * t, t, rows, seen, factor);
        kernels().float_product(ds + r * t, t, 1, k, ld, rows, dh, seen, false, dq + r * ld, ld);
        pairs += rows * seen;
      }
      for (std::size_t r = 0; r < t; r += kAttentionStrip) {
        // Keys and values of the strip hear from the rows that saw them.
        const std::size_t rows = std::min(kAttentionStrip, t - r);
        const std::size_t from = shape_.causal ? r : 0;
        kernels().float_product(p + from * t + r, 1, t, d + from * stride_, stride_, rows, dh,
                                t - from, false, dv + r * ld, ld);
        kernels().float_product(ds + from * t + r, 1, t, q + from * ld, ld, rows, dh, t - from,
                                false, dk + r * ld, ld);
      }
    }
  }
  if (count == nullptr) return;
  const std::uint64_t rows = windows_ * t;
  count->at(OperationKind::F32Mac) += 4 * pairs * dh;
  count->at(OperationKind::F32Elementwise) += 4 * pairs;
  count->at(MemoryLevel::Cache) += 20 * pairs + 28 * rows * shape_.width;
}

}  // namespace carnot::learn
