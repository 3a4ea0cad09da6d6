// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/knobs/precision.hpp"

#include <array>

#include "carnot/base/error.hpp"

namespace carnot::learn {

namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(OperationKind::kCount)>
    kOperationKeys = {"f32_mac",         "bf16_mac", "int8_mac", "int4_mac", "int2_mac",
                      "f32_elementwise", "rounding", "special",  "int32_add"};
constexpr std::array<std::string_view, static_cast<std::size_t>(MemoryLevel::kCount)> kLevelKeys = {
    "cache", "dram"};

int master_bits(int weight_bits) noexcept { return weight_bits == 8 ? 16 : 8; }

/// The width after `letter` in "d8w4g4", or 0.
int width_after(std::string_view name, std::size_t at, char letter) noexcept {
  if (name[at] != letter) return 0;
  const char digit = name[at + 1];
  return digit == '2' || digit == '4' || digit == '8' ? digit - '0' : 0;
}

}  // namespace

Precision Precision::delivered() const {
  if (!is_integer()) return *this;
  return {"int8", 8, 8, 8, 16};
}

Precision Precision::parse(std::string_view name) {
  if (name == "f32") return {"f32", 32, 32, 32, 32};
  if (name == "bf16") return {"bf16", 16, 16, 16, 32};
  if (name == "int8") return {"int8", 8, 8, 8, 16};
  if (name == "int4") return {"int4", 4, 4, 4, 8};
  if (name == "int2") return {"int2", 2, 2, 2, 8};
  if (name.size() == 6) {
    const int data = width_after(name, 0, 'd');
    const int weight = width_after(name, 2, 'w');
    const int gradient = width_after(name, 4, 'g');
    if (data != 0 && weight != 0 && gradient != 0) {
      // One spelling for each format, so that names compare.
      if (data == weight && weight == gradient) return parse("int" + std::to_string(data));
      return {std::string(name), data, weight, gradient, master_bits(weight)};
    }
  }
  throw InputError("precision: `" + std::string(name) +
                   "` is not one of f32, bf16, int8, int4, int2, or dDwWgG with D, W, G in {2, 4, "
                   "8} such as d4w8g8");
}

std::string_view key(OperationKind kind) noexcept {
  return kOperationKeys[static_cast<std::size_t>(kind)];
}

std::string_view key(MemoryLevel level) noexcept {
  return kLevelKeys[static_cast<std::size_t>(level)];
}

std::uint64_t Counters::macs() const noexcept {
  return at(OperationKind::F32Mac) + at(OperationKind::Bf16Mac) + at(OperationKind::Int8Mac) +
         at(OperationKind::Int4Mac) + at(OperationKind::Int2Mac);
}

Counters& Counters::operator+=(const Counters& other) noexcept {
  for (std::size_t i = 0; i < std::size(operations); ++i) operations[i] += other.operations[i];
  for (std::size_t i = 0; i < std::size(bytes); ++i) bytes[i] += other.bytes[i];
  return *this;
}

Counters Counters::operator-(const Counters& other) const noexcept {
  Counters result = *this;
  for (std::size_t i = 0; i < std::size(operations); ++i) {
    result.operations[i] -= other.operations[i];
  }
  for (std::size_t i = 0; i < std::size(bytes); ++i) result.bytes[i] -= other.bytes[i];
  return result;
}

Counters Counters::operator*(std::uint64_t n) const noexcept {
  Counters result = *this;
  for (auto& count : result.operations) count *= n;
  for (auto& count : result.bytes) count *= n;
  return result;
}

}  // namespace carnot::learn
