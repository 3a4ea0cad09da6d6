// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Readers of the text of /proc and of cgroup files, as pure functions: any bytes in, false or
/// zeroes out where they are not what proc(5) and cgroups(7) describe. No allocation but for the
/// mount table. A text cut off in the middle of a line loses that line, no more.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/meter/processes/processes.hpp"

namespace carnot::meter {

/// One clock tick of /proc: USER_HZ is 100 on every architecture Linux runs carnot on.
inline constexpr std::int64_t kTickNs = 10'000'000;

/// /proc/<pid>/stat. The name stands between the first '(' and the last ')' and may hold anything,
/// line ends and brackets too.
struct ProcessStat {
  int pid = 0;
  std::string_view name;
  char state = '?';
  int parent = 0;
  std::int64_t cpu_ns = 0;           ///< utime + stime
  std::int64_t children_cpu_ns = 0;  ///< cutime + cstime
  std::uint64_t start_ticks = 0;
  std::uint64_t rss_pages = 0;
};
bool parse_process_stat(std::string_view text, ProcessStat& into) noexcept;

/// /proc/stat: the machine's use and the number of forks since boot. False: no `cpu` line.
bool parse_machine_stat(std::string_view text, MachineUse& use, std::uint64_t& forks) noexcept;

/// Bytes through the block layer: read_bytes and write_bytes of /proc/<pid>/io; rbytes and wbytes
/// of a cgroup's io.stat over all devices.
struct BlockTraffic {
  std::uint64_t read_b = 0, write_b = 0;
};
bool parse_process_io(std::string_view text, BlockTraffic& into) noexcept;
BlockTraffic parse_io_stat(std::string_view text) noexcept;

/// /proc/diskstats, whole devices only: a partition or a device made of others (dm, md, loop, ram,
/// zram) would count the same bytes again. Sectors are of 512 bytes.
BlockTraffic parse_diskstats(std::string_view text) noexcept;
/// /proc/net/dev: received and sent bytes of all interfaces but the loopback.
std::uint64_t parse_net_dev(std::string_view text) noexcept;

/// usage_usec of a cgroup v2 cpu.stat, in nanoseconds. False: no such line.
bool parse_cpu_stat(std::string_view text, std::int64_t& usage_ns) noexcept;
/// The number after the last blank of /proc/loadavg: the pid given out last. 0: no such text.
int parse_last_pid(std::string_view text) noexcept;

/// One cgroup file system of /proc/self/mountinfo.
struct CgroupMount {
  std::string root;  ///< of the group shown at `point` ("/" unless bind-mounted)
  std::string point;
  bool v2 = false;
  bool cpuacct = false;  ///< v1 with the cpuacct controller
};
std::vector<CgroupMount> parse_mountinfo(std::string_view text);
/// The path of a process in a hierarchy, of /proc/<pid>/cgroup; empty: not in it.
/// \param controller  of a v1 hierarchy; empty: v2
std::string parse_membership(std::string_view text, std::string_view controller);

/// All of an open file, read from its start; /proc gives long files a page at a time. A text that
/// fills `buffer` is cut to whole lines. Empty on failure, errno set.
std::string_view read_whole(int fd, std::span<char> buffer) noexcept;

/// Decimal digits at the front of `text`, taken off it with the blanks before them. False: none.
bool take_number(std::string_view& text, std::uint64_t& value) noexcept;
/// The next line of `text`, taken off it. False: `text` is empty.
bool take_line(std::string_view& text, std::string_view& line) noexcept;

}  // namespace carnot::meter
