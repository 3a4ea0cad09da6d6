// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <unordered_map>

#include <sys/resource.h>

#include "carnot/base/error.hpp"
#include "carnot/meter/processes/processes.hpp"

#include "meter/processes/group_watch.hpp"
#include "meter/processes/process_reader.hpp"

namespace carnot::meter {

namespace {

/// Every so many sweeps all processes are asked, whatever their groups say: for those moved to
/// another group, and zombies, whose end uses the CPU time of another.
constexpr std::uint64_t kFullEvery = 16;
/// Files left for the rest of the program.
constexpr std::size_t kSpareFiles = 256;

/// Raises the limit of open files to what is permitted; returns it.
std::size_t raise_file_limit() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  if (limit.rlim_cur < limit.rlim_max) {
    rlimit raised = limit;
    raised.rlim_cur = raised.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  return static_cast<std::size_t>(limit.rlim_cur);
}

}  // namespace

struct ProcessTable::Implementation {
  /// Beside each row of `rows`.
  struct Watch {
    PinnedFile stat;           // open once the process was seen using CPU time
    std::int64_t stat_cpu_ns;  // when its stat was last read
    int group = GroupWatch::kNone;
  };

  explicit Implementation(const std::string& procfs_root)
      : reader(procfs_root), new_pids(reader), groups(reader), most_files(raise_file_limit()) {
    stat = PinnedFile(procfs_root + "/stat");
    std::uint64_t greatest = 0;
    PinnedFile limit(procfs_root + "/sys/kernel/pid_max");
    if (limit.is_open() && limit.read_integer(greatest)) pid_max = greatest;
  }

  void forget_ended();
  void meet_new();
  void meet_listed(bool also_known);
  void meet(int pid, bool locate);
  void ask(std::size_t row);
  void end(std::size_t row);
  bool went_round();

  ProcessReader reader;
  NewPids new_pids;
  GroupWatch groups;
  PinnedFile stat;
  std::size_t most_files, pinned = 0;
  std::uint64_t pid_max = 0, forks = 0, sweeps = 0;
  std::vector<ProcessUse> rows;
  std::vector<Watch> watches;
  std::unordered_map<int, std::size_t> index;  // of those alive
  std::vector<int> listed;
  std::vector<char> buffer = std::vector<char>(std::size_t{1} << 16);
  bool any_ended = false;
};

void ProcessTable::Implementation::forget_ended() {
  if (!any_ended) return;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!rows[i].alive) continue;
    if (kept != i) {
      rows[kept] = std::move(rows[i]);
      watches[kept] = std::move(watches[i]);
      index[rows[kept].pid] = kept;
    }
    ++kept;
  }
  rows.resize(kept);
  watches.resize(kept);
  any_ended = false;
}

void ProcessTable::Implementation::end(std::size_t row) {
  rows[row].alive = false;
  any_ended = true;
  if (watches[row].stat.is_open()) {
    watches[row].stat = PinnedFile{};
    --pinned;
  }
  groups.leave(watches[row].group);
  watches[row].group = GroupWatch::kNone;
  index.erase(rows[row].pid);
}

bool ProcessTable::Implementation::went_round() {
  // More forks than pids since the last sweep: any pid may have been given out again.
  MachineUse use;
  std::uint64_t now = 0;
  if (!stat.is_open() || !parse_machine_stat(read_whole(stat.fd(), buffer), use, now)) return true;
  const bool round = now - forks >= pid_max / 2;
  forks = now;
  return round;
}

void ProcessTable::Implementation::meet_listed(bool also_known) {
  reader.list(listed);
  for (const int pid : listed) {
    if (also_known || !index.contains(pid)) meet(pid, false);
  }
}

void ProcessTable::Implementation::meet_new() {
  const bool round = went_round();
  if (round || sweeps == 0 || !new_pids.begin()) return meet_listed(round && reader.live());
  while (const int pid = new_pids.next()) {
    std::int64_t cpu_ns = 0;
    if (reader.cpu(pid, cpu_ns)) meet(pid, true);
  }
}

void ProcessTable::Implementation::meet(int pid, bool locate) {
  ProcessUse process;
  if (!reader.read(pid, process)) return;
  const auto known = index.find(pid);
  if (known != index.end() && rows[known->second].start_ticks == process.start_ticks) {
    Watch& watch = watches[known->second];
    // Many are moved to their group soon after they start.
    if (locate) watch.group = groups.enter(pid, watch.group);
    watch.stat_cpu_ns = process.cpu_ns;
    rows[known->second] = std::move(process);
    return;
  }
  if (known != index.end()) end(known->second);  // its pid was given out again
  index.emplace(pid, rows.size());
  watches.push_back(
      {.stat = {}, .stat_cpu_ns = process.cpu_ns, .group = groups.enter(pid, GroupWatch::kNone)});
  rows.push_back(std::move(process));
}

void ProcessTable::Implementation::ask(std::size_t row) {
  Watch& watch = watches[row];
  std::int64_t cpu_ns = 0;
  if (reader.live()) {
    if (!reader.cpu(rows[row].pid, cpu_ns)) return end(row);
    if (cpu_ns == watch.stat_cpu_ns) return;  // nothing else can have changed but its parent
    if (!watch.stat.is_open() && pinned + groups.open_files() + kSpareFiles < most_files) {
      watch.stat = reader.open_stat(rows[row].pid);
      if (watch.stat.is_open()) ++pinned;
    }
  }
  ProcessUse now;
  const bool there =
      watch.stat.is_open() ? reader.read(watch.stat, now) : reader.read(rows[row].pid, now);
  if (!there || now.start_ticks != rows[row].start_ticks) return end(row);
  watch.stat_cpu_ns = now.cpu_ns;
  std::swap(rows[row], now);
}

ProcessTable::ProcessTable(const std::string& procfs_root)
    : implementation_(std::make_unique<Implementation>(procfs_root)) {}
ProcessTable::~ProcessTable() = default;
ProcessTable::ProcessTable(ProcessTable&&) noexcept = default;
ProcessTable& ProcessTable::operator=(ProcessTable&&) noexcept = default;

void ProcessTable::sweep() {
  Implementation& self = *implementation_;
  self.forget_ended();
  self.groups.look();
  const std::size_t known = self.rows.size();
  const bool full = self.sweeps % kFullEvery == 0;
  for (std::size_t row = 0; row < known; ++row) {
    if (full || self.groups.moved(self.watches[row].group)) self.ask(row);
  }
  self.meet_new();
  ++self.sweeps;
}

const std::vector<ProcessUse>& ProcessTable::processes() const noexcept {
  return implementation_->rows;
}

}  // namespace carnot::meter
