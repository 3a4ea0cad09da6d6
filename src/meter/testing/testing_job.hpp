// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// For tests only: jobs of the shell, and waiting for what they do.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "carnot/meter/processes/processes.hpp"

#include "meter/processes/job_group.hpp"
#include "meter/testing/testing_threads.hpp"

namespace carnot::meter {

inline std::int64_t clock_ns(clockid_t id) {
  timespec time{};
  ::clock_gettime(id, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

inline void burn_until(std::int64_t cpu_ns) {
  while (clock_ns(CLOCK_PROCESS_CPUTIME_ID) < cpu_ns) {
  }
}

inline bool group_can_be_made(JobMethod method) {
  const auto group = JobGroup::make(method == JobMethod::CgroupV2, "/proc", "/sys/fs/cgroup");
  return group && group->remove();
}

inline JobOptions shell(const std::string& script, std::optional<JobMethod> method = {}) {
  JobOptions options;
  options.command = {"/bin/sh", "-c", script};
  options.method = method;
  return options;
}

inline void run_to_end(
    Job& job, const std::function<void()>& meanwhile = [] {}) {
  job.release();
  while (!job.ended()) {
    pollfd wait{job.wait_fd(), POLLIN, 0};
    ::poll(&wait, 1, 10);
    meanwhile();
  }
}

/// Whether it comes true. Gives up after half a minute, which only a failure takes.
inline bool eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < 6000; ++i) {
    if (condition()) return true;
    ::usleep(5000);
  }
  return false;
}

/// A file that a command of the shell waits for: `read go < path` and `cat path` go on once it is
/// opened here.
class Gate {
 public:
  explicit Gate(std::string path) : path_(std::move(path)) { ::mkfifo(path_.c_str(), 0600); }
  const std::string& path() const { return path_; }
  /// Lets through whoever waits, or whoever comes first.
  void open() const {
    const int fd = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd >= 0 && ::write(fd, "go\n", 3) != 3) std::abort();
    ::close(fd);
  }

 private:
  std::string path_;
};

/// Whether a process still is the copy of this program that waits to become a command.
inline bool is_held(int pid) {
  char theirs[512], ours[512];
  const std::string folder = "/proc/" + std::to_string(pid);
  const ssize_t a = ::readlink((folder + "/exe").c_str(), theirs, sizeof theirs);
  const ssize_t b = ::readlink("/proc/self/exe", ours, sizeof ours);
  return a > 0 && a == b && std::equal(theirs, theirs + a, ours) && state_of(folder) == 'S';
}

inline bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

}  // namespace carnot::meter
