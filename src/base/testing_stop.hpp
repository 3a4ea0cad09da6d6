// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// For tests: tokens that stop after so many questions, and a clock that moves when asked.

#include <atomic>
#include <cstdint>
#include <memory>

#include "carnot/base/stop.hpp"

namespace carnot::testing {

/// Says no `times` times, then yes. Counts how often it was asked while it said no.
class CountedStop {
 public:
  explicit CountedStop(std::int64_t times) : left_(times) {}
  CountedStop(const CountedStop&) = delete;
  CountedStop& operator=(const CountedStop&) = delete;

  StopToken token() {
    return StopToken([this] {
      ++asked_;
      return left_.fetch_sub(1) <= 0;
    });
  }
  std::int64_t asked() const { return asked_; }

 private:
  std::atomic<std::int64_t> left_, asked_{0};
};

/// A token whose clock moves on by a step each time it is read, so that limits trip after so many
/// looks at it, however fast the machine.
inline StopToken ticking(double step_s) {
  auto now = std::make_shared<std::atomic<std::int64_t>>(0);
  return StopToken([] { return false; },
                   [now, step_s] { return step_s * static_cast<double>(now->fetch_add(1)); });
}

}  // namespace carnot::testing
