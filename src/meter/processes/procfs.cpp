// SPDX-License-Identifier: Apache-2.0
#include "meter/processes/procfs.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <limits>

#include <unistd.h>

namespace carnot::meter {

namespace {

constexpr std::string_view kBlank = " \t";

void skip_blanks(std::string_view& text) noexcept {
  text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size()));
}

/// The next word of a line, taken off it; empty at the end.
std::string_view take_word(std::string_view& text) noexcept {
  skip_blanks(text);
  const std::string_view word = text.substr(0, text.find_first_of(kBlank));
  text.remove_prefix(word.size());
  return word;
}

bool skip_words(std::string_view& text, int count) noexcept {
  while (count-- > 0) {
    if (take_word(text).empty()) return false;
  }
  return true;
}

/// Sum of the next `count` tick fields in nanoseconds, false if one is missing or out of range.
/// cutime and cstime are printed with a sign.
bool take_ticks(std::string_view& text, int count, std::int64_t& ns) noexcept {
  ns = 0;
  while (count-- > 0) {
    std::uint64_t ticks = 0;
    if (!take_number(text, ticks)) return false;
    constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max() / (8 * kTickNs);
    if (ticks > kMost) return false;
    ns += static_cast<std::int64_t>(ticks) * kTickNs;
  }
  return true;
}

bool take_int(std::string_view& text, int& value) noexcept {
  std::uint64_t wide = 0;
  if (!take_number(text, wide) || wide > std::numeric_limits<int>::max()) return false;
  value = static_cast<int>(wide);
  return true;
}

/// The number after `key` at the start of a line.
bool line_value(std::string_view line, std::string_view key, std::uint64_t& value) noexcept {
  if (!line.starts_with(key)) return false;
  line.remove_prefix(key.size());
  return take_number(line, value);
}

bool is_whole_disk(std::string_view name) noexcept {
  for (const std::string_view virtual_kind : {"loop", "ram", "zram", "dm-", "md", "sr", "fd"}) {
    if (name.starts_with(virtual_kind)) return false;
  }
  const std::size_t digits = name.find_last_not_of("0123456789") + 1;
  if (digits == name.size()) return !name.empty();  // sda, xvda
  // mmcblk0, nvme0n1, nbd0 are disks whose partitions end in p<number>; sda1 is a partition.
  for (const std::string_view numbered : {"nvme", "mmcblk", "nbd", "pmem", "cciss"}) {
    if (name.starts_with(numbered)) return name[digits - 1] != 'p' || digits < 2;
  }
  return false;
}

