// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A few threads that share out numbered tasks, thousands of times a second. Which thread does a
/// task is chance; tasks write to places of their own, so the result is not.

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace carnot::learn {

class Workers {
 public:
  /// \param threads  including the caller's, at least 1
  explicit Workers(int threads);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  int threads() const noexcept { return static_cast<int>(others_.size()) + 1; }

  /// Calls f(task, thread) for every task below `tasks`; thread < threads(). Returns when all are
  /// done; the first exception is thrown on.
  template <class F>
  void run(std::size_t tasks, const F& f) {
    if (tasks <= 1 || others_.empty()) {
      for (std::size_t t = 0; t < tasks; ++t) f(t, std::size_t{0});
      return;
    }
    start(tasks, &f, [](const void* g, std::size_t task, std::size_t thread) {
      (*static_cast<const F*>(g))(task, thread);
    });
  }

 private:
  using Call = void (*)(const void*, std::size_t, std::size_t);
  void start(std::size_t tasks, const void* f, Call call);
  void work(std::size_t thread);
  void listen(std::size_t thread);

  std::vector<std::thread> others_;
  std::mutex mutex_;
  std::condition_variable wake_, idle_;
  std::atomic<std::uint64_t> round_{0};
  std::atomic<std::size_t> next_{0}, busy_{0};
  std::size_t tasks_ = 0;
  const void* f_ = nullptr;
  Call call_ = nullptr;
  std::exception_ptr failure_;
  std::atomic<bool> ends_{false};
};

}  // namespace carnot::learn
