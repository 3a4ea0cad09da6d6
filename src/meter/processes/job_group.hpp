// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A control group as a meter: cpu.stat of cgroup v2, which needs no controller, or cpuacct of v1.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "meter/counters/pinned_file.hpp"
#include "meter/processes/procfs.hpp"

namespace carnot::meter {

class JobGroup {
 public:
  JobGroup() = default;
  /// A new group below the caller's own, in the first hierarchy of that version below
  /// `cgroup_root`; empty where there is none or it may not be written.
  static std::optional<JobGroup> make(bool v2, const std::string& procfs_root,
                                      const std::string& cgroup_root);
  /// Removes groups right below the folder `above` that a carnot which is no more made and left
  /// empty, a minute ago at least. `make` does so where it makes one.
  static void remove_leftovers(const std::string& above, const std::string& procfs_root);
  /// An existing one. \throws InputError: no such group, or one that tells no CPU time
  static JobGroup attach(const std::string& folder);

  const std::string& folder() const noexcept { return folder_; }
  bool v2() const noexcept { return v2_; }
  /// Moves a process in. False: not permitted.
  bool add(int pid) const noexcept;
  /// Of all it holds and ever held, nested groups included. False: it is gone.
  bool cpu_ns(std::int64_t& ns) noexcept;
  /// memory.peak (v2) or memory.max_usage_in_bytes; 0: no such controller here.
  std::uint64_t peak_memory_b() noexcept;
  /// io.stat; false: no such controller here.
  bool traffic(BlockTraffic& into) noexcept;
  /// Pids inside, nested groups included.
  void processes(std::vector<int>& pids) const;
  /// Something lives in it or in a group inside.
  bool populated();
  /// Removes it and the empty groups inside. False: something still lives there. Only groups that
  /// `make` made, in this process or an earlier one; else true and nothing done.
  bool remove() const noexcept;

 private:
  JobGroup(std::string folder, bool v2);

  std::string folder_;
  bool v2_ = false;
  PinnedFile cpu_, memory_, io_, events_;
  std::vector<char> buffer_ = std::vector<char>(1 << 14);
};

}  // namespace carnot::meter
