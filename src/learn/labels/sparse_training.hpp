// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "carnot/learn/labels/two_part.hpp"

#include "learn/labels/integer_network.hpp"

namespace carnot::learn {

/// What that counts.
Counters sparse_training_counters(std::size_t rows, std::size_t inputs, std::size_t classes,
                                  const TwoPartOptions& options);

/// Trains the perceptron of a two-part code (two_part.hpp) and rounds it.
/// \param labels  [inputs.rows]
IntegerNetwork train_sparse(const IntegerInputs& inputs, std::span<const std::uint32_t> labels,
                            std::size_t classes, const TwoPartOptions& options);

}  // namespace carnot::learn
