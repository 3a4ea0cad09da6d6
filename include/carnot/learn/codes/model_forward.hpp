// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A second, plain way through a fully connected network: the decoder's. It shares no code with the
/// learners' kernels, so a code length found with it is one a receiver could reach. Functions of
/// values; safe from any thread.

#include <cstddef>
#include <vector>

#include "carnot/learn/data/dataset.hpp"

namespace carnot::learn {

/// \param parameters  weights [outputs x inputs], biases [outputs], layer by layer, ReLU between
/// \param first, rows  which rows of the data
/// \return [rows x classes] probabilities (softmax; logistic for one output), or [rows] predictions
/// \throws InputError if the coefficients are no such network for the data
std::vector<float> forward(const std::vector<std::vector<float>>& parameters, const Dataset& data,
                           std::size_t first, std::size_t rows);

/// Code length in bits of the labels of the first `rows` rows under the coefficients.
double label_bits(const std::vector<std::vector<float>>& parameters, const Dataset& data,
                  std::size_t rows);

}  // namespace carnot::learn
