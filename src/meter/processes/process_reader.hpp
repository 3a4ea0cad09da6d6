// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What is known of processes by pid, and which pids are new.
///
/// Where /proc is this process's own, a process's CPU time comes from its clock (clock_gettime on
/// the clock id made of the pid): nanoseconds, the whole thread group, also of zombies, 0.7 us
/// instead of the 4 to 14 us of /proc/<pid>/stat with its 10 ms ticks; and new processes are found
/// through the pid given out last (/proc/loadavg): those in between are all there can be. Both fall
/// back to the files of another /proc (a host's mounted into a container, a fixture).

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/meter/processes/processes.hpp"

#include "meter/counters/pinned_file.hpp"
#include "meter/processes/procfs.hpp"

namespace carnot::meter {

/// CPU time of the thread group led by `pid`, by its clock; zombies too. False: there is none.
bool process_cpu(int pid, std::int64_t& ns) noexcept;
/// A process's name as tables show it: no control characters, at most 64 bytes.
std::string shown_name(std::string_view name);

class ProcessReader {
 public:
  explicit ProcessReader(std::string procfs_root);

  const std::string& root() const noexcept { return root_; }
  /// This process's own /proc: pids in it are the kernel's to us.
  bool live() const noexcept { return live_; }

  /// CPU time of the thread group led by `pid`. False: there is none (or it cannot be told).
  bool cpu(int pid, std::int64_t& ns) const noexcept;
  /// Everything. False: no such process.
  bool read(int pid, ProcessUse& into) noexcept;
  /// The same from /proc/<pid>/stat kept open.
  bool read(PinnedFile& stat, ProcessUse& into) noexcept;
  PinnedFile open_stat(int pid) const noexcept;
  /// Every pid there is, ascending, by listing the root.
  void list(std::vector<int>& pids) const;

 private:
  std::string root_;
  bool live_ = false;
  std::uint64_t page_b_ = 4096;
  std::vector<char> buffer_ = std::vector<char>(4096);
};

/// Pids that may be new, in passes: each covers what was given out since the pass before the last,
/// so that a pid given out but not yet alive in one is met again in the next.
class NewPids {
 public:
  explicit NewPids(const ProcessReader& reader);
  /// Begins a pass unless one is under way. False: pids cannot be told here, list them.
  bool begin() noexcept;
  /// The next pid of the pass; 0: it is over.
  int next() noexcept;

 private:
  PinnedFile loadavg_;
  int greatest_ = 0;  // pid_max
  int at_ = 0, end_ = 0, previous_end_ = 0;
};

}  // namespace carnot::meter
