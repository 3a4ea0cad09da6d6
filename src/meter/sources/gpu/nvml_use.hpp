// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Which process used which NVIDIA board, one library call a board and look.
///
/// NVML samples, over periods of 1/6 to 1 s, the share of time in which a process had work on the
/// board's multiprocessors. Where it cannot (virtual GPUs, old boards) it still tells who holds
/// memory there; busy shares are then zero. One thread at a time.

#include <cstdint>
#include <vector>

#include "carnot/meter/counters/source.hpp"

#include "meter/sources/gpu/nvml_library.hpp"

namespace carnot::meter {

class NvmlUse {
 public:
  void add(nvml::Device handle, int device);
  /// A divided board, which tells nothing by process: somebody unnamed uses it.
  void add_divided(int device) { divided_.push_back(device); }
  /// Appends the use since the last call; shares of one board add up to at most 1.
  void append(const NvmlLibrary& library, std::vector<DeviceUse>& into) noexcept;

 private:
  struct Board {
    nvml::Device handle = nullptr;
    int device = -1;
    std::uint64_t last_seen_us = 0;
    bool shares = true;  // else memory only
    bool lost = false;
    std::vector<nvml::ProcessUtilization> samples;
    std::vector<nvml::ProcessInfo> processes;
  };
  static int append_shares(const NvmlLibrary& library, Board& board, std::vector<DeviceUse>& into);
  static int append_memory(const NvmlLibrary& library, Board& board, std::vector<DeviceUse>& into);

  std::vector<int> divided_;
  std::vector<Board> boards_;
};

}  // namespace carnot::meter
