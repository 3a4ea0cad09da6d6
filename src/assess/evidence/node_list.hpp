// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Slurm's short form of many host names: "gpu[01-03,07],login1". Pure function.

#include <string>
#include <string_view>
#include <vector>

namespace carnot::assess {

/// Names in order; none for "", "None assigned", "(null)". Leading zeros stay.
/// \throws InputError for brackets that do not close, ranges that go down, above 100,000 names
std::vector<std::string> expand_node_list(std::string_view text);

}  // namespace carnot::assess
