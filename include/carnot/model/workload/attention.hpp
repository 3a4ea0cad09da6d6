// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Closed forms that every reader needs: what a mask leaves of attention, and how many experts a
/// batch of tokens meets.
///
///     no mask           pairs = q k
///     causal            query i (from 0) sees keys 0 ... i + offset:  sum of min(k, i + offset +
///     1) causal, window w  of these the last w counts            macs = batch heads pairs (d_key +
///     d_value);
///                       6 other operations a pair: scale, maximum, difference, exponential, sum,
///                       division (the last and the exponential special); one more with a mask
///                       added
///     experts met       E (1 - (1 - k / E)^tokens), tokens choosing evenly and independently
///
/// Pure functions, thread-safe.

#include <cstdint>

#include "carnot/model/workload/operator.hpp"

namespace carnot::model {

/// \param offset  keys before the first query: key_length - query_length where a cache precedes
/// \param window  0: none
/// \throws InputError beyond 2^64 - 1
std::uint64_t attended_pairs(std::uint64_t query_length, std::uint64_t key_length,
                             std::uint64_t offset, bool causal, std::uint64_t window);

/// \param masked  a mask or bias is added to the scores. \throws InputError beyond 2^64 - 1
Counts attention_counts(const AttentionShape& shape, bool masked);

/// \return 0 without experts
double expected_touched(std::uint64_t experts, std::uint64_t chosen, std::uint64_t tokens) noexcept;

}  // namespace carnot::model
