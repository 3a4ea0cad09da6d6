// SPDX-License-Identifier: Apache-2.0
#include "carnot/base/stop.hpp"

#include <atomic>
#include <chrono>
#include <limits>
#include <utility>

namespace carnot::inline base {

namespace {

double monotonic() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

struct StopToken::State {
  std::shared_ptr<const State> parent;
  Asked asked;
  Clock clock;
  double until = std::numeric_limits<double>::infinity();
  mutable std::atomic<bool> said_yes{false};

  bool says_yes() const {
    if (said_yes.load(std::memory_order_relaxed)) return true;
    if (!(asked && asked()) && clock() < until) return false;
    said_yes.store(true, std::memory_order_relaxed);
    return true;
  }
};

Stopped::Stopped() : std::runtime_error("stopped before there was anything to show") {}

StopToken::StopToken(Asked asked, Clock clock) {
  auto state = std::make_shared<State>();
  state->asked = std::move(asked);
  state->clock = clock ? std::move(clock) : Clock(monotonic);
  state_ = std::move(state);
}

StopToken StopToken::within(double seconds) const {
  auto state = std::make_shared<State>();
  state->parent = state_;
  state->clock = state_ ? state_->clock : Clock(monotonic);
  state->until = state->clock() + seconds;
  StopToken token;
  token.state_ = std::move(state);
  return token;
}

bool StopToken::requested() const {
  for (const State* state = state_.get(); state != nullptr; state = state->parent.get())
    if (state->says_yes()) return true;
  return false;
}

void StopToken::throw_if_requested() const {
  if (requested()) throw Stopped();
}

double StopToken::now() const { return state_ ? state_->clock() : monotonic(); }

}  // namespace carnot::inline base
