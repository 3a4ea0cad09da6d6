// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// One model at several sites (carnot/live/sites/sites_run.hpp), shown. Pure, thread-safe.

#include <string>
#include <vector>

#include "carnot/live/sites/sites_run.hpp"

namespace carnot::report {

struct SitesReport {
  live::SitesRun run;
  std::vector<live::StartsResult> starts;  ///< empty: one start
  Time every;                              ///< between starts
  std::string command;                     ///< of carnot
};

/// carnot.sites/1, docs/formats/sites.md.
std::string sites_json(const SitesReport& report);
/// A table of policies, and of each site when it trained.
std::string sites_terminal(const SitesReport& report, int width, bool colour);

}  // namespace carnot::report
