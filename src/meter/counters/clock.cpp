// SPDX-License-Identifier: Apache-2.0
#include "carnot/meter/counters/clock.hpp"

#include <algorithm>

#include <poll.h>
#include <time.h>

namespace carnot::meter {

namespace {

class MachineClock final : public Clock {
 public:
  Stamp now() const noexcept override { return Stamp::now(); }
  bool wait(Duration length, int fd) noexcept override {
    constexpr std::int64_t kSecond = 1'000'000'000;
    const std::int64_t ns = std::max<std::int64_t>(0, length.nanoseconds());
    const timespec timeout{.tv_sec = ns / kSecond, .tv_nsec = ns % kSecond};
    pollfd readable{.fd = fd, .events = POLLIN, .revents = 0};
    return ::ppoll(&readable, fd >= 0 ? 1 : 0, &timeout, nullptr) > 0;
  }
};

}  // namespace

Clock& Clock::machine() noexcept {
  static MachineClock& clock = *new MachineClock;  // for threads that outlive statics
  return clock;
}

}  // namespace carnot::meter
