// SPDX-License-Identifier: Apache-2.0
#include "carnot/train/clock.hpp"

#include <algorithm>
#include <cmath>
#include <thread>
#include <utility>

#include "carnot/base/error.hpp"

namespace carnot::train {

WallClock::WallClock(Instant start, double speed, StopToken stop)
    : start_(start),
      speed_(speed),
      began_(std::chrono::steady_clock::now()),
      stop_(std::move(stop)) {
  if (!std::isfinite(speed) || speed <= 0)
    throw InputError("speed: site seconds in a real second, > 0");
}

void WallClock::advance_to(Instant at) {
  const double seconds = (at - start_).time().in(second) / speed_;
  const auto until = began_ + std::chrono::duration_cast<std::chrono::nanoseconds>(
                                  std::chrono::duration<double>(seconds));
  for (auto now = std::chrono::steady_clock::now(); now < until;
       now = std::chrono::steady_clock::now()) {
    stop_.throw_if_requested();
    std::this_thread::sleep_until(std::min(until, now + std::chrono::milliseconds(100)));
  }
}

void WallClock::set(Instant at) {
  start_ = at;
  began_ = std::chrono::steady_clock::now();
}

}  // namespace carnot::train
