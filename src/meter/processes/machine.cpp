// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cerrno>
#include <filesystem>

#include "carnot/base/error.hpp"
#include "carnot/meter/processes/processes.hpp"

#include "meter/counters/pinned_file.hpp"
#include "meter/processes/procfs.hpp"

namespace carnot::meter {

struct MachineMeter::Implementation {
  std::string stat_path;
  PinnedFile stat, diskstats, net;
  std::vector<PinnedFile> frequencies;  // cpufreq/scaling_cur_freq, one a policy
  std::vector<double> weights;          // CPUs of that policy
  MachineUse last;
  bool readable = true;
  std::vector<char> buffer = std::vector<char>(std::size_t{1} << 16);
};

namespace {

/// CPUs governed together: the words of affected_cpus, at least one.
double cpus_of_policy(const std::string& folder) {
  const std::string line = first_line(folder + "/affected_cpus");
  std::string_view rest = line;
  std::uint64_t cpu = 0;
  double count = 0;
  while (take_number(rest, cpu)) ++count;
  return std::max(count, 1.0);
}

}  // namespace

MachineMeter::MachineMeter(const std::string& procfs_root, const std::string& sysfs_root)
    : implementation_(std::make_unique<Implementation>()) {
  Implementation& self = *implementation_;
  self.stat_path = procfs_root + "/stat";
  self.stat = PinnedFile(self.stat_path);
  if (!self.stat.is_open()) throw IoError(self.stat_path, "open", self.stat.error());
  self.diskstats = PinnedFile(procfs_root + "/diskstats");
  self.net = PinnedFile(procfs_root + "/net/dev");
  std::error_code none;
  const std::string folder = sysfs_root + "/devices/system/cpu/cpufreq";
  for (const auto& policy : std::filesystem::directory_iterator(folder, none)) {
    PinnedFile file(policy.path().string() + "/scaling_cur_freq");
    if (!file.is_open()) continue;
    self.frequencies.push_back(std::move(file));
    self.weights.push_back(cpus_of_policy(policy.path().string()));
  }
  std::uint64_t forks = 0;
  // Containers' views of it may hold anything (lxcfs): then the machine's load is not known.
  self.readable = parse_machine_stat(read_whole(self.stat.fd(), self.buffer), self.last, forks);
  if (!self.readable) self.last = {};
}

bool MachineMeter::readable() const noexcept { return implementation_->readable; }

bool is_foreign(int pid, const std::string& procfs_root) {
  if (pid <= 0) return true;
  const std::string folder = procfs_root + "/" + std::to_string(pid);
  std::error_code none;
  if (!std::filesystem::exists(folder, none)) return true;
  return first_line(folder + "/comm").starts_with("nvidia-cuda-mps");
}

MachineMeter::~MachineMeter() = default;
MachineMeter::MachineMeter(MachineMeter&&) noexcept = default;
MachineMeter& MachineMeter::operator=(MachineMeter&&) noexcept = default;

MachineUse MachineMeter::read() {
  Implementation& self = *implementation_;
  MachineUse now;
  std::uint64_t forks = 0;
  if (!parse_machine_stat(read_whole(self.stat.fd(), self.buffer), now, forks)) return self.last;
  // iowait may go back by a tick (proc(5)); cumulative figures here never do.
  now.busy_ns = std::max(now.busy_ns, self.last.busy_ns);
  now.idle_ns = std::max(now.idle_ns, self.last.idle_ns);
  now.steal_ns = std::max(now.steal_ns, self.last.steal_ns);
  return self.last = now;
}

double MachineMeter::frequency_hz() {
  Implementation& self = *implementation_;
  double sum = 0, weight = 0;
  for (std::size_t i = 0; i < self.frequencies.size(); ++i) {
    std::uint64_t khz = 0;
    if (!self.frequencies[i].read_integer(khz)) continue;
    sum += self.weights[i] * 1e3 * static_cast<double>(khz);
    weight += self.weights[i];
  }
  return weight > 0 ? sum / weight : 0.0;
}

MachineMeter::Traffic MachineMeter::traffic() {
  Implementation& self = *implementation_;
  Traffic traffic;
  if (self.diskstats.is_open()) {
    const BlockTraffic disks = parse_diskstats(read_whole(self.diskstats.fd(), self.buffer));
    traffic.disk_read_b = disks.read_b;
    traffic.disk_write_b = disks.write_b;
  }
  if (self.net.is_open()) {
    traffic.net_b = parse_net_dev(read_whole(self.net.fd(), self.buffer));
  }
  return traffic;
}

}  // namespace carnot::meter
