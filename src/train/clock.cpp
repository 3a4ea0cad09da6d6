// SPDX-License-Identifier: Apache-2.0
#include "carnot/train/clock.hpp"

#include <cmath>
#include <thread>

#include "carnot/base/error.hpp"

namespace carnot::train {

WallClock::WallClock(Instant start, double speed)
    : start_(start), speed_(speed), began_(std::chrono::steady_clock::now()) {
  if (!std::isfinite(speed) || speed <= 0)
    throw InputError("speed: site seconds in a real second, > 0");
}

void WallClock::advance_to(Instant at) {
  const double seconds = (at - start_).time().in(second) / speed_;
  std::this_thread::sleep_until(began_ + std::chrono::duration_cast<std::chrono::nanoseconds>(
                                             std::chrono::duration<double>(seconds)));
}

void WallClock::set(Instant at) {
  start_ = at;
  began_ = std::chrono::steady_clock::now();
}

}  // namespace carnot::train
