// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "carnot/learn/kernels/kernels.hpp"

namespace carnot::learn {

/// The bytes seen as an array of T. Storage comes from aligned_alloc, which starts lifetimes of
/// the arithmetic types used here.
template <class T>
T* as(AlignedBytes& bytes) noexcept {
  return reinterpret_cast<T*>(bytes.data());
}
template <class T>
const T* as(const AlignedBytes& bytes) noexcept {
  return reinterpret_cast<const T*>(bytes.data());
}
/// Grows to `size` bytes, zero; keeps what is large enough.
inline void reserve(AlignedBytes& bytes, std::size_t size) {
  if (bytes.size() < size) bytes = AlignedBytes(size);
}

}  // namespace carnot::learn
