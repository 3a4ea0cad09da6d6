// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "carnot/base/error.hpp"
#include "carnot/meter/processes/processes.hpp"

#include "meter/processes/guard.hpp"
#include "meter/processes/job_group.hpp"
#include "meter/processes/job_tree.hpp"
#include "meter/processes/process_reader.hpp"

namespace carnot::meter {

namespace {

constexpr std::array<std::string_view, 5> kMethods = {"cgroup v2", "cgroup v1", "tree", "pid",
                                                      "cgroup"};
constexpr std::array<std::string_view, 4> kOutcomes = {"finished", "failed", "killed", "detached"};
/// Time a `sample` may spend on the processes of a tree.
constexpr std::int64_t kBudgetNs = 16'000;
/// Resident sizes in /proc lag behind by a few pages a CPU.
constexpr std::uint64_t kRssMarginB = std::uint64_t{1} << 20;

}  // namespace

std::string_view name(JobMethod method) noexcept {
  return kMethods[static_cast<std::size_t>(method)];
}

std::string_view name(JobOutcome outcome) noexcept {
  return kOutcomes[static_cast<std::size_t>(outcome)];
}

struct Job::Implementation {
  explicit Implementation(const JobOptions& options) : reader(options.procfs_root) {}
  ~Implementation() {
    if (attached_pidfd >= 0) ::close(attached_pidfd);
    if (guard) guard->cancel();
    close_group();
  }
  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;

  void start(const JobOptions& options);
  void attach_pid(int pid, bool from_start);
  void attach_group(const std::string& folder, bool from_start);
  void advance_tree(std::int64_t budget_ns);
  void read_group();
  void read_command();
  /// What the guard says last of processes that ended goes over what was seen of them.
  void settle_ended();
  void close_group();
  bool ended();

  ProcessReader reader;
  JobMethod method = JobMethod::Tree;
  std::optional<Guard> guard;
  std::optional<JobGroup> group;
  std::optional<ProcessTree> tree;
  PinnedFile io, stat;  // of the command
  std::string folder;
  int pid = 0, attached_pidfd = -1;
  std::int64_t group_before_ns = 0;
  BlockTraffic traffic_before;
  std::uint64_t copy_rss_b = 0;  // of the command before its exec
  bool released = false, has_ended = false;
  JobUse use;
  std::vector<int> pids;
  std::vector<ProcessUse> rows, previous, ended_rows;
};

void Job::Implementation::start(const JobOptions& options) {
  const auto wanted = [&](JobMethod candidate) {
    return !options.method || *options.method == candidate;
  };
  if (options.method && *options.method > JobMethod::Tree) {
    throw InputError("a command is measured by cgroup v2, cgroup v1 or tree, not by " +
                     std::string(name(*options.method)));
  }
  for (const JobMethod version : {JobMethod::CgroupV2, JobMethod::CgroupV1}) {
    if (group || !wanted(version)) continue;
    group =
        JobGroup::make(version == JobMethod::CgroupV2, options.procfs_root, options.cgroup_root);
    if (group) method = version;
  }
  const int folder_fd =
      group && group->v2() ? ::open(group->folder().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
  try {
    guard.emplace(options.command, folder_fd, group ? group->folder() : std::string{});
  } catch (...) {
    if (folder_fd >= 0) ::close(folder_fd);
    throw;
  }
  if (folder_fd >= 0) ::close(folder_fd);
  pid = guard->pid();
  if (group && !guard->in_group() && !group->add(pid)) {
    group->remove();
    group.reset();
  }
  if (!group) {
    method = JobMethod::Tree;
    tree.emplace(reader, pid, guard->guard_pid(), false, true);
  }
  if (!wanted(method)) {
    throw InputError("no " + std::string(name(*options.method)) +
                     " group can be made here: none is mounted, or it may not be written");
  }
  io = PinnedFile(reader.root() + "/" + std::to_string(pid) + "/io");
  stat = reader.open_stat(pid);
  ProcessUse copy;
  if (stat.is_open() && reader.read(stat, copy)) copy_rss_b = copy.rss_b;
}

void Job::Implementation::attach_pid(int process, bool from_start) {
  ProcessUse there;
  if (!reader.read(process, there)) {
    throw InputError("no such process: " + std::to_string(process));
  }
  method = JobMethod::Pid;
  pid = process;
  tree.emplace(reader, pid, 0, true, from_start);
  io = PinnedFile(reader.root() + "/" + std::to_string(pid) + "/io");
#ifdef SYS_pidfd_open
  if (reader.live()) attached_pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U));
#endif
  std::array<char, 512> buffer;
  if (!from_start && io.is_open()) parse_process_io(io.read(buffer), traffic_before);
}

