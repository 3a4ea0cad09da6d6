// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a table looks like, found out from its first lines and from what the caller states: where
/// the header is, which columns are times and how they are written, the zone, the decimal sign.
/// Nothing is taken for granted that the lines leave open: where two readings are possible, the
/// message says which option decides. Private to the readers.

#include <algorithm>
#include <string>
#include <vector>

#include "trace/readers/csv_series.hpp"

namespace carnot::inline trace::csv {

struct Layout {
  Header header;  ///< `line`: the last line above the rows
  std::vector<std::string>
      below;  ///< [column] cell of a second header line; empty if there is none
  std::vector<std::string> units;  ///< [column] as a comment states them; empty: it does not
  TimeColumns time;                ///< `columns` is never empty
  CellForm form;
  bool ends = false;
  std::string said;  ///< what was recognised beyond the plain form, for the provenance

  bool is_time(std::size_t column) const {
    return std::find(time.columns.begin(), time.columns.end(), column) != time.columns.end();
  }
};

/// \param lines  at the beginning of the file; not beyond its first 500 lines afterwards
/// \throws InputError with what the lines leave open
Layout find_layout(input::Lines& lines, const CsvOptions& options);

}  // namespace carnot::inline trace::csv
