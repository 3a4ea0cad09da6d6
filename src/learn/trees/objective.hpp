// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Losses of boosting: derivatives of a row's loss by its scores, and rounding them to integers.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "carnot/learn/data/dataset.hpp"

#include "learn/trees/histogram.hpp"
#include "learn/trees/workers.hpp"

namespace carnot::learn {

/// Scores that know nothing of the features: log odds or logs of the classes' shares (half a row is
/// added to each), or the mean target.
std::vector<float> base_scores(const Dataset& data, std::span<const std::uint32_t> rows);

/// Softmax of each row's scores, [rows x outputs].
void softmax_rows(const std::vector<float>& scores, std::size_t outputs, Workers& workers,
                  std::vector<float>& out);

/// Derivatives of all rows by score `output`.
/// \param softmax  from softmax_rows, for more than one output
void differentiate(const Dataset& data, const std::vector<float>& scores,
                   const std::vector<float>& softmax, std::size_t outputs, std::size_t output,
                   Workers& workers, Gradients& out);

/// Fills the integer form. \param bits  2 to 8; 32: leaves it empty
/// \param key  of this tree's draws
void round_gradients(int bits, bool at_random, std::uint64_t seed, std::uint64_t tree,
                     Workers& workers, Gradients& gradients);

/// Sum over rows of the loss: nats (classes) or half squared errors.
double loss_sum(const Dataset& data, const std::vector<float>& scores, std::size_t outputs,
                std::span<const std::uint32_t> rows);

}  // namespace carnot::learn
