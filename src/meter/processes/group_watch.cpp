// SPDX-License-Identifier: Apache-2.0
#include "meter/processes/group_watch.hpp"

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"

namespace carnot::meter {

GroupWatch::GroupWatch(const ProcessReader& reader) : procfs_root_(reader.root()) {
  std::string text;
  try {
    text = read_file(procfs_root_ + "/self/mountinfo");
  } catch (const IoError&) {
    return;
  }
  for (const CgroupMount& mount : parse_mountinfo(text)) {
    if (!mount.v2) continue;
    point_ = mount.point;
    root_ = mount.root == "/" ? "" : mount.root;
    return;
  }
}

int GroupWatch::enter(int pid, int before) {
  leave(before);
  if (point_.empty()) return kNone;
  PinnedFile file(procfs_root_ + "/" + std::to_string(pid) + "/cgroup");
  const std::string path =
      file.is_open() ? parse_membership(file.read(buffer_), "") : std::string{};
  // The root group's usage is counted in ticks: it may stand still while its processes do not.
  if (path.empty() || path == "/" || !path.starts_with(root_)) return kNone;
  const auto [entry, added] = index_.emplace(path, static_cast<int>(groups_.size()));
  if (added) groups_.push_back({.path = point_ + path.substr(root_.size()), .usage = {}});
  ++groups_[static_cast<std::size_t>(entry->second)].members;
  return entry->second;
}

void GroupWatch::leave(int group) noexcept {
  if (group != kNone) --groups_[static_cast<std::size_t>(group)].members;
}

void GroupWatch::look() {
  for (Group& group : groups_) {
    group.moved = true;
    if (group.members < kWorthwhile) {
      if (group.usage.is_open()) {
        group.usage = PinnedFile{};
        --open_;
      }
      group.usage_ns = -1;
      continue;
    }
    if (!group.usage.is_open()) {
      group.usage = PinnedFile(group.path + "/cpu.stat");
      if (group.usage.is_open()) ++open_;
    }
    std::int64_t usage_ns = 0;
    if (!group.usage.is_open() || !parse_cpu_stat(group.usage.read(buffer_), usage_ns)) {
      // Gone, or made anew under its name.
      if (group.usage.is_open()) --open_;
      group.usage = PinnedFile{};
      group.usage_ns = -1;
      continue;
    }
    group.moved = usage_ns != group.usage_ns;
    group.usage_ns = usage_ns;
  }
}

}  // namespace carnot::meter
