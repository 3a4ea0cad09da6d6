// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// `carnot run --sites`: one model at several sites.

#include <string>
#include <vector>

#include "command.hpp"

namespace carnot::app {

struct SitesCommand {
  std::string file;
  int starts = 0;
  double every_hours = 24;

  bool asked() const { return !file.empty(); }
};

void add_sites_flags(CLI::App& command, SitesCommand& sites);
int run_sites(const SitesCommand& c, const Common& common, const std::vector<std::string>& policies,
              const std::string& data_dir);

}  // namespace carnot::app
