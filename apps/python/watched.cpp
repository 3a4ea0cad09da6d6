// SPDX-License-Identifier: Apache-2.0
#include "watched.hpp"

#include <chrono>
#include <csignal>
#include <exception>
#include <thread>
#include <utility>

#include "errors.hpp"

namespace carnot::python {

namespace nb = nanobind;

namespace {

/// How often the caller's thread looks after signals and progress.
constexpr std::chrono::milliseconds kLook{20};

/// Signals are for the interpreter's threads; and where matrix kernels are generated code, a
/// handler's frame would be written over what they keep below the stack pointer.
void close_signals() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);
}

}  // namespace

void Watch::say(std::string_view progress) {
  const std::lock_guard lock(mutex_);
  progress_ = progress;
  news_.notify_all();
}

StopToken token_of(const std::shared_ptr<Watch>& watch) {
  return StopToken([watch] { return watch->stopped(); });
}

void watched(const std::shared_ptr<Watch>& watch,
             const std::function<void(const std::shared_ptr<Watch>&)>& work,
             const nb::object& progress, bool open_signals) {
  const auto failure = std::make_shared<std::exception_ptr>();
  std::thread thread([watch, work, failure, open_signals] {
    if (!open_signals) close_signals();
    try {
      work(watch);
    } catch (...) {
      *failure = std::current_exception();
    }
    const std::lock_guard lock(watch->mutex_);
    watch->done_ = true;
    watch->news_.notify_all();
  });
  std::exception_ptr raised;
  for (bool done = false; !done;) {
    std::string line;
    {
      const nb::gil_scoped_release released;
      std::unique_lock lock(watch->mutex_);
      watch->news_.wait_for(lock, kLook, [&] { return watch->done_ || !watch->progress_.empty(); });
      done = watch->done_;
      line = std::exchange(watch->progress_, {});
    }
    try {
      if (PyErr_CheckSignals() != 0) throw nb::python_error();
      if (!line.empty() && !progress.is_none() && !raised &&
          progress(text_of(line.data(), line.size())).ptr() == Py_False)
        watch->stop();
    } catch (...) {
      // A second time at once: the work is left to its end.
      if (raised && !done) {
        thread.detach();
        throw;
      }
      raised = std::current_exception();
      watch->stop();
    }
  }
  {
    const nb::gil_scoped_release released;
    thread.join();
  }
  if (raised) std::rethrow_exception(raised);
  if (*failure) {
    set_error(*failure);
    throw nb::python_error();
  }
}

}  // namespace carnot::python
