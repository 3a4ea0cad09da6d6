// SPDX-License-Identifier: Apache-2.0
// What it costs to look at 10 000 processes: a sweep of the process table with all of them idle,
// all having used CPU time, and idle but for one in a hundred, in 100 control groups where these
// can be made; one sample of a job that holds them all. Beside it what a sweep costs that lists
// /proc and opens, reads and closes every stat file.
//
// usage: meter_sweep [PROCESSES]
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "carnot/meter/processes/processes.hpp"

#include "meter/processes/job_group.hpp"
#include "meter/processes/process_reader.hpp"

namespace {

using namespace carnot::meter;

constexpr int kGroups = 100;

double cpu_ms() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return 1e3 * static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_nsec);
}

template <class Call>
double cost_ms(Call call) {
  const double before = cpu_ms();
  call();
  return cpu_ms() - before;
}

/// Least of several tries: what the work costs where nothing else disturbs it.
template <class Prepare, class Call>
double least_ms(int tries, Prepare prepare, Call call) {
  double least = 1e300;
  for (int i = 0; i < tries; ++i) {
    prepare();
    least = std::min(least, cost_ms(call));
  }
  return least;
}

void woken(int) {}

/// An idle process that uses a little CPU time whenever it is signalled.
int start_idle() {
  const int pid = ::fork();
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  struct sigaction action {};
  action.sa_handler = woken;
  ::sigaction(SIGUSR1, &action, nullptr);
  for (;;) ::pause();
}

void wake(const std::vector<int>& pids, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) ::kill(pids[i], SIGUSR1);
  ::usleep(500'000);
}

void naive_sweep(const std::vector<int>& pids) {
  std::vector<int> all;
  carnot::meter::ProcessReader reader("/proc");
  reader.list(all);
  char buffer[1024];
  std::int64_t total = 0;
  for (const int pid : all) {
    const std::string path = "/proc/" + std::to_string(pid) + "/stat";
    const int fd = ::open(path.c_str(), O_RDONLY);
    if (fd < 0) continue;
    const ssize_t n = ::read(fd, buffer, sizeof buffer);
    ::close(fd);
    carnot::meter::ProcessStat stat;
    if (n > 0 && parse_process_stat({buffer, static_cast<std::size_t>(n)}, stat)) {
      total += stat.cpu_ns;
    }
  }
  if (total < 0 || pids.empty()) std::abort();
}

}  // namespace

int main(int argc, char** argv) {
  const int wanted = argc > 1 ? std::atoi(argv[1]) : 10'000;
  // A job that holds them all, and a table of the whole machine.
  carnot::meter::JobOptions options;
  options.pid = ::getpid();
  options.method = carnot::meter::JobMethod::Pid;
  std::vector<int> pids;
  for (int i = 0; i < wanted; ++i) {
    const int pid = start_idle();
    if (pid < 0) break;
    pids.push_back(pid);
  }
  ::usleep(1'000'000);
  const auto nothing = [] {};

  carnot::meter::ProcessTable table;
  table.sweep();
  const double idle = least_ms(6, nothing, [&] { table.sweep(); });
  wake(pids, pids.size());
  table.sweep();  // opens what it keeps open
  const double worst = least_ms(
      4, [&] { wake(pids, pids.size()); }, [&] { table.sweep(); });
  const double naive = least_ms(3, nothing, [&] { naive_sweep(pids); });

  std::vector<carnot::meter::JobGroup> groups;
  for (int i = 0; i < kGroups; ++i) {
    auto group = carnot::meter::JobGroup::make(true, "/proc", "/sys/fs/cgroup");
    if (!group) break;
    groups.push_back(std::move(*group));
  }
  const std::size_t a_group = pids.size() / kGroups;
  double grouped = -1;
  if (groups.size() == kGroups) {
    for (std::size_t i = 0; i < pids.size(); ++i) groups[i / a_group % kGroups].add(pids[i]);
    carnot::meter::ProcessTable fresh;
    fresh.sweep();
    fresh.sweep();
    grouped = least_ms(
        6, [&] { wake(pids, a_group); }, [&] { fresh.sweep(); });
  }

  carnot::meter::Job job = carnot::meter::Job::open(options);
  double mean_us = 0;
  constexpr std::size_t kSamples = 1000;
  std::vector<double> us(kSamples);
  for (double& each : us) {
    each = 1e3 * cost_ms([&] { job.sample(); });
    mean_us += each / kSamples;
  }
  std::sort(us.begin(), us.end());  // the greatest few hold interrupts of others, too
  std::printf(
      "{\"bench\": \"meter_sweep\", \"processes\": %zu, \"sweep_idle_ms\": %.2f, "
      "\"sweep_all_moved_ms\": %.2f, \"sweep_99_of_100_groups_idle_ms\": %.2f, "
      "\"naive_sweep_ms\": %.2f, \"tree_sample_mean_us\": %.1f, \"tree_sample_99_us\": %.1f, "
      "\"tree_sample_most_us\": %.1f}\n",
      pids.size(), idle, worst, grouped, naive, mean_us, us[kSamples * 99 / 100], us.back());
  for (const int pid : pids) ::kill(pid, SIGKILL);
  while (::wait(nullptr) > 0) {
  }
  for (const carnot::meter::JobGroup& group : groups) group.remove();
}
