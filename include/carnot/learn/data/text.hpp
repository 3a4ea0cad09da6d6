// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Text as data for sequence learners: a Dataset without columns, a row a byte of the text, in
/// order. The label of a row is the symbol there; what a learner may look at are the rows around
/// it. Symbols are the distinct bytes of the training text, sorted, and a last one, "(other)", that
/// stands for any other byte, so that every text can be scored: an unknown byte costs the last
/// symbol's bits and 8 more.
///
/// `uniform_length` (code_length.hpp) of such data is the code of its symbols' counts: order-0
/// compression counts as nothing learned. Functions of values; safe from any thread.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "carnot/learn/data/dataset.hpp"

namespace carnot::learn {

/// Whether the data is a text.
inline bool is_text(const Dataset& data) noexcept { return data.columns == 0 && data.classes > 0; }

/// Any bytes, gz or not. Held out is the last tenth, or `test_path`. Of the options only paths
/// count. \throws InputFileError, InputError: fewer than 64 bytes, one distinct byte only
Split load_text(const DatasetOptions& options);

/// Symbols of `bytes`, which become the training text's alphabet. \throws InputError as load_text
Dataset training_text(std::string_view bytes, const std::string& name);
/// `bytes` in the symbols of `like`. \throws InputError unless `like` names its symbols so
Dataset text_like(const Dataset& like, std::string_view bytes, const std::string& name);
/// Rows [first, first + rows) of a text.
Dataset part_of_text(const Dataset& text, std::size_t first, std::size_t rows);

/// The byte that symbol stands for, or -1 for "(other)".
int byte_of_symbol(const Dataset& text, std::uint32_t symbol);

}  // namespace carnot::learn
