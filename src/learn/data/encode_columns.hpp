// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Feature columns of a table as floats: numbers standardised, categories one-hot or ordinal.

#include <cstdint>
#include <string>
#include <vector>

#include "carnot/learn/data/encoding.hpp"

#include "learn/data/delimited.hpp"

namespace carnot::learn {

struct TableRows {
  const Table* table;
  const std::vector<std::size_t>& rows;
};

struct EncodedColumns {
  std::vector<float> train, test;  ///< row-major
  std::vector<std::string> names;
  std::string description;  ///< how many of each kind, what was filled
  std::vector<ColumnEncoding> columns;
  std::vector<std::uint64_t> train_missing, test_missing;  ///< as Dataset::missing
};

/// A column is numeric if every cell that is there is a number, in both parts; if more than 95 % of
/// them are, the others are errors; else it is categorical. Missing numbers take the training mean
/// (0 once standardised), missing categories are a level of their own; both are counted in the
/// description. One-hot columns hold 0 or 1; ordinal ones the standardised rank of the level among
/// the sorted training levels, unseen levels the mean.
/// \param two_tables  the held-out rows come from another file
/// \throws InputError naming file, line and column of the first offending cell
EncodedColumns encode_columns(const TableRows& train, const TableRows& test, bool two_tables,
                              std::size_t label);

}  // namespace carnot::learn
