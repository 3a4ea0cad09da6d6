// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What the formula of kernel_energy.hpp leaves over on cards that were measured: sums of small
/// regression trees over the terms of the formula, one sum for log time and one for log power, by
/// class of kernel. They know tiles, waves and changes of kernel that no closed form states, and
/// serve only formats, frameworks and cards (or their twins) that they were grown on.

#include <array>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/model/kernel/kernel_energy.hpp"

namespace carnot::model {

/// Trees of one class. Immutable after parse.
struct KernelTrees {
  /// compute, compute16, exponential, memory, filled, blocks, chain (logarithms, at least 1e-12);
  /// log2 of 16 over the bits; share of the last wave; log of the formula's seconds, of its watts
  /// over the limit, of its seconds over the roofline; codes of format, framework and card.
  static constexpr std::size_t kFeatures = 15;
  using Features = std::array<double, kFeatures>;

  struct Node {
    double value = 0;  ///< threshold: at most it goes left; of a leaf its value
    int feature = -1;  ///< -1: leaf
    int right = 0;     ///< node of the right branch; the left one follows
  };
  std::vector<Node> nodes;               ///< of all trees, each in preorder
  std::vector<std::size_t> time, power;  ///< first nodes of trees
  std::array<std::map<std::string, double, std::less<>>, 3> codes;  ///< format, framework, card

  double sum(const std::vector<std::size_t>& trees, const Features& at) const;
};

/// data/kernel_model_corrections.csv: lines `class,kind,value` with kind format, framework, card
/// (names by code) or time, power (a tree in preorder: `feature:threshold` before its branches,
/// `=value` a leaf). \throws InputError, a line `file:line: field: what is allowed` each
std::map<std::string, KernelTrees, std::less<>> parse_kernel_trees(std::string_view csv,
                                                                   const std::string& file);

}  // namespace carnot::model
