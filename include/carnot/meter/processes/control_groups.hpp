// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// CPU time of the machine's control groups. Pure but for what it reads; thread-safe.

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace carnot::meter {

/// CPU time of control groups (version 2) down to `depth`, at most `most` of them; empty where that
/// file system is not mounted at `root` or below it.
std::vector<std::pair<std::string, std::int64_t>> control_group_use(const std::string& root,
                                                                    int depth, std::size_t most);

}  // namespace carnot::meter
