// SPDX-License-Identifier: Apache-2.0
// freezer and quota: control groups.
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "live/local/actuators.hpp"

namespace carnot::live {

namespace {

constexpr const char* kDelegated =
    "root, or a group of one's own: systemd-run --user --scope -p Delegate=yes carnot run ...";

bool has_word(const std::string& list, const std::string& word) {
  std::istringstream words(list);
  for (std::string one; std::getline(words, one, ',');) {
    if (one == word) return true;
  }
  return false;
}

/// A file that is written over and over.
class WrittenFile {
 public:
  explicit WrittenFile(const std::string& path)
      : path_(path), fd_(::open(path.c_str(), O_WRONLY | O_CLOEXEC)) {
    struct stat info {};
    plain_ = fd_ >= 0 && ::fstat(fd_, &info) == 0 && info.st_size > 0;
  }
  WrittenFile(WrittenFile&& other) noexcept
      : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)), plain_(other.plain_) {}
  ~WrittenFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  const std::string& path() const noexcept { return path_; }
  /// \returns 0 or an errno
  int write(std::string_view text) const noexcept {
    if (fd_ < 0) return EACCES;
    if (plain_ && ::ftruncate(fd_, 0) != 0) return errno;
    const ssize_t n = ::pwrite(fd_, text.data(), text.size(), 0);
    return n == static_cast<ssize_t>(text.size()) ? 0 : n < 0 ? errno : EIO;
  }

 private:
  std::string path_;
  int fd_;
  bool plain_ = false;  // has a size, as those of the kernel have not
};

class Freezer final : public Actuator {
 public:
  Freezer(ActuatorInfo info, const std::string& file, std::string_view frozen,
          std::string_view thawed)
      : Actuator(std::move(info)), file_(file), frozen_(frozen), thawed_(thawed) {}

  void apply(const Order& order) noexcept override {
    if (order.run == running_) return;
    running_ = order.run;
    changed(file_.write(running_ ? thawed_ : frozen_), file_.path());
  }

 private:
  WrittenFile file_;
  std::string_view frozen_, thawed_;
  bool running_ = true;
};

/// CPU seconds a second, as a quota in each period of 20 ms; written when it changes by 2 % or more
/// (writing refills what the kernel has given out of it). The kernel's least is 1 ms: whoever may
/// have less does not run, which takes a switch beside.
class Quota final : public Actuator {
 public:
  Quota(ActuatorInfo info, const std::string& file, bool v2)
      : Actuator(std::move(info)), file_(file), v2_(v2) {}

  static constexpr long kPeriodUs = 20'000, kLeastUs = 1'000;

  void apply(const Order& order) noexcept override {
    const bool free = std::isinf(order.cpus);
    const long quota = free ? -1
                            : std::max(kLeastUs, std::lround(std::min(order.cpus, 1e5) *
                                                             static_cast<double>(kPeriodUs)));
    if (quota == quota_) return;
    if (!free && quota_ > 0 && std::labs(quota - quota_) * 50 < quota_) return;
    try {
      const std::string text =
          v2_ ? free ? fmt::format("max {}", kPeriodUs) : fmt::format("{} {}", quota, kPeriodUs)
              : fmt::format("{}", quota);
      const int error = file_.write(text);
      if (error == 0) quota_ = quota;
      changed(error, file_.path());
    } catch (const std::exception&) {
      changed(ENOMEM, "quota");
    }
  }

 private:
  WrittenFile file_;
  bool v2_;
  long quota_ = -1;
};

}  // namespace

std::string read_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

bool may_write(const std::string& path) noexcept { return ::access(path.c_str(), W_OK) == 0; }

std::string own_group_v1(const ActuatorOptions& options, const std::string& controller) {
  // 34 31 0:31 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu
  std::string point, root, own;
  std::ifstream mounts(options.procfs_root + "/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    const std::size_t dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    std::istringstream first(line.substr(0, dash)), second(line.substr(dash + 3));
    std::string skip, at_root, at_point, type, source, super;
    first >> skip >> skip >> skip >> at_root >> at_point;
    second >> type >> source >> super;
    if (type != "cgroup" || !has_word(super, controller)) continue;
    if (!at_point.starts_with(options.cgroup_root)) continue;
    root = at_root;
    point = at_point;
    break;
  }
  if (point.empty()) return {};
  std::ifstream membership(options.procfs_root + "/self/cgroup");
  for (std::string line; std::getline(membership, line);) {
    const std::size_t one = line.find(':'), two = line.find(':', one + 1);
    if (two == std::string::npos || !has_word(line.substr(one + 1, two - one - 1), controller))
      continue;
    own = line.substr(two + 1);
  }
  if (own.empty()) return {};
  if (root != "/") {
    if (own != root && !own.starts_with(root + "/")) return {};
    own = own.substr(root.size());
  }
  return own == "/" || own.empty() ? point : point + own;
}

