// SPDX-License-Identifier: Apache-2.0
#include "carnot/model/workload/attention.hpp"

#include <algorithm>
#include <cmath>

namespace carnot::model {

namespace {

__extension__ using Wide = unsigned __int128;

// Sum of min(cap, first), min(cap, first + 1) ... over n terms; n, first, cap below 2^63.
Wide capped_row(std::uint64_t n, std::uint64_t first, std::uint64_t cap) {
  const std::uint64_t rising = first >= cap ? 0 : std::min(n, cap - first);
  return Wide{rising} * first + (rising == 0 ? Wide{0} : Wide{rising} * (rising - 1) / 2) +
         Wide{n - rising} * cap;
}

}  // namespace

std::uint64_t attended_pairs(std::uint64_t query_length, std::uint64_t key_length,
                             std::uint64_t offset, bool causal, std::uint64_t window) {
  constexpr std::string_view kWhat = "attended pairs";
  if (!causal) {
    const std::uint64_t seen = window == 0 ? key_length : std::min(window, key_length);
    return checked_product(kWhat, {query_length, seen});
  }
  checked_product(kWhat, {query_length, 2});  // below 2^63
  checked_product(kWhat, {checked_sum(kWhat, {offset, key_length, 1}), 2});
  const std::uint64_t cap = window == 0 ? key_length : std::min(window, key_length);
  const Wide pairs = capped_row(query_length, offset + 1, cap);
  if (pairs > UINT64_MAX) return checked_product(kWhat, {UINT64_MAX, 2});
  return static_cast<std::uint64_t>(pairs);
}

Counts attention_counts(const AttentionShape& shape, bool masked) {
  const std::uint64_t scores =
      checked_product("attended pairs", {shape.batch, shape.query_heads, shape.pairs});
  Counts counts;
  counts.macs =
      checked_product("multiply-accumulates",
                      {scores, checked_sum("width", {shape.key_dimension, shape.value_dimension})});
  counts.flops = checked_product("FLOPs", {counts.macs, 2});
  counts.other_ops = checked_product("other operations", {scores, masked ? 7u : 6u});
  counts.special_ops = checked_product("special operations", {scores, 2});
  return counts;
}

double expected_touched(std::uint64_t experts, std::uint64_t chosen,
                        std::uint64_t tokens) noexcept {
  if (experts == 0) return 0;
  const double total = static_cast<double>(experts);
  const double share = static_cast<double>(std::min(chosen, experts)) / total;
  if (tokens == 0) return 0;
  // -expm1(n log1p(-p)) keeps its digits where p is small.
  return share >= 1 ? total : -total * std::expm1(static_cast<double>(tokens) * std::log1p(-share));
}

}  // namespace carnot::model
