// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What one call of a GPU kernel does, counted from its shape: the input of the model of time and
/// energy. Shapes are real-valued so that expectations (tokens per expert) fit. Counts:
///
///     flops          2 x multiply-accumulates of the products, rows padded where hardware pads
///     flops16, flops8   those of the same kernel in 16-bit and 8-bit floating point beside them
///     exponentials   of softmax
///     bytes          that must cross the memory once: weights, activations, key-value cache
///     blocks         independent pieces of work: tiles of 128 x 128, heads x 128 queries ...
///     chain          steps that follow one another: inner dimension, keys, tokens of a recurrence
///
/// Pure functions. \throws InputError where a dimension is not positive and finite

#include <cstdint>
#include <string>
#include <string_view>

namespace carnot::model {

enum class KernelClass : std::uint8_t {
  Gemm,
  BatchedGemm,
  ContextAttention,     ///< causal, many queries
  EncoderAttention,     ///< every query sees every key
  GenerationAttention,  ///< one query a sequence, cached keys
  LatentGeneration,     ///< the same over a latent cache
  LatentContextModule,  ///< latent attention with its projections
  LatentGenerationModule,
  SparseLatentContextModule,  ///< with an indexer that keeps 2048 keys
  SparseLatentGenerationModule,
  Experts,   ///< grouped products of a mixture of experts
  Quantise,  ///< to a narrower format, with scales
  Scan,      ///< linear attention, state space, their convolutions
};
std::string_view name(KernelClass kernel) noexcept;  ///< "gemm", "context_attention" ...

/// How operands are stored and multiplied. Bits are of a stored weight, its scales included.
struct KernelFormat {
  std::string name;           ///< "bfloat16", "fp8_block" ...
  double weight_bytes = 2;    ///< of one stored weight or cache element
  double multiply_bits = 16;  ///< of the format the multipliers work in: 16, 8, 4
};
/// bfloat16, fp8, fp8_block, nvfp4, w4a16_mxfp4, w4a8_mxfp4_mxfp8, int4_wo.
/// \throws InputError with the nearest name
KernelFormat kernel_format(std::string_view name);

struct KernelWork {
  KernelClass kernel = KernelClass::Gemm;
  std::string format;  ///< as in the fitted table: "nvfp4", "bfloat16/fp8"
  double flops = 0, bits = 16;
  double flops16 = 0, flops8 = 0;
  double exponentials = 0;
  double bytes = 0;
  double blocks = 1;
  double chain = 0;
};

/// m x k by k x n; below 16 bits the activations are quantised on the way.
KernelWork gemm_work(double m, double n, double k, std::string_view format);

/// (query, key) pairs when query i of `length` sees min(prefix + i, window) keys; window 0: all.
double causal_pairs(double length, double window = 0, double prefix = 0);

struct AttentionSize {
  double batch = 1, length = 1;  ///< sequences; new tokens (context), keys (generation)
  double heads = 1, key_heads = 1;
  double key_dimension = 128, value_dimension = 128;
  double window = 0;  ///< 0: none
};
KernelWork context_attention_work(const AttentionSize& size, std::string_view query_format,
                                  std::string_view cache_format);
KernelWork encoder_attention_work(const AttentionSize& size);
KernelWork generation_attention_work(const AttentionSize& size, std::string_view cache_format);

/// Multi-head latent attention of the two published shapes: hidden 7168 (128-wide heads) and
/// hidden 6144 (wider heads). `length` new tokens after `prefix` cached; generation: length 1.
struct LatentSize {
  double batch = 1, heads = 128, length = 1, prefix = 0;
  bool generation = false, sparse = false, wide_heads = false;
};
KernelWork latent_module_work(const LatentSize& size, std::string_view weight_format,
                              std::string_view cache_format);

struct ExpertsSize {
  double tokens = 1, hidden = 1, intermediate = 1, chosen = 1, experts = 1;
  double tensor_parallel = 1, expert_parallel = 1;
  double matrices = 3;       ///< 3 if gated, 2 if not
  bool even_routing = true;  ///< false: tokens choose independently
};
KernelWork experts_work(const ExpertsSize& size, std::string_view format);

/// `elements` read and written in all `bytes_each` bytes apiece.
KernelWork quantise_work(double elements, double bytes_each);

}  // namespace carnot::model
