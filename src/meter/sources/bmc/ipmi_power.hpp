// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Power of the whole machine as its management controller tells it: DCMI Get Power Reading (DCMI
/// 1.5 of 2011, 6.6.1), over any transport.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "carnot/meter/counters/source.hpp"

namespace carnot::meter {

inline constexpr std::uint8_t kDcmiNetworkFunction = 0x2c;
inline constexpr std::uint8_t kDcmiPowerReading = 0x02;

/// An answer, taken apart. Powers in whole watts.
struct DcmiPower {
  PollStatus status = PollStatus::Retry;
  int completion_code = 0;  ///< of IPMI; 0: done
  bool active = false;      ///< what the controller says of its measurement
  std::uint16_t present_w = 0, least_w = 0, greatest_w = 0, mean_w = 0;
  std::uint32_t time_s = 0;     ///< of the controller's clock
  std::uint32_t period_ms = 0;  ///< over which least, greatest and mean were taken
};
/// \param answer  completion code, group (0xDC) and the rest, as the controller sent it
DcmiPower parse_dcmi_power(std::span<const std::uint8_t> answer) noexcept;

/// Sends a command's data, waits for the answer. \return 0 or an errno
using IpmiExchange =
    std::function<int(std::span<const std::uint8_t> request, std::vector<std::uint8_t>& answer,
                      const std::atomic<bool>& stop)>;

/// A source over `exchange`, asked once here and then every `interval` by a thread. Null with a
/// note if the first answer says that there is no power to be had.
std::unique_ptr<Source> make_ipmi_source(IpmiExchange exchange, Duration interval,
                                         std::vector<Note>& notes);

}  // namespace carnot::meter
