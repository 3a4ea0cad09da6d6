// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "carnot/meter/meter.hpp"

#include "meter/testing/testing_clock.hpp"
#include "meter/testing/testing_real.hpp"

namespace carnot::meter {
namespace {

using testing::PacedClock;
using testing::real_domain;
using testing::RealSource;

constexpr double kWatts = 100.0;

std::unique_ptr<Meter> real_meter(Clock& clock = Clock::machine()) {
  return std::make_unique<Meter>(testing::meter_over(
      std::make_unique<RealSource>(std::vector{real_domain("real/a", 0)}, kWatts, clock), clock));
}

double thread_cpu_s() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

void burn(double cpu_s) {
  const double end = thread_cpu_s() + cpu_s;
  while (thread_cpu_s() < end) {
  }
}

constexpr Duration milliseconds(std::int64_t n) { return Duration::nanoseconds(n * 1'000'000); }

/// What holds of every window over a machine of constant power.
void expect_sound(const WindowResult& r) {
  const double truth = kWatts * r.length.time().in(second);
  // A reading and its time are of one moment, however long the sample took: to the microjoule.
  EXPECT_NEAR(r.machine.total.value().in(joule), truth, 3e-6) << r.label;
  EXPECT_LE(r.machine.total.low().in(joule), truth);
  EXPECT_GE(r.machine.total.high().in(joule), truth);
  EXPECT_GE(r.own.low(), Energy{});
  EXPECT_LE(r.own.value().in(joule), r.machine.total.value().in(joule) * (1 + 1e-12));
  EXPECT_LE(r.exclusive.value().in(joule), r.own.value().in(joule) * (1 + 1e-12));
  EXPECT_LE(r.own.low(), r.own.value());
  EXPECT_GE(r.own.high(), r.own.value());
  EXPECT_EQ(r.own.boundary(), r.machine.total.boundary());
}

TEST(Window, MeasuresWhatPassesWhileItIsOpen) {
  PacedClock clock;
  const auto meter = real_meter(clock);
  clock.pass(milliseconds(7));
  Window window(*meter, "rest");
  clock.pass(milliseconds(30));
  const WindowResult r = window.stop();
  clock.pass(milliseconds(7));
  expect_sound(r);
  EXPECT_EQ(r.label, "rest");
  EXPECT_EQ(r.length, milliseconds(30));
  EXPECT_FALSE(r.overlapped);
  const WindowResult again = window.stop();
  EXPECT_EQ(again.length, r.length);
  EXPECT_EQ(again.own.value(), r.own.value());
}

TEST(Window, GivesABusyThreadMoreThanARestingOne) {
  // By the machine's clock, for the kernel's ticks tell who was busy.
  const auto meter = real_meter();
  const auto measured = [&](auto&& work) {
    // Static energy too: a machine of constant power has no other once that is learned.
    Window window(*meter, "", Scope::Thread, StaticPolicy::Busy);
    work();
    return window.stop();
  };
  const WindowResult idle = measured([] { Clock::machine().wait(milliseconds(50)); });
  const WindowResult busy = measured([] { burn(0.05); });
  EXPECT_GE(busy.cpu_s, 0.05);
  EXPECT_LT(idle.cpu_s, 0.01);
  EXPECT_GT(busy.own.value(), idle.own.value());
  EXPECT_GT(busy.own.value(), Energy{});
}

TEST(Window, SharesOfNestedWindowsSumToTheOutermost) {
  const auto meter = real_meter();
  std::mt19937 random(5);
  for (int round = 0; round < 20; ++round) {
    Energy sum, outermost;
    const auto nest = [&](const auto& self, int depth) -> void {
      Window window(*meter, "depth " + std::to_string(depth), Scope::Thread);
      burn(0.0002);
      const int children = depth < 4 ? static_cast<int>(random() % 3) : 0;
      for (int i = 0; i < children; ++i) self(self, depth + 1);
      const WindowResult r = window.stop();
      expect_sound(r);
      sum += r.exclusive.value();
      if (depth == 0) outermost = r.own.value();
    };
    nest(nest, 0);
    EXPECT_NEAR(sum / outermost, 1.0, 1e-9);
  }
}

TEST(Window, KeepsCountWhereWindowsOverlapWithoutNesting) {
  const auto meter = real_meter();
  Window a(*meter, "a", Scope::Thread);
  burn(0.002);
  Window b(*meter, "b", Scope::Thread);
  burn(0.002);
  const WindowResult ra = a.stop();
  burn(0.002);
  const WindowResult rb = b.stop();
  expect_sound(ra);
  expect_sound(rb);
  EXPECT_TRUE(ra.overlapped);
  EXPECT_TRUE(rb.overlapped);
  EXPECT_GE(ra.cpu_s, 0.004);
  EXPECT_GE(rb.cpu_s, 0.004);
  EXPECT_LT(ra.exclusive.value(), ra.own.value());
  EXPECT_EQ(rb.exclusive.value(), rb.own.value()) << "the latest is the innermost";
}

TEST(Window, SaysOverlappedOnlyOfThoseThatDid) {
  const auto meter = real_meter();
  {
    Window first(*meter);
    EXPECT_FALSE(first.stop().overlapped);
  }
  Window second(*meter);
  EXPECT_FALSE(second.so_far().overlapped);
  std::thread([&] { Window other(*meter); }).join();
  EXPECT_TRUE(second.stop().overlapped);
  Window third(*meter);
  EXPECT_FALSE(third.stop().overlapped);
}

TEST(Window, MayBeLookedAtWhileItRuns) {
  PacedClock clock;
  const auto meter = real_meter(clock);
  Window window(*meter);
  Energy last;
  for (int i = 1; i <= 5; ++i) {
    clock.pass(milliseconds(3));
    const WindowResult r = window.so_far();
    expect_sound(r);
    EXPECT_NEAR(r.machine.total.value().in(joule), i * 0.003 * kWatts, 3e-6);
    last = r.machine.total.value();
  }
  EXPECT_GE(window.stop().machine.total.value(), last);
}

TEST(Window, MayBeStoppedOnAnotherThread) {
  const auto meter = real_meter();
  auto window = std::make_unique<Window>(*meter, "moved", Scope::Thread);
  burn(0.005);
  WindowResult r;
  std::thread([&] {
    burn(0.02);
    r = window->stop();
  }).join();
  expect_sound(r);
  EXPECT_GE(r.cpu_s, 0.005);
  EXPECT_LT(r.cpu_s, 0.02) << "counts the thread it was started on";
}

TEST(Window, OutlivesItsThread) {
  const auto meter = real_meter();
  std::unique_ptr<Window> window;
  std::thread([&] {
    window = std::make_unique<Window>(*meter, "orphan", Scope::Thread);
    burn(0.002);
  }).join();
  const WindowResult r = window->stop();
  expect_sound(r);
}

TEST(Window, IsDroppedWithoutAResult) {
  const auto meter = real_meter();
  { Window unused(*meter); }
  Window next(*meter);
  EXPECT_FALSE(next.stop().overlapped);
}

TEST(Window, NeverSaysZeroOfAShortTime) {
  const auto meter = real_meter();
  for (int i = 0; i < 50; ++i) {
    Window window(*meter, "short", Scope::Thread, StaticPolicy::Busy);
    const WindowResult r = window.stop();
    EXPECT_GT(r.machine.total.high().in(joule), 0.0);
    EXPECT_GE(r.machine.total.low().in(joule), 0.0);
    EXPECT_GT(r.own.high().in(joule), 0.0);
  }
}

/// An accelerator of constant power that tells who was busy on it.
class SharedBoard : public RealSource {
 public:
  explicit SharedBoard(Clock& clock) : RealSource({board()}, kWatts, clock) {}
  void device_use(std::vector<DeviceUse>& use) noexcept override {
    for (const auto& [pid, busy] : users) use.push_back({0, pid, busy, 0});
  }
  std::vector<std::pair<int, double>> users;

