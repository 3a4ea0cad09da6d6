// SPDX-License-Identifier: Apache-2.0
#include "learn/codes/model_code.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/learn/codes/code_length.hpp"

#include "learn/codes/arithmetic_coder.hpp"

namespace carnot::learn {

namespace {

constexpr int kBitsField = 5;
constexpr int kScaleBits = 16;
constexpr int kGreatestIntegerBits = 12;
constexpr std::uint64_t kGreatestCoefficients = std::uint64_t{1} << 28;

bool is_integer_width(int bits) noexcept { return bits >= 2 && bits <= kGreatestIntegerBits; }

std::int32_t greatest(int bits) noexcept { return (std::int32_t{1} << (bits - 1)) - 1; }

/// Coefficients are coded as symbols 0 ... 2 * greatest.
std::size_t symbol(std::int32_t coefficient, int bits) noexcept {
  return static_cast<std::size_t>(std::int64_t{coefficient} + greatest(bits));
}

std::size_t alphabet(int bits) noexcept { return symbol(greatest(bits), bits) + 1; }

std::uint32_t bfloat16(float value) noexcept {
  const auto pattern = std::bit_cast<std::uint32_t>(value);
  return (pattern + 0x7FFFu + ((pattern >> 16) & 1u)) >> 16;
}

/// Upward to 16 bits: a scale costs half, and what it must reach it still reaches.
float rounded_up(float scale) noexcept {
  const auto pattern = std::bit_cast<std::uint32_t>(scale);
  return std::bit_cast<float>((pattern + 0xFFFFu) & 0xFFFF0000u);
}

std::int32_t nearest_integer(float w, float scale, std::int32_t m) noexcept {
  return static_cast<std::int32_t>(
      std::clamp(std::nearbyint(w / scale), static_cast<float>(-m), static_cast<float>(m)));
}

/// The scale that clips nothing. Smaller ones have less squared error but far fewer zeros, and made
/// every two-part code tried longer.
float widest_scale(std::span<const float> row, std::int32_t m) noexcept {
  float most = 0.0f;
  for (const float w : row) most = std::max(most, std::abs(w));
  const float widest = rounded_up(most / static_cast<float>(m));
  return widest >= std::numeric_limits<float>::min() ? widest : 0.0f;
}

void quantise_row(std::span<const float> row, int bits, LayerCode& layer) {
  const std::int32_t m = greatest(bits);
  const float scale = widest_scale(row, m);
  layer.scales.push_back(scale);
  for (const float w : row)
    layer.integers.push_back(scale > 0.0f ? nearest_integer(w, scale, m) : 0);
}

}  // namespace

ModelCode quantise_model(const std::vector<std::vector<float>>& parameters,
                         const std::vector<std::size_t>& rows, int bits) {
  if (!is_integer_width(bits) && bits != 16 && bits != 32)
    throw InputError(describe(
        {}, "model bits", fmt::format("2 to {}, 16 or 32, found {}", kGreatestIntegerBits, bits)));
  if (rows.size() != parameters.size())
    throw InputError(describe({}, "rows", "one number a layer"));
  ModelCode model;
  model.bits = bits;
  for (std::size_t l = 0; l < parameters.size(); ++l) {
    const std::vector<float>& values = parameters[l];
    if (rows[l] == 0 || values.size() % rows[l] != 0)
      throw InputError(describe({}, "rows",
                                fmt::format("a divisor of the {} coefficients of layer "
                                            "{}, found {}",
                                            values.size(), l + 1, rows[l])));
    for (const float w : values)
      if (!std::isfinite(w)) throw InputError(describe({}, "coefficients", "finite numbers"));
    LayerCode layer;
    layer.rows = rows[l];
    layer.columns = values.size() / rows[l];
    layer.integers.reserve(values.size());
    for (std::size_t r = 0; r < layer.rows; ++r) {
      const auto row = std::span(values).subspan(r * layer.columns, layer.columns);
      if (is_integer_width(bits)) {
        quantise_row(row, bits, layer);
        continue;
      }
      for (const float w : row)
        layer.integers.push_back(
            static_cast<std::int32_t>(bits == 16 ? bfloat16(w) : std::bit_cast<std::uint32_t>(w)));
    }
    model.layers.push_back(std::move(layer));
  }
  return model;
}

std::vector<std::vector<float>> coefficients(const ModelCode& model) {
  std::vector<std::vector<float>> out;
  for (const LayerCode& layer : model.layers) {
    std::vector<float>& values = out.emplace_back();
    values.reserve(layer.integers.size());
    for (std::size_t i = 0; i < layer.integers.size(); ++i) {
      const auto pattern = static_cast<std::uint32_t>(layer.integers[i]);
      if (model.bits == 32)
        values.push_back(std::bit_cast<float>(pattern));
      else if (model.bits == 16)
        values.push_back(std::bit_cast<float>(pattern << 16));
      else
        values.push_back(static_cast<float>(layer.integers[i]) * layer.scales[i / layer.columns]);
    }
  }
  return out;
}

double ideal_length(const ModelCode& model) {
  double length = kBitsField + universal_integer_length(model.layers.size() + 1);
  for (const LayerCode& layer : model.layers) {
    length +=
        universal_integer_length(layer.rows + 1) + universal_integer_length(layer.columns + 1);
    if (!is_integer_width(model.bits)) {
      length += static_cast<double>(model.bits) * static_cast<double>(layer.integers.size());
      continue;
    }
    length += static_cast<double>(kScaleBits) * static_cast<double>(layer.rows);
    std::vector<std::uint64_t> counts(alphabet(model.bits), 0);
    for (const std::int32_t q : layer.integers) ++counts[symbol(q, model.bits)];
    length += kt_code_length(counts);
  }
  return length;
}

std::vector<std::uint8_t> encode_model(const ModelCode& model) {
  ArithmeticEncoder encoder;
  encoder.encode_bits(static_cast<std::uint64_t>(model.bits - 1), kBitsField);
  encoder.encode_integer(model.layers.size() + 1);
  for (const LayerCode& layer : model.layers) {
    encoder.encode_integer(layer.rows + 1);
    encoder.encode_integer(layer.columns + 1);
    if (!is_integer_width(model.bits)) {
      for (const std::int32_t pattern : layer.integers)
        encoder.encode_bits(static_cast<std::uint32_t>(pattern), model.bits);
      continue;
    }
    KrichevskyTrofimov code(alphabet(model.bits));
    for (std::size_t i = 0; i < layer.integers.size(); ++i) {
      if (i % layer.columns == 0)
        encoder.encode_bits(std::bit_cast<std::uint32_t>(layer.scales[i / layer.columns]) >> 16,
                            kScaleBits);
      code.encode(symbol(layer.integers[i], model.bits), encoder);
    }
  }
  return encoder.finish();
}

ModelCode decode_model(std::span<const std::uint8_t> bytes) {
  ArithmeticDecoder decoder(bytes);
  ModelCode model;
  model.bits = static_cast<int>(decoder.decode_bits(kBitsField)) + 1;
  if (!is_integer_width(model.bits) && model.bits != 16 && model.bits != 32)
    throw InputError("model code: 2 to 12, 16 or 32 bits");
  const std::uint64_t layers = decoder.decode_integer() - 1;
  // A coefficient costs well over 2^-7 bits in any trained network: a message bounds what it
  // unpacks to.
  const std::uint64_t most = std::min(kGreatestCoefficients, (bytes.size() + 8) << 10);
  std::uint64_t total = 0;
  if (layers > 1000) throw InputError("model code: at most 1000 layers");
  for (std::uint64_t l = 0; l < layers; ++l) {
    LayerCode layer;
    layer.rows = decoder.decode_integer() - 1;
    layer.columns = decoder.decode_integer() - 1;
    if (layer.rows > most || layer.columns > most || layer.rows * layer.columns > most - total)
      throw InputError("model code: more coefficients than the message can hold");
    const std::uint64_t size = layer.rows * layer.columns;
    total += size;
    KrichevskyTrofimov code(is_integer_width(model.bits) ? alphabet(model.bits) : 1);
    for (std::uint64_t i = 0; i < size; ++i) {
      if (!is_integer_width(model.bits)) {
        layer.integers.push_back(
            static_cast<std::int32_t>(static_cast<std::uint32_t>(decoder.decode_bits(model.bits))));
        continue;
      }
      if (i % layer.columns == 0)
        layer.scales.push_back(std::bit_cast<float>(
            static_cast<std::uint32_t>(decoder.decode_bits(kScaleBits)) << 16));
      layer.integers.push_back(static_cast<std::int32_t>(code.decode(decoder)) -
                               greatest(model.bits));
    }
    model.layers.push_back(std::move(layer));
  }
  return model;
}

}  // namespace carnot::learn
