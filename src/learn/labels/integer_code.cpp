// SPDX-License-Identifier: Apache-2.0
#include "learn/labels/integer_code.hpp"

#include <algorithm>
#include <cstdlib>

#include "learn/text/logistic.hpp"

namespace carnot::learn {

namespace {

constexpr std::size_t kContextValues = 4096;

/// Few steps for a count that may be any.
std::uint32_t steps(std::size_t n) noexcept {
  return static_cast<std::uint32_t>(n < 5 ? n : n < 8 ? 5 : n < 14 ? 6 : n < 28 ? 7 : 8);
}

/// What lies around a coefficient that was told before it.
class Surroundings {
 public:
  Surroundings(const std::vector<std::int32_t>& values, std::size_t columns, std::size_t side,
               bool first)
      : values_(values), columns_(columns), side_(side), first_(first), in_column_(columns, 0) {}

  IntegerContexts at(std::size_t row, std::size_t column) {
    if (column == 0) in_row_ = 0;
    const std::size_t here = row * columns_ + column;
    const bool bias = column + 1 == columns_;
    const bool picture = first_ && side_ > 0 && !bias;
    const auto size = [&](bool there, std::size_t index) -> std::uint32_t {
      return there ? static_cast<std::uint32_t>(std::min(std::abs(values_[index]), 3)) : 0u;
    };
    const auto sign = [&](bool there, std::size_t index) -> std::uint32_t {
      return !there || values_[index] == 0 ? 0u : values_[index] > 0 ? 1u : 2u;
    };
    const bool left = picture ? column % side_ > 0 : column > 0;
    const bool up = picture && column >= side_;
    const bool corner = up && left;
    const bool right = up && column % side_ + 1 < side_;
    const std::size_t l = here - 1, u = here - side_;
    const std::uint32_t layer = first_ ? 0u : bias ? 2u : 1u;
    const std::uint32_t kind = first_ && bias ? 3u : layer;
    const std::uint32_t around = size(left, l) * 4 + size(up, u);
    const std::uint32_t diagonal = size(corner, u - 1) * 4 + size(right, u + 1);
    const auto portion = static_cast<std::uint32_t>(column > 0 ? 8 * in_row_ / column : 8);
    const auto of_column = static_cast<std::uint32_t>(row > 0 ? 12 * in_column_[column] / row : 12);
    return {kind,
            4 + kind * 256 + around * 16 + diagonal,
            kind * 128 + portion * 13 + of_column,
            (sign(left, l) * 3 + sign(up, u)) * 16 + around + 1024 * kind / 2,
            static_cast<std::uint32_t>(std::min<std::size_t>(column, 4095)),
            kind * 512 + steps(in_column_[column]) * 16 + std::min(around, 15u)};
  }
  void told(std::size_t column, std::int32_t value) {
    if (value == 0) return;
    ++in_row_;
    ++in_column_[column];
  }

 private:
  const std::vector<std::int32_t>& values_;
  std::size_t columns_, side_;
  bool first_;
  std::size_t in_row_ = 0;
  std::vector<std::size_t> in_column_;
};

template <class Code>
void layer(IntegerModel& model, std::vector<std::int32_t>& values, std::size_t columns,
           std::size_t side, bool first, const Code& code) {
  Surroundings around(values, columns, side, first);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t column = i % columns;
    values[i] = model.integer(around.at(i / columns, column),
                              [&](std::uint32_t chance, std::size_t decision) {
                                return code(values[i], chance, decision);
                              });
    around.told(column, values[i]);
  }
}

template <class Code>
void network(IntegerNetwork& n, std::size_t side, const Code& code) {
  IntegerModel model;
  if (n.hidden > 0) layer(model, n.first, n.inputs + 1, side, true, code);
  IntegerModel second;
  const std::size_t inputs = n.hidden > 0 ? n.hidden : n.inputs;
  layer(n.hidden > 0 ? second : model, n.second, inputs + 1, n.hidden > 0 ? 0 : side, n.hidden == 0,
        code);
}

}  // namespace

IntegerModel::IntegerModel()
    : seen_(kDecisions * kIntegerContexts * kContextValues),
      mixer_(16, kDecisions, 65536 * 3 / 10, 20) {}

std::uint32_t IntegerModel::chance(std::size_t decision, const IntegerContexts& contexts) {
  const Logistic& tables = Logistic::tables();
  for (std::size_t c = 0; c < kIntegerContexts; ++c) {
    at_[c] = (decision * kIntegerContexts + c) * kContextValues + contexts[c] % kContextValues;
    const Seen& seen = seen_[at_[c]];
    const std::int32_t odds = seen.count > 0 ? tables.stretch(seen.chance) : 0;
    x_[c] = odds;
    // What was seen often is believed more.
    x_[c + kIntegerContexts] = seen.count > 12 ? odds / 2 : 0;
  }
  x_[2 * kIntegerContexts] = 64;
  mixer_.mix(x_.data(), decision);
  return static_cast<std::uint32_t>(std::clamp(mixer_.chance(), 64, 65472));
}

void IntegerModel::learn(bool bit) {
  mixer_.learn(x_.data(), bit, 1200);
  for (const std::size_t at : at_) {
    Seen& seen = seen_[at];
    const std::int32_t old = seen.chance;
    const std::int32_t next = old + ((bit ? 65535 : 0) - old) * 2 / (2 * seen.count + 3);
    seen.chance = static_cast<std::uint16_t>(std::clamp(next, 32, 65503));
    if (seen.count < 500) ++seen.count;
  }
}

template <class Code>
std::int32_t IntegerModel::integer(const IntegerContexts& contexts, const Code& code) {
  const auto bit = [&](std::size_t decision, std::size_t which) {
    const bool one = code(chance(which, contexts), decision);
    learn(one);
    return one;
  };
  if (!bit(0, 0)) return 0;
  const bool negative = bit(1, 1);
  std::int32_t size = 1;
  while (size < kMostCoefficient &&
         bit(static_cast<std::size_t>(size) + 1,
             std::min(static_cast<std::size_t>(size) + 1, kDecisions - 1)))
    ++size;
  return negative ? -size : size;
}

void encode_coefficients(const IntegerNetwork& n, std::size_t side, BitEncoder& encoder) {
  IntegerNetwork copy = n;
  network(copy, side, [&](std::int32_t value, std::uint32_t chance, std::size_t decision) {
    const bool one = decision == 0   ? value != 0
                     : decision == 1 ? value < 0
                                     : std::abs(value) >= static_cast<std::int32_t>(decision);
    encoder.encode(one, chance);
    return one;
  });
}

void decode_coefficients(IntegerNetwork& n, std::size_t side, BitDecoder& decoder) {
  network(n, side,
          [&](std::int32_t, std::uint32_t chance, std::size_t) { return decoder.decode(chance); });
}

}  // namespace carnot::learn
