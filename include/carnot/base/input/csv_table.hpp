// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A small table out of a CSV file, its cells found by the header's names. Quotes may hold commas,
/// not line ends.

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace carnot::inline base {

class CsvTable {
 public:
  /// \throws InputFileError; InputError for a row with another number of cells than the header
  static CsvTable read(const std::filesystem::path& path);

  std::size_t rows() const noexcept { return rows_.size(); }
  const std::vector<std::string>& header() const noexcept { return header_; }
  /// \throws InputError if there is no such column
  std::size_t column(const std::string& name) const;
  const std::string& text(std::size_t row, const std::string& column) const;
  /// \throws InputError `file:line: column: a number`
  double number(std::size_t row, std::size_t column) const;
  double number(std::size_t row, const std::string& name) const {
    return number(row, column(name));
  }
  const std::string& name() const noexcept { return name_; }
  /// One a row.
  const std::vector<std::size_t>& lines() const noexcept { return lines_; }
  [[noreturn]] void refuse(std::size_t row, const std::string& column,
                           std::string_view allowed) const;

 private:
  std::string name_;
  std::vector<std::string> header_;
  std::map<std::string, std::size_t> columns_;
  std::vector<std::vector<std::string>> rows_;
  std::vector<std::size_t> lines_;
};

}  // namespace carnot::inline base
