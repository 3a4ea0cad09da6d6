// SPDX-License-Identifier: Apache-2.0
#include "carnot/model/kernel/kernel_work.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <utility>
#include <vector>

#include "carnot/base/error.hpp"

namespace carnot::model {

namespace {

constexpr std::array<std::string_view, 13> kClasses = {"gemm",
                                                       "batched_gemm",
                                                       "context_attention",
                                                       "encoder_attention",
                                                       "generation_attention",
                                                       "latent_generation",
                                                       "latent_context_module",
                                                       "latent_generation_module",
                                                       "sparse_latent_context_module",
                                                       "sparse_latent_generation_module",
                                                       "experts",
                                                       "quantise",
                                                       "scan"};

constexpr double kTile = 128;

double pieces(double whole, double piece) { return std::ceil(whole / piece); }

void need_positive(std::initializer_list<std::pair<std::string_view, double>> sizes) {
  for (const auto& [what, value] : sizes) {
    if (!(value > 0) || !(value <= 1e12)) {
      throw InputError(describe({}, what, "a size above 0 and up to 1e12"));
    }
  }
}

void need_not_negative(std::string_view what, double value) {
  if (!(value >= 0) || !(value <= 1e12)) {
    throw InputError(describe({}, what, "0 or a size up to 1e12"));
  }
}

KernelWork context_work(const AttentionSize& s, double pairs) {
  need_positive({{"batch", s.batch},
                 {"length", s.length},
                 {"heads", s.heads},
                 {"key_heads", s.key_heads},
                 {"key_dimension", s.key_dimension},
                 {"value_dimension", s.value_dimension}});
  KernelWork work;
  const double width = s.key_dimension + s.value_dimension;
  work.flops = 2 * s.batch * s.heads * pairs * width;
  work.exponentials = s.batch * s.heads * pairs;
  work.bytes = 2 * s.batch * s.length * s.heads * width;
  work.blocks = s.batch * s.heads * pieces(s.length, kTile);
  work.chain = s.window > 0 ? std::min(s.length, s.window + kTile) : s.length;
  return work;
}

}  // namespace

std::string_view name(KernelClass kernel) noexcept {
  return kClasses[static_cast<std::size_t>(kernel)];
}

KernelFormat kernel_format(std::string_view name) {
  static const std::vector<KernelFormat> formats = {
      {"bfloat16", 2, 16},          {"fp8", 1, 8},
      {"fp8_block", 1, 8},          {"nvfp4", 0.5625, 4},
      {"w4a16_mxfp4", 0.53125, 16}, {"w4a8_mxfp4_mxfp8", 0.53125, 8},
      {"int4_wo", 0.53125, 16}};
  for (const auto& format : formats)
    if (format.name == name) return format;
  std::vector<std::string> known;
  std::string names;
  for (const auto& format : formats) {
    known.push_back(format.name);
    names += (names.empty() ? "" : ", ") + format.name;
  }
  const auto near = nearest(name.substr(0, 64), known);
  throw InputError("kernel format: `" + std::string(name.substr(0, 64)) + "` is not known" +
                   (near.empty() ? "; allowed: " + names : "; did you mean `" + near + "`?"));
}

KernelWork gemm_work(double m, double n, double k, std::string_view format) {
  need_positive({{"m", m}, {"n", n}, {"k", k}});
  const auto f = kernel_format(format);
  KernelWork work;
  work.kernel = KernelClass::Gemm;
  work.format = f.name;
  work.flops = 2 * m * n * k;
  work.bits = f.multiply_bits;
  const double quantised = f.multiply_bits < 16 ? 2 : 0;
  work.bytes = n * k * f.weight_bytes + m * k * (f.multiply_bits / 8 + quantised) + 2 * m * n;
  work.blocks = pieces(m, kTile) * pieces(n, kTile);
  work.chain = k;
  return work;
}

double causal_pairs(double length, double window, double prefix) {
  need_positive({{"length", length}});
  need_not_negative("window", window);
  need_not_negative("prefix", prefix);
  if (window <= 0) return length * prefix + length * (length + 1) / 2;
  const double whole = std::clamp(window - prefix, 0.0, length);
  return whole * prefix + whole * (whole + 1) / 2 + (length - whole) * window;
}

KernelWork context_attention_work(const AttentionSize& s, std::string_view query_format,
                                  std::string_view cache_format) {
  const auto query = kernel_format(query_format);
  const auto cache = kernel_format(cache_format);
  auto work = context_work(s, causal_pairs(s.length, s.window));
  work.kernel = KernelClass::ContextAttention;
  work.format = query.name + "/" + cache.name;
  work.bits = query.multiply_bits;
  work.bytes += s.batch * s.length * s.key_heads * (s.key_dimension + s.value_dimension) *
                (2 + cache.weight_bytes);
  return work;
}

KernelWork encoder_attention_work(const AttentionSize& s) {
  auto padded = s;
  padded.key_dimension = pieces(s.key_dimension, 16) * 16;
  padded.value_dimension = pieces(s.value_dimension, 16) * 16;
  padded.window = 0;
  auto work = context_work(padded, s.length * s.length);
  work.kernel = KernelClass::EncoderAttention;
  work.format = "bfloat16";
  work.bytes += 2 * s.batch * s.length * s.heads * (padded.key_dimension + padded.value_dimension);
  return work;
}

KernelWork generation_attention_work(const AttentionSize& s, std::string_view cache_format) {
  need_positive({{"batch", s.batch},
                 {"length", s.length},
                 {"heads", s.heads},
                 {"key_heads", s.key_heads},
                 {"key_dimension", s.key_dimension},
                 {"value_dimension", s.value_dimension}});
  need_not_negative("window", s.window);
  const auto cache = kernel_format(cache_format);
  const double length = s.window > 0 ? std::min(s.length, s.window) : s.length;
  const double width = s.key_dimension + s.value_dimension;
  const double rows = std::max(s.heads / s.key_heads, 16.0) * s.key_heads;
  KernelWork work;
  work.kernel = KernelClass::GenerationAttention;
  work.format = "bfloat16/" + cache.name;
  work.flops = 2 * s.batch * rows * length * width;
  work.exponentials = s.batch * rows * length;
  work.bytes =
      s.batch * length * s.key_heads * width * cache.weight_bytes + 2 * s.batch * s.heads * width;
  work.blocks = s.batch * s.key_heads * pieces(length, kTile);
  work.chain = length;
  return work;
}

KernelWork latent_module_work(const LatentSize& s, std::string_view weight_format,
                              std::string_view cache_format) {
  need_positive({{"batch", s.batch}, {"heads", s.heads}, {"length", s.length}});
  need_not_negative("prefix", s.prefix);
  const auto weight = kernel_format(weight_format);
  const auto cache = kernel_format(cache_format);
  const double hidden = s.wide_heads ? 6144 : 7168;
  const double lora = s.wide_heads ? 2048 : 1536;
  const double nope = s.wide_heads ? 192 : 128;
  const double value = s.wide_heads ? 256 : 128;
  constexpr double kLatent = 512, kRope = 64, kStored = kLatent + kRope;
  const double tokens = s.batch * s.length;
  double weights =
      hidden * lora + lora * s.heads * (nope + kRope) + hidden * kStored + s.heads * value * hidden;
  const double absorb = s.heads * kLatent * (nope + value);
  double pairs = causal_pairs(s.length, 0, s.prefix);
  KernelWork work;
  if (s.sparse) {
    const double index_heads = s.wide_heads ? 32 : 64;
    weights += lora * index_heads * 128 + hidden * (128 + index_heads);
    work.flops8 = 2 * s.batch * index_heads * pairs * 128;
    pairs = causal_pairs(s.length, 2048, s.prefix);
  }
  const double width = s.generation || s.sparse ? 2 * kLatent + kRope : nope + kRope + value;
  double cached = 0;
  if (s.generation) {
    cached = s.batch * pairs * kStored * cache.weight_bytes;
  } else if (s.sparse) {
    cached = s.batch * s.length * kStored * cache.weight_bytes;
  } else {
    cached = s.batch * (s.length + s.prefix) * kStored * cache.weight_bytes +
             4 * tokens * s.heads * (nope + kRope + value);
  }
  if (s.sparse) cached += s.batch * (s.prefix + s.length) * 132;
  work.kernel = s.sparse ? (s.generation ? KernelClass::SparseLatentGenerationModule
                                         : KernelClass::SparseLatentContextModule)
                         : (s.generation ? KernelClass::LatentGenerationModule
                                         : KernelClass::LatentContextModule);
  work.format = weight.name + "/" + cache.name;
  work.flops = 2 * tokens * weights;
  work.bits = weight.multiply_bits;
  work.flops16 = 2 * tokens * absorb + 2 * s.batch * s.heads * pairs * width;
  work.exponentials = s.batch * s.heads * pairs;
  work.bytes = weights * weight.weight_bytes + 2 * absorb + cached +
               tokens * (4 * hidden + 4 * lora + 4 * s.heads * (nope + kRope + value));
  work.blocks = s.generation ? s.batch * pieces(s.prefix + 1, kTile) * pieces(s.heads, 16)
                             : pieces(tokens, kTile) * pieces(hidden, kTile);
  work.chain = s.prefix + s.length;
  return work;
}

KernelWork experts_work(const ExpertsSize& s, std::string_view format) {
  need_positive({{"tokens", s.tokens},
                 {"hidden", s.hidden},
                 {"intermediate", s.intermediate},
                 {"chosen", s.chosen},
                 {"experts", s.experts},
                 {"tensor_parallel", s.tensor_parallel},
                 {"expert_parallel", s.expert_parallel}});
  if (!(s.matrices >= 2 && s.matrices <= 8)) {
    throw InputError(describe({}, "matrices", "2 (plain) or 3 (gated)"));
  }
  if (s.chosen > s.experts) throw InputError(describe({}, "chosen", "at most experts"));
  const auto f = kernel_format(format);
  const double local = s.experts / s.expert_parallel;
  const double assigned = s.tokens * s.chosen / s.expert_parallel;
  double touched =
      s.even_routing ? std::min(local, assigned) : local * (1 - std::exp(-assigned / local));
  touched = std::max({touched, std::min(1.0, assigned), 0.25});
  const double per = assigned / touched;
  const double width = s.intermediate / s.tensor_parallel;
  const double padded = touched * (per >= 64 ? pieces(per, 64) * 64 : std::max(per, 1.0));
  KernelWork work;
  work.kernel = KernelClass::Experts;
  work.format = f.name;
  work.flops = 2 * s.matrices * padded * s.hidden * width;
  work.bits = f.multiply_bits;
  work.bytes = touched * s.matrices * s.hidden * width * f.weight_bytes +
               assigned * (4 * s.hidden + 4 * width) + 2 * s.tokens * s.hidden;
  work.blocks = touched * pieces(per, 64) * pieces((s.matrices - 1) * width, kTile);
  work.chain = s.hidden;
  return work;
}

KernelWork quantise_work(double elements, double bytes_each) {
  need_positive({{"elements", elements}, {"bytes_each", bytes_each}});
  KernelWork work;
  work.kernel = KernelClass::Quantise;
  work.format = "fp8";
  work.bytes = elements * bytes_each;
  work.blocks = pieces(elements, 4096);
  return work;
}

}  // namespace carnot::model
