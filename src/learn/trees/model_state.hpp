// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <vector>

#include "carnot/base/state_bytes.hpp"
#include "carnot/learn/trees/tree_model.hpp"

namespace carnot::learn {

/// What a checkpoint belongs to: the options' bits mixed into `id` (Fowler-Noll-Vo, 64 bits).
std::uint64_t state_identity(std::uint64_t id, std::initializer_list<std::uint64_t> parts) noexcept;

/// Trees in a checkpoint.
void write_trees(StateWriter& out, const std::vector<Tree>& trees);
/// \throws InputError if the bytes end; indices are not checked (check_model)
std::vector<Tree> read_trees(StateReader& in);

}  // namespace carnot::learn
