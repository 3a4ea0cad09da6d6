// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// For tests only: jobs of the shell, and waiting for what they do.

#include <cstdint>
#include <ctime>
#include <functional>
#include <optional>
#include <string>

#include <poll.h>
#include <unistd.h>

#include "carnot/meter/processes/processes.hpp"

#include "meter/processes/job_group.hpp"

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

inline bool eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < 1000; ++i) {
    if (condition()) return true;
    ::usleep(5000);
  }
  return false;
}

inline bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

}  // namespace carnot::meter
