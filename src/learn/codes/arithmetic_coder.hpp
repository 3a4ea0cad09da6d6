// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A binary arithmetic coder (Witten, Neal, Cleary, "Arithmetic coding for data compression",
/// CACM 30(6), 1987) with 62-bit registers, and the adaptive Krichevsky-Trofimov model on top. It
/// is here to keep code lengths honest: what they claim, this writes and reads back.

#include <cstdint>
#include <span>
#include <vector>

namespace carnot::learn {

/// Greatest total of frequencies: keeps the loss of integer division below 2^-30 bits a symbol.
inline constexpr std::uint64_t kGreatestTotal = std::uint64_t{1} << 30;

class ArithmeticEncoder {
 public:
  /// Codes the event [low, low + frequency) of `total`. 1 <= frequency, low + frequency <= total
  /// <= kGreatestTotal.
  void encode(std::uint64_t low, std::uint64_t frequency, std::uint64_t total);
  /// `count` <= 32 bits, each of one bit's cost, most significant first.
  void encode_bits(std::uint64_t value, int count);
  /// Elias delta code of n >= 1.
  void encode_integer(std::uint64_t n);
  /// Ends the message. At most two bits and the padding to a byte are added.
  std::vector<std::uint8_t> finish();

 private:
  void put(bool one);
  void put_bit(bool one);
  std::uint64_t low_ = 0;
  std::uint64_t high_ = (std::uint64_t{1} << 62) - 1;
  std::uint64_t pending_ = 0;
  std::vector<std::uint8_t> bytes_;
  int filled_ = 0;
};

class ArithmeticDecoder {
 public:
  explicit ArithmeticDecoder(std::span<const std::uint8_t> bytes);
  /// Where in [0, total) the next event lies; follow with `consume` of the event that holds it.
  std::uint64_t target(std::uint64_t total) const;
  void consume(std::uint64_t low, std::uint64_t frequency, std::uint64_t total);
  std::uint64_t decode_bits(int count);
  /// \throws InputError if the bytes are no Elias delta code of up to 63 bits
  std::uint64_t decode_integer();

 private:
  std::uint64_t next_bit();
  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;  ///< in bits; zeros follow the end
  std::uint64_t low_ = 0;
  std::uint64_t high_ = (std::uint64_t{1} << 62) - 1;
  std::uint64_t value_ = 0;
};

/// Counts c of an alphabet of K symbols: P(i) = (c_i + 1/2) / (N + K/2).
class KrichevskyTrofimov {
 public:
  explicit KrichevskyTrofimov(std::size_t alphabet) : doubled_(alphabet, 1), total_(alphabet) {}
  void encode(std::size_t symbol, ArithmeticEncoder& encoder);
  std::size_t decode(ArithmeticDecoder& decoder);

 private:
  void learn(std::size_t symbol) noexcept {
    doubled_[symbol] += 2;
    total_ += 2;
  }
  std::vector<std::uint64_t> doubled_;  ///< 2 c_i + 1
  std::uint64_t total_;                 ///< 2 N + K
};

/// Integer frequencies of a distribution, each at least 1, for coding labels under a model.
/// Both ends compute them from the same floats, so they agree. Values that are not finite or
/// negative count as 0.
std::vector<std::uint64_t> frequencies(std::span<const float> probabilities);

/// Codes labels under one distribution a row.
/// \param probabilities  [labels.size() x classes]
std::vector<std::uint8_t> encode_labels(std::span<const std::uint32_t> labels,
                                        std::span<const float> probabilities, std::size_t classes);
std::vector<std::uint32_t> decode_labels(std::span<const std::uint8_t> bytes,
                                         std::span<const float> probabilities, std::size_t classes,
                                         std::size_t rows);

}  // namespace carnot::learn
