// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Power limits of NVIDIA boards, read and set through NVML where its library is found at run time.
/// Setting one needs root; a limit outside the board's range is refused by the driver, so callers
/// clamp to `least` and `most`. Nothing else of a board is touched. Source: NVML API reference,
/// nvmlDeviceSetPowerManagementLimit.
///
/// Each call loads the library, or finds it loaded, and is independent of any meter. Thread-safe as
/// far as NVML is.

#include <cstdint>
#include <string>
#include <vector>

namespace carnot::meter {

struct GpuPowerLimit {
  int board = 0;  ///< NVML's index
  std::string name;
  std::uint32_t limit_mw = 0;  ///< set now
  std::uint32_t least_mw = 0, most_mw = 0;
};

/// \param library  of NVML; empty: libnvidia-ml.so.1; "none": do not look
/// \param why_none  in words, where nothing is returned
std::vector<GpuPowerLimit> gpu_power_limits(const std::string& library, std::string& why_none);
/// \returns whether the board took it. \param why_not  in words; may be null
bool put_gpu_power_limit(const std::string& library, int board, std::uint32_t milliwatts,
                         std::string* why_not = nullptr) noexcept;

}  // namespace carnot::meter
