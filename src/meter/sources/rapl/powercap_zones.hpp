// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The zones of <sysfs>/class/powercap as they are described; their counters are not read here.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "meter/counters/rapl.hpp"

namespace carnot::meter {

struct Zone {
  ZoneName where;
  std::string file_name;  ///< "intel-rapl:0:1"
  std::string folder;     ///< path
  std::string label;      ///< as the kernel names it; empty: no name file
  ZoneLabel counts;       ///< socket and die inherited by subzones
  std::optional<std::uint64_t> max_energy_range_uj;
  std::optional<std::uint64_t> max_power_uw;  ///< greatest of its constraints
  std::uint64_t first_uj = 0;                 ///< its counter when it was opened; 0: not read
};

/// All zones with an energy counter: MSR's before memory-mapped ones, then by number.
std::vector<Zone> powercap_zones(const std::string& sysfs_root);

}  // namespace carnot::meter