 private:
  static Domain board() {
    Domain d = real_domain("real/board", -1);
    d.kind = DomainKind::Gpu;
    d.device = 0;
    return d;
  }
};

TEST(Window, SharesAcceleratorsByTheirBusyTime) {
  PacedClock clock;
  auto made = std::make_unique<SharedBoard>(clock);
  SharedBoard& board = *made;
  Meter meter = testing::meter_over(std::move(made), clock);
  const auto own_share = [&](StaticPolicy policy) {
    clock.pass(milliseconds(550));  // accelerators are asked twice a second
    Window window(meter, "", Scope::Process, policy);
    clock.pass(milliseconds(10));
    const WindowResult r = window.stop();
    expect_sound(r);
    const Energy all = r.machine.total.value();
    return std::array{r.own.low() / all, r.own.value() / all, r.own.high() / all};
  };
  board.users = {{::getpid(), 0.6}, {1, 0.2}};
  const auto shared = own_share(StaticPolicy::Capacity);
  char link[64] = {};
  const bool host_numbers = ::readlink("/proc/self/ns/pid", link, sizeof link - 1) > 0 &&
                            std::string(link) == "pid:[4026531836]";
  if (host_numbers) {
    EXPECT_NEAR(shared[1], 0.75, 1e-9);
  } else {  // whose numbers these are cannot be told: all of it, or nothing
    EXPECT_NEAR(shared[1], 1.0, 1e-9);
    EXPECT_NEAR(shared[0], 0.0, 1e-6);
  }
  board.users.clear();
  const auto idle = own_share(StaticPolicy::Capacity);
  EXPECT_EQ(idle[1], 0.0) << "nobody was busy";
  EXPECT_GE(idle[2], 0.0);
  const auto whole = own_share(StaticPolicy::Whole);
  EXPECT_NEAR(whole[1], 1.0, 1e-9);
}

std::vector<struct sigaction> signal_handlers() {
  std::vector<struct sigaction> result;
  for (int signal = 1; signal < 32; ++signal) {
    struct sigaction now {};
    ::sigaction(signal, nullptr, &now);
    result.push_back(now);
  }
  return result;
}

std::size_t files_in(const std::filesystem::path& folder) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    (void)entry;
    ++count;
  }
  return count;
}

