// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// `carnot run --follow`: an ordinary process within a power profile.

#include <string>
#include <vector>

#include "command.hpp"

namespace carnot::app {

struct FollowCommand {
  std::string profile;
  int pid = 0;
  bool list = false;
  std::vector<std::string> actuators;
  std::string peak, cap, full_at, none_at, begin_at, then, column, unit, zone, gaps, csv;
  std::string watts_per_cpu, nvml, sysfs_root;
  double tick_ms = 20, burst_s = 0.05;
  bool calendar = false, whole_machine = false, until_last = false;

  bool asked() const { return !profile.empty() || list; }
};

void add_follow_flags(CLI::App& command, FollowCommand& follow);
/// \param speed  of the profile; 0: as it is
int follow(const FollowCommand& c, const Common& common, double speed);

}  // namespace carnot::app
