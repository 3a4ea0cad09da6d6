// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What is known of a value while a graph is walked: type, shape and, where it is small, its
/// elements. -1 stands for a dimension, NaN for an element, that is not known.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "carnot/model/workload/operator.hpp"

namespace carnot::model {

using Dims = std::vector<std::int64_t>;
using Elements = std::vector<double>;

/// Shapes are computed from arrays; longer ones are weights.
inline constexpr std::size_t kMostKnownElements = 4096;
inline constexpr std::int64_t kUnknownDimension = -1;

/// Why a node could not be counted. Caught by the walk, which lists the node as unknown.
struct NotKnown {
  std::string reason;
};

struct OnnxValue {
  DataType type = DataType::Undefined;
  bool ranked = false;
  Dims dims;
  std::shared_ptr<const Elements> elements;  ///< row-major; null: not known
  bool constant = false;                     ///< computed from stored tensors alone
  std::size_t claim = 0;           ///< constant: which stored values it came from; 0: none
  std::uint64_t stored_bytes = 0;  ///< constant: as kept in memory
  DataType stored_type = DataType::Undefined;
  std::shared_ptr<std::vector<OnnxValue>> sequence;  ///< of a sequence; else null

  bool known() const noexcept {
    if (!ranked) return false;
    for (const std::int64_t dim : dims) {
      if (dim < 0) return false;
    }
    return true;
  }
};

/// Product of dims; nothing if one is not known. \throws InputError beyond 2^64 - 1
inline std::optional<std::uint64_t> element_count(const OnnxValue& value) {
  if (!value.known()) return std::nullopt;
  std::uint64_t product = 1;
  for (const std::int64_t dim : value.dims) {
    product = checked_product("elements of a tensor", {product, static_cast<std::uint64_t>(dim)});
  }
  return product;
}

inline OnnxValue shaped(DataType type, Dims dims) {
  OnnxValue value;
  value.type = type;
  value.ranked = true;
  value.dims = std::move(dims);
  return value;
}

/// Nearest integer that a 64-bit integer can hold; a NaN gives `missing`.
inline std::int64_t to_integer(double value, std::int64_t missing = kUnknownDimension) noexcept {
  if (!(value == value)) return missing;
  if (value >= 0x1p63) return INT64_MAX;
  if (value <= -0x1p63) return INT64_MIN;
  return static_cast<std::int64_t>(value);
}

}  // namespace carnot::model