/// 64 windows a thread, some nested, some overlapping, all against constant power.
int windows_of_a_thread(Meter& meter, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::unique_ptr<Window>> open;
  int wrong = 0;
  int stopped = 0;
  const auto stop_one = [&] {
    const std::size_t which = random() % open.size();
    const WindowResult r = open[which]->stop();
    const double truth = kWatts * r.length.time().in(second);
    const double shown = r.machine.total.value().in(joule);
    const bool right = std::abs(shown - truth) <= 3e-6 &&
                       r.machine.total.low().in(joule) <= truth &&
                       r.machine.total.high().in(joule) >= truth && r.own.low() >= Energy{} &&
                       r.own.value().in(joule) <= shown * (1 + 1e-9) &&
                       r.exclusive.value() <= r.own.value() * (1 + 1e-9) && r.overlapped;
    wrong += !right;
    ++stopped;
    open.erase(open.begin() + static_cast<std::ptrdiff_t>(which));
  };
  for (int i = 0; i < 64; ++i) {
    open.push_back(
        std::make_unique<Window>(meter, std::to_string(i), i % 2 ? Scope::Thread : Scope::Process));
    if (i % 8 == 0) burn(0.0001);
    if (random() % 3 == 0) stop_one();
  }
  while (!open.empty()) stop_one();
  return stopped == 64 ? wrong : 1000;
}

TEST(Window, AreRightInManyThreadsAndProcessesAtOnce) {
  const auto handlers = signal_handlers();
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("carnot-windows-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder);
  const auto meter = real_meter();
  Window around(*meter, "around");
  std::array<pid_t, 8> children{};
  for (unsigned p = 0; p < children.size(); ++p) {
    children[p] = ::fork();
    if (children[p] == 0) {
      ::alarm(60);
      meter->keep_alive();
      std::atomic<int> wrong{0};
      std::vector<std::thread> threads;
      for (unsigned t = 0; t < 8; ++t)
        threads.emplace_back([&, t] { wrong += windows_of_a_thread(*meter, 100 * p + t); });
      for (std::thread& thread : threads) thread.join();
      ::_exit(std::min(wrong.load(), 100));
    }
  }
  for (const pid_t child : children) {
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status)) << "killed by " << WTERMSIG(status);
    EXPECT_EQ(WEXITSTATUS(status), 0) << "windows that are wrong";
  }
  expect_sound(around.stop());
  EXPECT_EQ(files_in(folder), 0U) << "no lock file";
  std::filesystem::current_path(before);
  std::filesystem::remove_all(folder);
  const auto after = signal_handlers();
  for (std::size_t i = 0; i < handlers.size(); ++i) {
    EXPECT_EQ(handlers[i].sa_handler, after[i].sa_handler) << "signal " << i + 1;
    EXPECT_EQ(handlers[i].sa_flags, after[i].sa_flags) << "signal " << i + 1;
  }
}

}  // namespace
}  // namespace carnot::meter
