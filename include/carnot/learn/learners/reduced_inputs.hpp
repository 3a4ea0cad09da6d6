// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Fewer inputs for a learner: pixels pooled, principal components, random directions. What is made
/// is found on training rows alone and applied to both parts; columns then have no names. Outputs
/// of projections share one scale: their mean square over the training rows is 1.
/// Functions of values; safe from any thread.

#include <cstddef>
#include <cstdint>
#include <span>

#include "carnot/learn/data/dataset.hpp"
#include "carnot/learn/knobs/precision.hpp"

namespace carnot::learn {

struct ReducedInputs {
  Split split;
  Counters fitting;  ///< finding the map, and applying it to the training rows
  Counters per_row;  ///< applying it to one row
};

/// Means of `side` x `side` pixels. \throws InputError unless images are square and side divides
ReducedInputs pooled_inputs(const Split& split, std::size_t side);
/// \throws InputError unless 1 <= components <= columns
ReducedInputs random_inputs(const Split& split, std::size_t components, std::uint64_t seed);
/// By subspace iteration on the covariance of at most 10,000 rows, evenly spread, in binary64.
ReducedInputs principal_inputs(const Split& split, std::size_t components, std::uint64_t seed);
/// The first rows of a random order, `share` of them, at least two; nothing else changes.
ReducedInputs fewer_rows(const Split& split, double share, std::uint64_t seed);

/// Those rows, in that order, of a table or of images. \param rows  each below data.rows
Dataset these_rows(const Dataset& data, std::span<const std::uint32_t> rows);

}  // namespace carnot::learn
