// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// For tests: the rows that a second implementation of a formula (tools/fit_*) wrote.

#include <sstream>
#include <string>
#include <vector>

#include "carnot/base/file.hpp"

namespace carnot::model {

/// A row as it stands, for messages, and its cells.
struct GoldenRow {
  std::string line;
  std::vector<std::string> cell;
};

/// All rows below the header of src/model/PATH. \throws IoError
inline std::vector<GoldenRow> golden_rows(const std::string& path) {
  std::istringstream in(read_file(std::string(CARNOT_SOURCE_DIR) + "/src/model/" + path));
  std::vector<GoldenRow> rows;
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    GoldenRow row{line, {}};
    std::istringstream cells(line);
    for (std::string one; std::getline(cells, one, ',');) row.cell.push_back(one);
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace carnot::model
