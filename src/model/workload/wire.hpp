// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A walk over the fields of one protocol-buffer message, without a schema and without copies.
///
/// A message is a row of (tag, value); tag = field number x 8 + wire type. Types: 0 a varint of at
/// most 10 bytes, 1 eight bytes, 2 a length and that many bytes, 5 four bytes. Groups (3, 4) are
/// refused: nothing since 2008 writes them. Lengths are checked against the bytes there are before
/// anything is skipped, so a walk touches headers only and ends after at most one step a byte.

#include <cstdint>
#include <string>
#include <string_view>

namespace carnot::model {

/// Where the bytes came from, for messages: `file: byte 17: GraphProto.node: what is wrong`.
struct WireSource {
  std::string file;
  std::string_view bytes;  ///< the whole file

  std::uint64_t offset_of(const char* at) const noexcept {
    return static_cast<std::uint64_t>(at - bytes.data());
  }
};

enum class WireType : std::uint8_t { Varint = 0, Eight = 1, Bytes = 2, Four = 5 };

struct WireField {
  std::uint32_t number = 0;
  WireType type = WireType::Varint;
  std::uint64_t value = 0;  ///< Varint, Eight, Four: the bits
  std::string_view bytes;   ///< Bytes: the payload

  std::int64_t integer() const noexcept { return static_cast<std::int64_t>(value); }
};

class WireCursor {
 public:
  /// \param message  name of the message for what is thrown, such as "GraphProto"; a literal
  WireCursor(const WireSource& source, std::string_view bytes, std::string_view message) noexcept
      : source_(&source), rest_(bytes), message_(message) {}

  /// The next field, false at the end. \throws InputError
  bool next(WireField& field);

  /// The last field as bytes, a varint or a float. \throws InputError if it is of another type
  std::string_view bytes(const WireField& field, std::string_view name) const;
  std::int64_t varint(const WireField& field, std::string_view name) const;
  float real(const WireField& field, std::string_view name) const;

  /// One value, or the packed ones, of a repeated integer field, appended to `values`.
  /// \throws InputError
  template <class Vector>
  void integers(const WireField& field, std::string_view name, Vector& values) const {
    if (field.type == WireType::Varint) {
      values.push_back(field.integer());
      return;
    }
    std::string_view rest = bytes(field, name);
    while (!rest.empty()) values.push_back(static_cast<std::int64_t>(packed_varint(rest, name)));
  }

  [[noreturn]] void refuse(std::string_view name, std::string_view allowed) const;
  const WireSource& source() const noexcept { return *source_; }

 private:
  std::uint64_t packed_varint(std::string_view& rest, std::string_view name) const;

  const WireSource* source_;
  std::string_view rest_;
  std::string_view message_;
  const char* start_ = nullptr;  ///< of the last field
};

/// Takes a varint off the front. \return false if it is cut off or longer than 64 bits
bool take_varint(std::string_view& rest, std::uint64_t& value) noexcept;

}  // namespace carnot::model
