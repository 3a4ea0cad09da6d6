// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A small transformer on text (text.hpp): with objective `causal` a decoder that says what comes
/// next, with `masked` an encoder that says what stands at hidden places (Devlin et al., BERT,
/// 2019).
///
/// Blocks with normalisation first, 4 x width units in each perceptron (ReLU), learned places, an
/// output matrix of its own. Optimiser: Adam with decoupled decay (`weight_decay`, of matrices
/// only), the learners' cosine schedule. A minibatch is `batch` windows of `context` symbols.
///
/// **Precision.** All matrices multiply in the precision, forward and backward: integers exactly in
/// int32, inputs to the nearest with a scale a row (unsigned after ReLU), gradients rounded at
/// random; bfloat16 and binary32 with binary32 sums. Their masters are binary32 in the floats and
/// int16 in all integers: a change between int8 and int4 converts nothing but what products see.
/// Embeddings, normalisation, softmax and the two products inside attention are binary32 always,
/// and so counted.
///
/// **Causal.** A window is told nothing of what stood before it: its first symbol is said from a
/// start mark. So the first pass codes each symbol once, and `prequential_bits` is the length of a
/// code that a decoder can read. Held-out text is scored by windows that overlap by half: beyond
/// the first, each symbol has at least context / 2 symbols before it.
///
/// **Masked.** Of each window 15 % of the places are drawn and must be said; their symbol is hidden
/// (80 %), another one at random (10 %) or left (10 %). Held-out text is scored at places drawn
/// once, all hidden. Bits of a hidden symbol are no code length: together they are none of a text.
///
/// Quality is accuracy, of each (hidden) symbol, with bits_per_label a symbol. Symbols near each
/// other are not independent: intervals that assume it are too narrow.
///
/// Same options and text: same bytes; for integers on every instruction set. One thread is used.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "carnot/learn/data/dataset.hpp"
#include "carnot/learn/knobs/precision.hpp"
#include "carnot/learn/network/learner.hpp"

namespace carnot::learn {

/// \param train  a text; must outlive the learner
/// \throws InputError if options and text do not fit
std::unique_ptr<Learner> make_transformer(const LearnerOptions& options, const Dataset& train);

/// "causal transformer: 2 layers, 4 heads, width 128, context 128".
std::string shape_text(const TransformerOptions& options);

/// Rows of each entry of Learner::parameters, for coded models.
std::vector<std::size_t> transformer_rows(const TransformerOptions& options, std::size_t classes);
/// Numbers in each entry.
std::vector<std::size_t> transformer_sizes(const TransformerOptions& options, std::size_t classes);
/// \throws InputError naming what is allowed
void check_transformer(const TransformerOptions& options);

struct TextScore {
  double bits = 0.0;          ///< of all symbols that were asked for
  std::uint64_t symbols = 0;  ///< how many
  std::uint64_t right = 0;
  Counters counters;
  double bits_per_symbol() const noexcept {
    return symbols > 0 ? bits / static_cast<double>(symbols) : 0.0;
  }
};

/// Scores a text under coefficients, in binary32, as learners score held-out text.
/// \throws InputError unless the coefficients are those of such a transformer
TextScore score_text(const TransformerOptions& options,
                     const std::vector<std::vector<float>>& parameters, const Dataset& text);

/// The likeliest symbols at `hidden` places (ascending) of a text, each seen from a window around
/// it; objective masked. \throws InputError likewise, or for a causal transformer
std::vector<std::uint32_t> fill_text(const TransformerOptions& options,
                                     const std::vector<std::vector<float>>& parameters,
                                     const Dataset& text, const std::vector<std::size_t>& hidden,
                                     Counters* counters);

}  // namespace carnot::learn
