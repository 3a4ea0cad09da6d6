// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// LibSVM, SVMlight: a row is `LABEL INDEX:VALUE INDEX:VALUE ...`, indices rising, what is not
/// named is 0; `qid:N` is passed over, `#` begins a comment (C.-C. Chang, C.-J. Lin, LIBSVM, README
/// of 2001 on; T. Joachims, SVMlight). Indices count from 1 unless a 0 occurs.

#include <string>
#include <string_view>

#include "learn/data/table.hpp"

namespace carnot::learn {

bool looks_like_libsvm(std::string_view text) noexcept;

/// Columns are `label`, then `feature N` by index. \throws InputError: a label or value that is no
/// number, several labels, an index that does not rise, more cells than kGreatestCells
Table parse_libsvm(std::string text, const std::string& file);

}  // namespace carnot::learn
