// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// From parsed tables and pixel arrays to datasets. Everything that is *fitted* (means, scales,
/// category levels, fill values) comes from the training rows alone.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "carnot/learn/data/dataset.hpp"

#include "learn/data/idx.hpp"
#include "learn/data/table.hpp"

namespace carnot::learn {

/// Categorical columns up to this many levels become one column a level; beyond, one ordinal
/// column.
inline constexpr std::size_t kGreatestOneHotLevels = 64;
/// `auto` takes whole-number labels of at most this many values as classes.
inline constexpr std::size_t kGreatestAutoClasses = 20;
inline constexpr std::size_t kGreatestClasses = 1000;

struct EncodeOptions {
  std::string
      labels;  ///< column, by name or 1-based number; empty: `label`, `class`, `target`, `y`
  std::string task = "auto";
  double test_share = 0.25;
  std::uint64_t seed = 1;
  std::vector<std::string> missing;     ///< words and numbers beside the known ones
  std::vector<std::string> categories;  ///< columns by name or number
  bool drop_unlabelled = false;
};

/// \param test  of the same columns; absent: a seeded split of `train`
Split encode_tables(const Table& train, const Table* test, const EncodeOptions& options);

/// A dataset of images (any rank >= 2; the first size counts them) and labels (rank 1).
Dataset encode_idx(const IdxArray& images, const IdxArray& labels, const std::string& images_file,
                   const std::string& labels_file);

/// Seeded split, stratified by class; both parts keep the order of rows; the share is kept within
/// a hundredth of the rows.
/// \throws InputError if either part would be empty
Split split_rows(const Dataset& whole, double test_share, std::uint64_t seed);

/// Row numbers of the held-out part, ascending. `labels` empty: not stratified.
std::vector<std::size_t> held_out_rows(std::size_t rows, const std::vector<std::uint32_t>& labels,
                                       std::size_t classes, double test_share, std::uint64_t seed);

}  // namespace carnot::learn
