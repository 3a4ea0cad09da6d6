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

/// How numbers of a column are written (the reader's NumberStyle).
struct WrittenNumbers {
  char decimal = '.';
  char group = '\0';
  std::string affix;
  std::uint8_t dates = 0;  ///< 0: none; 1: year first; 2: day first; 3: month first
  bool operator==(const WrittenNumbers&) const = default;
};

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
  WrittenNumbers written;
  std::vector<std::string> levels;  ///< sorted; missing cells are the level "(missing)"
  std::size_t first = 0;            ///< feature where it begins

  std::size_t features() const noexcept { return kind == Kind::OneHot ? levels.size() : 1; }
  bool operator==(const ColumnEncoding&) const = default;
};

struct TableEncoding {
  std::vector<ColumnEncoding> columns;   ///< without the label
  std::string label;                     ///< column
  std::vector<std::string> label_words;  ///< [classes] as files write them; numbers plainly
  bool label_numbers = false;            ///< classes are numbers: 1.0 is 1
  WrittenNumbers label_written;
  std::vector<std::string> missing;  ///< words for a missing cell beside the known ones
  bool has_header = true;            ///< else names are "column 3"
  std::size_t file_columns = 0;      ///< with the label

  std::size_t features() const noexcept;
  bool operator==(const TableEncoding&) const = default;
};

/// A table read as an encoding says.
struct EncodedTable {
  Dataset data;                         ///< labels or targets of rows that have none are 0
  std::vector<std::uint8_t> has_label;  ///< [rows]; empty: no column of labels
  std::vector<std::string> unknown;     ///< "3 in occupation": levels that training never met
};

/// Columns are taken by name, in any order, and others passed over; without names by position, the
/// column of labels being there or not. The column of labels is read where it is there; a label
/// that training never met counts as none.
/// \param like  the data the encoding came from: classes, their names, the target's mean and scale
/// \throws InputFileError; InputError naming the columns that are missing, or the cell that is no
///         number
EncodedTable encode_table(const TableEncoding& encoding, const Dataset& like,
                          const std::string& path);

/// The same of a table in memory. \param name  of it, for messages
EncodedTable encode_table_text(const TableEncoding& encoding, const Dataset& like,
                               std::string bytes, const std::string& name);

/// Whether features, levels and scales are of a kind that `encode_table` can use: for encodings
/// read from files. \throws InputError saying what is wrong
void check_encoding(const TableEncoding& encoding);

/// The same for images (IDX, or the embedded digits by their name): pixels between 0 and 1, no
/// labels but where a file of labels is found beside, or `labels` names one.
/// \throws InputFileError, InputError
EncodedTable read_images(const Dataset& like, const std::string& path, const std::string& labels);

}  // namespace carnot::learn
