// SPDX-License-Identifier: Apache-2.0
#include "model/workload/wire.hpp"

#include <bit>
#include <cstring>

#include <fmt/format.h>

#include "carnot/base/error.hpp"

namespace carnot::model {

bool take_varint(std::string_view& rest, std::uint64_t& value) noexcept {
  value = 0;
  for (std::size_t i = 0; i < rest.size() && i < 10; ++i) {
    const auto byte = static_cast<unsigned char>(rest[i]);
    // The tenth byte holds bit 63 alone.
    if (i == 9 && byte > 1) return false;
    value |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      rest.remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

bool WireCursor::next(WireField& field) {
  if (rest_.empty()) return false;
  start_ = rest_.data();
  std::uint64_t tag = 0;
  if (!take_varint(rest_, tag) || tag >> 3 == 0 || tag >> 3 > 0x1fffffff) {
    refuse("tag", "a field number and a wire type are needed");
  }
  field.number = static_cast<std::uint32_t>(tag >> 3);
  const auto fixed = [&](std::size_t size) {
    if (rest_.size() < size) refuse(fmt::format("field {}", field.number), "the bytes end in it");
    field.value = 0;
    std::memcpy(&field.value, rest_.data(), size);
    rest_.remove_prefix(size);
  };
  static_assert(std::endian::native == std::endian::little);
  switch (tag & 7) {
    case 0:
      field.type = WireType::Varint;
      if (!take_varint(rest_, field.value)) {
        refuse(fmt::format("field {}", field.number), "a varint of at most 64 bits is needed");
      }
      return true;
    case 1:
      field.type = WireType::Eight;
      fixed(8);
      return true;
    case 2: {
      field.type = WireType::Bytes;
      std::uint64_t size = 0;
      if (!take_varint(rest_, size) || size > rest_.size()) {
        refuse(
            fmt::format("field {}", field.number),
            fmt::format("at most {} more bytes are there, {} are announced", rest_.size(), size));
      }
      field.bytes = rest_.substr(0, size);
      rest_.remove_prefix(size);
      return true;
    }
    case 5:
      field.type = WireType::Four;
      fixed(4);
      return true;
    default:
      refuse(fmt::format("field {}", field.number),
             fmt::format("wire type {} is not allowed", tag & 7));
  }
}

std::string_view WireCursor::bytes(const WireField& field, std::string_view name) const {
  if (field.type != WireType::Bytes) refuse(name, "a length and bytes are needed");
  return field.bytes;
}

std::int64_t WireCursor::varint(const WireField& field, std::string_view name) const {
  if (field.type != WireType::Varint) refuse(name, "a varint is needed");
  return field.integer();
}

float WireCursor::real(const WireField& field, std::string_view name) const {
  if (field.type != WireType::Four) refuse(name, "four bytes are needed");
  return std::bit_cast<float>(static_cast<std::uint32_t>(field.value));
}

std::uint64_t WireCursor::packed_varint(std::string_view& rest, std::string_view name) const {
  std::uint64_t value = 0;
  if (!take_varint(rest, value)) refuse(name, "varints of at most 64 bits are needed");
  return value;
}

void WireCursor::refuse(std::string_view name, std::string_view allowed) const {
  const char* at = start_ != nullptr ? start_ : rest_.data();
  throw InputError(fmt::format("{}: byte {}: {}.{}: {}", source_->file, source_->offset_of(at),
                               message_, name, allowed));
}

}  // namespace carnot::model
