// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The machines a fixture tree can be: zones as Linux shows them, what each draws, and which of
/// them add up to the machine.

#include <cstdint>
#include <string>
#include <vector>

namespace carnot::harness {

/// One energy file. Zones of powercap are named as their folders are, `intel-rapl:0:1`; files of
/// hwmon by chip and file, `hwmon0/energy1_input`.
struct Zone {
  std::string id;
  std::string name;      ///< what the file `name` (or the label) says; empty: no such file
  double watts = 0;      ///< drawn while the power is on
  bool counted = false;  ///< belongs to the machine's total, once
  std::string mirrors;   ///< shows this zone's register again
  std::uint64_t unit_nj = 61'035;  ///< of one count
};

struct Topology {
  std::string name;
  std::vector<Zone> zones;
  std::vector<std::string> perf_events;  ///< of the power PMU, as far as files go
};

const std::vector<Topology>& topologies();

}  // namespace carnot::harness
