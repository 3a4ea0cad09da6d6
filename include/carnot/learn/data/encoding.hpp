// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// How the columns of a table became features, so that another table can become features in the
/// same way: for saved models, and for trees, which want to know which columns are one category.
/// Values; safe to read from many threads.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "carnot/learn/data/dataset.hpp"

namespace carnot::learn {

/// One column of the table.
struct ColumnEncoding {
  enum class Kind : std::uint8_t {
    Number,  ///< (x - mean) / scale; missing: 0
    OneHot,  ///< a feature a level, 0 or 1; a level not met: all 0
    Rank,    ///< (rank among the sorted levels - mean) / scale; a level not met: 0
  };
  std::string name;
  Kind kind = Kind::Number;
  double mean = 0.0, scale = 1.0;
  std::vector<std::string> levels;  ///< sorted; missing cells are the level "(missing)"
  std::size_t first = 0;            ///< feature where it begins

  std::size_t features() const noexcept { return kind == Kind::OneHot ? levels.size() : 1; }
  bool operator==(const ColumnEncoding&) const = default;
};

struct TableEncoding {
  std::vector<ColumnEncoding> columns;  ///< without the label
  std::string label;                    ///< column; its words are Dataset::class_names
  bool has_header = true;               ///< else names are "column 3" and go by position
  bool operator==(const TableEncoding&) const = default;
};

}  // namespace carnot::learn
