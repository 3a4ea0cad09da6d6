// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Two-part codes of a model of trees: its first trees at several points, leaves at several widths.

#include <cstddef>
#include <vector>

#include "carnot/experiment/experiment.hpp"
#include "carnot/learn/data/dataset.hpp"
#include "carnot/learn/trees/tree_model.hpp"

namespace carnot::experiment {

/// Code lengths of labels, and quality, under one coded model.
struct TreeCodeData {
  double label_bits = 0.0;  ///< of all rows
  learn::Quality quality;
};

/// \param prefixes  numbers of trees, ascending
/// \return [prefixes]
std::vector<TreeCodeData> coded_data(const learn::TreeModel& model,
                                     const std::vector<std::size_t>& prefixes, int width,
                                     const learn::Dataset& data);

}  // namespace carnot::experiment
