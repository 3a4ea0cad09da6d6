// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Pictures of an energy tree: an icicle (width is joules, depth is depth) and a Sankey (phases,
/// components, circuits). Pure functions.

#include <string>

#include "carnot/model/explain/energy_tree.hpp"

namespace carnot::report {

/// A node and what is below it, `rows` levels. Nodes too narrow to see stand together.
std::string explain_icicle(const model::EnergyTree& tree, model::EnergyTree::Index at,
                           std::size_t rows, const std::string& title);

/// From the children of the root, through components, to published circuits and what lies above.
std::string explain_sankey(const model::EnergyTree& tree);

}  // namespace carnot::report
