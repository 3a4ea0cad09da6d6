// SPDX-License-Identifier: Apache-2.0
#pragma once

// The copies of a data set that products read.
//
// Unsigned data (images) are kept as two planes of half bytes, laid down once when the data come
// in: 8-bit reads take both, 4-bit reads the upper one alone, so that a change of width costs
// nothing and moves no byte. Other widths and standardised (signed) data have a packed copy per
// width, made when first needed; integer copies of signed data are rotated (rotation.hpp). Copies
// of one data set are shared by all who ask at the same time.

#include <cstdint>
#include <map>
#include <memory>
#include <span>

#include "carnot/learn/data/dataset.hpp"
#include "carnot/learn/kernels/kernels.hpp"
#include "carnot/learn/knobs/precision.hpp"

#include "learn/network/network.hpp"

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
  /// What reads at `bits` (8, 4 or 2) take first; the copy must be there.
  const PackedMatrix& store(int bits) const { return planar(bits) ? *upper_ : *packed_.at(bits); }

 private:
  const Dataset* data_;
  bool planar(int bits) const noexcept {
    return data_->unsigned_features && (bits == 8 || bits == 4);
  }
  void make_planes();

  std::map<int, std::shared_ptr<const PackedMatrix>> packed_;
  std::shared_ptr<const PackedMatrix> upper_, lower_;  // half bytes of unsigned data
  std::shared_ptr<const AlignedBytes> half_;           // bfloat16, [rows][columns padded to 32]
  mutable AlignedBytes row_;                           // one row of the lower plane, unpacked
};

/// Identifies contents well enough to notice that a data set was exchanged (samples, not all).
std::uint64_t fingerprint(const Dataset& data) noexcept;

}  // namespace carnot::learn
