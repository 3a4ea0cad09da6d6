// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Trees as a decodable message, and how long it is: the model part of a two-part code.
///
/// Message: number of trees; base scores, 32 bits each; then tree by tree its nodes, parents before
/// children, left before right: a bit for leaf or split (adaptive, by depth), the feature (adaptive
/// Krichevsky-Trofimov, at most about log2 F bits), the threshold (log2 of the feature's bins) or a
/// bit a category, and where missing values go (adaptive); then the leaves: rounded to `bits`
/// signed bits against a power of two of the tree (8 bits) under an adaptive code, or 32 bits each.
/// Edges of bins are no part of it: the receiver of labels has the features, and with them the
/// quantiles.
///
/// The length of the first n trees is that of the message's part up to there. Not thread-safe in
/// any special way: functions of values.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "carnot/learn/trees/tree_model.hpp"

namespace carnot::learn {

/// Bits of the first prefixes[i] trees (ascending).
/// \param bits  of a leaf, 2 to 12 or 32
std::vector<double> tree_code_lengths(const TreeModel& model, int bits,
                                      std::span<const std::size_t> prefixes);

/// The leaves a receiver of that message has, tree by tree.
std::vector<std::vector<float>> rounded_leaves(const TreeModel& model, int bits);

/// Writes the message.
std::vector<std::uint8_t> encode_trees(const TreeModel& model, int bits);
/// Reads it back into `model`, whose features, outputs and kind are known already. Nodes come in
/// the message's order, without counts of rows.
/// \throws InputError if the bytes are no such message
void decode_trees(std::span<const std::uint8_t> bytes, TreeModel& model);

}  // namespace carnot::learn
