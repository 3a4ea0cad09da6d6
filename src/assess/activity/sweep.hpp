// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// One machine's claims cut at every moment where one begins or ends, each piece counted once.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "carnot/assess/evidence/evidence.hpp"

namespace carnot::assess {

/// What a machine's evidence comes to. Seconds are of the machine, or of one accelerator or core.
struct MachineSum {
  std::array<double, kEvidenceKinds> joules{};  ///< stated, by kind
  double run_joules = 0;                        ///< of joules[Telemetry]: by runs' own trackers
  double covered_seconds = 0;                   ///< machine-seconds with joules
  double chip_seconds = 0;                      ///< accelerator-seconds whose host is modelled
  double bill_seconds = 0;                      ///< machine-seconds that a model stands for
  double list_seconds = 0;
  double job_core_seconds = 0, job_chip_seconds = 0;
  std::uint32_t first = 0xffffffffu, last = 0;
  double machine_seconds() const { return covered_seconds + bill_seconds + list_seconds; }
};

/// Time during which a dedicated host stands for this machine.
struct HostTime {
  std::uint32_t from = 0, to = 0;
};

/// \param claims  of one machine
/// \param taken   told the index of each claim that counts somewhere
/// \param hosts   sorted, not overlapping
MachineSum sum_machine(const Machine& machine, std::span<const ClaimRow* const> claims,
                       std::span<const HostTime> hosts, std::vector<bool>& taken);

}  // namespace carnot::assess
