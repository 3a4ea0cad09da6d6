// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The IDX format of the MNIST distribution (Y. LeCun): a big-endian magic number 0 0 TYPE RANK,
/// RANK sizes of four bytes, then the values. Only unsigned bytes (TYPE 8) occur in image sets.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace carnot::learn {

struct IdxArray {
  std::vector<std::size_t> sizes;  ///< at least one
  std::string_view values;         ///< product of the sizes, row-major; lives as long as `bytes`
};

/// Whether bytes begin as an IDX file does; text never does.
bool looks_like_idx(std::string_view bytes) noexcept;

/// \throws InputError: bad magic, other type than unsigned byte, sizes that do not match the length
IdxArray parse_idx(std::string_view bytes, const std::string& file);

}  // namespace carnot::learn
