// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A message of Protocol Buffers under construction (encoding of version 2 and 3): fields one after
/// the other, a message within one as a field of bytes. A value; not for several threads at once.

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace carnot::inline base {

class ProtocolBuffer {
 public:
  /// string or bytes
  void text(unsigned field, std::string_view value) {
    head(field, 2);
    varint(value.size());
    bytes_ += value;
  }
  void message(unsigned field, const ProtocolBuffer& value) { text(field, value.bytes_); }
  /// int32, int64, uint64, bool, enumeration
  void number(unsigned field, std::uint64_t value) {
    head(field, 0);
    varint(value);
  }
  void integer(unsigned field, std::int64_t value) {
    number(field, static_cast<std::uint64_t>(value));
  }
  void real(unsigned field, double value) { fixed(field, std::bit_cast<std::uint64_t>(value)); }
  void real32(unsigned field, float value) {
    head(field, 5);
    little(std::bit_cast<std::uint32_t>(value), 32);
  }
  /// fixed64
  void fixed(unsigned field, std::uint64_t value) {
    head(field, 1);
    little(value, 64);
  }
  /// All fields of another, behind those there are.
  void append(const ProtocolBuffer& fields) { bytes_ += fields.bytes_; }

  const std::string& bytes() const& noexcept { return bytes_; }
  std::string bytes() && noexcept { return std::move(bytes_); }

 private:
  void head(unsigned field, unsigned wire) { varint(std::uint64_t{field} << 3 | wire); }
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>((value & 0x7f) | 0x80);
    bytes_ += static_cast<char>(value);
  }
  void little(std::uint64_t value, int bits) {
    for (int shift = 0; shift < bits; shift += 8)
      bytes_ += static_cast<char>(value >> shift & 0xff);
  }
  std::string bytes_;
};

}  // namespace carnot::inline base
