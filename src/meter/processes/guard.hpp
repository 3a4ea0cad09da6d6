// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Starts a command under a guard: a small process of ours between the caller and the command that
/// adopts (PR_SET_CHILD_SUBREAPER) and reaps every descendant left behind and adds up what wait4
/// says of them in a shared page. The caller's own children, its SIGCHLD and its subreaper
/// attribute stay untouched: the guard's end sends no signal and is seen by no `wait` of the
/// caller's but ours (__WCLONE). All its signals are blocked, all its files closed; it lives on
/// until the last descendant ends, also without us.
///
///     caller ── guard ── command ── ...
///
/// The command is held before its exec until `release`; should the caller die first it never runs.

#include <cstdint>
#include <string>
#include <vector>

#include "carnot/meter/processes/processes.hpp"

namespace carnot::meter {

/// rusage of all descendants reaped so far, their own waited-for children included.
struct Reaped {
  std::int64_t cpu_ns = 0;
  std::uint64_t peak_rss_b = 0;
  std::uint64_t read_b = 0, write_b = 0;
};

class Guard {
 public:
  Guard() = default;
  /// \param command    argv, not empty
  /// \param group_fd   of a cgroup v2 folder to be born into (CLONE_INTO_CGROUP); -1: none
  /// \param group      cgroup folder to remove after the last descendant if `leave` was called
  /// \throws InputError: no such command; DeviceError: no process can be made
  Guard(const std::vector<std::string>& command, int group_fd, const std::string& group = "");
  Guard(Guard&& other) noexcept;
  Guard& operator=(Guard&& other) noexcept;
  /// Ends the guard, never the command.
  ~Guard();
  /// Gives up a command that was not released: it ends without having run.
  void cancel() noexcept;
  /// Leaves the guard to itself: it removes the group once nobody is left in it.
  void leave();

  /// Lets the command run; returns once it does. \throws InputError if it cannot be executed
  void release();
  int pid() const noexcept { return pid_; }  ///< of the command
  int guard_pid() const noexcept { return guard_; }
  int pidfd() const noexcept { return pidfd_; }         ///< of the command; -1: kernel before 5.3
  bool in_group() const noexcept { return in_group_; }  ///< born into it
  Reaped reaped() const noexcept;
  /// Appends the processes the guard reaped since the last call, each with all the CPU time of its
  /// own and the name it ended with; of more than kMostEnded the last. Where /proc does not show
  /// them, none.
  void take_ended(std::vector<ProcessUse>& into);
  /// True once the command was reaped (or the guard killed).
  bool ended() noexcept;
  int wait_status() const noexcept;  ///< as wait(2) gives it, once ended

  static constexpr std::size_t kMostEnded = 1024;

 private:
  struct Page;
  void answer(char word) noexcept;
  void wait_for_guard() noexcept;
  void close_all() noexcept;

  Page* page_ = nullptr;
  int guard_ = 0, pid_ = 0, pidfd_ = -1;
  int release_fd_ = -1, status_fd_ = -1;
  bool in_group_ = false, guard_gone_ = false;
  std::uint64_t ended_taken_ = 0;
  std::string name_;
};

/// Where a shell would find `command`: itself if it has a slash, else the first executable file of
/// that name in PATH. \throws InputError "no such command: `foo`"
std::string find_command(const std::string& command);

}  // namespace carnot::meter
