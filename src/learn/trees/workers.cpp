// SPDX-License-Identifier: Apache-2.0
#include "learn/trees/workers.hpp"

namespace carnot::learn {

namespace {
/// Looks before a thread goes to sleep: some microseconds, as long as waking one costs.
constexpr int kLooks = 2000;

inline void pause_briefly() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}
}  // namespace

Workers::Workers(int threads) {
  for (int t = 1; t < threads; ++t)
    others_.emplace_back([this, t] { listen(static_cast<std::size_t>(t)); });
}

Workers::~Workers() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
    ++round_;
  }
  wake_.notify_all();
  for (std::thread& t : others_) t.join();
}

void Workers::start(std::size_t tasks, const void* f, Call call) {
  {
    const std::lock_guard lock(mutex_);
    tasks_ = tasks;
    f_ = f;
    call_ = call;
    next_ = 0;
    busy_ = others_.size();
    ++round_;
  }
  wake_.notify_all();
  work(0);
  for (int i = 0; i < kLooks && busy_ != 0; ++i) pause_briefly();
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return busy_ == 0; });
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void Workers::work(std::size_t thread) {
  for (std::size_t t = next_++; t < tasks_; t = next_++) {
    try {
      call_(f_, t, thread);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
    }
  }
}

void Workers::listen(std::size_t thread) {
  std::uint64_t seen = 0;
  while (true) {
    for (int i = 0; i < kLooks && round_ == seen; ++i) pause_briefly();
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return round_ != seen; });
      seen = round_;
      if (ends_) return;
    }
    work(thread);
    {
      const std::lock_guard lock(mutex_);
      --busy_;
    }
    idle_.notify_one();
  }
}

}  // namespace carnot::learn
