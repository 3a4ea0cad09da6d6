// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// For tests: the threads of this process, as the kernel lists them.

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <unistd.h>

namespace carnot::meter {

/// How many there are; a thread that was joined or has returned is none.
inline std::size_t threads_of_this_process() {
  std::size_t count = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    (void)task;
    ++count;
  }
  return count;
}

/// The letter for the state of a process or a thread; '?': it is gone.
inline char state_of(const std::string& proc_folder) {
  std::ifstream file(proc_folder + "/stat");
  const std::string stat((std::istreambuf_iterator<char>(file)), {});
  const std::size_t name_end = stat.rfind(')');
  return name_end == std::string::npos || name_end + 2 >= stat.size() ? '?' : stat[name_end + 2];
}

/// Whether every thread but the calling one waits for something.
inline bool other_threads_wait() {
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    if (task.path().filename() == std::to_string(::gettid())) continue;
    if (const char state = state_of(task.path()); state != 'S' && state != '?') return false;
  }
  return true;
}

}  // namespace carnot::meter
