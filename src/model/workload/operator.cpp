// SPDX-License-Identifier: Apache-2.0
#include "carnot/model/workload/operator.hpp"

#include <array>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "carnot/base/error.hpp"

namespace carnot::model {

namespace {

constexpr std::array<std::pair<DataType, std::string_view>, 18> kTypeNames{{
    {DataType::Undefined, "undefined"},
    {DataType::Float64, "float64"},
    {DataType::Float32, "float32"},
    {DataType::Float16, "float16"},
    {DataType::Bfloat16, "bfloat16"},
    {DataType::Float8, "float8"},
    {DataType::Float6, "float6"},
    {DataType::Float4, "float4"},
    {DataType::Int64, "int64"},
    {DataType::Int32, "int32"},
    {DataType::Int16, "int16"},
    {DataType::Int8, "int8"},
    {DataType::Int4, "int4"},
    {DataType::Int2, "int2"},
    {DataType::Bool, "bool"},
    {DataType::Complex64, "complex64"},
    {DataType::Complex128, "complex128"},
    {DataType::String, "string"},
}};

constexpr std::array<std::string_view, 20> kKindNames{
    "gemm",      "convolution", "attention",     "latent attention", "experts",
    "scan",      "recurrent",   "elementwise",   "normalisation",    "softmax",
    "reduction", "pooling",     "embedding",     "data movement",    "quantise",
    "selection", "tree",        "communication", "optimiser",        "unknown"};

template <std::size_t N, class E>
std::string_view at(const std::array<std::string_view, N>& names, E value) noexcept {
  const auto index = static_cast<std::size_t>(value);
  return index < N ? names[index] : std::string_view{"?"};
}

[[noreturn]] void too_large(std::string_view what) {
  throw InputError(fmt::format("{}: larger than 2^64 - 1; count a smaller batch and scale", what));
}

}  // namespace

unsigned bits(DataType type) noexcept {
  switch (type) {
    case DataType::Undefined:
    case DataType::String:
      return 0;
    case DataType::Complex128:
      return 128;
    case DataType::Float64:
    case DataType::Int64:
    case DataType::Complex64:
      return 64;
    case DataType::Float32:
    case DataType::Int32:
      return 32;
    case DataType::Float16:
    case DataType::Bfloat16:
    case DataType::Int16:
      return 16;
    case DataType::Float8:
    case DataType::Int8:
    case DataType::Bool:
      return 8;
    case DataType::Float6:
      return 6;
    case DataType::Float4:
    case DataType::Int4:
      return 4;
    case DataType::Int2:
      return 2;
  }
  return 0;
}

std::string_view name(DataType type) noexcept {
  for (const auto& [each, text] : kTypeNames) {
    if (each == type) return text;
  }
  return "?";
}

bool is_floating(DataType type) noexcept {
  switch (type) {
    case DataType::Float64:
    case DataType::Float32:
    case DataType::Float16:
    case DataType::Bfloat16:
    case DataType::Float8:
    case DataType::Float6:
    case DataType::Float4:
    case DataType::Complex64:
    case DataType::Complex128:
      return true;
    default:
      return false;
  }
}

DataType data_type_from(std::string_view text) {
  std::vector<std::string> known;
  for (const auto& [each, word] : kTypeNames) {
    if (word == text) return each;
    known.emplace_back(word);
  }
  const std::string close = nearest(text, known);
  throw InputError(fmt::format("data type `{}`: not known{}", text,
                               close.empty() ? std::string(", such as bfloat16")
                                             : fmt::format("; did you mean `{}`?", close)));
}

std::uint64_t bytes_of(std::uint64_t elements, DataType type) {
  const std::uint64_t width = bits(type);
  if (width % 8 == 0) return checked_product("bytes", {elements, width / 8});
  // Eight elements fill `width` bytes; the rest take the bytes they begin.
  return checked_sum(
      "bytes", {checked_product("bytes", {elements / 8, width}), (elements % 8 * width + 7) / 8});
}

std::string_view name(KernelKind kind) noexcept { return at(kKindNames, kind); }

std::string_view name(Phase phase) noexcept {
  constexpr std::array<std::string_view, 4> kNames{"forward", "backward", "recompute", "update"};
  return at(kNames, phase);
}

std::string_view name(Collective collective) noexcept {
  constexpr std::array<std::string_view, 5> kNames{"all-reduce", "all-gather", "reduce-scatter",
                                                   "all-to-all", "send and receive"};
  return at(kNames, collective);
}

std::string_view name(Parallelism parallelism) noexcept {
  constexpr std::array<std::string_view, 5> kNames{"tensor", "pipeline", "data", "expert",
                                                   "sequence"};
  return at(kNames, parallelism);
}

std::uint64_t checked_product(std::string_view what, std::initializer_list<std::uint64_t> factors) {
  std::uint64_t product = 1;
  bool over = false;
  for (const std::uint64_t factor : factors) {
    if (factor == 0) return 0;
    over = over || __builtin_mul_overflow(product, factor, &product);
  }
  if (over) too_large(what);
  return product;
}

std::uint64_t checked_sum(std::string_view what, std::initializer_list<std::uint64_t> terms) {
  std::uint64_t sum = 0;
  for (const std::uint64_t term : terms) {
    if (__builtin_add_overflow(sum, term, &sum)) too_large(what);
  }
  return sum;
}

Totals totals(const Workload& workload) {
  Totals all;
  const auto add = [](std::string_view what, std::uint64_t& sum, std::uint64_t one,
                      std::uint64_t times) {
    sum = checked_sum(what, {sum, checked_product(what, {one, times})});
  };
  for (const Operator& each : workload.operators) {
    const std::uint64_t n = each.repeats;
    add("multiply-accumulates", all.counts.macs, each.counts.macs, n);
    add("FLOPs", all.counts.flops, each.counts.flops, n);
    add("other operations", all.counts.other_ops, each.counts.other_ops, n);
    add("special operations", all.counts.special_ops, each.counts.special_ops, n);
    all.weight_read_bytes += each.weight_read_bytes * static_cast<double>(n);
    add("bytes read", all.read_bytes, each.read_bytes, n);
    add("bytes written", all.written_bytes, each.written_bytes, n);
    add("cache bytes read", all.cache_read_bytes, each.cache_read_bytes, n);
    add("cache bytes written", all.cache_written_bytes, each.cache_written_bytes, n);
    if (const auto* sent = std::get_if<CommunicationShape>(&each.shape)) {
      all.sent_bytes += sent->sent_bytes * static_cast<double>(n);
    }
    if (each.kind == KernelKind::Unknown) add("unknown operators", all.unknown, 1, n);
  }
  return all;
}

}  // namespace carnot::model
