// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Small tables for the tests of trees.

#include <cstddef>
#include <cstdint>

#include "carnot/learn/data/dataset.hpp"

namespace carnot::learn {

/// Few distinct values a column; some missing where asked; the target depends on columns 0 to 2 and
/// on noise. Classes by quantile of the target, or a regression with targets in eighths.
Dataset small_table(std::size_t rows, std::size_t columns, std::size_t classes, bool missing,
                    std::uint64_t seed);

/// Two classes; column 0 is a category of `levels` levels, one-hot, whose odd levels are class 1
/// but for `noise` of the rows; column 1 is a number without meaning.
Dataset category_table(std::size_t rows, std::size_t levels, double noise, std::uint64_t seed);

}  // namespace carnot::learn
