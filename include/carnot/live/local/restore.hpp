// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Whatever is changed on a machine goes back to the value that was found, also when the program
/// that changed it is killed.
///
/// A `Restorer` is a list of values found and a small process beside the caller, which holds the
/// reading end of a pipe. When the caller ends without having restored, in whatever way, the pipe
/// closes and that process puts the values back itself, the last remembered first. It is nobody's
/// child, of a session of its own, with all signals blocked and all files closed. Both do the same
/// steps from the same shared pages.
///
/// Make it before anything that is to be restored is started. One thread at a time.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace carnot::live {

/// A process by pid and start, as /proc/PID/stat has it.
struct ProcessId {
  int pid = 0;
  std::uint64_t start_ticks = 0;
  bool operator==(const ProcessId&) const = default;
};

class Restorer {
 public:
  /// \throws DeviceError: no process or shared memory can be had
  Restorer();
  Restorer(Restorer&&) noexcept;
  Restorer& operator=(Restorer&&) noexcept;
  ~Restorer();  ///< restores

  /// To be called before the first change. A path that was remembered keeps its first value.
  /// \throws InputError: more, or longer, than there is room for (2048 files of 511 bytes)
  void remember_file(const std::string& path, const std::string& value_found);
  /// A control group of cgroup v1 that was made: its processes go to the group above, it goes.
  void remember_group(const std::string& folder);
  /// Power limit of a board, in milliwatts. \param library  of NVML
  void remember_gpu(const std::string& library, int board, std::uint32_t milliwatts_found);
  /// Processes that are stopped now, to be continued; replaces what was said before. The first
  /// 16384 of them.
  void remember_stopped(std::span<const ProcessId> processes) noexcept;

  /// Puts everything back and forgets it. \returns what could not be, in words
  std::vector<std::string> restore() noexcept;
  int pid() const noexcept;  ///< of the process beside

 private:
  struct Pages;
  Pages* pages_ = nullptr;
  int pipe_ = -1, pid_ = 0;
};

/// Whether `process` lives; its state (R, S, T, ...) into `state` if asked. Reads `/proc`.
bool is_alive(const ProcessId& process, char* state = nullptr) noexcept;
/// Writes a few bytes into a file that is there. \returns 0 or an errno
int put(const char* path, const char* value) noexcept;

}  // namespace carnot::live