/// Octal escapes of mountinfo: "\040" is a blank.
std::string unescape(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    int code = 0;
    if (text[i] == '\\' && i + 3 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 4, code, 8).ptr ==
            text.data() + i + 4) {
      plain += static_cast<char>(code);
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

bool has_item(std::string_view list, std::string_view item) noexcept {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (list.substr(0, comma) == item) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

}  // namespace

bool take_number(std::string_view& text, std::uint64_t& value) noexcept {
  skip_blanks(text);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool take_line(std::string_view& text, std::string_view& line) noexcept {
  if (text.empty()) return false;
  line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return true;
}

bool parse_process_stat(std::string_view text, ProcessStat& into) noexcept {
  const std::size_t open = text.find('('), close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
    return false;
  }
  std::string_view head = text.substr(0, open);
  std::string_view rest = text.substr(close + 1);
  into.name = text.substr(open + 1, close - open - 1);
  if (!take_int(head, into.pid)) return false;
  const std::string_view state = take_word(rest);
  if (state.size() != 1) return false;
  into.state = state.front();
  // Fields by number as in proc(5): 4 ppid, 14-17 times, 22 start, 24 rss.
  return take_int(rest, into.parent) && skip_words(rest, 9) && take_ticks(rest, 2, into.cpu_ns) &&
         take_ticks(rest, 2, into.children_cpu_ns) && skip_words(rest, 4) &&
         take_number(rest, into.start_ticks) && skip_words(rest, 1) &&
         take_number(rest, into.rss_pages);
}

bool parse_machine_stat(std::string_view text, MachineUse& use, std::uint64_t& forks) noexcept {
  bool found = false;
  use = {};
  forks = 0;
  std::string_view line;
  while (take_line(text, line)) {
    if (line.starts_with("cpu ")) {
      line.remove_prefix(4);
      std::int64_t busy = 0, idle = 0, interrupts = 0, steal = 0;
      // user (guests are inside) nice system | idle iowait | irq softirq | steal
      found = take_ticks(line, 3, busy) && take_ticks(line, 2, idle);
      if (found && take_ticks(line, 2, interrupts)) take_ticks(line, 1, steal);
      use.busy_ns = busy + interrupts;
      use.idle_ns = idle;
      use.steal_ns = steal;
    } else if (line.starts_with("cpu")) {
      ++use.cpus;
    } else if (line_value(line, "processes", forks)) {
      break;
    }
  }
  return found;
}

bool parse_process_io(std::string_view text, BlockTraffic& into) noexcept {
  std::string_view line;
  bool read = false, write = false;
  while (take_line(text, line)) {
    if (line_value(line, "read_bytes:", into.read_b)) read = true;
    if (line_value(line, "write_bytes:", into.write_b)) write = true;
  }
  return read && write;
}

BlockTraffic parse_io_stat(std::string_view text) noexcept {
  BlockTraffic sum;
  std::string_view line;
  while (take_line(text, line)) {
    for (std::string_view word = take_word(line); !word.empty(); word = take_word(line)) {
      std::uint64_t value = 0;
      if (line_value(word, "rbytes=", value)) sum.read_b += value;
      if (line_value(word, "wbytes=", value)) sum.write_b += value;
    }
  }
  return sum;
}

BlockTraffic parse_diskstats(std::string_view text) noexcept {
  constexpr std::uint64_t kSectorB = 512;
  BlockTraffic sum;
  std::string_view line;
  while (take_line(text, line)) {
    std::uint64_t major = 0, minor = 0, read = 0, written = 0;
    if (!take_number(line, major) || !take_number(line, minor)) continue;
    if (!is_whole_disk(take_word(line))) continue;
    // reads, merged, sectors, ms, writes, merged, sectors
    if (!skip_words(line, 2) || !take_number(line, read) || !skip_words(line, 3) ||
        !take_number(line, written)) {
      continue;
    }
    sum.read_b += read * kSectorB;
    sum.write_b += written * kSectorB;
  }
  return sum;
}

std::uint64_t parse_net_dev(std::string_view text) noexcept {
  std::uint64_t sum = 0;
  std::string_view line;
  while (take_line(text, line)) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;  // the two lines of headings
    std::string_view name = line.substr(0, colon);
    skip_blanks(name);
    line.remove_prefix(colon + 1);
    std::uint64_t received = 0, sent = 0;
    if (name == "lo" || !take_number(line, received) || !skip_words(line, 7) ||
        !take_number(line, sent)) {
      continue;
    }
    sum += received + sent;
  }
  return sum;
}

bool parse_cpu_stat(std::string_view text, std::int64_t& usage_ns) noexcept {
  std::string_view line;
  while (take_line(text, line)) {
    std::uint64_t us = 0;
    if (line_value(line, "usage_usec", us) &&
        us <= std::numeric_limits<std::int64_t>::max() / 1000) {
      usage_ns = static_cast<std::int64_t>(us) * 1000;
      return true;
    }
  }
  return false;
}

int parse_last_pid(std::string_view text) noexcept {
  std::string_view line;
  int pid = 0;
  if (!take_line(text, line)) return 0;
  line.remove_prefix(std::min(line.rfind(' ') + 1, line.size()));
  return take_int(line, pid) ? pid : 0;
}

std::vector<CgroupMount> parse_mountinfo(std::string_view text) {
  std::vector<CgroupMount> mounts;
  std::string_view line;
  while (take_line(text, line)) {
    // 36 35 98:0 ROOT POINT options [optional fields] - TYPE source SUPER_OPTIONS
    if (!skip_words(line, 3)) continue;
    const std::string_view root = take_word(line), point = take_word(line);
    for (std::string_view word = take_word(line); !word.empty() && word != "-";) {
      word = take_word(line);
    }
    const std::string_view type = take_word(line);
    if (type != "cgroup" && type != "cgroup2") continue;
    take_word(line);
    const bool v2 = type == "cgroup2";
    mounts.push_back(
        {unescape(root), unescape(point), v2, !v2 && has_item(take_word(line), "cpuacct")});
  }
  return mounts;
}

std::string parse_membership(std::string_view text, std::string_view controller) {
  std::string_view line;
  while (take_line(text, line)) {
    // hierarchy:controllers:path
    const std::size_t first = line.find(':');
    if (first == std::string_view::npos) continue;
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    const bool match = controller.empty() ? line.substr(0, first) == "0" && controllers.empty()
                                          : has_item(controllers, controller);
    if (match) return std::string(line.substr(second + 1));
  }
  return {};
}

std::string_view read_whole(int fd, std::span<char> buffer) noexcept {
  std::size_t have = 0;
  while (have < buffer.size()) {
    const ssize_t n =
        ::pread(fd, buffer.data() + have, buffer.size() - have, static_cast<off_t>(have));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return {};
    if (n == 0) return {buffer.data(), have};
    have += static_cast<std::size_t>(n);
  }
  const std::string_view text(buffer.data(), have);
  return text.substr(0, text.rfind('\n') + 1);
}

}  // namespace carnot::meter
