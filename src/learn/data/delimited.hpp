// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Text tables: CSV, TSV and their cousins as RFC 4180 quotes them, read from memory.
///
/// Separator: of comma, tab, semicolon and bar the one that cuts the first lines most evenly into
/// most cells; runs of blanks where none of them does. A semicolon wins over commas that stand
/// inside numbers (`0,5;1,5`). Line ends LF, CR LF or CR; a byte-order mark and blank lines are
/// passed over; blanks around cells go, and so do single quotes around a whole cell that stands in
/// no double ones.
///
/// Header: the first row is one if a cell of it is the wanted label's name; or if none of its cells
/// is a number, all differ and none but the first is empty, unless the table says that it is a row
/// of data: no column below holds numbers alone, and half its cells or more occur again below them.
/// Column numbers `0,1,2,...` above a named label (as pandas writes) are a header, and so is a row
/// behind `#` or `%` that is as wide as the data (as NumPy writes); other such lines at the top are
/// comments. A header one cell shorter than every row names the columns after the first (as R
/// writes); where that cell is the last and always empty, it goes. A first line
/// `rows,columns,name,name,...` that counts the file truly (as scikit-learn writes) is taken as
/// such and its names are kept.

#include <string>
#include <string_view>

#include "learn/data/table.hpp"

namespace carnot::learn {

/// \param label  name of the label column if the user gave one; may be empty
/// \throws InputError: empty, no data rows, one column, ragged row, quote without end, zero byte
Table parse_delimited(std::string text, const std::string& file, std::string_view label,
                      HeaderRow header = HeaderRow::Found);

}  // namespace carnot::learn
