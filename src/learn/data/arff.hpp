// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// ARFF, the attribute-relation files of Weka and OpenML (I. H. Witten, E. Frank, M. Hall, Data
/// Mining, 3rd ed. 2011, section 2.4): `@relation`, `@attribute NAME TYPE` with numeric, real,
/// integer, string, date or `{level, level}`, then `@data` with rows dense or sparse
/// (`{2 x, 5 1.5}`); `%` begins a comment, `?` is missing. Nominal and string attributes are
/// categories whatever their levels look like. By custom the last attribute is the label.

#include <string>
#include <string_view>

#include "learn/data/table.hpp"

namespace carnot::learn {

bool looks_like_arff(std::string_view text) noexcept;

/// \throws InputError: no @data, an attribute without a name or type, a row of another width, a
/// sparse index beyond the attributes, quote without end, a level that was not declared
Table parse_arff(std::string text, const std::string& file);

}  // namespace carnot::learn
