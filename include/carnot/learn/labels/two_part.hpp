// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Labels as a message of two parts to somebody who has the features: a small perceptron, then what
/// the labels need beyond it. Every bit of both is in the message: shape, steps, coefficients,
/// labels, checksum (Rissanen 1978; Hinton & van Camp, COLT 1993).
///
/// *Training* minimises the length of the message itself. With n rows, coefficients w and step D it
/// follows the gradient of
///   sum -log2 p(y | x, w) + price * sum log2(1 + |w| / D)
/// by Adam with a proximal step, so that coefficients that do not pay are 0 exactly; in the second
/// half the network is run with coefficients rounded to whole multiples of D.
/// *Coding*: whether a coefficient is 0, its sign and size are told bit by bit under mixed adaptive
/// contexts: its neighbours in the picture, its row, its column, its layer. Labels are told under
/// the perceptron's probabilities by an arithmetic coder. *The receiver* computes with integers:
/// inputs of 8 bits, integer coefficients, 64-bit sums; its softmax uses additions and
/// multiplications of binary64 alone. So a message made on one machine unpacks on any.
///
/// Square pictures may be read at half their side (`pool`): four pixels are one.
/// Functions of their arguments; safe from any thread.

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "carnot/base/stop.hpp"
#include "carnot/learn/data/dataset.hpp"
#include "carnot/learn/knobs/precision.hpp"

namespace carnot::learn {

struct TwoPartOptions {
  std::size_t hidden = 64;  ///< units; 0: none, a linear softmax
  int pool = 0;        ///< pixels a side that become one; 0: 2 for pictures of 16 or more, else 1
  double price = 7.0;  ///< see above; more: fewer coefficients
  double step = 0.25;  ///< D of the first layer, rounded to a power of sqrt(2)
  double epochs = 0;   ///< 0: 40, more below 16384 rows, where steps settle it
  std::size_t batch = 0;  ///< 0: 128, fewer below 8192 rows
  double learning_rate = 6e-3;
  std::uint64_t seed = 1;
  int threads = 1;
  const Dataset* held_out = nullptr;           ///< rows to judge the coded model on; may be null
  std::function<void(double share)> progress;  ///< may be empty
  StopToken stop;
};

struct TwoPartCode {
  double model_bits = 0.0;  ///< shape, steps and coefficients
  double data_bits = 0.0;   ///< labels under the model that the receiver has
  double total_bits = 0.0;  ///< of the whole message, checksum and padding too: 8 * message.size()
  double uniform = 0.0;     ///< under the labels' counts alone
  double accuracy = 0.0;    ///< of the coded model on these rows
  double held_out_accuracy = 0.0, held_out_bits = 0.0;  ///< bits a label; 0 without such rows
  std::size_t coefficients = 0, nonzero = 0;
  int pool = 1;
  Counters counters;  ///< of training and coding
  std::vector<std::uint8_t> message;
};

/// \throws InputError for regression, no rows or options out of range; Stopped
TwoPartCode two_part_encode(const Dataset& data, const TwoPartOptions& options);

/// What encoding so counts, known beforehand.
Counters two_part_counters(const Dataset& data, const TwoPartOptions& options);

/// The labels of the rows, from their features and the message alone.
/// \param inputs  labels are not read
/// \throws InputError for a damaged message, or one of other inputs
std::vector<std::uint32_t> two_part_decode(const Dataset& inputs,
                                           std::span<const std::uint8_t> message);

}  // namespace carnot::learn
