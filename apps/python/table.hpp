// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Columns of numbers and text for Python: the buffer protocol (NumPy, memoryview) and the Arrow C
/// stream interface (pandas, Polars, Arrow) both look at the same memory, read-only; whoever holds
/// a view keeps it alive. Safe to read from many threads.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace carnot::python {

struct Column {
  enum class Kind : std::uint8_t { Number, Integer, Time, Text };
  std::string name;
  Kind kind = Kind::Number;
  std::int64_t rows = 0;
  const void* data = nullptr;             ///< double, or int64 (of time: nanoseconds since 1970)
  const std::int64_t* offsets = nullptr;  ///< of text: [rows + 1] into `data`, characters
  std::shared_ptr<const void> owner;
  std::int64_t stride = 8;  ///< bytes, for views
};

Column number_column(std::string name, std::vector<double> values);
Column integer_column(std::string name, std::vector<std::int64_t> values);
Column time_column(std::string name, std::vector<std::int64_t> unix_nanoseconds);
Column text_column(std::string name, const std::vector<std::string>& values);

struct Table {
  std::vector<Column> columns;  ///< of equal length
  std::int64_t rows() const noexcept { return columns.empty() ? 0 : columns.front().rows; }
};

/// A table in memory, its first line the header; columns of which every cell is a whole number or a
/// number become such. Cells hold no quotes. \throws InputError
Table table_of_csv(std::string_view text);

}  // namespace carnot::python
