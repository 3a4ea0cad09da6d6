// SPDX-License-Identifier: Apache-2.0
#include "meter/processes/job_group.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"

#include "meter/counters/plain_text.hpp"

namespace carnot::meter {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "carnot-";
constexpr double kLeftoverSeconds = 60;

/// The caller's own group in a mounted hierarchy; empty: not visible there.
std::string own_folder(const CgroupMount& mount, const std::string& membership) {
  const std::string path =
      parse_membership(membership, mount.v2 ? std::string_view{} : std::string_view("cpuacct"));
  if (path.empty()) return {};
  if (mount.root == "/") return path == "/" ? mount.point : mount.point + path;
  if (path == mount.root) return mount.point;
  return path.starts_with(mount.root + "/") ? mount.point + path.substr(mount.root.size())
                                            : std::string{};
}

/// Folders of `top` and all below it, deepest last.
std::vector<std::string> groups_below(const std::string& top) {
  std::vector<std::string> folders = {top};
  for (std::size_t i = 0; i < folders.size(); ++i) {
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(folders[i], none)) {
      if (entry.is_directory(none) && !entry.is_symlink(none)) folders.push_back(entry.path());
    }
  }
  return folders;
}

/// The pid in "carnot-PID-NUMBER"; empty: not a name of ours.
std::optional<std::uint64_t> maker_of(std::string_view folder_name) {
  if (!folder_name.starts_with(kPrefix)) return std::nullopt;
  folder_name.remove_prefix(kPrefix.size());
  const std::size_t dash = std::min(folder_name.find('-'), folder_name.size());
  std::uint64_t pid = 0, number = 0;
  const bool ours = dash < folder_name.size() && parse_decimal(folder_name.substr(0, dash), pid) &&
                    parse_decimal(folder_name.substr(dash + 1), number);
  return ours ? std::optional(pid) : std::nullopt;
}

/// Seconds since the folder was last changed; negative: it cannot be told.
double age_s(const std::string& folder) {
  struct stat info {};
  timespec now{};
  if (::stat(folder.c_str(), &info) != 0 || ::clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
  return static_cast<double>(now.tv_sec - info.st_mtim.tv_sec);
}

}  // namespace

void JobGroup::remove_leftovers(const std::string& above, const std::string& procfs_root) {
  std::error_code none;
  std::vector<std::string> leftovers;
  for (const auto& entry : fs::directory_iterator(above, none)) {
    const auto maker = maker_of(entry.path().filename().string());
    if (!maker || entry.is_symlink(none) || !entry.is_directory(none)) continue;
    if (fs::exists(procfs_root + "/" + std::to_string(*maker), none)) continue;
    // Its maker may be of another pid namespace and about to fill it.
    if (age_s(entry.path().string()) < kLeftoverSeconds) continue;
    leftovers.push_back(entry.path().string());
  }
  for (const std::string& folder : leftovers) {
    JobGroup group(folder, false);
    if (std::vector<int> pids; group.processes(pids), pids.empty()) group.remove();
  }
}

JobGroup::JobGroup(std::string folder, bool v2)
    : folder_(std::move(folder)),
      v2_(v2),
      cpu_(folder_ + (v2 ? "/cpu.stat" : "/cpuacct.usage")),
      memory_(folder_ + (v2 ? "/memory.peak" : "/memory.max_usage_in_bytes")),
      io_(folder_ + "/io.stat"),
      events_(folder_ + "/cgroup.events") {}

std::optional<JobGroup> JobGroup::make(bool v2, const std::string& procfs_root,
                                       const std::string& cgroup_root) {
  static std::atomic<unsigned> count{0};
  std::string mounts, membership;
  try {
    mounts = read_file(procfs_root + "/self/mountinfo");
    membership = read_file(procfs_root + "/self/cgroup");
  } catch (const IoError&) {
    return std::nullopt;
  }
  for (const CgroupMount& mount : parse_mountinfo(mounts)) {
    if (mount.v2 != v2 || (!v2 && !mount.cpuacct) || !mount.point.starts_with(cgroup_root))
      continue;
    const std::string own = own_folder(mount, membership);
    if (own.empty()) continue;
    remove_leftovers(own, procfs_root);
    const std::string folder = own + "/" + std::string(kPrefix) + std::to_string(::getpid()) + "-" +
                               std::to_string(count.fetch_add(1));
    if (::mkdir(folder.c_str(), 0755) != 0) continue;
    JobGroup group(folder, v2);
    std::int64_t ns = 0;
    if (group.cpu_ns(ns)) return group;
    ::rmdir(folder.c_str());
  }
  return std::nullopt;
}

JobGroup JobGroup::attach(const std::string& folder) {
  for (const bool v2 : {true, false}) {
    JobGroup group(folder, v2);
    std::int64_t ns = 0;
    if (group.cpu_ns(ns)) return group;
  }
  std::error_code none;
  throw InputError(fs::is_directory(folder, none)
                       ? "no cpu.stat or cpuacct.usage that can be read in `" + folder + "`"
                       : "no such control group: `" + folder + "`");
}

bool JobGroup::add(int pid) const noexcept {
  const int fd = ::open((folder_ + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const std::string text = std::to_string(pid);
  const ssize_t n = ::write(fd, text.data(), text.size());
  ::close(fd);
  return n == static_cast<ssize_t>(text.size());
}

bool JobGroup::cpu_ns(std::int64_t& ns) noexcept {
  if (!cpu_.is_open()) return false;
  if (v2_) return parse_cpu_stat(cpu_.read(buffer_), ns);
  std::uint64_t value = 0;
  if (!cpu_.read_integer(value)) return false;
  ns = static_cast<std::int64_t>(value);
  return true;
}

std::uint64_t JobGroup::peak_memory_b() noexcept {
  std::uint64_t value = 0;
  return memory_.is_open() && memory_.read_integer(value) ? value : 0;
}

bool JobGroup::traffic(BlockTraffic& into) noexcept {
  if (!io_.is_open()) return false;
  into = parse_io_stat(io_.read(buffer_));
  return io_.error() == 0;
}

void JobGroup::processes(std::vector<int>& pids) const {
  pids.clear();
  for (const std::string& folder : groups_below(folder_)) {
    std::string text;
    try {
      text = read_file(folder + "/cgroup.procs");
    } catch (const IoError&) {
      continue;  // gone meanwhile
    }
    std::string_view rest = text, line;
    std::uint64_t pid = 0;
    while (take_line(rest, line)) {
      if (take_number(line, pid)) pids.push_back(static_cast<int>(pid));
    }
  }
  std::sort(pids.begin(), pids.end());
}

bool JobGroup::populated() {
  if (events_.is_open()) {
    // "populated 1", for the group and all below; a group that is gone says nothing.
    return events_.read(buffer_).find("populated 1") != std::string_view::npos;
  }
  std::vector<int> pids;
  processes(pids);
  return !pids.empty();
}

bool JobGroup::remove() const noexcept {
  if (!fs::path(folder_).filename().string().starts_with(kPrefix)) return true;
  const std::vector<std::string> folders = groups_below(folder_);
  bool gone = true;
  for (auto folder = folders.rbegin(); folder != folders.rend(); ++folder) {
    gone = (::rmdir(folder->c_str()) == 0 || errno == ENOENT) && gone;
  }
  return gone;
}

}  // namespace carnot::meter
