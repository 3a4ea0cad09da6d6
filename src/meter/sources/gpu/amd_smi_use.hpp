// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Which process used which AMD board, one library call a die and look: the differences of the
/// engine time each process had. Only with libraries whose process list is laid out as known
/// (ROCm 7); else nothing is told and the energy stays unattributed. One thread at a time.

#include <cstdint>
#include <vector>

#include "carnot/meter/counters/source.hpp"

#include "meter/sources/gpu/amd_smi_library.hpp"

namespace carnot::meter {

class AmdSmiUse {
 public:
  explicit AmdSmiUse(Clock& clock) : clock_(&clock) {}
  /// \param device  whose energy this die's is part of
  void add(amd_smi::Handle handle, int device);
  /// Appends the use since the last call; shares of one device add up to at most 1.
  void append(const AmdSmiLibrary& library, std::vector<DeviceUse>& into) noexcept;

 private:
  struct Seen {
    std::uint32_t pid = 0;
    std::uint64_t graphics_ns = 0;
  };
  struct Die {
    amd_smi::Handle handle = nullptr;
    int device = -1;
    std::int64_t last_ns = 0;
    std::vector<amd_smi::Process> processes;
    std::vector<Seen> seen, now;
  };
  void append(const AmdSmiLibrary& library, Die& die, std::vector<DeviceUse>& into) const;

  Clock* clock_;
  std::vector<Die> dies_;
};

}  // namespace carnot::meter
