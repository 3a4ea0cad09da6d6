// SPDX-License-Identifier: Apache-2.0
#include "meter/processes/descendants.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <string>
#include <string_view>

#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "meter/counters/pinned_file.hpp"
#include "meter/processes/procfs.hpp"

namespace carnot::meter {

namespace {

constexpr std::size_t kMostDescendants = 4096;

double seconds(const timeval& t) {
  return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
}

/// Of ended children that were waited for, theirs included.
double waited_for_s() {
  rusage use{};
  ::getrusage(RUSAGE_CHILDREN, &use);
  return seconds(use.ru_utime) + seconds(use.ru_stime);
}

bool has_children() {
  siginfo_t info{};
  return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

/// Appends the children of `pid`, which the kernel lists by thread.
void append_children(int pid, std::vector<int>& into) {
  const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
  std::error_code none;
  for (std::filesystem::directory_iterator it(tasks, none), end; it != end; it.increment(none)) {
    const std::string line = first_line(it->path().string() + "/children");
    std::string_view rest = line;
    std::uint64_t child = 0;
    while (into.size() < kMostDescendants && take_number(rest, child))
      into.push_back(static_cast<int>(child));
  }
}

/// A living process' own CPU time, and that of the children it waited for.
double used_s(int pid) {
  std::array<char, 1024> buffer;
  PinnedFile file("/proc/" + std::to_string(pid) + "/stat");
  ProcessStat stat;
  double all = 0;
  if (file.is_open() && parse_process_stat(file.read(buffer), stat))
    all = 1e-9 * static_cast<double>(stat.cpu_ns + stat.children_cpu_ns);
  clockid_t clock{};
  timespec t{};
  if (::clock_getcpuclockid(pid, &clock) == 0 && ::clock_gettime(clock, &t) == 0)
    all += static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec) -
           1e-9 * static_cast<double>(stat.cpu_ns);
  return all;
}

}  // namespace

DescendantUse descendant_use() {
  DescendantUse use;
  use.cpu_s = waited_for_s();
  if (!has_children()) return use;
  append_children(::getpid(), use.pids);
  for (std::size_t i = 0; i < use.pids.size(); ++i) {
    use.cpu_s += used_s(use.pids[i]);
    append_children(use.pids[i], use.pids);
  }
  return use;
}

}  // namespace carnot::meter
