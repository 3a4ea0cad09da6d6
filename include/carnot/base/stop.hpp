// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// When long work is to end early. Whoever starts it hands down a `StopToken`; the work asks it
/// every few milliseconds, wherever it loops or waits for a solver, and once it says yes returns
/// the best it has. Work that would have nothing to return throws `Stopped`.
///
///     StopToken stop([] { return interrupted(); });    // the caller's own reason to stop
///     StopToken both = stop.within(20.0);              // or once 20 s are over
///     while (better() && !both.requested()) improve();
///
/// A token that has once said yes says yes for ever, and so do all that were made from it. Copies
/// are one token. The clock is part of the token: tests hand in one of their own, and time limits
/// of anything that the token is handed to are then measured by it.
/// Thread-safe if the functions given are.

#include <functional>
#include <memory>
#include <stdexcept>
#include <utility>

namespace carnot::inline base {

/// Stopped before there was anything to hand back. No failure: not an `Error`.
class Stopped : public std::runtime_error {
 public:
  Stopped();
};

class StopToken {
 public:
  using Asked = std::function<bool()>;
  using Clock = std::function<double()>;  ///< seconds since any instant, never falling

  /// Never stops anything, and costs nothing to ask.
  StopToken() noexcept = default;
  /// \param asked  true: stop; called from any thread, often; cheap
  /// \param clock  empty: the system's monotonic clock
  explicit StopToken(Asked asked, Clock clock = {});

  /// Stops when this one does, or once so many seconds are over from now on; 0 or less: at once.
  StopToken within(double seconds) const;
  /// As `within`, where 0 stands for no limit.
  StopToken limited(double seconds) const { return seconds > 0.0 ? within(seconds) : *this; }

  bool requested() const;
  /// \throws Stopped if requested
  void throw_if_requested() const;
  /// By its clock.
  double now() const;

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

/// Asks a token at first and then every so many times that it is asked: for loops whose turns take
/// less than a microsecond.
class SparseStop {
 public:
  explicit SparseStop(StopToken token, unsigned every = 1024)
      : token_(std::move(token)), every_(every) {}
  bool requested() { return stopped_ = stopped_ || (asked_++ % every_ == 0 && token_.requested()); }
  void throw_if_requested() {
    if (requested()) throw Stopped();
  }

 private:
  StopToken token_;
  unsigned every_, asked_ = 0;
  bool stopped_ = false;
};

}  // namespace carnot::inline base
