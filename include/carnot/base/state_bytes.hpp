// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Flat little-endian bytes for checkpoints: written and read in the same order, every length
/// checked. Equal states give equal bytes: what lies between the members of a struct is written as
/// zeros, whatever the memory held.

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

#include "carnot/base/error.hpp"

namespace carnot::inline base {

static_assert(std::endian::native == std::endian::little, "checkpoints are little-endian");

class StateWriter {
 public:
  template <class T>
  requires std::is_trivially_copyable_v<T>
  void value(const T& v) {
    const std::size_t at = bytes_.size();
    bytes_.resize(at + sizeof(T));
    if constexpr (std::has_unique_object_representations_v<T> || std::is_floating_point_v<T>) {
      std::memcpy(bytes_.data() + at, &v, sizeof(T));
    } else {
      T copy = v;
#if defined(__GNUC__) && !defined(__clang__)
      __builtin_clear_padding(&copy);  // clang 14 has no such thing; it builds the fuzzers alone
#endif
      std::memcpy(bytes_.data() + at, &copy, sizeof(T));
    }
  }
  template <class T>
  void sequence(const std::vector<T>& values) {
    value<std::uint64_t>(values.size());
    for (const T& v : values) value(v);
  }
  void text(const std::string& s) {
    value<std::uint64_t>(s.size());
    bytes_.insert(bytes_.end(), s.begin(), s.end());
  }
  std::vector<std::uint8_t> take() { return std::move(bytes_); }

 private:
  std::vector<std::uint8_t> bytes_;
};

class StateReader {
 public:
  explicit StateReader(const std::vector<std::uint8_t>& bytes) : bytes_(bytes) {}
  template <class T>
  requires std::is_trivially_copyable_v<T> T value() {
    T v;
    need(sizeof(T));
    std::memcpy(&v, bytes_.data() + at_, sizeof(T));
    at_ += sizeof(T);
    return v;
  }
  template <class T>
  std::vector<T> sequence() {
    const auto n = value<std::uint64_t>();
    if (n > (bytes_.size() - at_) / sizeof(T)) bad();
    std::vector<T> values(static_cast<std::size_t>(n));
    for (T& v : values) v = value<T>();
    return values;
  }
  std::string text() {
    const auto n = value<std::uint64_t>();
    need(static_cast<std::size_t>(n));
    std::string s(reinterpret_cast<const char*>(bytes_.data()) + at_, static_cast<std::size_t>(n));
    at_ += static_cast<std::size_t>(n);
    return s;
  }
  bool at_end() const noexcept { return at_ == bytes_.size(); }
  void end() const {
    if (!at_end()) bad();
  }

 private:
  [[noreturn]] static void bad() { throw InputError("checkpoint: its bytes are no state of this"); }
  void need(std::size_t n) const {
    if (bytes_.size() - at_ < n) bad();
  }
  const std::vector<std::uint8_t>& bytes_;
  std::size_t at_ = 0;
};

}  // namespace carnot::inline base
