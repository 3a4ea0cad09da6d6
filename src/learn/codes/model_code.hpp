// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A trained model as a decodable message: architecture, a scale a row, integers. `ideal_length`
/// counts what `encode_model` writes (the test holds them to 1 % + 64 bits).
///
/// Message: five bits of b - 1; Elias delta of the number of layers + 1; for each layer Elias delta
/// of rows + 1, columns
/// + 1; then by bits b:
///   32       every coefficient as its 32 bits
///   16       its upper 16 bits (bfloat16, rounded to nearest even)
///   2 to 12  a row at a time the scale as 16 bits (bfloat16, rounded up) and the integers q in
///   [-m, m], m = 2^(b-1) - 1,
///            under one adaptive Krichevsky-Trofimov code a layer; coefficient = q * scale

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace carnot::learn {

struct LayerCode {
  std::size_t rows = 0, columns = 0;
  std::vector<float> scales;           ///< [rows], integer layers only
  std::vector<std::int32_t> integers;  ///< [rows x columns]; for 16 and 32 bits the patterns
};

struct ModelCode {
  int bits = 32;
  std::vector<LayerCode> layers;
};

/// Rounds to nearest. \throws InputError unless bits is 32, 16 or 2 to 12, and rows divide the
/// layers
ModelCode quantise_model(const std::vector<std::vector<float>>& parameters,
                         const std::vector<std::size_t>& rows, int bits);
/// The coefficients a decoder has.
std::vector<std::vector<float>> coefficients(const ModelCode& model);

double ideal_length(const ModelCode& model);
std::vector<std::uint8_t> encode_model(const ModelCode& model);
/// \throws InputError if the bytes are no model
ModelCode decode_model(std::span<const std::uint8_t> bytes);

}  // namespace carnot::learn
