// SPDX-License-Identifier: Apache-2.0
#include "learn/codes/arithmetic_coder.hpp"

#include <bit>
#include <cmath>

#include "carnot/base/error.hpp"

namespace carnot::learn {

namespace {

constexpr std::uint64_t kHalf = std::uint64_t{1} << 61;
constexpr std::uint64_t kQuarter = std::uint64_t{1} << 60;
constexpr double kProbabilityUnit = 0x1p26;  // 1000 classes still fit kGreatestTotal

/// Narrows [low, high] to the event's share; the same arithmetic in both directions.
void narrow(std::uint64_t& low, std::uint64_t& high, std::uint64_t event_low,
            std::uint64_t frequency, std::uint64_t total) {
  const std::uint64_t unit = (high - low + 1) / total;
  high = low + unit * (event_low + frequency) - 1;
  low += unit * event_low;
}

}  // namespace

void ArithmeticEncoder::put_bit(bool one) {
  if (filled_ == 0) bytes_.push_back(0);
  if (one) bytes_.back() = static_cast<std::uint8_t>(bytes_.back() | (0x80u >> filled_));
  filled_ = (filled_ + 1) % 8;
}

void ArithmeticEncoder::put(bool one) {
  put_bit(one);
  for (; pending_ > 0; --pending_) put_bit(!one);
}

void ArithmeticEncoder::encode(std::uint64_t low, std::uint64_t frequency, std::uint64_t total) {
  CARNOT_CHECK(frequency >= 1 && low + frequency <= total && total <= kGreatestTotal,
               "an event has a share of the total");
  narrow(low_, high_, low, frequency, total);
  while (true) {
    if (high_ < kHalf) {
      put(false);
    } else if (low_ >= kHalf) {
      put(true);
      low_ -= kHalf;
      high_ -= kHalf;
    } else if (low_ >= kQuarter && high_ < kHalf + kQuarter) {
      ++pending_;
      low_ -= kQuarter;
      high_ -= kQuarter;
    } else {
      break;
    }
    low_ = 2 * low_;
    high_ = 2 * high_ + 1;
  }
}

void ArithmeticEncoder::encode_bits(std::uint64_t value, int count) {
  for (int i = count - 1; i >= 0; --i) encode((value >> i) & 1u, 1, 2);
}

void ArithmeticEncoder::encode_integer(std::uint64_t n) {
  CARNOT_CHECK(n >= 1, "the code is for positive integers");
  const auto length = static_cast<int>(std::bit_width(n));
  const auto length_bits = static_cast<int>(std::bit_width(static_cast<unsigned>(length)));
  encode_bits(0, length_bits - 1);
  encode_bits(static_cast<std::uint64_t>(length), length_bits);
  encode_bits(n & ~(std::uint64_t{1} << (length - 1)), length - 1);
}

std::vector<std::uint8_t> ArithmeticEncoder::finish() {
  ++pending_;
  put(low_ >= kQuarter);
  return std::move(bytes_);
}

ArithmeticDecoder::ArithmeticDecoder(std::span<const std::uint8_t> bytes) : bytes_(bytes) {
  for (int i = 0; i < 62; ++i) value_ = 2 * value_ + next_bit();
}

std::uint64_t ArithmeticDecoder::next_bit() {
  const std::size_t byte = at_ / 8;
  const std::uint64_t bit = byte < bytes_.size() ? (bytes_[byte] >> (7 - at_ % 8)) & 1u : 0u;
  ++at_;
  return bit;
}

std::uint64_t ArithmeticDecoder::target(std::uint64_t total) const {
  const std::uint64_t unit = (high_ - low_ + 1) / total;
  const std::uint64_t position = (value_ - low_) / unit;
  return position < total ? position : total - 1;  // the sliver that division left over
}

void ArithmeticDecoder::consume(std::uint64_t low, std::uint64_t frequency, std::uint64_t total) {
  narrow(low_, high_, low, frequency, total);
  while (true) {
    if (low_ >= kHalf) {
      low_ -= kHalf;
      high_ -= kHalf;
      value_ -= kHalf;
    } else if (low_ >= kQuarter && high_ < kHalf + kQuarter) {
      low_ -= kQuarter;
      high_ -= kQuarter;
      value_ -= kQuarter;
    } else if (high_ >= kHalf) {
      break;
    }
    low_ = 2 * low_;
    high_ = 2 * high_ + 1;
    value_ = 2 * value_ + next_bit();
  }
}

std::uint64_t ArithmeticDecoder::decode_bits(int count) {
  std::uint64_t value = 0;
  for (int i = 0; i < count; ++i) {
    const std::uint64_t bit = target(2);
    consume(bit, 1, 2);
    value = 2 * value + bit;
  }
  return value;
}

std::uint64_t ArithmeticDecoder::decode_integer() {
  int zeros = 0;
  while (decode_bits(1) == 0)
    if (++zeros > 6) throw InputError("code: an Elias delta integer below 2^63");
  const std::uint64_t length = (std::uint64_t{1} << zeros) | decode_bits(zeros);
  if (length > 63) throw InputError("code: an Elias delta integer below 2^63");
  const int rest = static_cast<int>(length) - 1;
  return (std::uint64_t{1} << rest) | decode_bits(rest);
}

void KrichevskyTrofimov::encode(std::size_t symbol, ArithmeticEncoder& encoder) {
  CARNOT_CHECK(symbol < doubled_.size(), "a symbol of the alphabet");
  std::uint64_t low = 0;
  for (std::size_t i = 0; i < symbol; ++i) low += doubled_[i];
  encoder.encode(low, doubled_[symbol], total_);
  learn(symbol);
}

std::size_t KrichevskyTrofimov::decode(ArithmeticDecoder& decoder) {
  const std::uint64_t target = decoder.target(total_);
  std::uint64_t low = 0;
  std::size_t symbol = 0;
  while (low + doubled_[symbol] <= target) low += doubled_[symbol++];
  decoder.consume(low, doubled_[symbol], total_);
  learn(symbol);
  return symbol;
}

std::vector<std::uint64_t> frequencies(std::span<const float> probabilities) {
  std::vector<std::uint64_t> out;
  out.reserve(probabilities.size());
  for (const float p : probabilities) {
    const double share = std::isfinite(p) && p > 0.0f ? std::min(1.0, static_cast<double>(p)) : 0.0;
    out.push_back(1 + static_cast<std::uint64_t>(share * kProbabilityUnit));
  }
  return out;
}

namespace {
std::uint64_t sum(const std::vector<std::uint64_t>& values) {
  std::uint64_t total = 0;
  for (const std::uint64_t v : values) total += v;
  return total;
}
}  // namespace

std::vector<std::uint8_t> encode_labels(std::span<const std::uint32_t> labels,
                                        std::span<const float> probabilities, std::size_t classes) {
  CARNOT_CHECK(probabilities.size() == labels.size() * classes, "one distribution a row");
  ArithmeticEncoder encoder;
  for (std::size_t r = 0; r < labels.size(); ++r) {
    CARNOT_CHECK(labels[r] < classes, "labels are classes");
    const std::vector<std::uint64_t> f = frequencies(probabilities.subspan(r * classes, classes));
    std::uint64_t low = 0;
    for (std::size_t c = 0; c < labels[r]; ++c) low += f[c];
    encoder.encode(low, f[labels[r]], sum(f));
  }
  return encoder.finish();
}

std::vector<std::uint32_t> decode_labels(std::span<const std::uint8_t> bytes,
                                         std::span<const float> probabilities, std::size_t classes,
                                         std::size_t rows) {
  CARNOT_CHECK(probabilities.size() == rows * classes, "one distribution a row");
  ArithmeticDecoder decoder(bytes);
  std::vector<std::uint32_t> labels;
  labels.reserve(rows);
  for (std::size_t r = 0; r < rows; ++r) {
    const std::vector<std::uint64_t> f = frequencies(probabilities.subspan(r * classes, classes));
    const std::uint64_t total = sum(f);
    const std::uint64_t target = decoder.target(total);
    std::uint64_t low = 0;
    std::uint32_t label = 0;
    while (low + f[label] <= target) low += f[label++];
    decoder.consume(low, f[label], total);
    labels.push_back(label);
  }
  return labels;
}

}  // namespace carnot::learn
