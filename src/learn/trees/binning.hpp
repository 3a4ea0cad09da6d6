// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Features of a dataset as bin numbers of one byte, in the two orders that growing trees reads.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "carnot/learn/data/dataset.hpp"
#include "carnot/learn/trees/tree_model.hpp"

#include "learn/trees/workers.hpp"

namespace carnot::learn {

/// Cuts every feature at the quantiles of its values, which are exact (all values are sorted). As
/// many bins as distinct values where those are few; else a value that is more frequent than a bin
/// would be gets one of its own and the others share what is left evenly. An edge lies midway
/// between its neighbours. Categories: a bin a level, the most frequent first, the rest in the
/// last.
std::vector<TreeFeature> fit_bins(const Dataset& data, std::size_t bins, Workers& workers);

/// Bin numbers of the training rows. Features that are the same in every row are left out.
struct BinnedRows {
  /// Features a group: their bins of one row lie together, and their histograms in the first cache.
  static constexpr std::size_t kGroup = 16;

  struct Group {
    std::size_t first = 0, width = 0;  ///< of `used`
    std::vector<std::uint8_t> bins;    ///< [rows x width]
  };
  std::size_t rows = 0;
  std::vector<std::uint32_t> used;                ///< features with two bins or more, ascending
  std::vector<Group> groups;                      ///< of `used`
  std::vector<std::vector<std::uint8_t>> column;  ///< [used][rows]
  std::vector<std::size_t> offset;  ///< [used + 1] of a feature's slots in a histogram

  std::size_t slots() const noexcept { return offset.back(); }
};

BinnedRows bin_rows(const std::vector<TreeFeature>& features, const Dataset& data,
                    Workers& workers);

/// Bins of one feature for rows [first, first + count), `stride` apart.
void bin_feature(const TreeFeature& feature, const Dataset& data,
                 const std::vector<std::uint8_t>& is_missing, std::size_t first, std::size_t count,
                 std::uint8_t* out, std::size_t stride);

/// [rows x columns] flags from Dataset::missing; empty where nothing is.
std::vector<std::uint8_t> missing_flags(const Dataset& data);

}  // namespace carnot::learn
