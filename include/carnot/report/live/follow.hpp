// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// How work kept within a power profile (carnot/live/local/local.hpp), shown. Pure, thread-safe.

#include <string>
#include <vector>

#include "carnot/live/local/local.hpp"

namespace carnot::report {

/// carnot.follow/1, docs/formats/follow.md. \param command_line  of carnot
std::string follow_json(const live::LocalResult& result, const std::string& command_line);
/// A dozen lines.
std::string follow_terminal(const live::LocalResult& result);
/// One row a second: at_s, length_s, offered_w, used_w, could_not_use_w, running_s, crowded.
std::string follow_csv(const live::LocalResult& result);

/// One line each: which actuators there are, and what those that are not would take.
std::string actuators_terminal(const std::vector<live::ActuatorInfo>& actuators);
std::string actuators_json(const std::vector<live::ActuatorInfo>& actuators);

}  // namespace carnot::report
