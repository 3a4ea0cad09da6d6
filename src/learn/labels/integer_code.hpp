// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Integers bit by bit (is it 0, its sign, whether it is more than 1, 2, ...) under the logistic
/// mixture of what several contexts saw: the coefficients of a two-part code.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "learn/labels/integer_network.hpp"
#include "learn/text/bit_coder.hpp"
#include "learn/text/mixer.hpp"

namespace carnot::learn {

inline constexpr std::int32_t kMostCoefficient = 127;  ///< in magnitude
inline constexpr std::size_t kIntegerContexts = 6;
using IntegerContexts = std::array<std::uint32_t, kIntegerContexts>;  ///< each below 4096

/// The model both ends keep.
class IntegerModel {
 public:
  IntegerModel();
  template <class Code>  ///< bool(chance): codes or decodes a bit
  std::int32_t integer(const IntegerContexts& contexts, const Code& code);

 private:
  static constexpr std::size_t kDecisions = 16;  // zero, sign, more than 1, 2, ...
  std::uint32_t chance(std::size_t decision, const IntegerContexts& contexts);
  void learn(bool bit);
  struct Seen {
    std::uint16_t chance = 32768, count = 0;
  };
  std::vector<Seen> seen_;
  Mixer mixer_;
  std::array<std::int32_t, 16> x_{};
  std::array<std::size_t, kIntegerContexts> at_{};
};

/// All coefficients of a network whose shape is known, first layer first.
void encode_coefficients(const IntegerNetwork& network, std::size_t side, BitEncoder& encoder);
void decode_coefficients(IntegerNetwork& network, std::size_t side, BitDecoder& decoder);

}  // namespace carnot::learn
