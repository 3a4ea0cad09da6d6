// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Which control groups used CPU time since the last look: processes of the others need not be
/// asked one by one. cgroup v2 only.

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "meter/counters/pinned_file.hpp"
#include "meter/processes/process_reader.hpp"

namespace carnot::meter {

class GroupWatch {
 public:
  static constexpr int kNone = -1;
  /// Reading a group costs as much as asking this many processes.
  static constexpr std::size_t kWorthwhile = 8;

  explicit GroupWatch(const ProcessReader& reader);

  /// Counts the process into its group now, and out of `before`. Returns the group; kNone: not
  /// known.
  int enter(int pid, int before);
  void leave(int group) noexcept;
  /// Reads every group with enough members.
  void look();
  /// True unless the group is known to have used nothing between the last two looks.
  bool moved(int group) const noexcept {
    return group == kNone || groups_[static_cast<std::size_t>(group)].moved;
  }
  std::size_t open_files() const noexcept { return open_; }

 private:
  struct Group {
    std::string path;
    PinnedFile usage;
    std::int64_t usage_ns = -1;
    std::size_t members = 0;
    bool moved = true;
  };

  std::string procfs_root_, point_, root_;  // empty point: no cgroup v2 here
  std::vector<Group> groups_;               // never shrinks: paths come back
  std::unordered_map<std::string, int> index_;
  std::vector<char> buffer_ = std::vector<char>(4096);
  std::size_t open_ = 0;
};

}  // namespace carnot::meter
