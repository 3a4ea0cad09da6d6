// SPDX-License-Identifier: Apache-2.0
#include "carnot/meter/processes/control_groups.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

namespace carnot::meter {

namespace {

namespace fs = std::filesystem;

/// `usage_usec` of a group's cpu.stat in nanoseconds; -1: none.
std::int64_t usage_ns(const fs::path& group) {
  std::ifstream file(group / "cpu.stat");
  std::string key;
  std::int64_t value = 0;
  while (file >> key >> value) {
    if (key == "usage_usec") return value * 1000;
  }
  return -1;
}

void collect(const fs::path& root, const fs::path& group, int depth, std::size_t most,
             std::vector<std::pair<std::string, std::int64_t>>& out) {
  std::error_code ignored;
  std::vector<fs::path> below;
  for (fs::directory_iterator at(group, fs::directory_options::skip_permission_denied, ignored),
       end;
       at != end; at.increment(ignored)) {
    if (at->is_directory(ignored) && !at->is_symlink(ignored)) below.push_back(at->path());
  }
  std::sort(below.begin(), below.end());
  for (const fs::path& path : below) {
    if (out.size() >= most) return;
    const std::int64_t ns = usage_ns(path);
    if (ns < 0) continue;
    out.emplace_back("/" + path.lexically_relative(root).string(), ns);
    if (depth > 1) collect(root, path, depth - 1, most, out);
  }
}

}  // namespace

std::vector<std::pair<std::string, std::int64_t>> control_group_use(const std::string& root,
                                                                    int depth, std::size_t most) {
  std::error_code ignored;
  for (const fs::path& mounted : {fs::path(root), fs::path(root) / "unified"}) {
    if (!fs::exists(mounted / "cgroup.controllers", ignored)) continue;
    std::vector<std::pair<std::string, std::int64_t>> out;
    collect(mounted, mounted, depth, most, out);
    return out;
  }
  return {};
}

}  // namespace carnot::meter
