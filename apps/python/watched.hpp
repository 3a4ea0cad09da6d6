// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Long work called from Python: it runs on a thread of its own with the interpreter's lock let go,
/// while the caller's thread looks after signals (Ctrl-C raises within some 20 ms of the work's
/// next look at its token) and hands progress on.

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include <nanobind/nanobind.h>

#include "carnot/base/stop.hpp"

namespace carnot::python {

/// What the work has of its caller. All of it may be used from any thread.
class Watch {
 public:
  bool stopped() const noexcept { return stop_.load(std::memory_order_relaxed); }
  void stop() noexcept { stop_ = true; }
  /// How far it is; the latest word counts.
  void say(std::string_view progress);

 private:
  friend void watched(const std::shared_ptr<Watch>&,
                      const std::function<void(const std::shared_ptr<Watch>&)>&,
                      const nanobind::object&, bool);
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::condition_variable news_;
  bool done_ = false;
  std::string progress_;
};

StopToken token_of(const std::shared_ptr<Watch>& watch);

/// Runs `work` and throws what it throws as the package's exceptions. What it refers to must be its
/// own or shared: after a second Ctrl-C it is left to its end.
/// \param progress       called with text, or None; what it raises, or False, stops the work
/// \param open_signals   for work that starts programs, which take over the mask of signals
void watched(const std::shared_ptr<Watch>& watch,
             const std::function<void(const std::shared_ptr<Watch>&)>& work,
             const nanobind::object& progress, bool open_signals);

}  // namespace carnot::python
