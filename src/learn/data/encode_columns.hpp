// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Feature columns of a table as floats: numbers standardised, categories one-hot or ordinal.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/learn/data/encoding.hpp"

#include "learn/data/numbers.hpp"
#include "learn/data/table.hpp"

namespace carnot::learn {

/// What stands for a missing cell among the levels of a category.
inline constexpr std::string_view kMissingLevel = "(missing)";

/// A style in the encoding's words, and back.
NumberStyle style_of(const WrittenNumbers& written);
WrittenNumbers written_as(const NumberStyle& style);

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

/// A column is numeric if every cell that is there is a number, in both parts, written in one way
/// (numbers.hpp); if more than 95 % of them are, the others are errors; so are up to three words
/// that stand again and again among numbers of more than 20 values, for nobody can say whether they
/// mean missing, a bound or a category. Else it is categorical, and so is what `categories` names.
/// Missing numbers take the training mean (0 once standardised), missing categories are a level of
/// their own; both are counted in the description. One-hot columns hold 0 or 1; ordinal ones the
/// standardised rank of the level among the sorted training levels, unseen levels the mean. \param
/// two_tables  the held-out rows come from another file \throws InputError naming file, line and
/// column of the first offending cell \param categories  by column: taken as categories though they
/// hold numbers
EncodedColumns encode_columns(const TableRows& train, const TableRows& test, bool two_tables,
                              std::size_t label, const MissingWords& missing,
                              const std::vector<bool>& categories);

}  // namespace carnot::learn