void Job::Implementation::attach_group(const std::string& path, bool from_start) {
  group = JobGroup::attach(path);
  method = JobMethod::Cgroup;
  if (from_start) return;
  group->cpu_ns(group_before_ns);
  group->traffic(traffic_before);
}

void Job::Implementation::advance_tree(std::int64_t budget_ns) {
  tree->advance(budget_ns, [this] { return guard ? guard->reaped().cpu_ns : 0; });
  use.cpu_ns = std::max(use.cpu_ns, tree->cpu_ns());
  if (released || !guard) use.peak_rss_b = std::max(use.peak_rss_b, tree->peak_rss_b());
}

void Job::Implementation::read_group() {
  std::int64_t now = 0;
  if (group->cpu_ns(now)) use.cpu_ns = std::max(use.cpu_ns, now - group_before_ns);
  use.peak_rss_b = std::max(use.peak_rss_b, group->peak_memory_b());
}

void Job::Implementation::read_command() {
  // What was reaped is asked first: who lives after that is not in it.
  const Reaped reaped = guard ? guard->reaped() : Reaped{};
  ProcessUse command;
  if (group && released && stat.is_open() && reader.read(stat, command)) {
    use.peak_rss_b = std::max(use.peak_rss_b, command.rss_b);
  }
  // A peak below what the command was as a copy of the caller, before its exec, may be that copy's.
  if (reaped.peak_rss_b > copy_rss_b + kRssMarginB || (has_ended && use.peak_rss_b == 0)) {
    use.peak_rss_b = std::max(use.peak_rss_b, reaped.peak_rss_b);
  }
  // Bytes: the group's if it counts them, else what was reaped and, while it lives, the command's.
  BlockTraffic bytes;
  if (!group || !group->traffic(bytes)) {
    std::array<char, 512> buffer;
    if (io.is_open()) parse_process_io(io.read(buffer), bytes);
    bytes.read_b += reaped.read_b;
    bytes.write_b += reaped.write_b;
  }
  const auto raise = [](std::uint64_t& most, std::uint64_t now, std::uint64_t before) {
    if (now > before) most = std::max(most, now - before);
  };
  raise(use.disk_read_b, bytes.read_b, traffic_before.read_b);
  raise(use.disk_write_b, bytes.write_b, traffic_before.write_b);
}

void Job::Implementation::settle_ended() {
  for (ProcessUse& ended : ended_rows) {
    const auto same = [&](const ProcessUse& row) {
      return row.pid == ended.pid && row.start_ticks == ended.start_ticks;
    };
    const auto row = std::find_if(rows.begin(), rows.end(), same);
    if (row == rows.end()) {
      rows.push_back(std::move(ended));
    } else {
      row->name = std::move(ended.name);  // exec renames
      row->cpu_ns = std::max(row->cpu_ns, ended.cpu_ns);
      row->alive = false;
    }
  }
}

void Job::Implementation::close_group() {
  if (!group || group->remove()) return;
  // Descendants live on in it.
  if (guard) guard->leave();
}

