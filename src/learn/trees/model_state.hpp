// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "carnot/base/state_bytes.hpp"
#include "carnot/learn/trees/tree_model.hpp"

namespace carnot::learn {

/// Trees in a checkpoint.
void write_trees(StateWriter& out, const std::vector<Tree>& trees);
/// \throws InputError if the bytes end; indices are not checked (check_model)
std::vector<Tree> read_trees(StateReader& in);

}  // namespace carnot::learn
