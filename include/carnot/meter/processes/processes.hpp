// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// CPU time, memory and I/O of processes, jobs and the whole machine.
///
/// A *job* is a command and everything it starts. Its CPU time comes from the best of
///   cgroup v2  `cpu.stat` usage_usec of a child group made for it (exact; needs no controller);
///   cgroup v1  `cpuacct.usage` of such a group;
///   tree       rusage of every descendant that was reaped + clocks of those alive
/// Each sees children of a few milliseconds that sampling /proc never meets. The whole machine is
/// /proc/stat. Files that are read again and again stay open (pread: 5 us against 16-25 us).
/// docs/attribution.md says what each sees and misses.
///
/// A command runs under a guard, a small process of ours that adopts and reaps what it leaves: the
/// caller's own children, its SIGCHLD and its subreaper attribute stay untouched, and the command
/// outlives a caller that is killed.
///
/// Not thread-safe. Nothing here takes a signal or leaves a lock file; a cgroup that was made is
/// removed, by the guard if something still lives in it at `finish`.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/base/instant.hpp"

namespace carnot::meter {

/// Cumulative CPU time of the machine since boot, all CPUs together. /proc/stat, 10 ms ticks.
struct MachineUse {
  std::int64_t busy_ns = 0;   ///< user (guests included) + nice + system + irq + softirq
  std::int64_t idle_ns = 0;   ///< idle + iowait
  std::int64_t steal_ns = 0;  ///< wanted, given to another guest
  int cpus = 0;               ///< online
};

/// Reads the machine's use; keeps the file open; no allocation after construction.
class MachineMeter {
 public:
  /// \throws IoError if there is no such file
  explicit MachineMeter(const std::string& procfs_root = "/proc",
                        const std::string& sysfs_root = "/sys");
  ~MachineMeter();
  MachineMeter(MachineMeter&&) noexcept;
  MachineMeter& operator=(MachineMeter&&) noexcept;
  MachineUse read();
  /// False: its contents made no sense at first, as some containers' do; all figures are then 0.
  bool readable() const noexcept;
  /// Mean frequency over online CPUs now, Hz; 0: not readable here.
  double frequency_hz();
  /// Bytes moved by all block devices and non-loopback network interfaces since boot.
  struct Traffic {
    std::uint64_t disk_read_b = 0, disk_write_b = 0, net_b = 0;
  };
  Traffic traffic();

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

/// Whether a process that an accelerator names is none that can be told here: no number at all, one
/// that `procfs_root` lacks (the host's, seen from a container), or the server that computes for
/// others (MPS).
bool is_foreign(int pid, const std::string& procfs_root);

/// One process, cumulative since its start.
struct ProcessUse {
  int pid = 0;
  int parent = 0;
  std::uint64_t start_ticks = 0;     ///< after boot: pid and start name a process
  std::string name;                  ///< comm, at most 15 bytes; control bytes as '?'
  std::int64_t cpu_ns = 0;           ///< utime + stime, whole thread group
  std::int64_t children_cpu_ns = 0;  ///< cutime + cstime of waited-for children
  std::uint64_t rss_b = 0;
  bool alive = true;
};

/// All processes of the machine, kept up to date by sweeps: each process's CPU clock, and
/// /proc/<pid>/stat of those that used CPU time, kept open as far as files can be.
class ProcessTable {
 public:
  /// Raises this process's soft limit of open files to the hard one.
  explicit ProcessTable(const std::string& procfs_root = "/proc");
  ~ProcessTable();
  ProcessTable(ProcessTable&&) noexcept;
  ProcessTable& operator=(ProcessTable&&) noexcept;
  /// Brings the table up to date. Processes of cgroup v2 groups whose cpu.stat stood still are
  /// passed over, but for every 16th sweep.
  void sweep();
  /// All known processes, those that ended since the last sweep once more with alive = false. CPU
  /// time is exact; parent, memory and waited-for time are as of when it last used CPU time.
  const std::vector<ProcessUse>& processes() const noexcept;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

/// How a job is held together.
enum class JobMethod { CgroupV2, CgroupV1, Tree, Pid, Cgroup };
std::string_view name(JobMethod method) noexcept;  ///< "cgroup v2", ...

struct JobOptions {
  std::vector<std::string> command;  ///< to start, argv; empty: attach
  int pid = 0;                       ///< attach to this process and its descendants
  std::string cgroup;                ///< or to this cgroup folder
  bool from_start = false;           ///< attached: count what it used before, too
  std::optional<JobMethod> method;   ///< force one; default the best there is
  std::string procfs_root = "/proc";
  std::string cgroup_root = "/sys/fs/cgroup";  ///< where its file systems are mounted, or above
};

/// Cumulative use of a job since it began (or was attached to).
struct JobUse {
  std::int64_t cpu_ns = 0;
  /// Largest of the group (memory.peak), else of any process: rusage when reaped, or, where that is
  /// below the caller's own size (the command is a copy of it until its exec), as last read.
  std::uint64_t peak_rss_b = 0;
  /// Block layer. Without io.stat: of what was reaped and, while it lives, of the command.
  std::uint64_t disk_read_b = 0, disk_write_b = 0;
  bool running = true;
};

enum class JobOutcome { Finished, Failed, Killed, Detached };
std::string_view name(JobOutcome outcome) noexcept;  ///< "finished", ...

class Job {
 public:
  /// Starts the command (found through PATH like a shell does; stdin, stdout, stderr inherited; the
  /// caller's signal mask) or attaches. The child is held before its exec until `release`, so that
  /// a first reading can be taken before it runs; if the job is dropped first, it never does.
  /// \throws InputError: no such command, no such process or group, not permitted (in words);
  ///         DeviceError: no process can be made
  static Job open(const JobOptions& options);
  Job(Job&&) noexcept;
  Job& operator=(Job&&) noexcept;
  ~Job();

  /// Lets the command run; returns at its exec. \throws InputError if that fails (no interpreter)
  void release();
  JobMethod method() const noexcept;
  int pid() const noexcept;      ///< of the command; 0 for a cgroup
  int wait_fd() const noexcept;  ///< becomes readable when the command ends (pidfd); -1: none
  const std::string& cgroup() const noexcept;  ///< the group made or attached to; may be empty

  /// Cheap: at most 50 us whatever the job's size (one group file, or the processes by turns).
  JobUse sample();
  /// The job's processes now (and those that ended since the last call, alive = false), by
  /// descent from the command or from cgroup.procs; costs a read a process.
  std::span<const ProcessUse> processes();
  /// Reaps what ended. True once the command itself has ended (descendants may live on).
  bool ended();
  /// Once ended; Detached before. Finished for what was attached to: its code is not known.
  JobOutcome outcome() const noexcept;
  int exit_code() const noexcept;  ///< as a shell says it: 128 + signal when killed
  /// Last readings, removes the group if empty. After `ended`.
  JobUse finish();

 private:
  struct Implementation;
  explicit Job(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace carnot::meter