bool Job::Implementation::ended() {
  if (has_ended) return true;
  if (guard) {
    has_ended = guard->ended();
  } else if (attached_pidfd >= 0) {
    pollfd dead{attached_pidfd, POLLIN, 0};
    has_ended = ::poll(&dead, 1, 0) == 1;
  } else if (group) {
    has_ended = !group->populated();
  } else {
    ProcessUse there;
    has_ended = !reader.read(pid, there);
  }
  return has_ended;
}

Job::Job(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
Job::Job(Job&&) noexcept = default;
Job& Job::operator=(Job&&) noexcept = default;
Job::~Job() = default;

Job Job::open(const JobOptions& options) {
  auto made = std::make_unique<Implementation>(options);
  if (!options.command.empty()) {
    made->start(options);
  } else if (options.pid > 0) {
    made->attach_pid(options.pid, options.from_start);
  } else if (!options.cgroup.empty()) {
    made->attach_group(options.cgroup, options.from_start);
  } else {
    throw InputError("a job is a command, a pid or a cgroup; none was given");
  }
  if (made->group) made->folder = made->group->folder();
  return Job(std::move(made));
}

void Job::release() {
  if (implementation_->guard) implementation_->guard->release();
  implementation_->released = true;
}
JobMethod Job::method() const noexcept { return implementation_->method; }
int Job::pid() const noexcept { return implementation_->pid; }
int Job::wait_fd() const noexcept {
  return implementation_->guard ? implementation_->guard->pidfd() : implementation_->attached_pidfd;
}
const std::string& Job::cgroup() const noexcept { return implementation_->folder; }

JobUse Job::sample() {
  Implementation& self = *implementation_;
  if (self.tree) {
    self.advance_tree(kBudgetNs);
  } else {
    self.read_group();
  }
  self.read_command();
  self.use.running = !self.has_ended;
  return self.use;
}

std::span<const ProcessUse> Job::processes() {
  Implementation& self = *implementation_;
  // Asked first: whoever was reaped by now is not met among the living.
  self.ended_rows.clear();
  if (self.guard) self.guard->take_ended(self.ended_rows);
  if (self.tree) {
    self.advance_tree(0);
    self.tree->rows(self.rows);
    self.settle_ended();
    return self.rows;
  }
  std::swap(self.rows, self.previous);
  self.rows.clear();
  self.group->processes(self.pids);
  for (const int pid : self.pids) {
    ProcessUse process;
    if (!self.reader.read(pid, process)) continue;
    if (self.released) self.use.peak_rss_b = std::max(self.use.peak_rss_b, process.rss_b);
    self.rows.push_back(std::move(process));
  }
  const std::size_t living = self.rows.size();
  for (ProcessUse& before : self.previous) {
    if (!before.alive) continue;
    const auto now = std::lower_bound(
        self.rows.begin(), self.rows.begin() + static_cast<std::ptrdiff_t>(living), before.pid,
        [](const ProcessUse& process, int pid) { return process.pid < pid; });
    const bool still = now != self.rows.begin() + static_cast<std::ptrdiff_t>(living) &&
                       now->pid == before.pid && now->start_ticks == before.start_ticks;
    if (still) continue;
    before.alive = false;
    self.rows.push_back(std::move(before));
  }
  self.settle_ended();
  return self.rows;
}

bool Job::ended() { return implementation_->ended(); }

JobOutcome Job::outcome() const noexcept {
  const Implementation& self = *implementation_;
  if (!self.has_ended) return JobOutcome::Detached;
  if (!self.guard) return JobOutcome::Finished;
  const int status = self.guard->wait_status();
  if (WIFSIGNALED(status)) return JobOutcome::Killed;
  return WEXITSTATUS(status) == 0 ? JobOutcome::Finished : JobOutcome::Failed;
}

int Job::exit_code() const noexcept {
  const Implementation& self = *implementation_;
  if (!self.has_ended || !self.guard) return 0;
  const int status = self.guard->wait_status();
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

JobUse Job::finish() {
  Implementation& self = *implementation_;
  self.ended();
  if (self.tree) self.advance_tree(0);
  const JobUse last = sample();
  self.close_group();
  return last;
}

}  // namespace carnot::meter
