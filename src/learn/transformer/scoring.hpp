// SPDX-License-Identifier: Apache-2.0
#pragma once

// How a text that is not trained on is scored: windows that overlap by half, the places to be said.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "carnot/learn/data/dataset.hpp"
#include "carnot/learn/transformer/transformer.hpp"

#include "learn/transformer/transformer.hpp"

namespace carnot::learn {

TransformerShape shape_of(const TransformerOptions& options, std::size_t classes);

/// Places hidden of `length` symbols: 15 % of them, at least one.
std::size_t hidden_places(std::size_t length) noexcept;
/// Draws them: the first `hidden_places` of a shuffle of all. \param which  of the windows
std::vector<std::uint32_t> draw_places(std::uint64_t seed, std::uint64_t which, std::size_t length);

/// Windows that score a text of `rows` symbols: the first, and one for each half beyond it.
/// Masked: side by side, the last one moved back to end with the text.
std::size_t scoring_windows(bool causal, std::size_t rows, std::size_t context) noexcept;
inline constexpr std::size_t kScoringBatch = 16;  ///< windows at once

/// Of the held-out windows' hidden places.
inline constexpr std::uint64_t kScoringSeed = 0x7363'6f72'65ull;

TextScore score(Transformer& network, const Dataset& text, Counters* count);
/// Closed form of what it counts.
Counters scoring_counters(const TransformerShape& shape, const Precision& precision,
                          std::size_t rows);

}  // namespace carnot::learn
