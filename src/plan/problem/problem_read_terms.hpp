// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Reads what jobs ask for beyond the contract, and what sites say to it (docs/formats/plan.md).

#include <string>
#include <vector>

#include "plan/problem/problem_json.hpp"

namespace carnot::plan {

/// What a site is to jobs that are choosy. Not kept: jobs keep the sites that suit them.
struct Host {
  std::vector<std::string> tags;  ///< sorted
  double memory_gb = 0;           ///< infinite: not said
};

/// Also notes what data costs that leaves the site, which is the next one.
Host read_host(const Fields& site, PlanNetwork& network);

void read_network(const Fields& root, PlanNetwork& network);

/// \param modes  objects of row.modes
/// \param row    sites and modes are known; gets terms, origin and fewer sites
void read_terms(const Fields& job, const std::vector<Fields>& modes, const std::vector<Host>& hosts,
                JobRow& row);

}  // namespace carnot::plan
