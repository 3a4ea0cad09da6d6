// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Small known arrays, row-major.

#include <cstdint>
#include <memory>
#include <vector>

#include "model/workload/onnx_value.hpp"

namespace carnot::model {

inline std::vector<std::size_t> strides(const Dims& dims) {
  std::vector<std::size_t> made(dims.size());
  std::size_t step = 1;
  for (std::size_t i = dims.size(); i-- > 0;) {
    made[i] = step;
    step *= static_cast<std::size_t>(dims[i] < 0 ? 0 : dims[i]);
  }
  return made;
}

/// An array of shape `to`, each element taken from `from` at `index(position)`. Null if it would be
/// large or an index lies outside.
template <class Index>
std::shared_ptr<const Elements> pick(const Elements& from, const Dims& to, Index index) {
  std::uint64_t n = 1;
  for (const std::int64_t dim : to) {
    if (dim < 0 || static_cast<std::uint64_t>(dim) > kMostKnownElements) return nullptr;
    n *= static_cast<std::uint64_t>(dim);
    if (n > kMostKnownElements) return nullptr;
  }
  auto made = std::make_shared<Elements>();
  made->reserve(n);
  std::vector<std::size_t> at(to.size(), 0);
  for (std::uint64_t i = 0; i < n; ++i) {
    const std::size_t place = index(at);
    if (place >= from.size()) return nullptr;
    made->push_back(from[place]);
    for (std::size_t d = to.size(); d-- > 0;) {
      if (++at[d] < static_cast<std::size_t>(to[d])) break;
      at[d] = 0;
    }
  }
  return made;
}

/// `from` of shape `dims` broadcast to `to`.
inline std::shared_ptr<const Elements> spread(const Elements& from, const Dims& dims,
                                              const Dims& to) {
  if (dims.size() > to.size()) return nullptr;
  const std::vector<std::size_t> stride = strides(dims);
  const std::size_t shift = to.size() - dims.size();
  return pick(from, to, [&](const std::vector<std::size_t>& at) {
    std::size_t index = 0;
    for (std::size_t i = 0; i < dims.size(); ++i) {
      if (dims[i] != 1) index += at[i + shift] * stride[i];
    }
    return index;
  });
}

}  // namespace carnot::model
