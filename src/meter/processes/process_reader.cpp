// SPDX-License-Identifier: Apache-2.0
#include "meter/processes/process_reader.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <limits>

#include <dirent.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "meter/counters/plain_text.hpp"

namespace carnot::meter {

namespace {

/// Clock of another process's CPU time, as clock_getcpuclockid(3) makes it, without its check.
clockid_t cpu_clock(int pid) noexcept {
  constexpr unsigned kScheduler = 2;  // CPUCLOCK_SCHED, whole thread group
  return static_cast<clockid_t>((~static_cast<unsigned>(pid) << 3) | kScheduler);
}

bool is_own_proc(const std::string& root) noexcept {
  struct statfs info {};
  if (::statfs(root.c_str(), &info) != 0 || info.f_type != PROC_SUPER_MAGIC) return false;
  std::array<char, 16> target{};
  const ssize_t n = ::readlink((root + "/self").c_str(), target.data(), target.size());
  std::uint64_t pid = 0;
  return n > 0 && parse_decimal({target.data(), static_cast<std::size_t>(n)}, pid) &&
         pid == static_cast<std::uint64_t>(::getpid());
}

std::string_view decimal(int pid, std::array<char, 32>& buffer) noexcept {
  char* end = buffer.data() + buffer.size();
  char* begin = end;
  for (; pid > 0; pid /= 10) *--begin = static_cast<char>('0' + pid % 10);
  return {begin, static_cast<std::size_t>(end - begin)};
}

}  // namespace

ProcessReader::ProcessReader(std::string procfs_root)
    : root_(std::move(procfs_root)), live_(is_own_proc(root_)) {
  page_b_ = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

bool process_cpu(int pid, std::int64_t& ns) noexcept {
  timespec time{};
  if (::clock_gettime(cpu_clock(pid), &time) != 0) return false;
  ns = std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
  return true;
}

std::string shown_name(std::string_view name) {
  std::string shown(name.substr(0, 64));
  std::replace_if(
      shown.begin(), shown.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return shown;
}

bool ProcessReader::cpu(int pid, std::int64_t& ns) const noexcept {
  return live_ && process_cpu(pid, ns);
}

PinnedFile ProcessReader::open_stat(int pid) const noexcept {
  std::array<char, 32> digits;
  std::string path;
  path.reserve(root_.size() + 24);
  path.append(root_).append("/").append(decimal(pid, digits)).append("/stat");
  return PinnedFile(path);
}

bool ProcessReader::read(int pid, ProcessUse& into) noexcept {
  PinnedFile file = open_stat(pid);
  return file.is_open() && read(file, into);
}

bool ProcessReader::read(PinnedFile& stat, ProcessUse& into) noexcept {
  ProcessStat found;
  if (!parse_process_stat(stat.read(buffer_), found)) return false;
  into.pid = found.pid;
  into.parent = found.parent;
  into.start_ticks = found.start_ticks;
  into.name = shown_name(found.name);
  if (!cpu(found.pid, into.cpu_ns)) into.cpu_ns = found.cpu_ns;
  into.children_cpu_ns = found.children_cpu_ns;
  into.rss_b = found.rss_pages * page_b_;
  into.alive = true;
  return true;
}

void ProcessReader::list(std::vector<int>& pids) const {
  pids.clear();
  DIR* folder = ::opendir(root_.c_str());
  if (folder == nullptr) return;
  while (const dirent* entry = ::readdir(folder)) {
    std::uint64_t pid = 0;
    if (parse_decimal(entry->d_name, pid) && pid > 0 && pid <= std::numeric_limits<int>::max()) {
      pids.push_back(static_cast<int>(pid));
    }
  }
  ::closedir(folder);
  std::sort(pids.begin(), pids.end());
}

NewPids::NewPids(const ProcessReader& reader) {
  if (!reader.live()) return;
  std::uint64_t greatest = 0;
  PinnedFile limit(reader.root() + "/sys/kernel/pid_max");
  if (!limit.is_open() || !limit.read_integer(greatest)) return;
  greatest_ = static_cast<int>(greatest);
  loadavg_ = PinnedFile(reader.root() + "/loadavg");
  std::array<char, 128> buffer;
  if (loadavg_.is_open()) at_ = end_ = previous_end_ = parse_last_pid(loadavg_.read(buffer));
}

bool NewPids::begin() noexcept {
  if (end_ == 0) return false;
  if (at_ != end_) return true;
  std::array<char, 128> buffer;
  const int last = parse_last_pid(loadavg_.read(buffer));
  if (last == 0) return false;
  at_ = previous_end_;
  previous_end_ = end_;
  end_ = last;
  return true;
}

int NewPids::next() noexcept {
  if (at_ == end_) return 0;
  at_ = at_ >= greatest_ ? 1 : at_ + 1;  // pids go round
  return at_;
}

}  // namespace carnot::meter
