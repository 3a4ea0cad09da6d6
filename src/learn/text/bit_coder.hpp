// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Arithmetic coding of bits with chances in 65536ths: 32-bit registers, a byte at a time (Witten,
/// Neal, Cleary 1987; carries cannot happen since the interval never leaves its leading byte).

#include <cstdint>
#include <span>
#include <vector>

namespace carnot::learn {

class BitInterval {
 public:
  /// Where the share of 1 ends, given its chance of 1 to 65535.
  std::uint32_t middle(std::uint32_t chance) const noexcept {
    const std::uint64_t width = high_ - low_;
    return low_ + static_cast<std::uint32_t>((width * chance) >> 16);
  }
  void narrow(bool bit, std::uint32_t middle) noexcept {
    if (bit)
      high_ = middle;
    else
      low_ = middle + 1;
  }
  /// Whether the first byte is settled.
  bool settled() const noexcept { return ((low_ ^ high_) >> 24) == 0; }
  std::uint8_t shift() noexcept {
    const auto byte = static_cast<std::uint8_t>(high_ >> 24);
    low_ <<= 8;
    high_ = high_ << 8 | 255u;
    return byte;
  }
  std::uint32_t low() const noexcept { return low_; }

 private:
  std::uint32_t low_ = 0, high_ = 0xFFFFFFFFu;
};

class BitEncoder {
 public:
  void encode(bool bit, std::uint32_t chance) {
    interval_.narrow(bit, interval_.middle(chance));
    while (interval_.settled()) bytes_.push_back(interval_.shift());
  }
  std::size_t size() const noexcept { return bytes_.size(); }
  /// Ends the message: as many bytes of a point inside as tell it from all others.
  std::vector<std::uint8_t> finish() {
    // Zeros follow the end when it is read, so the point is the interval's low end rounded up.
    const std::uint32_t low = interval_.low();
    if (low > 0) {
      bytes_.push_back(static_cast<std::uint8_t>((low >> 24) + 1));
      // low >> 24 < high >> 24 <= 255: the interval is not settled.
    }
    return std::move(bytes_);
  }

 private:
  BitInterval interval_;
  std::vector<std::uint8_t> bytes_;
};

class BitDecoder {
 public:
  explicit BitDecoder(std::span<const std::uint8_t> bytes) : bytes_(bytes) {
    for (int i = 0; i < 4; ++i) value_ = value_ << 8 | next();
  }
  bool decode(std::uint32_t chance) noexcept {
    const std::uint32_t middle = interval_.middle(chance);
    const bool bit = value_ <= middle;
    interval_.narrow(bit, middle);
    while (interval_.settled()) {
      interval_.shift();
      value_ = value_ << 8 | next();
    }
    return bit;
  }

 private:
  std::uint8_t next() noexcept { return at_ < bytes_.size() ? bytes_[at_++] : std::uint8_t{0}; }
  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
  BitInterval interval_;
  std::uint32_t value_ = 0;
};

}  // namespace carnot::learn
