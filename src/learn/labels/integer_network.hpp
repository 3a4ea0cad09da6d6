// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The perceptron of a two-part code as its receiver has it: integers all the way to the odds.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "carnot/learn/data/dataset.hpp"

namespace carnot::learn {

/// Inputs of 8 bits, a row after the other: pixels of [0, 1] as 255ths, else 16ths between -8
/// and 8.
struct IntegerInputs {
  std::size_t rows = 0, columns = 0, side = 0;  ///< side of a square picture, else 0
  std::int32_t one = 255;                       ///< what stands for 1
  std::vector<std::int16_t> values;             ///< [rows x columns]
};
/// \param pool  pixels a side whose mean is one input; 1 for what is no square picture
IntegerInputs integer_inputs(const Dataset& data, int pool);
/// 2 for square pictures of even side from 16 on, else 1.
int fitting_pool(const Dataset& data) noexcept;

/// Step sizes are 2^(-code/2).
double step_of(int code) noexcept;
int step_code(double step) noexcept;

struct IntegerNetwork {
  std::size_t inputs = 0, hidden = 0, classes = 0;  ///< hidden 0: one layer
  int first_step = 6, second_step = 6;              ///< codes
  std::vector<std::int32_t> first;   ///< [hidden x (inputs + 1)], the last of a row its bias
  std::vector<std::int32_t> second;  ///< [classes x (hidden + 1)], or [classes x (inputs + 1)]
};

/// Frequencies of the classes, each 1 or more, to at most 2^27 in all for a thousand classes;
/// the same on any machine.
std::vector<std::uint64_t> class_frequencies(const IntegerNetwork& network,
                                             const IntegerInputs& inputs, std::size_t row);

}  // namespace carnot::learn
