// SPDX-License-Identifier: Apache-2.0
#pragma once

// The copies of a data set that products read: one per width, made when first needed.

#include <cstdint>
#include <map>
#include <span>

#include "carnot/learn/dataset.hpp"
#include "carnot/learn/kernels.hpp"
#include "carnot/learn/precision.hpp"

#include "learn/network.hpp"

namespace carnot::learn {

class DataCopies {
 public:
  explicit DataCopies(const Dataset& data) : data_(&data) {}

  /// Makes the copy at `bits` if it is not there.
  void make(int bits);
  /// Gathers `rows` into `batch` in the format of `bits`; the copy must be there.
  void gather(std::span<const std::uint32_t> rows, int bits, Batch& batch) const;
  /// Asks the memory for rows that will be gathered soon.
  void prefetch(std::span<const std::uint32_t> rows, int bits) const noexcept;
  const Dataset& data() const noexcept { return *data_; }

 private:
  const Dataset* data_;
  std::map<int, PackedMatrix> packed_;
  AlignedBytes half_;  // bfloat16, [rows][columns padded to 32]
};

/// Identifies contents well enough to notice that a data set was exchanged (samples, not all).
std::uint64_t fingerprint(const Dataset& data) noexcept;

}  // namespace carnot::learn