std::string make_group_v1(const ActuatorSite& site, const std::string& own, std::string& why) {
  static std::atomic<unsigned> count{0};
  const std::string folder = fmt::format("{}/carnot-{}-{}", own, ::getpid(), count.fetch_add(1));
  if (::mkdir(folder.c_str(), 0755) != 0) {
    why = fmt::format("no group can be made in {}: {}", own, std::strerror(errno));
    return {};
  }
  site.restorer->remember_group(folder);
  for (const meter::ProcessUse& process : site.job->processes()) {
    if (!process.alive) continue;
    const int error = put((folder + "/cgroup.procs").c_str(), std::to_string(process.pid).c_str());
    if (error == 0 || error == ESRCH) continue;
    why = fmt::format("process {} may not be moved into {}: {}", process.pid, folder,
                      std::strerror(error));
    ::rmdir(folder.c_str());
    return {};
  }
  return folder;
}

std::unique_ptr<Actuator> make_freezer(const ActuatorSite& site, ActuatorInfo& info) {
  // A group that was attached to is somebody else's, but may be frozen; a process alone has none.
  const bool pid = site.job != nullptr && site.job->method() == meter::JobMethod::Pid;
  const std::string group = site.job != nullptr ? site.job->cgroup() : std::string{};
  if (!group.empty() && may_write(group + "/cgroup.freeze")) {
    info.available = true;
    info.how = "cgroup v2 cgroup.freeze";
    if (site.restorer == nullptr) return nullptr;
    const std::string file = group + "/cgroup.freeze";
    const std::string found = read_line(file);
    site.restorer->remember_file(file, found.empty() ? "0" : found);
    return std::make_unique<Freezer>(info, file, "1", "0");
  }
  if (pid) {
    info.why = "a process that runs already stays in its control group";
    info.remedy = "a command that is started by carnot";
    return nullptr;
  }
  const std::string own = own_group_v1(site.options, "freezer");
  if (own.empty() || !may_write(own)) {
    // Looked at without a job: one made in the v2 hierarchy may be frozen.
    const std::string v2 = site.options.cgroup_root;
    for (const std::string& root : {v2, v2 + "/unified"}) {
      if (site.job == nullptr && may_write(root + "/cgroup.procs")) {
        info.available = true;
        info.how = "cgroup v2 cgroup.freeze";
        return nullptr;
      }
    }
    info.why = own.empty() ? "no control group of the job's own can be made here"
                           : own + " may not be written";
    info.remedy = kDelegated;
    return nullptr;
  }
  info.available = true;
  info.how = "cgroup v1 freezer";
  if (site.restorer == nullptr) return nullptr;
  const std::string folder = make_group_v1(site, own, info.why);
  info.available = !folder.empty();
  if (folder.empty()) return nullptr;
  const std::string file = folder + "/freezer.state";
  site.restorer->remember_file(file, "THAWED");
  return std::make_unique<Freezer>(info, file, "FROZEN", "THAWED");
}

std::unique_ptr<Actuator> make_quota(const ActuatorSite& site, ActuatorInfo& info) {
  const bool pid = site.job != nullptr && site.job->method() == meter::JobMethod::Pid;
  const std::string group = site.job != nullptr ? site.job->cgroup() : std::string{};
  if (!group.empty() && may_write(group + "/cpu.max")) {
    info.available = true;
    info.how = "cgroup v2 cpu.max";
    if (site.restorer == nullptr) return nullptr;
    const std::string file = group + "/cpu.max";
    const std::string found = read_line(file);
    site.restorer->remember_file(file, found.empty() ? "max 100000" : found);
    return std::make_unique<Quota>(info, file, true);
  }
  if (pid) {
    info.why = "a process that runs already stays in its control group";
    info.remedy = "a command that is started by carnot";
    return nullptr;
  }
  const std::string own = own_group_v1(site.options, "cpu");
  if (own.empty() || !may_write(own)) {
    info.why =
        own.empty() ? "the cpu controller is not given to this group" : own + " may not be written";
    info.remedy = kDelegated;
    return nullptr;
  }
  info.available = true;
  info.how = "cgroup v1 cpu.cfs_quota_us";
  if (site.restorer == nullptr) return nullptr;
  const std::string folder = make_group_v1(site, own, info.why);
  info.available = !folder.empty();
  if (folder.empty()) return nullptr;
  for (const char* file : {"/cpu.cfs_period_us", "/cpu.cfs_quota_us"}) {
    const std::string found = read_line(folder + file);
    site.restorer->remember_file(folder + file, found.empty() ? "-1" : found);
  }
  put((folder + "/cpu.cfs_period_us").c_str(), std::to_string(Quota::kPeriodUs).c_str());
  return std::make_unique<Quota>(info, folder + "/cpu.cfs_quota_us", false);
}

}  // namespace carnot::live
