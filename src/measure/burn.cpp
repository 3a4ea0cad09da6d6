// SPDX-License-Identifier: Apache-2.0
#include "carnot/measure/burn.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <thread>
#include <vector>

#include <sched.h>
#include <time.h>

#include "carnot/base/error.hpp"

namespace carnot::measure {

namespace {

using Clock = std::chrono::steady_clock;
constexpr double kPeriod = 0.01;  // s
constexpr int kChain = 1 << 20;   // multiply-adds of one unit
constexpr int kSlices = 64;       // of a unit between two looks at the clock: about 50 us

double thread_cpu_seconds() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

int usable_cpus() {
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

/// Knuth's MMIX generator: every step needs the one before.
std::uint64_t slice(std::uint64_t x) {
  for (int i = 0; i < kChain / kSlices; ++i)
    x = x * 6364136223846793005ULL + 1442695040888963407ULL;
  return x;
}

struct Shared {
  const BurnOptions& options;
  Clock::time_point began = Clock::now();
  std::atomic<std::uint64_t> taken{0};   // units begun
  std::atomic<std::uint64_t> slices{0};  // done
  std::atomic<std::uint64_t> sink{0};    // keeps the chain alive
  std::atomic<std::uint64_t> cpu_nanoseconds{0};
};

void work(Shared& shared) {
  const BurnOptions& options = shared.options;
  const auto seconds = [&] {
    return std::chrono::duration<double>(Clock::now() - shared.began).count();
  };
  const double end = options.units == 0 ? options.length.in(second) : INFINITY;
  std::uint64_t x = 1, slices = 0;
  int left = 0;  // slices of the unit in hand
  bool done = options.share == 0.0;
  const double cpu_at_start = thread_cpu_seconds();
  double owed = 0;  // CPU time this thread should have used by the end of the period
  for (double period_end = seconds() + kPeriod; !done; period_end += kPeriod) {
    owed += options.share * kPeriod;
    while (!done && thread_cpu_seconds() - cpu_at_start < owed) {
      if (options.units != 0 && left == 0) {
        if (shared.taken.fetch_add(1) >= options.units) {
          done = true;
          break;
        }
        left = kSlices;
      }
      x = slice(x);
      ++slices;
      --left;
      done = seconds() >= end;
    }
    const double now = seconds();
    done = done || now >= end;
    if (!done && options.share < 1.0 && now < period_end)
      std::this_thread::sleep_for(std::chrono::duration<double>(std::min(period_end, end) - now));
    // A busy machine may never let the thread catch up: at most one period is carried over.
    owed = std::min(owed, thread_cpu_seconds() - cpu_at_start + kPeriod);
  }
  if (options.share == 0.0)
    std::this_thread::sleep_for(std::chrono::duration<double>(std::max(0.0, end - seconds())));
  shared.slices += slices;
  shared.sink ^= x;
  shared.cpu_nanoseconds += static_cast<std::uint64_t>(1e9 * (thread_cpu_seconds() - cpu_at_start));
}

}  // namespace

BurnResult burn(const BurnOptions& options) {
  if (!(options.share >= 0.0 && options.share <= 1.0)) throw InputError("share: 0 <= x <= 1");
  if ((options.length > Time{}) == (options.units > 0))
    throw InputError("a load lasts either a length of time or a number of units, above 0");
  if (options.units > 0 && options.share == 0.0)
    throw InputError("share: above 0 where a number of units is to be done");
  if (options.threads < 0) throw InputError("threads: 0 (all) or more");
  Shared shared{options};
  const int threads = options.threads > 0 ? options.threads : usable_cpus();
  std::vector<std::thread> pool;
  pool.reserve(static_cast<std::size_t>(threads));
  for (int i = 0; i < threads; ++i) pool.emplace_back([&shared] { work(shared); });
  for (std::thread& t : pool) t.join();
  BurnResult result;
  result.length = std::chrono::duration<double>(Clock::now() - shared.began).count() * second;
  result.cpu = 1e-9 * static_cast<double>(shared.cpu_nanoseconds.load()) * second;
  result.units = shared.slices.load() / kSlices;
  result.threads = threads;
  return result;
}

}  // namespace carnot::measure
